"""`beckon data export`: recordings written in another format."""

import sys
from pathlib import Path

from host_tools.cli.data_units import add_units, options_of
from host_tools.errors import BeckonError


def add_parser(actions) -> None:
    from host_tools.dataset.convert import EXPORTED

    sub = actions.add_parser("export", help="write recordings in another format")
    sub.add_argument("dataset", nargs="+", metavar="DATASET")
    sub.add_argument("--format", required=True, choices=EXPORTED)
    sub.add_argument("--rate", type=float, metavar="HZ", help="resample to this rate first")
    sub.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    add_units(sub, assumed=False)
    sub.set_defaults(perform=export)


def export(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.dataset.convert import write_foreign
    from host_tools.dataset.resample import resample_recording

    options = options_of(args)
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
