"""Sentences that the store holds in English, in the reader's language.

The store keeps the text alone: why a roll-out stopped, what became of a device. The .po file of
the library's sentences has the templates; the one that fits the text gives the values back.
"""

import re
import string
from functools import cache

from host_tools.dashboard import TRANSLATIONS
from host_tools.errors import Sentence
from host_tools.studio.frame.language import language, later, said, tr

STEPS = {"refused": later("refused", about="devices"), "missing": later("missing", about="devices"),
         "rolled back": later("rolled back", about="devices"),
         "broken": later("broken", about="devices"),
         "unreachable": later("unreachable", about="devices"),
         "updated": later("updated", about="devices"),
         "already": later("already", about="devices")}  # fmt: skip
_COUNTED = re.compile(r"\b(\d+) (refused|missing|rolled[ _]back|broken|unreachable|updated|already)"
                      r"\b")  # fmt: skip


def stored(text: str) -> str:
    """text as it is where no template fits it, as what a device says of itself."""
    if not text or language() not in _languages():
        return text
    for template, pattern in _templates(language()):
        if match := pattern.fullmatch(text):
            plain = {name: _numbered(_steps(value)) for name, value in match.groupdict().items()}
            return said(Sentence(template, **plain)) if plain else said(Sentence(template))
    return _steps(text)


def _steps(text: str) -> str:
    return _COUNTED.sub(lambda m: f"{m[1]} {tr(STEPS[m[2].replace('_', ' ')], about='devices')}",
                        text)  # fmt: skip


def _numbered(text: str) -> float | int | str:
    """A number again where it is one, so that it gets the language's signs."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d+", text) else text


@cache
def _languages() -> frozenset[str]:
    return frozenset(path.name.split(".")[1] for path in TRANSLATIONS.glob("library.*.po"))


@cache
def _templates(code: str) -> list[tuple[str, re.Pattern[str]]]:
    """Those with much text of their own first: a short one fits nearly everything."""
    from babel.messages.pofile import read_po

    with open(TRANSLATIONS / f"library.{code}.po", "rb") as file:
        every = [str(message.id) for message in read_po(file) if message.id]
    found = [(text, _pattern(text)) for text in every]
    return sorted(found, key=lambda item: -len(re.sub(r"{.*?}", "", item[0])))


def _pattern(template: str) -> re.Pattern[str]:
    parts = []
    for text, name, _, _ in string.Formatter().parse(template):
        parts.append(re.escape(text) + (f"(?P<{name}>.+?)" if name else ""))
    return re.compile("".join(parts))
