"""From an empty folder to a model of one's own on the board, in Studio, counted.

A beginner's whole way with a pretend board: three gestures are recorded, a model is trained,
saved, deployed, and its first event is seen. Board time may run faster than real time here; what
counts is the board's own.
"""

import pytest

from host_tools.dataset.folder import read_dataset
from host_tools.device.settings import write_settings
from host_tools.model.golden import read_model
from host_tools.mqtt.broker import embedded_broker
from host_tools.simulator.pretend.board import PretendBoard
from host_tools.testing.browser import Studio, open_tab

GESTURES = "x,up,o"
TAKES = "8"
SPEED = 5
MOST_INPUTS = 25
MOST_BOARD_S = 180
WAIT_MS = 300_000


class Counted:
    """A page on which each click and each key is counted."""

    def __init__(self, tab):
        self.tab, self.page, self.inputs = tab, tab.page, 0

    def click(self, place, count=1):
        place.click(click_count=count)
        self.inputs += 1

    def type(self, text):
        self.page.keyboard.type(text)
        self.inputs += len(text)

    def press(self, key):
        self.page.keyboard.press(key)
        self.inputs += 1

    def button(self, name):
        self.click(self.page.get_by_role("button", name=name).first)


@pytest.mark.soak
def test_the_first_model(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("BECKON_BOARDS", str(tmp_path / "boards"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "my-gestures"
    said = []
    with (
        embedded_broker() as broker,
        PretendBoard(ready=True, speed=SPEED, auto=False, say=said.append) as board,
        Studio(folder) as studio,
        open_tab(browser, studio) as tab,
    ):
        write_settings(tmp_path / "config" / "beckon", {
            "wifi_ssid": "practice", "broker_host": broker.host, "broker_port": broker.port,
            "response_timeout_ms": 30_000, "time_server": ""})
        user, page = Counted(tab), tab.page
        page.set_default_timeout(WAIT_MS)
        tab.go("/record")  # where an empty project opens
        clock = BoardClock(board)

        user.press("Enter")  # Connect: the port of the only board is there already
        page.get_by_text("What to record").wait_for()
        user.click(page.get_by_label("Gestures, with commas"))
        user.type(GESTURES)
        user.click(page.get_by_label("Takes of each"), 3)
        user.type(TAKES)
        user.button("Start")
        saved = page.get_by_text(f"Saved {3 * int(TAKES)} good takes")
        saved.wait_for(timeout=300_000)
        clock.stop("recording")

        user.press("Alt+t")
        page.wait_for_url("**/train")
        tab.wait_until_usable()
        user.press("t")
        page.get_by_role("button", name="Save").first.wait_for(timeout=400_000)
        user.press("s")
        user.click(page.get_by_role("dialog").get_by_role("button", name="Save"))
        page.get_by_text("models/model.mlp: ").wait_for()
        page.get_by_role("dialog").wait_for(state="detached")

        user.press("Alt+w")
        page.wait_for_url("**/watch")
        tab.wait_until_usable()
        user.click(page.get_by_text("Also Wi-Fi and broker settings"))
        clock.start()
        user.press("d")
        page.get_by_text("linked to").first.wait_for(timeout=300_000)
        clock.stop("deploying")
        user.press("Enter")  # watch the broker of the settings
        page.get_by_text("Make a gesture. It appears here").wait_for()
        (model,) = (folder / "models").glob("*.mlp")
        seen = page.get_by_role("cell", name=read_model(model).model_id)
        for _ in range(20):
            board.order("x")
            page.wait_for_timeout(1500)
            if seen.count():
                break
        print(f"\n{user.inputs} clicks and keys; board time {clock}")
        takes = [s.label for r in read_dataset(folder).recordings for s in r.spans]
        assert sorted(set(takes) - {"none"}) == sorted(GESTURES.split(","))
        assert (board._flash / "model.mlp").read_bytes() == model.read_bytes()
        assert set(read_model(model).labels) >= set(GESTURES.split(","))
        assert seen.count() and user.inputs <= MOST_INPUTS and clock.total_s <= MOST_BOARD_S
        assert tab.faults == []


class BoardClock:
    """How long the board was needed, in its own time: not while the computer trained."""

    def __init__(self, board):
        self._board, self.parts = board, {}
        self.start()

    def start(self):
        self._from_us = self._board.sensor.now_us

    def stop(self, what):
        self.parts[what] = (self._board.sensor.now_us - self._from_us) / 1e6

    @property
    def total_s(self):
        return sum(self.parts.values())

    def __str__(self):
        return f"{self.total_s:.0f} s: {self.parts}"
