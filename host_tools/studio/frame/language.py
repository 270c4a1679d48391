"""The language of Studio's visible words. Knows no browser.

    ui.label(tr("Nothing to label yet"))
    ui.label(tr("{count} takes of {name}", count=12, name=label))
    ui.label(tr_n("{n} recording", "{n} recordings", n))
    TITLES = (later("Record"), later("Train"))   # a table: marked here, tr(title) where shown

The English text is the key. translations/de.po holds the German texts, in gettext's format.
A text without a translation is shown in English. Each request brings its language: the choice
that the browser keeps in a cookie, or else the first of its Accept-Language that we have. The
request's context carries it, so call tr where you build or change a page. In a thread
(nicegui.run.io_bound) and outside of a request it is English: let threads return data.

    ui.notify(said(error))

The library's errors and warnings are Sentences (host_tools/errors.py), which keep their template.
said() translates them by translations/library.de.po, where they are shown: what keeps a fault for
later keeps str(error), and nothing but said() or tr() makes it longer.

The fields have str.format's form. In German, numbers in a field such as {seconds:.1f} or {n:,}
get a decimal comma, and a narrow space between thousands; number(n) is such a number alone.

The dashboard speaks by the same functions and has .po files of its own (add_translations).
tests/test_studio_language.py finds every text of both and compares it with the files.
"""
from __future__ import annotations

import gettext
import io
import string
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from host_tools.errors import Sentence

LANGUAGES = {"en": "English", "de": "Deutsch"}  # code -> its own name; the first needs no file
QUASAR = {"en": "en-US", "de": "de"}  # code -> NiceGUI's and Quasar's name for it
COOKIE = "beckon_studio_language"
TRANSLATIONS = Path(__file__).parent / "translations"

_ENGLISH = next(iter(LANGUAGES))
_THIN = "\N{NARROW NO-BREAK SPACE}"  # between thousands: DIN 5008
_folders = [TRANSLATIONS]
_language: ContextVar[str] = ContextVar("language", default=_ENGLISH)


def language() -> str:
    """The code of the current request's language, a key of LANGUAGES."""
    return _language.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Use this language in the block."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def tr(text: str, /, *, about: str = "", **values: Any) -> str:
    """The text in the current language, with its {fields} filled in from values.

    about: gettext's context, for a word that means two things ("Label" the page, the mark).
    """
    words = _translations(language())
    found = words.pgettext(about, text) if about else words.gettext(text)
    return _filled(found, values)


def tr_n(one: str, many: str, n: int, /, **values: Any) -> str:
    """One of two texts by the number n, which both have as the field {n}."""
    return _filled(_translations(language()).ngettext(one, many, n), {"n": n, **values})


def said(text: object) -> str:
    """An error or a Sentence of the library in the current language; any other text as it is."""
    found = str(text)
    if not isinstance(found, Sentence) or language() == _ENGLISH:
        return found
    words = _translations(language(), "library.").gettext(found.template)
    values = {name: said(value) if isinstance(value, Sentence) else value
              for name, value in found.values.items()}
    return _filled(words, values)


def number(value: float, form: str = ",") -> str:
    """A number alone, in the current language. form: as in a field."""
    return _FORMATTER.format_field(value, form)


def add_translations(folder: Path) -> None:
    """Look for texts in this folder's .po files, too."""
    if folder not in _folders:
        _folders.append(folder)
        _translations.cache_clear()


def later(text: str, /, *, about: str = "") -> str:
    """Mark a text of a table, which tr(text) translates where it is shown."""
    return text


def chosen(cookie: str, accept_language: str) -> str:
    """The language for a request with these headers.

    Accept-Language: RFC 9110, 12.5.4. Ranges that are not valid are left out.
    """
    try:
        kept = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        kept = None
    if kept is not None and kept.value in LANGUAGES:
        return kept.value
    wishes = []
    for place, part in enumerate(accept_language.split(",")):
        name, _, quality = part.partition(";")
        try:
            weight = float(quality.partition("=")[2]) if quality.strip() else 1.0
        except ValueError:
            continue
        code = name.strip().lower().partition("-")[0]
        if code in LANGUAGES and weight > 0:
            wishes.append((-weight, place, code))
    return min(wishes)[2] if wishes else _ENGLISH


class LanguageOfRequest:
    """ASGI middleware: what answers a request speaks its language."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {k.lower(): v.decode("latin-1") for k, v in scope.get("headers", ())}
        with speaking(chosen(headers.get(b"cookie", ""), headers.get(b"accept-language", ""))):
            await self._app(scope, receive, send)


class _Formatter(string.Formatter):
    """As str.format, with the language's decimal sign."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = super().format_field(value, format_spec)
        if format_spec and isinstance(value, int | float) and language() == "de":
            return text.replace(",", _THIN).replace(".", ",")
        return text


_FORMATTER = _Formatter()


def _filled(text: str, values: dict[str, Any]) -> str:
    return _FORMATTER.vformat(text, (), values) if values else text


@cache
def _translations(code: str, part: str = "") -> gettext.NullTranslations:
    """Read once, when the first page in this language is built. part: of the file's name."""
    first = gettext.NullTranslations()
    for folder in () if code == _ENGLISH else _folders:
        path = folder / f"{part}{code}.po"
        if path.exists():
            found = _read(path, code)
            if type(first) is gettext.NullTranslations:
                first = found
            else:
                first.add_fallback(found)
    return first


def _read(path: Path, code: str) -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with open(path, "rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
