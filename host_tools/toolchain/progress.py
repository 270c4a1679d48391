"""One line on stderr before something slow is fetched."""

import sys


def say(text: str) -> None:
    print(f"beckon: {text}", file=sys.stderr, flush=True)
