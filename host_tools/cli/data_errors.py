"""`beckon data errors`: takes whose label is probably wrong, surest first."""

import sys

from host_tools.cli.json_output import add_json_argument, put_figures
from host_tools.wording import counted


def add_parser(actions) -> None:
    text = "find labels that are probably wrong, by cross-validation"
    sub = actions.add_parser("errors", help=text, description=text)
    sub.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,..")
    sub.add_argument("--most", type=int, default=30, metavar="N", help="takes to print")
    sub.add_argument("--folds", type=int, default=5, metavar="N",
                     help="parts, each judged by networks that learned from the others")
    sub.add_argument("--repeats", type=int, default=2, metavar="N",
                     help="times, each with other parts: more are surer and slower")
    sub.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same result")
    add_json_argument(sub)
    sub.set_defaults(perform=find_errors)


def find_errors(args) -> int:
    from host_tools.cli.progress import progress
    from host_tools.dataset import read_datasets
    from host_tools.errors import BeckonError
    from host_tools.experiments.label_errors import label_errors

    for name, least in (("most", 1), ("folds", 2), ("repeats", 1)):
        if getattr(args, name) < least:
            raise BeckonError(f"--{name} {getattr(args, name)}: must be at least {least}", 2)
    data = read_datasets(args.dataset)
    for notice in data.notices:
        print(f"notice: {notice}", file=sys.stderr)
    with progress("looking for wrong labels", total=100) as step:
        shown = 0

        def show(done: int, of: int) -> None:
            nonlocal shown
            percent = 100 * done // of
            step("", percent - shown)
            shown = percent

        found = label_errors(data, show, seed=args.seed, folds=args.folds,
                             repeats=args.repeats)
    put_figures({"data": data.name, **found.as_json()}, args.json, summary(found, args.most))
    return 0


def summary(found, most: int) -> str:
    """A line for each suspect, and how many takes were judged."""
    lines = [
        f"{s.recording} {s.start_ms / 1000:.2f} s"
        + (f" (labels.csv:{s.line})" if s.line else "")
        + f": {s.label!r} looks like {s.suggested!r}, {s.share:.0f} % against {s.own_share:.0f} %"
        for s in found.suspects[:most]
    ]
    left = len(found.suspects) - most
    if left > 0:
        lines.append(f"and {left} more, less sure: --most {len(found.suspects)} prints them")
    lines.append(f"{counted(len(found.suspects), 'take')} of {len(found.judged)} may have another "
                 "label" if found.suspects else
                 f"{counted(len(found.judged), 'take')} judged, no label looks wrong")
    return "\n".join(lines)
