"""The Record page in a real browser: a replayed file, a simulated board on its serial line."""

import gzip

import numpy as np
import pytest

from host_tools.dataset.folder import read_dataset
from host_tools.device.image import unix_arch, write_image
from host_tools.simulator.sensor.movement import Sines
from host_tools.testing.browser import open_tab
from tests.boards import sensor_board
from tests.forked_studio import ForkedStudio
from tests.studio_pictures import picture

RATE = 100.0


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio") / "my-gestures"
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.folder = folder
        yield tab
        assert tab.faults == [] and tab.strangers() == []


def moving_hand(path, seconds):
    """A hand that moves for 0.4 s every 1.9 s. Takes of 0.8 s come every 1.8 s, so that whenever
    they begin, some of them soon fit, and some soon do not."""
    t = np.arange(round(seconds * RATE)) / RATE
    values = np.random.default_rng(1).normal(0, 0.05, (len(t), 6))
    values[:, 2] += 9.81
    since = t % 1.9
    wave = np.where(since < 0.4, np.sin(2 * np.pi * 5 * since), 0)
    values[:, 0] += 8 * wave
    values[:, 4] += 200 * wave
    rows = "".join(f"{1000 * at:.0f}," + ",".join(f"{v:.3f}" for v in row) + "\n"
                   for at, row in zip(t, values, strict=True))
    path.write_bytes(gzip.compress(f"t_ms,ax,ay,az,gx,gy,gz\n{rows}".encode()))
    return path


def leave_fields(tab):
    tab.page.evaluate("document.activeElement.blur()")


def test_guided_takes_from_a_replayed_file(tab, tmp_path, request):
    page = tab.page
    tab.go("/record")
    page.get_by_text("Connect a board").wait_for()
    page.get_by_role("button", name="File").click()
    page.get_by_label("Recording (.csv or .csv.gz)").fill(str(tmp_path / "nothing.csv"))
    page.keyboard.press("Enter")
    page.get_by_text("no such file").wait_for()
    path = moving_hand(tmp_path / "hand.csv.gz", 300)
    slowly = request.config.getoption("--update-pictures")
    page.get_by_label("Recording (.csv or .csv.gz)").fill(str(path))
    if not slowly:
        page.get_by_label("Speed").click()
        page.get_by_role("option", name="20 times").click()
    page.get_by_role("button", name="Connect").click()
    page.get_by_text("What to record").wait_for()
    page.get_by_label("Gestures, with commas").fill("<b>swipe</b>")
    leave_fields(tab)
    page.keyboard.press("Space")
    page.get_by_text("label '<b>swipe</b>' holds").wait_for()  # refused, and shown as text
    page.get_by_label("Gestures, with commas").fill("swipe")
    page.get_by_label("Takes of each").fill("9")
    page.get_by_label("Length of a take").fill("0.8")
    page.get_by_label("Countdown").fill("1")
    page.get_by_label("Whose hand").fill("ann")
    leave_fields(tab)
    page.keyboard.press("Space")
    if slowly:
        page.wait_for_function(
            "(() => { const takes = [...document.querySelectorAll('.bk-take')]; return "
            "takes.length > 3 && takes.slice(0, 3).every(e => e.querySelector('.bk-good')) })()",
            timeout=120_000)
        picture(tab, request, "record", "dark")
    told = page.get_by_text("Saved 9 good takes, ")
    told.wait_for(timeout=120_000)
    assert " 0 refused" not in told.inner_text()
    assert page.locator(".bk-take").filter(has_text="once more").count() > 0
    assert tab.signal()["samples"] > 2000  # the plot has followed
    spans = [s for r in read_dataset(tab.folder).recordings for s in r.spans]
    assert [(s.label, s.subject) for s in spans] == [("swipe", "ann")] * 9
    assert all(200 < s.length_ms < 700 for s in spans)
    # Takes in a row: cut at once, one dropped by its key, one by its box
    page.get_by_role("button", name="In a row").click()
    page.get_by_label("Gesture").fill("knock")
    page.get_by_label("For so long").fill("12")
    leave_fields(tab)
    page.keyboard.press("Space")
    page.get_by_text("Which takes are good?").wait_for()
    boxes = page.locator(".bk-row-take")
    count = boxes.count()
    assert count >= 5
    page.get_by_role("button", name=f"Keep {count} takes").wait_for()
    page.keyboard.press("1")
    page.get_by_role("button", name=f"Keep {count - 1} takes").wait_for()
    page.get_by_role("checkbox", name="keep take 2").click()
    page.get_by_role("button", name=f"Keep {count - 2} takes").wait_for()
    page.keyboard.press("s")
    page.get_by_text(f"Saved {count - 2} good takes, 2 refused").wait_for()
    spans = [s for r in read_dataset(tab.folder).recordings for s in r.spans]
    assert sum(s.label == "knock" for s in spans) == count - 2
    page.keyboard.press("l")
    page.wait_for_url("**/label")
    tab.go("/record")  # what ran goes on, and a new tab shows it
    page.keyboard.press("x")
    page.get_by_text("Where samples come from").wait_for()


def test_a_simulated_board_by_its_serial_line(tab, tmp_path):
    page = tab.page
    flash = tmp_path / "flash"
    write_image(flash, unix_arch())
    (flash / "main.py").unlink()
    before = {path.name for path in (tab.folder / "recordings").glob("*.csv.gz")}
    with sensor_board(flash, movement=Sines(), speed=2) as board:
        tab.go("/record")
        page.get_by_role("button", name="USB").click()
        page.get_by_label("Serial port").fill(board.port)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Freely").click()
        page.get_by_label("Label for the whole recording").fill("none")
        leave_fields(tab)
        page.wait_for_function(
            "document.querySelector('.bk-signal').signalView.stats().samples > 50")
        page.keyboard.press("Space")
        page.get_by_text("nothing lost").wait_for()
        page.wait_for_timeout(500)
        page.keyboard.press("s")
        page.get_by_text("Saved 1 recording").wait_for()
        page.keyboard.press("Space")
        page.get_by_text("nothing lost").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Discard").click()
        page.get_by_text("Nothing was saved").wait_for()
        board.unplug()
        page.get_by_role("alert").filter(has_text="went away").first.wait_for()
    (name,) = {p.name for p in (tab.folder / "recordings").glob("*.csv.gz")} - before
    recording = next(r for r in read_dataset(tab.folder).recordings if f"{r.name}.csv.gz" == name)
    assert recording.spans[0].label == "none" and recording.seconds > 0.5
    assert 290 < np.abs(recording.samples[:, 3:]).max() < 310


@pytest.mark.soak  # test_pretend_board.py and test_first_model_page.py show most of it
def test_no_board_yet(tab):
    """A pretend board, whose hand makes the gesture at GO."""
    page = tab.page
    tab.go("/record")
    page.get_by_role("button", name="USB").click()
    page.get_by_role("button", name="No board yet?").click()
    page.get_by_text("What to record").wait_for()
    page.get_by_role("button", name="Guided").click()
    page.get_by_label("Gestures, with commas").fill("circle")
    page.get_by_label("Takes of each").fill("1")
    page.get_by_label("Length of a take").fill("2")
    page.get_by_label("Countdown").fill("1")
    leave_fields(tab)
    page.keyboard.press("Space")
    page.get_by_text("Saved 1 good take").wait_for()
    # and without a countdown, from one press of the button, or of Space, to the next
    page.get_by_text("A button starts and ends each take").click()
    page.get_by_label("Gestures, with commas").fill("x")
    leave_fields(tab)
    page.keyboard.press("Space")
    page.get_by_text("Press the board's button").wait_for()
    page.keyboard.press("Space")
    page.get_by_text("Make it once, rest, and press again").wait_for()
    page.wait_for_timeout(2500)
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('.bk-take').length === 1")
    page.get_by_text("Saved 1 good take").wait_for()
    page.keyboard.press("x")
    page.get_by_text("Where samples come from").wait_for()
    spans = [s.label for r in read_dataset(tab.folder).recordings for s in r.spans]
    assert spans.count("circle") == spans.count("x") == 1
