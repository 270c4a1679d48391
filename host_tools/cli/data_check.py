"""`beckon data check`: what looks wrong, on the terminal."""

import sys


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
    print(f"{data.name}: {len(data.recordings)} recordings, {len(data.labels)} labels, "
          f"{len(found)} findings", file=sys.stderr)
    return 0
