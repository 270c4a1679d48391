"""`beckon data import`: a data-set folder made from other files."""

import sys
from pathlib import Path

from host_tools.cli.data_units import add_units, options_of
from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError

_EXAMPLES = """\
examples:
  beckon data import exports/ --dry-run                         say what the files are
  beckon data import exports/ --out my-gestures
  beckon data import circle.csv --rate 50 --accel-unit g --out my-gestures
  beckon data import phone/ --subject-pattern '{subject}/*' --label-from name --out my-gestures
"""


def add_parser(actions) -> None:
    import argparse

    from host_tools.dataset.convert import IMPORTED
    from host_tools.dataset.convert.options import LABEL_FROM

    text = "make a data-set folder from other files"
    sub = actions.add_parser("import", help=text, description=text, epilog=_EXAMPLES,
                             formatter_class=argparse.RawDescriptionHelpFormatter)
    sub.add_argument("path", type=Path, help="file, folder or zip to read")
    sub.add_argument("--format", default="auto", choices=IMPORTED,
                     help="format of the files (default: auto, each file's own)")
    sub.add_argument("--out", type=Path, metavar="FOLDER",
                     help="folder to make; recordings for testing get FOLDER-testing")
    sub.add_argument("--dry-run", action="store_true",
                     help="read everything and say what it is, but write nothing")
    sub.add_argument("--rate", type=float, metavar="HZ", help="for files without times")
    sub.add_argument("--label", help="label of everything, instead of the files' own")
    sub.add_argument("--label-from", choices=LABEL_FROM,
                     help="where labels come from (default: a column, else what the folders and "
                          "names suggest)")
    sub.add_argument("--subject", default="", help="who made the movements")
    sub.add_argument("--subject-pattern", default="", metavar="PATTERN",
                     help="where a path names the person: '{subject}/*' or '*_{subject}_*'")
    add_units(sub, assumed=True)
    sub.set_defaults(perform=import_files)


def import_files(args) -> int:
    from host_tools.dataset.checks import check
    from host_tools.dataset.convert import read_foreign, write_folder
    from host_tools.dataset.convert.summary import shortened, summary

    if args.rate is not None and not 4 <= args.rate <= 2000:
        raise BeckonError(f"--rate {args.rate:g}: name a rate from 4 to 2000 Hz", 2)
    if args.out is None and not args.dry_run:
        raise BeckonError("name the folder to make with --out, or look first with --dry-run", 2)
    options = options_of(args, rate_hz=args.rate, label=args.label, subject=args.subject,
                         label_from=args.label_from, subject_pattern=args.subject_pattern)
    with waiting("reading"):
        data = read_foreign(args.path, args.format, options)
    parts = [(part, where) for part, where in _split(data, args.out) if part.recordings]
    if not args.dry_run:
        for _, where in parts:
            if where.exists():
                raise BeckonError(f"{where}: exists already; name another folder or delete it")
    for notice in shortened([*data.notices, *check(data)]):
        print(f"notice: {notice}", file=sys.stderr)
    for part, where in parts:
        if not args.dry_run:
            with waiting("writing"):
                write_folder(part, where)
        for line in summary(part, str(where) if where else args.path.name, args.dry_run):
            print(line)
    if len(parts) > 1 and not args.dry_run:
        print(f"train on {parts[0][1]}, evaluate on {parts[1][1]}")
    return 0


def _split(data, out):
    """The recordings for training and those for testing, each with its folder."""
    from host_tools.dataset.convert import Imported

    both = list(zip(data.recordings, data.sources, strict=True))
    testing = [pair for pair in both if pair[1].category == "testing"]
    rest = [pair for pair in both if pair[1].category != "testing"]
    if not rest:
        testing, rest = [], testing
    for pairs, suffix in ((rest, ""), (testing, "-testing")):
        where = out.with_name(out.name + suffix) if out else None
        yield Imported(data.name + suffix, [r for r, _ in pairs], [], [s for _, s in pairs]), where
