"""The Train page in a real browser: judge, move a slider, click a false one, train and stop."""

import shutil
from pathlib import Path

import pytest

from host_tools.augment.kinds import KINDS
from host_tools.dataset import read_dataset
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.studio.train.session import Settings
from host_tools.testing.browser import open_tab
from tests.forked_studio import ForkedStudio
from tests.studio_pictures import picture


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio") / "my-gestures"
    (folder / "recordings").mkdir(parents=True)
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.folder = folder
        yield tab
        assert tab.faults == [] and tab.strangers() == []


@pytest.fixture(scope="module")
def judged(tab):
    """The synthetic demo, one x without its label, judged with the default model."""
    page = tab.page
    tab.go("/train")
    page.get_by_text("Nothing to learn from yet").wait_for()
    shutil.copytree(DEMO, tab.folder, dirs_exist_ok=True)
    rows = (tab.folder / "labels.csv").read_text().splitlines()
    (tab.folder / "labels.csv").write_text("\n".join([*rows[:6], *rows[7:]]) + "\n")
    (tab.folder / "models").mkdir()
    shutil.copy(DEFAULT_MODEL, tab.folder / "models" / "first.mlp")
    tab.go("/train")
    page.get_by_text("Train a model").wait_for()
    page.keyboard.press("j")
    page.get_by_text("Measures the model on all recordings").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("These figures may flatter").wait_for()
    tab.wait_for_signal()
    no_dialog(page)
    return tab


def no_dialog(page):
    """While one is open, or still closing, keys are its own."""
    page.locator(".q-dialog").wait_for(state="detached")


def figure(tab, name):
    box = tab.page.locator(".bk-figure").filter(has_text=name)
    return box.locator(".bk-big").inner_text()


def test_the_figures_and_the_tables(judged, request):
    page = judged.page
    picture(judged, request, "train")
    assert figure(judged, "gestures found") == "8 of 8"
    assert figure(judged, "false events") == "1"
    assert figure(judged, "event F1") == "0.941"
    assert judged.signal()["flags"] == 9 and judged.signal()["spans"] == 8
    page.get_by_role("cell", name="3 of 3").first.wait_for()
    page.get_by_role("cell", name="too little to judge").first.wait_for()  # of so few takes
    page.get_by_role("button", name="People").click()
    page.get_by_role("cell", name="p101-1").wait_for()
    warnings = page.locator(".bk-warnings")
    assert "Few takes of x (2), circle (3) and y (3)." in warnings.inner_text()
    assert "Nothing is labelled as no gesture" in warnings.inner_text()
    with page.expect_download() as download:
        page.keyboard.press("r")
    report = Path(download.value.path()).read_text()
    assert "8 of 8 found, 1 false" in report and "By gesture" in report


def test_the_figures_follow_a_slider(judged):
    page = judged.page
    page.keyboard.press("v")
    slider = page.get_by_role("slider", name="Windows that decide together")
    slider.locator("[tabindex='0']").focus()
    for _ in range(28):
        page.keyboard.press("ArrowRight")
    page.get_by_text("1200 ms (30)").wait_for()
    page.get_by_text("0 of 8 found").wait_for()
    assert figure(judged, "gestures found") == "0 of 8"
    page.get_by_text("missed: ").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("s")
    page.get_by_label("Name", exact=True).fill("../evil")
    page.keyboard.press("Enter")
    page.get_by_text("'../evil' holds").wait_for()
    no_dialog(page)
    page.keyboard.type("sstrict\n")  # at once: the name replaces the one that is offered
    page.get_by_text("models/strict.mlp").wait_for()
    no_dialog(page)
    saved = read_model(judged.folder / "models" / "strict.mlp")
    assert Settings.of(saved).span == 30
    page.keyboard.press("b")
    page.get_by_text("8 of 8 found, 1 false").wait_for()


def test_a_false_one_tells_why_and_is_relabelled(judged, request):
    page = judged.page
    page.keyboard.press("ArrowDown")
    page.get_by_text("nothing is labelled here").wait_for()
    page.wait_for_function(
        "document.querySelector('.bk-signal').signalView.curves.length === 4")
    picture(judged, request, "train-why")
    page.keyboard.press("n")
    page.get_by_text("Added as a negative; the next training learns from it.").wait_for()
    (recording,) = read_dataset(judged.folder).recordings
    (negative,) = [s for s in recording.spans if s.label == "none"]
    assert negative.start_ms < 21300 and negative.end_ms > 21500
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="No gesture").wait_for()
    page.keyboard.press("2")
    page.get_by_text("Labelled x.").wait_for()
    page.keyboard.press("g")
    page.get_by_text("9 of 9 found, 0 false").wait_for()
    page.get_by_text("No mistakes here").wait_for()
    assert len(read_dataset(judged.folder).recordings[0].spans) == 9


def test_augmentation_before_and_after(judged, request):
    page = judged.page
    page.keyboard.press("a")
    cards = page.locator(".bk-kinds .bk-card")
    cards.nth(len(KINDS) - 1).wait_for()
    picture(judged, request, "augment")
    noise = [kind.name for kind in KINDS].index("noise")
    first = cards.nth(noise).inner_html()
    page.keyboard.press("d")
    page.wait_for_function(
        "([i, before]) => document.querySelectorAll('.bk-kinds .bk-card')[i]?.innerHTML !== before",
        arg=[noise, first])
    page.keyboard.press("Escape")
    no_dialog(page)


def test_training_shows_its_loss_and_stops_at_once(judged):
    page = judged.page
    page.keyboard.press("o")
    page.get_by_text("never saw it").wait_for()
    page.get_by_label("Steps (empty: ").fill("50000")
    page.keyboard.press("Enter")
    page.get_by_text("of 50,000").wait_for()
    page.locator("polyline").first.wait_for(state="attached")
    page.keyboard.press("Escape")
    page.get_by_text("Stopped; nothing was changed").wait_for()
    assert figure(judged, "gestures found") == "9 of 9"  # what was there is still there
    assert not [p for p in judged.folder.rglob("*") if p.suffix == ".tmp"]
