"""The translated texts of Studio and the dashboard: found in the code, compared with the .po files.

    .venv/bin/python -m tests.studio_words   # add to the .po files what the code has, drop the rest
"""

import ast
import itertools
import string
import sys
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from host_tools.dashboard import TRANSLATIONS as OF_DASHBOARD
from host_tools.studio.frame.language import LANGUAGES, TRANSLATIONS
from tests.library_sentences import DASHBOARD, STUDIO, sentences

PAGES = {STUDIO: TRANSLATIONS, DASHBOARD: OF_DASHBOARD}  # code -> its .po files
CODES = list(LANGUAGES)[1:]
LIBRARY = "library."  # begins the name of the file with the library's sentences


@dataclass(frozen=True)
class Text:
    """A text of the code. values: names that the call fills in, None for later()."""

    where: str
    id: str | tuple[str, str]
    about: str
    values: frozenset[str] | None

    @property
    def key(self):
        return self.id, self.about


def texts(folder: Path = STUDIO):
    """(every Text in the folder's code, calls that hide theirs from us)."""
    found, hidden = [], []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name not in ("tr", "tr_n", "later"):
                continue
            where = f"{path.relative_to(folder)}:{node.lineno}"
            keywords = {k.arg: k.value for k in node.keywords}
            about = keywords.pop("about", ast.Constant(""))
            literals = [a.value for a in node.args[:2 if name == "tr_n" else 1]
                        if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if not literals and name == "tr" and isinstance(
                    node.args[0], ast.Name | ast.Attribute | ast.Subscript):
                continue  # of a table, where later() marks it
            if len(literals) != (2 if name == "tr_n" else 1) or None in keywords \
                    or not isinstance(about, ast.Constant):
                hidden.append(where)
                continue
            values = None if name == "later" else \
                frozenset(keywords) | ({"n"} if name == "tr_n" else set())
            found.append(Text(where, tuple(literals) if name == "tr_n" else literals[0],
                              about.value, values))
    return found, hidden


def fields(text: str) -> list[tuple[str, str]]:
    """(name, format) of a text's fields."""
    return sorted((name, spec or "") for _, name, spec, _ in string.Formatter().parse(text)
                  if name is not None)


def catalog(code: str, part: str = "", pages: Path = STUDIO) -> Catalog:
    path = PAGES[pages] / f"{part}{code}.po"
    if not path.exists():
        return Catalog(locale=code)
    with open(path, "rb") as file:
        return read_po(file, locale=code)


def add_sentences(code: str, pages: Path) -> None:
    """The library's sentences, as texts()."""
    old, new = catalog(code, LIBRARY, pages), Catalog(locale=code)
    for sentence in sentences(pages)[0]:
        known = old.get(sentence.text)
        new.add(sentence.text, known.string if known else "")
        if not new.get(sentence.text).string:
            print(f"{code}: {sentence.where}: {sentence.text}")
    save(new, code, LIBRARY, pages)


def main() -> int:
    for code, pages in itertools.product(CODES, PAGES):
        old, new = catalog(code, "", pages), Catalog(locale=code)
        for text in texts(pages)[0]:
            key = text.id[0] if isinstance(text.id, tuple) else text.id
            known = old.get(key, text.about or None)
            new.add(text.id, known.string if known and known.id == text.id else "",
                    context=text.about or None)
            if not new.get(key, text.about or None).string:
                print(f"{code}: {text.where}: {text.id}")
        save(new, code, "", pages)
        add_sentences(code, pages)
    return 0


def save(words: Catalog, code: str, part: str, pages: Path) -> None:
    """Sorted, without dates and places, so that a change of the code changes few lines."""
    words.project, words.version = "Beckon Studio", "1"
    path = PAGES[pages] / f"{part}{code}.po"
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as file:
        write_po(file, words, width=98, sort_output=True, omit_header=False, no_location=True)
    lines = path.read_text(encoding="utf-8").split("\n")
    start = lines.index('msgid ""')
    end = lines.index("", start)
    kept = [line for line in lines[start:end] if line.startswith(
        ("msgid", "msgstr", '"Language:', '"Plural', '"MIME', '"Content'))]
    path.write_text("\n".join([*kept, *lines[end:]]).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
