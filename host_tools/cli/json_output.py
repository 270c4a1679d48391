"""--json, which means the same in all commands: one JSON object on stdout, and nothing else there.

What is written for people goes to stderr then, or not at all. `beckon watch` goes on without an
end, so it prints one object per event.
"""

import json
from typing import Any

JSON_HELP = "print the result as one JSON object on standard output, and nothing else there"


def add_json_argument(parser):
    parser.add_argument("--json", action="store_true", help=JSON_HELP)


def put_figures(figures: dict[str, Any], as_json: bool, summary: str) -> None:
    """Print figures as JSON, or else the summary."""
    print(json.dumps(figures, indent=1, ensure_ascii=False) if as_json else summary)
