"""Teaching a board on the Watch page, in a real browser: a simulated board and its hand."""

import json

import pytest

from host_tools.dataset import read_dataset
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.pretend.hand import Hand
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.unix_board import SimulatedBoard
from host_tools.testing.browser import open_tab
from tests.forked_studio import ForkedStudio
from tests.link.host import Mosquitto
from tests.moving_hand import Moves
from tests.studio_pictures import picture
from tests.waiting import TIMEOUT_S, until

DEVICE = "glove"
KEY = "0123456789abcdef"
IN_VIEW = """() => {
  const box = document.querySelector('.bk-card [role=status]')?.getBoundingClientRect();
  return box && box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest.fixture
def rig(browser, tmp_path, monkeypatch):
    """(tab, board, hand) with a board whose broker and update_key this computer knows."""
    home = tmp_path / "settings"
    home.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    settings = home / "beckon"
    settings.mkdir()
    (settings / "secrets.json").write_text(json.dumps({"update_key": KEY}))
    folder = tmp_path / "my-gestures"
    hand = Hand(3)
    with Mosquitto(tmp_path) as mosquitto:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        with SimulatedBoard(DEFAULT_MODEL, broker, {(0, 0x68): SimulatedMPU6500(hand)}, speed=5,
                            settings={"device": DEVICE, "update_key": KEY}) as board, \
                ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:  # fmt: skip
            tab.folder, tab.broker = folder, broker
            yield tab, board, hand
            assert tab.faults == [] and tab.strangers() == []


def press(page, key):
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)


def test_a_board_is_taught_and_hands_it_over(rig, request):
    tab, board, hand = rig
    page = tab.page
    tab.go("/watch")
    page.get_by_label("Address").fill(str(tab.broker))
    page.keyboard.press("Enter")
    page.get_by_text("It knows ").wait_for()  # and so the only board is filled in
    assert page.get_by_label("Board", exact=True).input_value() == DEVICE

    # What cannot be is said at once, and by the board
    press(page, "t")
    page.get_by_text("enter a name for the gesture").wait_for()
    gesture = page.get_by_label("Gesture", exact=True)
    gesture.fill("a/b")
    press(page, "t")
    page.get_by_text("label 'a/b' holds '/'").wait_for()
    gesture.fill("CIRCLE")
    press(page, "t")
    page.get_by_text("glove refuses: CIRCLE is known as circle; use that name").wait_for()

    # What another program began is seen and stopped; so is what was begun here
    with RemoteDevice(tab.broker, DEVICE, TIMEOUT_S) as device:
        device.request_signed("learn", KEY, "start nod 4", step="start", label="nod", takes=4)
    page.get_by_text("glove learns nod").wait_for()
    press(page, "e")
    gesture.wait_for()
    gesture.fill("shake")
    page.evaluate("scrollTo(0, 0)")
    press(page, "t")
    page.get_by_text("Now make shake 5 times").wait_for()
    page.wait_for_function(IN_VIEW)
    press(page, "e")
    page.get_by_text("Stopped: glove has learned nothing").wait_for()

    # It goes on while the page is loaded again
    with Moves(hand, "shake"):
        press(page, "t")
        page.get_by_text("2 of 5").wait_for()
        picture(tab, request, "teach")
        page.reload()
        tab.wait_until_usable()
        page.get_by_text("glove learns shake").wait_for()
        page.get_by_text("shake is in use on glove").wait_for()
    learned = board_model(board)
    assert learned.labels[-1] == "shake"

    # To this computer
    press(page, "c")
    page.get_by_text("Now in this project: models/").wait_for()
    assert read_model(tab.folder / "models" / f"{DEVICE}_{learned.model_id}.mlp").model_id \
        == learned.model_id
    spans = [s.label for r in read_dataset(str(tab.folder)).recordings for s in r.spans]
    assert spans == ["shake"] * 5

    # And back, by two keys
    until(lambda: not (board.flash / "model.mlp.try").exists(), "the end of the trial")
    press(page, "u")
    page.get_by_text("forgets the gesture that it learned last").wait_for()
    press(page, "Escape")
    page.get_by_role("button", name="Start learning").wait_for()
    press(page, "u")
    page.get_by_role("button", name="Yes, take it back").wait_for()
    press(page, "u")
    page.get_by_text(f"glove is back on model {read_model(DEFAULT_MODEL).model_id}").wait_for()
    assert (board.flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()


def board_model(board):
    return read_model(board.flash / "model.mlp")
