"""Print a script that completes commands, options and files on the Tab key.

The script is for `beckon` and for `./beckon`. Print it again after an update.

examples:
  beckon completion bash --out ~/.local/share/bash-completion/completions/beckon
  beckon completion zsh --out ~/.zfunc/_beckon
  beckon completion fish --out ~/.config/fish/completions/beckon.fish
"""

import argparse
import importlib
import sys
from pathlib import Path

SHELLS = ("bash", "zsh", "fish", "tcsh")
_FILES = ("FILE", "FILE.html", "FILE.npz", "DATASET", "MODEL", "RECIPE")  # metavars
_FOLDERS = ("FOLDER", "PROJECT-FOLDER")


def add_arguments(parser):
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" or ".join(SHELLS))
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="write the script there and make the folder; without it to stdout")


def run(args) -> int:
    import shtab

    from host_tools.files import write_atomically

    script = shtab.complete(whole_parser(), args.shell) + "\n"
    if args.out is None:
        print(script, end="")
        return 0
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(args.out, script.encode())
    print(f"{args.out}: open a new shell to use it", file=sys.stderr)
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """One parser of all commands, in which each argument that is a file says so."""
    from host_tools.cli import app

    parser = argparse.ArgumentParser("beckon", allow_abbrev=False)
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    several = parser.add_subparsers()
    for name, summary in app.commands().items():
        module = importlib.import_module(f"host_tools.cli.{name.replace('-', '_')}")
        one = several.add_parser(name, help=summary, **app.about(module))
        module.add_arguments(one)
        _mark_files(one)
    return parser


def _mark_files(parser: argparse.ArgumentParser) -> None:
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for chosen in action.choices.values():
                _mark_files(chosen)
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
