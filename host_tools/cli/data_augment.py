"""`beckon data augment`: a page with every augmentation, before and after."""

from pathlib import Path

from host_tools.errors import BeckonError


def add_parser(actions) -> None:
    text = "write a page with every augmentation, before and after"
    sub = actions.add_parser("augment", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,..")
    sub.add_argument("--out", required=True, type=Path, metavar="FILE.html")
    sub.add_argument("--label", help="gesture to show (default: the first one)")
    sub.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
    sub.set_defaults(perform=augment)


def augment(args) -> int:
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
