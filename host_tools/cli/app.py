"""The command `beckon`: finds the commands, calls one, turns faults into one line.

A command is a file in this folder with a function run(args) -> int. The first line of its
docstring is its summary. The rest, with an example, ends its --help. add_arguments(parser)
declares its options. Two names are optional:

    EXTRA = "test"        an extra of pyproject.toml, installed before the first run
    PASS_ON = True        passes unknown arguments on, in args.rest, instead of refusing them
"""

import argparse
import ast
import importlib
import inspect
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from host_tools.cli.parser import HelpFormatter, Parser, nearest
from host_tools.cli.threads import one_core
from host_tools.errors import BeckonError
from host_tools.paths import DOCS

FOLDER = Path(__file__).parent
_PIPE_STATUS = 128 + 13  # as shells report a program that SIGPIPE has ended
_INTRO = """\
Gesture recognition on an ESP32 with an MPU6500: record, train, deploy, watch.

  ./beckon demo            a gesture's whole way, without any hardware
  ./beckon COMMAND --help  the options of a command, with an example
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status (0 done, 1 fault, 2 wrong usage)."""
    if argv is None:
        argv = sys.argv[1:]
        signal.signal(signal.SIGTERM, _stop)  # so that clean-up runs and no child is left
    for stream in (sys.stdout, sys.stderr):  # a locale must not turn a message into a traceback
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    one_core()
    prefix = f"beckon {argv[0]}" if argv and is_command(argv[0]) else "beckon"
    try:
        status = _dispatch(argv)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has shown ^C, and the prompt comes next
        return 130
    except BrokenPipeError as error:
        if _reader_gone():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing left to flush at exit
            return _PIPE_STATUS
        return _complain(prefix, error)
    except Exception as error:
        if os.environ.get("BECKON_DEBUG"):
            raise
        return _complain(prefix, error)


def _stop(number, frame):
    sys.exit(128 + number)


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        if len(argv) > 1 and argv[0] == "help":
            return _dispatch([argv[1], "--help"])
        print(_overview(), end="", file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    if argv[0] in ("-V", "--version"):
        from host_tools.version import version

        print(f"beckon {version()}")
        return 0
    name, rest = argv[0], argv[1:]
    if name.startswith("-"):
        near = nearest(name, ("--help", "--version"))
        raise BeckonError(f"unknown option {name}{near or ': see beckon --help'}", status=2)
    if not is_command(name):
        near = nearest(name, commands())
        raise BeckonError(f"unknown command {name!r}{near or ': see beckon --help'}", status=2)
    if not {"-h", "--help"} & set(rest):
        provide(_assigned(name, "EXTRA"))
    module = importlib.import_module(f"host_tools.cli.{_module_name(name)}")
    _show_activity()
    parser = make_parser(name, module)
    if getattr(module, "PASS_ON", False):
        args, unknown = parser.parse_known_args(rest)
        args.rest = unknown
    else:
        args = parser.parse_args(rest)
    return module.run(args)


def commands() -> dict[str, str]:
    """Each command's summary, in the order of the names. Imports no command."""
    found = {}
    for path in sorted(FOLDER.glob("[!_]*.py")):
        tree = _tree(path)
        if _has_run(tree):
            summary = (ast.get_docstring(tree) or "").split("\n")[0]
            found[path.stem.replace("_", "-")] = summary
    return found


def is_command(name: str) -> bool:
    """Whether there is a command of that name. Reads only its own file."""
    stem = _module_name(name)
    if not stem.isidentifier() or stem.startswith("_") or "_" in name:
        return False
    path = FOLDER / f"{stem}.py"
    return path.exists() and _has_run(_tree(path))


def make_parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    """The argument parser of one command."""
    parser = Parser(prog=f"beckon {name}", **about(module))
    module.add_arguments(parser)
    return parser


def about(module: ModuleType) -> dict[str, Any]:
    """What an argument parser of the module is made with, besides its name."""
    # cleandoc, because Python 3.13 and later clean docstrings themselves.
    summary, _, rest = inspect.cleandoc(module.__doc__ or "").partition("\n")
    return {"description": summary, "epilog": rest.strip("\n"),
            "formatter_class": HelpFormatter, "allow_abbrev": False}


def _overview() -> str:
    every = commands()
    width = max(map(len, every), default=0)
    lines = "".join(f"  {name:{width}}  {summary}\n" for name, summary in every.items())
    return (f"usage: beckon [--help] [--version] COMMAND ...\n\n{_INTRO}\ncommands:\n{lines}\n"
            f"documentation: {DOCS}\n")


def provide(extra: str | None) -> None:
    """Install the extra that a command needs, unless it is there already. Raises BeckonError."""
    if extra is None:
        return
    from host_tools.toolchain import bootstrap

    if Path(sys.prefix).resolve() != bootstrap.VENV.resolve():
        from host_tools.cli.environment import missing_packages, pip_line

        missing = missing_packages(extra)
        if missing:
            raise BeckonError(f"needs more packages: install them with {pip_line(missing)}")
        return
    if bootstrap.has(extra):
        return
    try:
        bootstrap.install(extra)
    except bootstrap.BootstrapError as error:
        raise BeckonError(str(error)) from None


def _show_activity() -> None:
    """Show on the terminal when a tool is fetched."""
    from host_tools.cli.progress import waiting
    from host_tools.toolchain import activity

    activity.display = waiting


def _assigned(name: str, variable: str) -> str | None:
    """The string that a command's file assigns to variable, without importing it."""
    for node in _tree(FOLDER / f"{_module_name(name)}.py").body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            if any(isinstance(t, ast.Name) and t.id == variable for t in node.targets):
                return str(node.value.value)
    return None


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _has_run(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body)


def _module_name(command: str) -> str:
    return command.replace("-", "_")


def _complain(prefix: str, error: Exception) -> int:
    """Print one line about the fault; return the exit status."""
    if isinstance(error, BeckonError | ValueError):
        text = str(error)
    elif isinstance(error, OSError):
        text = error.strerror or str(error) or type(error).__name__
        if error.filename is not None:
            text += f": {error.filename}"
    else:
        from host_tools.cli.environment import blame

        text = blame(error)
    sys.stdout.flush()
    print(f"{prefix}: {' '.join(text.split())}", file=sys.stderr)
    return error.status if isinstance(error, BeckonError) else 1


def _reader_gone() -> bool:
    """Whether the reader of stdout has gone (`| head`), not that of another pipe."""
    import select

    if sys.platform == "win32":  # which has no poll(); no other pipe is written to there
        return True
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
