"""Every page of Studio for everybody: axe-core finds nothing, and the keyboard reaches all."""

import shutil

import pytest

from host_tools.paths import DEFAULT_MODEL, DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.errors import BeckonError
from host_tools.studio.frame import layout
from host_tools.testing.browser import open_tab
from host_tools.toolchain.axe import axe_script
from tests.forked_studio import ForkedStudio

PAGES = ("start", *(page[0] for page in layout.PAGES))
# What a mouse can press, but no key: neither a control nor inside one
UNREACHABLE = """[...document.querySelectorAll('#app *')].filter(
    (e) => e.checkVisibility() && getComputedStyle(e).cursor === 'pointer'
        && !e.closest('a[href], button, input, select, textarea, label, [tabindex], canvas')
    ).map((e) => e.outerHTML.slice(0, 120))"""
VIOLATIONS = """async (rules) =>
    (await axe.run(document, rules ? {runOnly: rules} : {})).violations.map(
    (v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' ')}`)"""


def test_every_page_can_be_read_out_seen_and_reached_in_both_themes(browser, tmp_path):
    try:
        script = axe_script().read_text(encoding="utf-8")
    except BeckonError as error:
        pytest.skip(str(error))
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    (folder / "models").mkdir()
    shutil.copyfile(DEFAULT_MODEL, folder / "models/m.mlp")
    found = {}
    with ForkedStudio(folder) as studio, open_tab(browser, studio, locale="de-DE") as tab:
        for name in PAGES:
            tab.go(f"/{name}")
            tab.page.locator(".bk-main").wait_for()
            tab.page.evaluate(f"{script}; null")
            found[name] = tab.page.evaluate(VIOLATIONS, None) + tab.page.evaluate(UNREACHABLE)
            before = tab.page.evaluate("document.documentElement.dataset.theme")
            tab.page.keyboard.press("Alt+d")
            tab.page.wait_for_function(
                "(before) => document.documentElement.dataset.theme !== before", arg=before)
            found[name] += tab.page.evaluate(VIOLATIONS, ["color-contrast"])
            tab.page.keyboard.press("Alt+d")
            found[name] += tab.faults
            tab.faults.clear()
    assert found == {name: [] for name in PAGES}
