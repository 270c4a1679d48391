"""`beckon data show`: a page with signals, counts and findings."""

from pathlib import Path


def add_parser(actions) -> None:
    text = "write a page with signals, counts and findings"
    sub = actions.add_parser("show", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,..")
    sub.add_argument("--out", required=True, type=Path, metavar="FILE.html")
    sub.set_defaults(perform=show)


def show(args) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.files import write_atomically
    from host_tools.plots.dataset_page import html_page

    write_atomically(args.out, html_page(read_datasets(args.dataset)).encode())
    print(args.out)
    return 0
