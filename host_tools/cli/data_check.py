"""`beckon data check`: what looks wrong, on the terminal."""

import sys

from host_tools.wording import counted


def add_parser(actions) -> None:
    text = "print what looks wrong"
    sub = actions.add_parser("check", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,..")
    sub.set_defaults(perform=check_data)


def check_data(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.dataset.checks import check

    data = read_datasets(args.dataset)
    found = [*data.notices, *check(data)]
    for line in found:
        print(line)
    print(f"{data.name}: {counted(len(data.recordings), 'recording')}, "
          f"{counted(len(data.labels), 'label')}, {counted(len(found), 'finding')}",
          file=sys.stderr)
    return 0
