"""Every page on a phone: nothing beyond the screen's edge, and all of it large enough to touch."""

import shutil

import pytest

from host_tools.paths import DEFAULT_MODEL, DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

WIDTH, HEIGHT = 390, 844
LEAST_PX = 40  # a finger

# What a page shows beyond the right edge, unless something around it scrolls or cuts it
BEYOND = """() => [...document.querySelectorAll('.bk-header *, .bk-main *')].filter((e) => {
    const box = e.getBoundingClientRect();
    if (!box.width || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
    for (let p = e.parentElement; p; p = p.parentElement)
        if (getComputedStyle(p).overflowX !== 'visible') return false;
    return true;
}).map((e) => `${e.className}: ${e.innerText?.slice(0, 40)}`)"""
SMALL = """(least) => [...document.querySelectorAll('.bk-header a, .bk-main button')].filter((e) =>
    e.checkVisibility() && e.getBoundingClientRect().height < least).map((e) => e.innerText)"""


def test_every_page_fits_a_phone(studio_tab, tmp_path):
    folder = tmp_path / "a-project-with-a-rather-long-name"
    shutil.copytree(DEMO, folder)
    (folder / "models").mkdir()
    shutil.copy(DEFAULT_MODEL, folder / "models" / "first.mlp")
    tab = studio_tab(folder, "/train", width=WIDTH, height=HEIGHT, touch=True)
    page = tab.page

    def fits(what):
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, what
        assert page.evaluate(BEYOND) == [], what
        assert page.evaluate(SMALL, LEAST_PX) == [], what

    page.get_by_role("button", name="Judge").click()
    page.get_by_text("Measures the model on all recordings").wait_for()
    fits("the dialog")
    page.keyboard.press("Enter")
    page.get_by_text("These figures may flatter").wait_for()
    tab.wait_for_signal()
    fits("figures")
    assert not page.locator(".bk-hints").is_visible()  # a phone has no keys
    links = page.locator(".bk-nav a").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
    assert len(links) >= 4
    for link in links:
        tab.go(link)
        fits(link)
        here = page.locator(".bk-nav a[aria-current=page]").bounding_box()
        assert here["x"] >= -1 and here["x"] + here["width"] <= WIDTH + 1
