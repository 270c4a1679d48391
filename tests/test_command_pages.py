"""Each command has a page in docs/commands; what is shown there and in tutorials is understood."""

import argparse
import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest

from host_tools.cli import app
from host_tools.cli.json_output import JSON_HELP
from host_tools.paths import DEFAULT_MODEL
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
COMMANDS = sorted(
    path.stem for path in app.FOLDER.glob("*.py") if "\ndef run(" in path.read_text()
)
BOARD = ("board", "deploy", "doctor", "flash", "image", "record", "setup")
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]


def parser_of(name):
    parser = argparse.ArgumentParser(name, exit_on_error=False)
    command = importlib.import_module(f"host_tools.cli.{name}")
    if hasattr(command, "add_arguments"):
        command.add_arguments(parser)
    return parser


def shown_in(text):
    """The arguments of each `beckon ...` in the blocks of code of a page."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = re.match(r"(?:\$ )?(?:\./)?beckon (.*)", line)
            if words and words[1].strip():
                command = words[1].partition(" > ")[0].removesuffix(" &")
                yield shlex.split(command, comments=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_page_with_an_example(name):
    page = (DOCS / "commands" / f"{name}.md").read_text()
    assert page.startswith(f"# beckon {name}\n")
    assert any(words[0] == name for words in shown_in(page))


@pytest.mark.parametrize("name", BOARD)
def test_each_option_is_on_the_page(name):
    page = (DOCS / "commands" / f"{name}.md").read_text()
    options = [o for a in parser_of(name)._actions for o in a.option_strings if o.startswith("--")]
    assert not [o for o in options if f"`{o}" not in page and o != "--help"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_what_is_shown_is_understood(path):
    for words in shown_in(path.read_text()):
        if words[0].startswith("-") or words[-1] == "--help":
            continue
        assert words[0] in COMMANDS, words
        try:
            _, unknown = parser_of(words[0]).parse_known_args(words[1:])
        except (argparse.ArgumentError, SystemExit) as error:
            raise AssertionError(f"beckon {shlex.join(words)}: {error}") from None
        assert not unknown or words[0] == "test", words


def help_texts(parser):
    """What the --help of a parser and of its actions shows besides the options."""
    yield f"{parser.description or ''}\n{parser.epilog or ''}"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from help_texts(sub)


def examples(name):
    """The arguments of each example in a command's help."""
    command = importlib.import_module(f"host_tools.cli.{name}")
    for text in (command.__doc__ or "", *help_texts(parser_of(name))):
        for line in text.replace("\\\n", " ").splitlines():
            shown = re.match(r"\s+(?:\./)?beckon (\S.*)", line)
            if shown:  # two spaces and more divide an example from what it does
                command = re.split(r"\s{2,}|\s>\s", shown[1])[0]
                yield shlex.split(command, comments=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_help_are_understood(name):
    for words in examples(name):
        if words[0] not in COMMANDS or "..." in words:
            continue  # the overview's placeholders
        try:
            _, unknown = parser_of(words[0]).parse_known_args(words[1:])
        except (argparse.ArgumentError, SystemExit) as error:
            raise AssertionError(f"beckon {shlex.join(words)}: {error}") from None
        assert not unknown or words[0] == "test", words


RUN = ("data show", "data check", "data fetch", "data augment", "data export",
       "evaluate", "image", "completion")  # cheap, and of files that are here
NAMES = re.compile(r"[A-Z]{4,}")  # FOLDER, FILE: a reader puts in their own


def test_examples_that_are_cheap_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    shutil.copytree(REPOSITORY / "data" / "demo", tmp_path / "my-gestures")
    for name in ("my.mlp", "gesture.mlp"):
        shutil.copy(DEFAULT_MODEL, tmp_path / name)
    (tmp_path / "key.txt").write_text("0123456789abcdef0123456789abcdef")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = []
    shown = [words for page in PAGES for words in shown_in(page.read_text())]
    for words in [*shown, *(words for name in COMMANDS for words in examples(name))]:
        begin = " ".join(words[:2])
        if not begin.startswith(RUN) or words in ran or any(NAMES.search(w) for w in words):
            continue
        if "-" in words[1:2] or (words[1:2] == ["fetch"] and len(words) > 2):
            continue  # that needs the Internet
        words = [str(tmp_path) + word[1:] if word.startswith("~/") else word for word in words]
        for word in words[1:]:  # where they are to be written
            if "/" in word and words[words.index(word) - 1] == "--out":
                Path(word).parent.mkdir(parents=True, exist_ok=True)
        assert app.main(words) == 0, (words, capsys.readouterr().err)
        ran.append(words)
    assert {" ".join(words[:2]) for words in ran} >= {name for name in RUN if " " in name}
    assert {words[0] for words in ran} >= {name for name in RUN if " " not in name}
    assert (tmp_path / "look.html").stat().st_size > 10_000


def all_parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from all_parsers(sub)


def test_json_means_one_thing():
    having = set()
    for name in COMMANDS:
        for parser in all_parsers(parser_of(name)):
            for action in parser._actions:
                if "--json" in action.option_strings:
                    having.add(name)
                    assert action.nargs == 0 and action.default is False, name
                    if name not in ("run", "watch"):  # they have no end
                        assert action.help == JSON_HELP, name
    assert having >= {"deploy", "doctor", "evaluate", "record", "setup", "watch", "bench"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target
