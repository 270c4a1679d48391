"""The Label page in a real browser: keys, mouse, undo, other people, kills; its pictures."""

import csv
import gzip
import shutil

import pytest

from host_tools.paths import DATA, DEMO, REPOSITORY

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.testing.browser import open_tab
from tests.forked_studio import ForkedStudio

PICTURES = REPOSITORY / "docs" / "studio"


def labels(folder, name="labels.csv"):
    with open(folder / name, newline="") as f:
        return [(r["recording"], float(r["start_ms"]), float(r["end_ms"]), r["label"],
                 r["subject"]) for r in csv.DictReader(f)]


def make_project(folder):
    """The demo's recording without its labels, the same again, and a model."""
    (folder / "recordings").mkdir(parents=True)
    (source,) = (DEMO / "recordings").iterdir()
    shutil.copy(source, folder / "recordings" / source.name)
    shutil.copy(source, folder / "recordings" / source.name.replace("p101-1", "second"))
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("studio") / "my-gestures")
    with ForkedStudio(folder) as running:
        running.folder = folder
        yield running


@pytest.fixture
def tab(browser, studio):
    """The Label page of a project without any label."""
    with open_tab(browser, studio) as opened:
        (studio.folder / "labels.csv").unlink(missing_ok=True)
        opened.go("/label?recording=p101-1")
        opened.wait_for_signal()
        opened.page.locator(".bk-progress", has_text="0 of 2").wait_for()
        yield opened
        assert opened.strangers() == [] and opened.faults == []


def wait_for(tab, condition):
    tab.page.wait_for_function(
        f"(() => {{ const v = document.querySelector('.bk-signal').signalView; "
        f"return v.{condition}; }})()")


def status(tab, text):
    tab.page.locator(".bk-progress", has_text=text).wait_for()


def name_label(tab, name):
    tab.page.keyboard.press("l")
    field = tab.page.locator(".q-dialog input")
    field.wait_for()
    field.fill(name)
    field.press("Enter")
    tab.page.locator(".q-dialog .q-card").wait_for(state="detached")


def test_a_recording_is_labelled_by_keys_alone(tab, studio):
    page = tab.page
    page.keyboard.press("g")
    wait_for(tab, "stats().spans === 9 && v.selected < 0")
    page.locator(".bk-chosen", has_text="which gesture?").wait_for()
    name_label(tab, "circle")  # names the first proposal and goes on to the second
    status(tab, "8 proposals left")
    page.keyboard.press("Enter")  # the same
    status(tab, "7 proposals left")
    page.keyboard.press("x")  # rejected
    status(tab, "6 proposals left")
    name_label(tab, "x")
    status(tab, "5 proposals left")
    page.keyboard.press("1")  # corrected to circle at once
    status(tab, "4 proposals left")
    assert [row[3] for row in labels(studio.folder)] == ["circle", "circle", "x", "circle"]
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    wait_for(tab, "spans.filter(s => s.kind === 'label').length === 2")
    assert [row[3] for row in labels(studio.folder)] == ["circle", "circle"]
    page.keyboard.press("Control+y")
    wait_for(tab, "spans.filter(s => s.kind === 'label').length === 3")
    assert [row[3] for row in labels(studio.folder)] == ["circle", "circle", "x"]


def test_spans_by_keys_split_merge_and_subject(tab, studio):
    page = tab.page
    name_label(tab, "wave")
    page.keyboard.press("Home")
    for keys in ("ArrowRight", "i", *["Shift+ArrowRight"] * 3, "o"):
        page.keyboard.press(keys)
    wait_for(tab, "stats().spans === 1")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("s")
    wait_for(tab, "stats().spans === 2")
    first, second = labels(studio.folder)
    assert first[2] == second[1] and first[3] == "wave"
    page.keyboard.press("p")
    page.keyboard.press("m")
    wait_for(tab, "stats().spans === 1")
    assert labels(studio.folder)[0][1:3] == (first[1], second[2])
    page.keyboard.press("w")
    field = page.locator(".q-dialog input")
    field.fill("anna")
    field.press("Enter")
    page.locator(".q-dialog .q-card").wait_for(state="detached")  # until then keys are its own
    page.locator(".bk-palette", has_text="who: anna").wait_for()
    assert labels(studio.folder)[0][4] == "anna"
    page.keyboard.press("Delete")
    wait_for(tab, "stats().spans === 0")
    assert labels(studio.folder) == []


def test_what_is_typed_while_a_dialog_opens_goes_into_its_field(tab, studio):
    """None of it is a shortcut (S splits, X rejects); then rename everywhere, and who moved."""
    page = tab.page
    page.keyboard.press("g")
    wait_for(tab, "stats().spans === 9 && v.selected < 0")
    page.keyboard.type("lshax")
    page.keyboard.press("Backspace")
    page.keyboard.type("ke\n")
    status(tab, "8 proposals left")
    no_dialog(page)  # it has come, and while it goes keys are not the page's yet
    assert [row[3] for row in labels(studio.folder)] == ["shake"]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    status(tab, "6 proposals left")
    page.locator(".bk-palette").get_by_text("new label").click()
    page.keyboard.type("six\n")  # the button opens the dialog as its key does
    status(tab, "5 proposals left")
    no_dialog(page)
    assert [row[3] for row in labels(studio.folder)] == ["shake", "shake", "shake", "six"]

    page.keyboard.press("l")
    page.get_by_text("Rename one in all recordings:").wait_for()
    page.locator(".q-dialog").get_by_role("button", name="shake").click()
    page.get_by_text("Rename shake in all recordings").wait_for()
    field = page.get_by_label("new name")
    field.fill("wiggle")
    field.press("Enter")
    page.get_by_text("3 spans are named wiggle now").wait_for()
    assert [row[3] for row in labels(studio.folder)] == ["wiggle", "wiggle", "wiggle", "six"]
    no_dialog(page)

    for _ in range(5):  # to the first one, a span and not a proposal
        page.keyboard.press("p")
    page.locator(".bk-chosen", has_text="wiggle").wait_for()
    page.keyboard.type("w")
    page.keyboard.type("anna\n")
    page.get_by_text("anna: 4 spans of p101-1").wait_for()
    assert {row[4] for row in labels(studio.folder)} == {"anna"}
    no_dialog(page)
    page.keyboard.press("Control+z")
    wait_for(tab, "spans.every(s => s.note !== 'anna')")
    assert {row[4] for row in labels(studio.folder)} == {""}
    page.keyboard.type("wben")  # in place of the name that is there
    page.wait_for_function("document.querySelector('.q-dialog input')?.value === 'ben'")
    page.get_by_role("button", name="Only for the selected span").click()
    page.get_by_text("ben: 1 span of p101-1").wait_for()
    assert sorted(row[4] for row in labels(studio.folder)) == ["", "", "", "ben"]


def no_dialog(page):
    page.wait_for_function("!document.querySelector('.q-dialog')")


def test_a_short_recording_has_an_overview(tab, studio):
    """Fewer samples than columns: the strip below the signal is not blank."""
    rows = gzip.open(next(studio.folder.glob("recordings/p101-1*")), "rt").readlines()
    short = studio.folder / "recordings" / "short.csv"
    short.write_text("".join(rows[:300]))
    try:
        tab.go("/label?recording=short")
        tab.wait_for_signal()
        wait_for(tab, "strip")
        heights = tab.page.evaluate("""() => {
            const strip = document.querySelector('.bk-signal').signalView.strip;
            const { data } = strip.getContext('2d').getImageData(0, 0, strip.width, strip.height);
            return Array.from({ length: strip.width }, (_, x) =>
                Array.from({ length: strip.height }, (_, y) =>
                    data[4 * (y * strip.width + x) + 3] > 0).filter(Boolean).length);
        }""")
        assert max(heights) > 20 and sum(h > 3 for h in heights) > len(heights) / 3
    finally:
        short.unlink()


def test_spans_by_mouse(tab, studio):
    page = tab.page
    name_label(tab, "wave")
    box = page.locator(".bk-signal canvas").bounding_box()
    y = box["y"] + box["height"] / 2

    def at(t_ms):
        return box["x"] + page.evaluate(
            f"document.querySelector('.bk-signal').signalView.x({t_ms})")

    def drag(from_ms, to_ms):
        page.mouse.move(at(from_ms), y)
        page.mouse.down()
        page.mouse.move(at((from_ms + to_ms) / 2), y)
        page.mouse.move(at(to_ms), y)
        page.mouse.up()

    drag(5000, 9000)
    wait_for(tab, "stats().selected > 0")
    drag(9000, 12_000)  # its right edge
    wait_for(tab, "spans[0].end_ms > 11500")
    drag(8000, 10_000)  # the whole of it
    wait_for(tab, "spans[0].start_ms > 6500")
    drag(20_000, 24_000)
    wait_for(tab, "stats().spans === 2")
    drag(20_000, 13_000)  # its left edge, into the neighbour: it stops there
    wait_for(tab, "spans[1].start_ms === v.spans[0].end_ms")
    (_, a, b, *_), (_, c, d, *_) = labels(studio.folder)
    assert abs(a - 7000) < 60 and abs(b - 14_000) < 60
    assert c == b and abs(d - 24_000) < 60
    page.mouse.click(at(10_000), y)  # chosen, and the cursor set
    page.locator(".bk-chosen", has_text="7.0").wait_for()
    assert abs(tab.signal()["cursor"] - 10_000) < 60


def test_a_finger_that_is_held_draws(browser, studio):
    (studio.folder / "labels.csv").unlink(missing_ok=True)
    with open_tab(browser, studio, width=820, height=1180, touch=True) as tab:
        tab.go("/label?recording=second")
        tab.wait_for_signal()
        name_label(tab, "wave")
        box = tab.page.locator(".bk-signal canvas").bounding_box()
        wire = tab.page.context.new_cdp_session(tab.page)

        def touch(kind, *xs):
            points = [{"x": box["x"] + x, "y": box["y"] + 200, "id": 0} for x in xs]
            wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 300)
        touch("touchMove", 200)
        touch("touchEnd")
        assert tab.signal()["spans"] == 0  # at once it pans; held, it draws
        touch("touchStart", 300)
        wait_for(tab, "input.drag?.kind === 'draw'")
        touch("touchMove", 350)
        touch("touchMove", 420)
        touch("touchEnd")
        wait_for(tab, "stats().selected > 0")
        assert [(row[0], row[3]) for row in labels(studio.folder)] == [("second", "wave")]
        assert tab.faults == []


def test_proposals_by_the_model_are_accepted_at_once(tab, studio):
    models = studio.folder / "models"
    models.mkdir(exist_ok=True)
    shutil.copy(DATA / "model.mlp", models)
    try:
        tab.page.keyboard.press("g")
        status(tab, "9 proposals left")
        tab.page.keyboard.press("Shift+A")
        status(tab, "9 spans, all saved")
    finally:
        shutil.rmtree(models)
    truth = [row[3] for row in labels(DEMO)]
    found = [row[3] for row in labels(studio.folder)]
    assert len(found) == 9 and sum(a == b for a, b in zip(truth, found, strict=True)) >= 8


def test_two_tabs_and_two_people(tab, studio, browser):
    """What one tab labels, the other shows; a second person's file is compared and taken."""
    page = tab.page
    with open_tab(browser, studio) as other:
        other.go("/label?recording=p101-1")
        other.wait_for_signal()
        page.keyboard.press("g")
        wait_for(tab, "stats().spans === 9")
        name_label(tab, "circle")
        page.keyboard.press("Enter")
        wait_for(other, "stats().spans === 2")
    mine = labels(studio.folder)
    theirs = studio.folder / "labels-anna.csv"
    theirs.write_text(
        "recording,start_ms,end_ms,label,subject\n"
        f"p101-1,{mine[0][1] + 40},{mine[0][2]},y,anna\n"
        f"p101-1,{mine[1][1]},{mine[1][2]},circle,anna\np101-1,30000,31000,x,anna\n"
    )
    try:
        page.keyboard.press("c")
        dialog = page.locator(".q-dialog .q-card")
        dialog.get_by_text("circle, there y").wait_for()
        assert "kappa" in dialog.inner_text()
        dialog.get_by_role("button", name="Take theirs").first.click()
        dialog.get_by_text("circle, there y").wait_for(state="detached")
        dialog.get_by_role("button", name="Take theirs").first.click()
        dialog.get_by_text("You agree on every span.").wait_for()
    finally:
        theirs.unlink()
    assert [row[3] for row in labels(studio.folder)] == ["y", "circle", "x"]


def test_a_kill_in_the_middle_costs_one_action_at_most(browser, tmp_path):
    folder = make_project(tmp_path / "killed")
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.go("/label?recording=p101-1")
        tab.wait_for_signal()
        tab.page.keyboard.press("g")
        wait_for(tab, "stats().spans === 9")
        name_label(tab, "x")
        for _ in range(4):
            tab.page.keyboard.press("Enter")
        wait_for(tab, "spans.filter(s => s.kind === 'label').length >= 4")
        seen = tab.page.evaluate("document.querySelector('.bk-signal').signalView.spans"
                                 ".filter(s => s.kind === 'label').length")
        studio.kill()
        assert seen <= len(labels(folder)) <= 5
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.go("/label?recording=p101-1")
        tab.wait_for_signal()
        wait_for(tab, f"spans.length === {len(labels(folder))}")


def test_pictures_for_the_docs(browser, tmp_path, request):
    """docs/studio/label-*.png; made again with --update-pictures."""
    folder = tmp_path / "my-gestures"
    shutil.copytree(DEMO, folder)
    rows = (folder / "labels.csv").read_text().splitlines(keepends=True)
    (folder / "labels.csv").write_text("".join(rows[:6]))
    (folder / "models").mkdir()
    shutil.copy(DATA / "model.mlp", folder / "models")
    update = request.config.getoption("--update-pictures")
    if not (update or request.config.getoption("--soak")):
        pytest.skip("makes pictures: run with --update-pictures or --soak")
    target = PICTURES if update else tmp_path
    target.mkdir(exist_ok=True)
    with ForkedStudio(folder) as running:
        for theme in ("light", "dark") if update else ("light",):
            with open_tab(browser, running, theme=theme, width=1180, height=760) as tab:
                tab.go("/label?recording=p101-1")
                tab.wait_for_signal()
                tab.page.keyboard.press("g")
                wait_for(tab, "stats().selected < 0")
                tab.page.evaluate(
                    "document.querySelector('.bk-signal').signalView.show(12500, 30500)")
                tab.page.locator(".q-notification").wait_for()
                tab.page.locator(".q-notification").evaluate_all("all => all.map(e => e.remove())")
                path = target / f"label-{theme}.png"
                tab.page.screenshot(path=path)
                assert 20_000 < path.stat().st_size < 300_000
