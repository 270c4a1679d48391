"""Words of Studio and the dashboard: each has a translation with the same fields, and the browser
gets them."""

import asyncio
import shutil

import pytest

from host_tools.paths import DEMO

pytest.importorskip("babel", reason="the extra studio is not installed")

from host_tools.studio.frame import language
from host_tools.studio.frame.language import (
    LanguageOfRequest,
    chosen,
    later,
    number,
    speaking,
    tr,
    tr_n,
)
from host_tools.testing.browser import open_tab
from tests.forked_studio import ForkedStudio
from tests.library_sentences import sentences
from tests.studio_words import CODES, LIBRARY, PAGES, catalog, fields, texts

of_both = pytest.mark.parametrize("pages", PAGES, ids=lambda folder: folder.name)


@of_both
def test_every_text_can_be_found_and_is_filled_in(pages):
    found, hidden = texts(pages)
    assert hidden == []  # tr(f"...") or tr(a + b): no file could hold it
    wrong = [t.where for t in found for text in ([t.id] if isinstance(t.id, str) else t.id)
             if t.values is not None and {name for name, _ in fields(text)} != t.values]
    assert wrong == []


@of_both
@pytest.mark.parametrize("code", CODES)
def test_the_translation_is_whole_and_has_nothing_left_over(code, pages):
    words = catalog(code, "", pages)
    found = {t.key: t.where for t in texts(pages)[0]}
    assert len(found) > 100
    missing, wrong = [], []
    for (text, about), where in found.items():
        message = words.get(text[0] if isinstance(text, tuple) else text, about or None)
        if message is None or not all(message.string if isinstance(text, tuple)
                                      else [message.string]):
            missing.append(where)
        elif isinstance(text, str):
            wrong += [where] if fields(text) != fields(message.string) else []
        else:
            many = fields(text[1])  # "one recording" may leave {n} out
            wrong += [where] if any(
                fields(s) != many and not set(fields(s)) <= set(fields(text[0]))
                for s in message.string) else []
    assert (missing, wrong) == ([], [])
    assert [m.id for m in words if m.id and (m.id, m.context or "") not in found] == []
    assert not any(m.fuzzy for m in words if m.id)


@of_both
def test_every_sentence_of_the_library_can_be_found_and_is_filled_in(pages):
    found, hidden = sentences(pages)
    # What the firmware's rules say of a setting, and the format's of a model file, comes as it is
    assert [where for where in hidden
            if not where.startswith(("host_tools/device/settings.py", "host_tools/model/check.py"))
            ] == []
    assert [s.where for s in found
            if s.values and {name for name, _ in fields(s.text)} != s.values] == []
    assert len(found) > (300 if pages.name == "studio" else 20)


@of_both
@pytest.mark.parametrize("code", CODES)
def test_each_sentence_of_the_library_has_its_translation(code, pages):
    words, found = catalog(code, LIBRARY, pages), {s.text: s for s in sentences(pages)[0]}
    wrong = []
    for text, sentence in found.items():
        message = words.get(text)
        # Of a sentence without values the fields are no fields
        if message is None or not message.string or (
                sentence.values and set(fields(message.string)) != set(fields(text))):
            wrong.append(f"{sentence.where}: {text}")
    assert wrong == []
    assert [m.id for m in words if m.id and m.id not in found] == []


def test_a_text_of_a_folder_is_found_and_a_hidden_one_is_told(tmp_path):
    (tmp_path / "a.py").write_text(
        'tr("a {n}", n=1); tr_n("{n} b", "{n} bs", 2); later("c", about="page"); tr(title)\n'
        'tr(f"d{x}"); tr("e" + x); tr("f", **x); later(x)\n')
    found, hidden = texts(tmp_path)
    assert {(t.id, t.about, t.values) for t in found} == {
        ("a {n}", "", frozenset("n")), (("{n} b", "{n} bs"), "", frozenset("n")),
        ("c", "page", None)}
    assert hidden == ["a.py:2"] * 4


def test_texts_are_filled_in_and_fall_back_to_english():
    with speaking("de"):
        assert tr("Keys") == "Tasten"
        assert tr("Record", about="page") == "Aufnehmen"
        assert tr("no file holds {this}", this="this") == "no file holds this"
        assert tr_n("{n} of a kind", "{n} of two kinds", 2) == "2 of two kinds"
        assert tr("{a:.1f} s, {b}, {c:,}", a=2.5, b=1.5, c=3) == "2,5 s, 1.5, 3"
        assert tr("{a:,} of {b:,.1f}", a=12345, b=9876.5) == "12\u202f345 of 9\u202f876,5"
        assert number(1234567) == "1\u202f234\u202f567" and number(0.25, "g") == "0,25"
    assert tr("Keys") == "Keys" and later("Keys") == "Keys"
    assert tr("{a:.1f} s", a=2.5) == "2.5 s" and number(12345) == "12,345"
    assert tr("{braces} stay without values") == "{braces} stay without values"


@pytest.mark.parametrize("cookie, wishes, code", [
    ("", "", "en"),
    ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
    ("", "fr, en;q=0.7, de;q=0.8", "de"),
    ("", "en-GB, de", "en"),
    ("", "de;q=0, en;q=0.1", "en"),
    ("", "de;q=x", "en"),
    ("", "*", "en"),
    (f"{language.COOKIE}=en; a=b", "de", "en"),
    (f"{language.COOKIE}=tlh", "de", "de"),
    ("a=b; ;;", "de", "de"),
])
def test_the_kept_choice_comes_before_the_browsers_wish(cookie, wishes, code):
    assert chosen(cookie, wishes) == code


def test_each_request_has_its_own_language():
    async def app(scope, receive, send):
        await asyncio.sleep(0)
        send(language.language())

    async def requests():
        said = []
        await asyncio.gather(*(
            LanguageOfRequest(app)({"headers": [(b"Accept-Language", code)]}, None, said.append)
            for code in (b"de", b"en", b"de")))
        return said

    assert asyncio.run(requests()) == ["de", "en", "de"]
    assert language.language() == "en"


def test_the_browser_shows_it_and_keeps_the_choice(browser, tmp_path):
    shutil.copytree(DEMO, tmp_path / "demo")
    with (ForkedStudio(tmp_path / "demo") as studio,
          open_tab(browser, studio, locale="de-DE") as tab):
        page = tab.page
        tab.go("/label")
        assert "Beschriften" in page.inner_text(".bk-nav")
        assert page.title().startswith("Beschriften · demo")
        assert page.evaluate("[document.documentElement.lang, Quasar.lang.props.isoName]") == [
            "de", "de"]
        assert page.evaluate("beckonWords['.']") == ","  # of the plot's numbers
        page.keyboard.press("?")
        assert "Alt D dunkel" in page.locator(".q-dialog .q-card").inner_text().replace(
            "\n", " ")
        page.keyboard.press("Escape")
        page.locator(".q-dialog .q-card").wait_for(state="detached")
        # By keyboard alone: to the button, its menu, the other language
        page.get_by_role("button", name="Sprache").focus()
        page.keyboard.press("Enter")
        page.get_by_role("menuitem", name="English").wait_for()
        page.get_by_role("menuitem", name="English").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.documentElement.lang === 'en-US'")
        tab.wait_until_usable()
        assert "Label" in page.inner_text(".bk-nav")
        assert page.evaluate("beckonWords['.']") == "."
        tab.go("/watch")
        assert page.title().startswith("Watch · demo")
        assert page.evaluate("Quasar.lang.props.isoName") == "en-US"
        assert tab.strangers() == [] and tab.faults == []


@of_both
def test_the_translations_are_where_the_wheel_takes_them(pages):
    assert PAGES[pages].is_relative_to(pages) and (PAGES[pages] / "de.po").is_file()
