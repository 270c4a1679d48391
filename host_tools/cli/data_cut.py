"""`beckon data cut`: spans that repeat a gesture become takes."""

import sys
from pathlib import Path

from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError
from host_tools.wording import counted

_LEAST_S = 2.5


def add_parser(actions) -> None:
    text = ("cut long spans that repeat a gesture into takes; the old labels are kept, and "
            "--undo brings them back")  # fmt: skip
    sub = actions.add_parser("cut", help=text, description=text)
    sub.add_argument("dataset", type=Path, metavar="DATASET", help="folder")
    sub.add_argument("--label", metavar="A,B,..",
                     help="labels to cut (default: those that usually move for over 6 s)")
    sub.add_argument("--longer-than", type=float, default=_LEAST_S, metavar="S",
                     help=f"cut only longer spans (default: {_LEAST_S:g})")
    sub.add_argument("--dry-run", action="store_true", help="report what would be cut")
    sub.add_argument("--undo", action="store_true",
                     help="bring back the labels before the last cut")
    sub.set_defaults(perform=cut_data)


def cut_data(args) -> int:
    from host_tools.augment.continuing import continuing_in
    from host_tools.dataset import read_dataset
    from host_tools.dataset.cut import apply, cut_spans
    from host_tools.dataset.labels import read_labels_file, write_labels_file
    from host_tools.files import write_atomically

    path = args.dataset / "labels.csv"
    if args.undo:
        return _undo(path)
    with waiting("reading"):
        data = read_dataset(args.dataset)
        table = read_labels_file(path)
    if args.label:
        labels = tuple(x.strip() for x in args.label.split(",") if x.strip())
        unknown = [x for x in labels if x not in data.labels]
        if unknown or not labels:
            raise BeckonError(f"--label {args.label}: no span has this label; there are "
                              f"{', '.join(data.labels)}", 2)
    else:
        labels = continuing_in(data)
        if not labels:
            raise BeckonError(f"{args.dataset}: no label usually moves for more than 6 s, so there "
                              "is nothing to cut; name labels with --label", 1)
    cuts = cut_spans(table, data.recordings, labels, args.longer_than)
    done = [c for c in cuts if c.takes]
    for c in cuts:
        if not c.takes:
            print(f"notice: {c.recording}: {c.row.label} from {c.row.start_ms / 1000:.1f} to "
                  f"{c.row.end_ms / 1000:.1f} s is left as it is: {c.why}", file=sys.stderr)
    if not done:
        raise BeckonError(f"{args.dataset}: no span longer than {args.longer_than:g} s could be "
                          "cut; label the takes by hand (beckon studio)")
    takes = sum(len(c.takes) for c in done)
    lengths = sorted((b - a) / 1000 for c in done for a, b in c.takes)
    summary = (f"{counted(len(done), 'span')} of "
               f"{', '.join(sorted({c.row.label for c in done}))} -> {takes} "
               f"takes of {lengths[0]:.1f} to {lengths[-1]:.1f} s")  # fmt: skip
    if args.dry_run:
        print(f"{summary}; nothing was written")
        return 0
    backup = _backups(path)[1]
    write_atomically(backup, path.read_bytes())
    write_labels_file(path, apply(table, done))
    print(summary)
    print(f"the old labels are in {backup.name}; beckon data cut {args.dataset} --undo brings them "
          "back", file=sys.stderr)
    return 0


def _backups(path: Path) -> tuple[list[Path], Path]:
    """The kept labels, oldest first, and the name for the next."""
    numbered = []
    for old in path.parent.glob("labels-before-cut-*.csv"):
        number = old.stem.rpartition("-")[2]
        if number.isdigit():
            numbered.append((int(number), old))
    last = max((n for n, _ in numbered), default=0)
    return [old for _, old in sorted(numbered)], path.with_name(f"labels-before-cut-{last + 1}.csv")


def _undo(path: Path) -> int:
    from host_tools.files import write_atomically

    kept = _backups(path)[0]
    if not kept:
        raise BeckonError(f"{path.parent}: nothing was cut, so there is nothing to undo")
    write_atomically(path, kept[-1].read_bytes())
    kept[-1].unlink()
    print(f"{path}: the labels before the last cut are back")
    return 0
