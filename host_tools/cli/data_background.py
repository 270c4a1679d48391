"""`beckon data background`: a generator of everyday movement, learned from hours of it."""

import sys
from pathlib import Path

from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError
from host_tools.wording import counted


def add_parser(actions) -> None:
    text = "learn a generator of everyday movement from hours of it"
    sub = actions.add_parser("background", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET",
                     help="recordings without gestures; their labels say what is done")
    sub.add_argument("--out", required=True, type=Path, metavar="FILE.npz")
    sub.add_argument("--source", default="", metavar="TEXT",
                     help="what the file says of its source and licence (default: the folders)")
    sub.add_argument("--seed", type=int, default=1, help="same seed, same file")
    sub.set_defaults(perform=background)


def background(args) -> int:
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
    print(f"{args.out}: {size} bytes, {counted(len(made.weights), 'prototype')} of {hours:.1f} h")
    return 0
