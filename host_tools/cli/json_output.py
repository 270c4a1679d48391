"""A command's figures: a summary for people, JSON for programs."""

import json
from pathlib import Path
from typing import Any


def put_figures(figures: dict[str, Any], path: Path | None, summary: str) -> None:
    """Write figures to path, and print summary; a path of "-" prints the JSON instead."""
    from host_tools.files import write_atomically

    if path:
        text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
        if str(path) == "-":
            print(text, end="")
            return
        write_atomically(path, text.encode())
    print(summary)
