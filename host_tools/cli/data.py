"""Show recordings, check them, and convert between formats.

examples:
  beckon data show data/gestures --out look.html       signals, counts, findings
  beckon data check data/gestures                      findings only, on the terminal
  beckon data augment data/gestures --out kinds.html   each augmentation, before and after
  beckon data import FILE_OR_FOLDER --format csv --label wave --out my_gestures
  beckon data background EVERYDAY --out life.npz       a generator of everyday movement
  beckon data export data/gestures --format edge-impulse --hmac-key key.txt --out upload
"""

import argparse
import sys
from pathlib import Path

from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from host_tools.dataset.convert import EXPORTED

    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("show", "write a page with signals, counts and findings"),
        ("check", "print what looks wrong"),
        ("augment", "write a page with every augmentation, before and after"),
    ):
        sub = actions.add_parser(name, help=text, description=text)
        sub.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,..")
        if name != "check":
            sub.add_argument("--out", required=True, type=Path, metavar="FILE.html")
        if name == "augment":
            sub.add_argument("--label", help="gesture to show (default: the first one)")
            sub.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
    _add_import(actions)
    _add_background(actions)
    sub = actions.add_parser("export", help="write recordings in another format")
    sub.add_argument("dataset", nargs="+", metavar="DATASET")
    sub.add_argument("--format", required=True, choices=EXPORTED)
    sub.add_argument("--rate", type=float, metavar="HZ", help="resample to this rate first")
    sub.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    _add_units(sub)


def _add_import(actions) -> None:
    from host_tools.dataset.convert import IMPORTED

    sub = actions.add_parser("import", help="make a data-set folder from other files")
    sub.add_argument("path", type=Path, help="file or folder to read")
    sub.add_argument("--format", required=True, choices=IMPORTED)
    sub.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="folder to make")
    sub.add_argument("--rate", type=float, metavar="HZ", help="for files without times")
    sub.add_argument("--label", help="label of everything, instead of the file's name")
    sub.add_argument("--subject", default="", help="who made the movements")
    _add_units(sub)


def _add_background(actions) -> None:
    text = "learn a generator of everyday movement from hours of it"
    sub = actions.add_parser("background", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET",
                     help="recordings without gestures; their labels say what is done")
    sub.add_argument("--out", required=True, type=Path, metavar="FILE.npz")
    sub.add_argument("--source", default="", metavar="TEXT",
                     help="what the file says of its source and licence (default: the folders)")
    sub.add_argument("--seed", type=int, default=1, help="same seed, same file")


def _add_units(sub) -> None:
    from host_tools.units import ACCEL_UNITS, GYRO_UNITS, TIME_UNITS

    sub.add_argument("--accel", default="m/s2", choices=ACCEL_UNITS, help="unit in those files")
    sub.add_argument("--gyro", default="dps", choices=GYRO_UNITS, help="unit in those files")
    sub.add_argument("--time", default="ms", choices=TIME_UNITS, help="unit of the times")
    sub.add_argument("--columns", default="", metavar="OURS=THEIRS,...",
                     help="for CSV: the file's names for t_ms ax ay az gx gy gz label")
    sub.add_argument("--hmac-key", type=Path, metavar="FILE",
                     help="file with the key of the Edge Impulse project, for signatures")


def run(args: argparse.Namespace) -> int:
    return {
        "show": _show, "check": _check, "augment": _augment, "import": _import, "export": _export,
        "background": _background,
    }[args.action](args)


def _show(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.files import write_atomically
    from host_tools.plots.dataset_page import html_page

    write_atomically(args.out, html_page(read_datasets(args.dataset)).encode())
    print(args.out)
    return 0


def _check(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.dataset.checks import check

    data = read_datasets(args.dataset)
    found = [*data.notices, *check(data)]
    for line in found:
        print(line)
    print(f"{data.name}: {len(data.recordings)} recordings, {len(data.labels)} labels, "
          f"{len(found)} findings", file=sys.stderr)
    return 0


def _augment(args) -> int:
    from host_tools.dataset import is_idle, read_datasets
    from host_tools.files import write_atomically
    from host_tools.plots.augment_page import html_page
    from host_tools.plots.dataset_page import spans_of

    data = read_datasets(args.dataset)
    gestures = [label for label in data.labels if not is_idle(label)]
    label = args.label or (gestures or data.labels)[0]
    if label not in data.labels:
        raise BeckonError(f"no span is labelled {label!r}; choose from {', '.join(data.labels)}", 2)
    window = spans_of(data, label)[0].T
    rate_hz = next(r.rate_hz for r in data.recordings if any(s.label == label for s in r.spans))
    text = html_page(window, rate_hz, f"Augmentation of {label}, {data.name}", args.seed)
    write_atomically(args.out, text.encode())
    print(args.out)
    return 0


def _background(args) -> int:
    import numpy as np

    from host_tools.augment.background import RATE_HZ
    from host_tools.augment.background_fit import fit
    from host_tools.dataset import read_datasets
    from host_tools.dataset.resample import resample_recording

    if not args.out.absolute().parent.is_dir():
        raise BeckonError(f"--out {args.out}: no folder {args.out.parent}; make it first", 2)
    with waiting("reading"):
        data = read_datasets(args.dataset)
    for notice in data.notices:
        print(f"notice: {notice}", file=sys.stderr)
    if data.axes != 6:
        raise BeckonError(f"{data.name}: a background needs accelerometer and gyroscope", 2)
    with waiting("learning"):
        recordings = [resample_recording(r, RATE_HZ).samples.T for r in data.recordings]
        activities = [r.spans[0].label if r.spans else "" for r in data.recordings]
        source = args.source or ", ".join(Path(name).name for name in args.dataset)
        made = fit(recordings, activities, source, np.random.default_rng(args.seed))
    size = made.save(args.out)
    hours = sum(r.seconds for r in data.recordings) / 3600
    print(f"{args.out}: {size} bytes, {len(made.weights)} prototypes of {hours:.1f} h")
    return 0


def _import(args) -> int:
    from host_tools.dataset.checks import check
    from host_tools.dataset.convert import read_foreign, write_folder

    if args.rate is not None and not 1 <= args.rate <= 10000:
        raise BeckonError(f"--rate {args.rate:g}: name a rate from 1 to 10000 Hz", 2)
    options = _options(args, rate_hz=args.rate, label=args.label, subject=args.subject)
    data = read_foreign(args.path, args.format, options)
    for notice in [*data.notices, *check(data)]:
        print(f"notice: {notice}", file=sys.stderr)
    write_folder(data, args.out)
    print(f"{args.out}: {len(data.recordings)} recordings, labels {', '.join(data.labels)}")
    return 0


def _options(args, **more):
    from host_tools.dataset.convert import Options
    from host_tools.dataset.convert.options import parse_columns

    key = args.hmac_key.read_bytes().strip() if args.hmac_key else None
    if key == b"":
        raise BeckonError(f"--hmac-key {args.hmac_key}: the file is empty", 2)
    return Options(accel=args.accel, gyro=args.gyro, time=args.time,
                   columns=parse_columns(args.columns), hmac_key=key, **more)


def _export(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.dataset.convert import write_foreign
    from host_tools.dataset.resample import resample_recording

    options = _options(args)
    data = read_datasets(args.dataset)
    for notice in data.notices:
        print(f"notice: {notice}", file=sys.stderr)
    if args.rate is not None:
        if not 1 <= args.rate <= 1000:
            raise BeckonError(f"--rate {args.rate:g}: name a rate from 1 to 1000 Hz", 2)
        data.recordings = [resample_recording(r, args.rate) for r in data.recordings]
    count = write_foreign(data, args.out, args.format, options)
    print(f"{args.out}: {count} {'recordings' if args.format == 'folder' else 'files'}")
    return 0
