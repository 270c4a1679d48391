"""Each command has a page in docs/commands; what is shown there and in tutorials is understood."""

import argparse
import importlib
import re
import shlex

import pytest

from host_tools.cli import app
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
COMMANDS = sorted(
    path.stem for path in app.FOLDER.glob("*.py") if "\ndef run(" in path.read_text()
)
BOARD = ("deploy", "doctor", "flash", "image", "record", "setup")
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
                yield shlex.split(words[1], comments=True)


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
                yield shlex.split(re.split(r"\s{2,}", shown[1])[0], comments=True)


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


RUN = ("data show", "data check", "data fetch")  # cheap, and of files that lie here


def test_examples_that_are_cheap_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    monkeypatch.chdir(tmp_path)
    ran = []
    page = (DOCS / "commands" / "data.md").read_text()
    for words in [*examples("data"), *shown_in(page), *shown_in((DOCS / "data.md").read_text())]:
        if " ".join(words[:2]) in RUN and words not in ran:
            if words[1] == "fetch" and len(words) > 2:
                continue  # that needs internet
            assert app.main(words) == 0, words
            ran.append(words)
    assert {words[1] for words in ran} >= {"show", "check", "fetch"}
    assert (tmp_path / "look.html").stat().st_size > 10_000


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target
