"""`beckon data import`: a data-set folder made from other files."""

import sys
from pathlib import Path

from host_tools.cli.data_units import add_units, options_of
from host_tools.errors import BeckonError
from host_tools.wording import counted


def add_parser(actions) -> None:
    from host_tools.dataset.convert import IMPORTED

    sub = actions.add_parser("import", help="make a data-set folder from other files")
    sub.add_argument("path", type=Path, help="file or folder to read")
    sub.add_argument("--format", required=True, choices=IMPORTED)
    sub.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="folder to make")
    sub.add_argument("--rate", type=float, metavar="HZ", help="for files without times")
    sub.add_argument("--label", help="label of everything, instead of the file's name")
    sub.add_argument("--subject", default="", help="who made the movements")
    add_units(sub)
    sub.set_defaults(perform=import_files)


def import_files(args) -> int:
    from host_tools.dataset.checks import check
    from host_tools.dataset.convert import read_foreign, write_folder

    if args.rate is not None and not 1 <= args.rate <= 10000:
        raise BeckonError(f"--rate {args.rate:g}: name a rate from 1 to 10000 Hz", 2)
    options = options_of(args, rate_hz=args.rate, label=args.label, subject=args.subject)
    data = read_foreign(args.path, args.format, options)
    for notice in [*data.notices, *check(data)]:
        print(f"notice: {notice}", file=sys.stderr)
    write_folder(data, args.out)
    print(f"{args.out}: {counted(len(data.recordings), 'recording')}, "
          f"labels {', '.join(data.labels)}")
    return 0
