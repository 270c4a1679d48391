"""Plain words: phrases that docs, messages and comments do without, and what to write instead.

Where a word has a right use (a bolt's hole, somebody was told), write it another way or put
the line into ALLOWED. Test code is held to fewer of them, IN_TESTS.
"""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PLACES = (
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted(REPOSITORY.glob("*.md")), REPOSITORY / "data" / "README.md",
    *sorted((REPOSITORY / "firmware").rglob("*.py")),
    *sorted((REPOSITORY / "host_tools").rglob("*.py")),
    *sorted((REPOSITORY / "host_tools" / "studio").rglob("*.js")),
)
_COUNTED = ("samples? frames? lines? times? events? alarms? objects? files? values? recordings? "
            "folders? cards? updates? trials? one").replace(" ", "|")
_EACH = ("second hour minute sample event line trial file column board gesture span device label "
         "key frame day person window recording take row").replace(" ", "|")
PHRASES = {
    r"holes?": "gap (samples are lost; the gap is where)",
    r"anew": "again, or a verb with re-: rebuilt",
    r"for who": "if you, for anyone who",
    r"one may": "you can",
    r"what all": "what, everything that",
    r"by (?:itself|themselves)": "on its own, automatically, or nothing",
    r"told": "reported, published, shown, detected",
    r"(?<!there\s)(?<!There\s)(?:is|are|was|were|be) no(?! (?:longer|more|one)\b)(?= \w)":
        "is not a",
    r"(?:was|were) (?:not )?tried": "has been tried",
    r"(?:so far only|only so far)": "so far: at the start, or leave it out",
    r"may not be \w+ by you": "you may not",
    r"Have you (?:\w+ )+\w+,": "If you have",
    rf"(?:{_COUNTED}) an? (?:{_EACH})": "per",
    r"lets? (?:us|it|them|you) in": "accepts",
    r"for ever": "forever",
    r"ditto": "likewise",
    r"will do": "is enough",
    r"lies there": "is there",
}
IN_TESTS = (r"anew", r"for who", r"one may", r"what all", r"by (?:itself|themselves)")
TESTS = sorted(
    path for path in (REPOSITORY / "tests").rglob("*.py") if path.name != Path(__file__).name
)
ALLOWED: frozenset[str] = frozenset()


def found(text, phrases=tuple(PHRASES)):
    """(line number, phrase, what to write) for each banned phrase, across line ends."""
    for phrase in phrases:
        pattern = rf"\b(?:{phrase})(?!\w)".replace(" ", r"\s+(?:[#*/]+\s+)?")
        for hit in re.finditer(pattern, text):
            line = text[: hit.start()].count("\n") + 1
            if text.splitlines()[line - 1].strip() not in ALLOWED:
                yield line, hit[0], PHRASES[phrase]


def complaints(path, phrases=tuple(PHRASES)):
    text = path.read_text(encoding="utf-8")
    return [f"line {line}: {phrase!r}: write {instead}"
            for line, phrase, instead in found(text, phrases)]


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", PLACES, ids=name)
def test_plain_words(path):
    assert complaints(path) == []


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_plain_words_in_tests(path):
    assert complaints(path, IN_TESTS) == []


@pytest.mark.parametrize("text", [
    "samples fill a hole", "it is rebuilt anew", "for who counts", "one may watch",
    "what all it is",
    "it ends by itself", "errors are told", "this is no gesture", "it was not tried here",
    "simulated boards only so far", "the port may not be used by you",
    "Have you several boards, it",
    "59 frames a second", "one line\na sample", "# one line\n# a sample", "the broker lets us in",
])
def test_each_phrase_is_found(text):
    assert list(found(text))


@pytest.mark.parametrize("text", [
    "there is no board", "There are no gestures", "it is no longer there", "a whole line",
    "soldering",
    "samples and a second board", "the sample is a fraction", "manewer", "one label per sample",
])
def test_plain_text_passes(text):
    assert not list(found(text))
