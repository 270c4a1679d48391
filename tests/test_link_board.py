"""The whole firmware on a simulated board: crashes, safe mode, watchdog, trials."""

import json
import re

import pytest

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.paths import DEFAULT_MODEL, FIRMWARE
from host_tools.simulator import unix_board
from host_tools.simulator.sensor.faults import Fault
from host_tools.testing.still_board import StillBoard
from host_tools.toolchain.interpreter_32 import ARCH
from tests.link.host import Mosquitto
from tests.test_link_model import another_model
from tests.waiting import TIMEOUT_S, until

DEVICE = "glove"
KEY = "k3y"
SPEED = 20


class Board(StillBoard):
    """before: MicroPython that runs in front of the firmware."""

    def __init__(self, broker, before="", speed=SPEED):
        super().__init__(broker, {"device": DEVICE, "update_key": KEY, "feedback_pin": 4}, speed)
        self._before = before

    def _fill_flash(self):
        super()._fill_flash()
        if self._before:
            (self.flash / "main.py").write_text(self._before + "\nimport app\napp.main()\n")


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        yield BrokerAddress("127.0.0.1", mosquitto.port)


@pytest.fixture
def device(broker):
    with RemoteDevice(broker, DEVICE, TIMEOUT_S) as device:
        yield device


def state_with(device, key):
    """The next state in which `key` has a true value."""

    def state():
        found = device.await_board(TIMEOUT_S)
        return found if found[key] else None

    return until(state, f"a state with {key}")


SAY_FREQUENCY = """
import machine
freq = machine.freq
def set_frequency(hz):
    freq(hz)
    print("MHz", freq() // 1000000)
machine.freq = set_frequency
"""


def test_a_board_that_is_well_says_so(broker, device):
    with Board(broker, SAY_FREQUENCY) as board:
        state = device.await_board(TIMEOUT_S)
        assert board.says("MHz") == "MHz 240"
        assert state["crash"] == "" and state["safe_mode"] == ""
        assert state["model"] == DEFAULT_MODEL.read_bytes()[8:12][::-1].hex()
        assert state["model_taken_back"] is False
        told = device.request("diag")["diag"]
        assert told["link_connects"] == 1 and told["samples_lost"] == 0
        assert not any(isinstance(value, float) for value in told.values())
        assert device.request_signed("restart", KEY)["ok"]
        assert device.await_board(TIMEOUT_S)["reset_cause"] == 5
        assert device.request("diag")["diag"]["reset_cause"] == 5 != told["reset_cause"]
        assert board.boots == 2
        assert not (board.flash / "crash.txt").exists()


CRASH = """
from recognition import recognizer
def step(self, ring, frames=8):
    raise RuntimeError("it fell over")
recognizer.Recognizer.step = step
"""


SHORT_HOURS = """
import asyncio
sleep = asyncio.sleep
asyncio.sleep = lambda s: sleep(min(s, 30))
"""


def test_three_crashes_in_a_row_lead_to_a_safe_mode_that_takes_commands(broker, device):
    with Board(broker, SHORT_HOURS + CRASH) as board:
        state = state_with(device, "safe_mode")
        assert state["safe_mode"] == "3 crashes in a row" and board.boots == 4
        assert "RuntimeError" in state["crash"] and "it fell over" in state["crash"]
        assert "step" in state["crash"]  # the traceback
        assert "model" not in state
        assert "samples" not in device.request("diag")["diag"]
        # A minute without a crash, and it is worth another try, an hour later on its own.
        until(lambda: not (board.flash / "crash.txt").exists())
        assert board.boots == 4
        until(lambda: board.boots >= 6, "it crashed again, and came up again")


@pytest.mark.parametrize(
    "before, part",
    [
        ("import asyncio\nfrom sensing import sampler\n"
         "async def run(self):\n    await asyncio.sleep(9999)\n"
         "sampler.Sampler.run = run\n", "sampling"),
        ("import asyncio\nfrom link import mqtt_link\n"
         "async def run(self):\n    await asyncio.sleep(9999)\n"
         "mqtt_link.Link.run = run\n", "link"),
        ("import asyncio\nfrom recognition import task\n"
         "async def recognize(*args):\n"
         "    await asyncio.sleep(9999)\ntask.recognize = recognize\n", "recognition"),
    ],
    ids=["sampling", "link", "recognition"],
)
def test_a_part_that_makes_no_progress_is_named_and_the_board_reset(broker, before, part):
    with Board(broker, before) as board:
        until(lambda: board.boots >= 2, board.last_words)
        note = (board.flash / "crash.txt").read_text()
        assert note.endswith(f"watchdog: no progress in {part}")


def test_a_model_that_is_no_model_leads_to_safe_mode_and_can_be_replaced(broker, device):
    class Broken(Board):
        def _fill_flash(self):
            super()._fill_flash()
            if not self.boots:
                (self.flash / "model.mlp").write_bytes(b"what is this")

    with Broken(broker) as board:
        state = device.await_board(TIMEOUT_S)
        assert "model.mlp" in state["safe_mode"]
        model = DEFAULT_MODEL.read_bytes()
        device.send_model(model, KEY, wait_s=TIMEOUT_S)
        assert (board.flash / "model.mlp").read_bytes() == model


def test_a_new_model_is_confirmed_after_a_healthy_minute(broker, device):
    model = another_model()
    with Board(broker) as board:
        device.await_board(TIMEOUT_S)
        sent = []
        found = device.send_model(model, KEY, sent.append, wait_s=TIMEOUT_S)
        assert found == model[8:12][::-1].hex()
        assert sent[-1] == len(model)
        until(lambda: not (board.flash / "model.mlp.try").exists())
        assert (board.flash / "model.mlp.old").read_bytes() == DEFAULT_MODEL.read_bytes()
        assert board.boots == 2


def test_a_new_model_with_which_the_board_crashes_is_taken_back(broker, device):
    model = another_model()
    crash = f"""
from recognition.recognizer import Recognizer
make = Recognizer.__init__
def crash(self, engine):
    if engine.model_id == {model[8:12][::-1].hex()!r}:
        raise RuntimeError("this model is not for me")
    make(self, engine)
Recognizer.__init__ = crash
"""
    with Board(broker, crash) as board:
        device.await_board(TIMEOUT_S)
        with pytest.raises(BeckonError, match="went back to its old model.*not for me"):
            device.send_model(model, KEY, wait_s=TIMEOUT_S)
        assert (board.flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()
        assert not (board.flash / "model.mlp.try").exists()


PATIENCE = """
import os
import time
add = time.ticks_add
def ticks_add(t, ms):  # a trial of settings takes three minutes
    return add(t, ms if ms < 180_000 else 10_000 if "hopeless" in os.listdir() else 100_000_000)
time.ticks_add = ticks_add
"""


def test_new_settings_stay_only_if_all_works_that_worked_before(broker, device):
    """However long that takes on a busy computer; and what cannot work is soon given up."""

    def try_settings(**settings):
        """Once the sensor works and gestures are looked for."""
        until(lambda: device.request("diag")["diag"].get("windows"))
        device.change_settings(KEY, **settings)
        assert (board.flash / "config.json.try").read_text() == "0s"
        device.request_signed("restart", KEY)

    def taken_back_at(boot):
        until(lambda: device.await_board(TIMEOUT_S)["boot"] >> 16 == boot)
        state = device.state
        assert state["settings_taken_back"] and state["safe_mode"] == "" and state["model"]
        assert board.boots == boot

    with Board(broker, PATIENCE) as board:
        hopeless = board.flash / "hopeless"
        device.await_board(TIMEOUT_S)
        try_settings(model="nope.mlp")
        taken_back_at(3)  # at once: waiting would not bring the model
        try_settings(imu_address=0x69)
        until(lambda: device.await_board(TIMEOUT_S)["boot"] >> 16 == 4)
        until(lambda: board_seconds(device) > 20)
        with pytest.raises(BeckonError, match="config.json is on trial"):
            device.request("restart")  # a stranger must not end a trial with a few restarts
        device.request_signed("restart", KEY)
        until(lambda: device.await_board(TIMEOUT_S)["boot"] >> 16 == 5)
        device.request_signed("restart", KEY)
        taken_back_at(6)
        hopeless.touch()
        try_settings(broker_port=1)
        taken_back_at(9)
        hopeless.unlink()
        try_settings(keepalive_s=60)
        until(lambda: not (board.flash / "config.json.try").exists())
        kept = json.loads((board.flash / "config.json").read_text())
        assert kept["keepalive_s"] == 60 and kept["broker_port"] == broker.port
        assert "model" not in kept and "imu_address" not in kept
        assert board.boots == 10


def test_each_command_does_without_the_key_what_the_page_on_security_says(broker, device):
    text = (FIRMWARE.parent / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\| (yes|no|the settings)", text, re.MULTILINE)
    rights = {verb: right for verbs, right in rows for verb in verbs.strip(" `").split("` `")}
    arguments = {"stream": {"seconds": 0}, "discovery": {"on": False},
                 "learn": {"step": "stop"},
                 "model": {"step": "begin", "size": 100, "crc32": 1},
                 "set": {"settings": {"threshold_percent": 1}}}  # fmt: skip
    with Board(broker, speed=0.25):  # so that 20 s are long enough on a busy computer
        device.await_board(TIMEOUT_S)
        with pytest.raises(BeckonError) as refusal:
            device.request("nothing")
        assert str(refusal.value).endswith("there are " + ", ".join(sorted(rights)))
        for verb in ("restart", "calibrate"):
            with pytest.raises(BeckonError, match=r"just started; ask again in \d+ s"):
                device.request(verb)
        with pytest.raises(BeckonError, match="HMAC is wrong"):
            device.request_signed("restart", "another key")
        for verb in sorted(set(rights) - {"restart", "calibrate"}):
            if rights[verb] == "no":
                with pytest.raises(BeckonError, match="hmac must be|keep_windows is 0"):
                    device.request(verb, **arguments.get(verb, {}))
            else:
                assert device.request(verb, **arguments.get(verb, {}))["ok"]
        with pytest.raises(BeckonError, match=r"too many changes; ask again in \d+ s"):
            for percent in range(2, 30):
                device.request("set", settings={"threshold_percent": percent})
        assert 3 <= percent < 12  # two changes came before


def test_a_sensor_that_is_away_is_missed_and_its_samples_count_as_lost(broker, device):
    """From the start on, and pulled later."""
    with Board(broker, speed=5) as board:
        sensor = board.sensor
        sensor.inject(Fault("no_answer", 0, 15_000_000))
        sensor.inject(Fault("chip_reset", 25_000_000, 30_000_000))
        lost = []
        for began_s, ended_s in ((0, 15), (25, 55)):
            while (state := device.await_board(TIMEOUT_S))["sensor"] == "ok":
                pass  # as the board started
            assert state["sensor"].startswith("nothing answers at address 0x68")
            assert sensor.now_us / 1e6 - began_s < 10
            while (state := device.await_board(TIMEOUT_S))["sensor"] != "ok":
                pass
            assert ended_s - 1 < sensor.now_us / 1e6 < ended_s + 10
            lost.append(device.request("diag")["diag"]["samples_lost"])
        assert 1000 < lost[0] < 2000  # it counts from the program's start on
        assert 2900 < lost[1] - lost[0] < 3400
        assert board.says("no sensor: nothing answers at address 0x68")
        assert board.says("sensor: MPU6500 at 0x68")
        assert board.boots == 1


def board_seconds(device):
    return device.request("diag")["diag"]["uptime_ms"] / 1000


def test_commands_that_pause_sampling_are_no_stall(broker, device):
    """Each measures for four seconds and fails at the end; the watchdog waits ten."""
    slow = """
from commands import sensor
import asyncio
async def calibrate(imu, sampling):
    sampling.pause()
    try:
        await asyncio.sleep(4)
        raise ValueError("it moved by 12 deg/s; keep the board still")
    finally:
        sampling.resume()
sensor.calibrate = calibrate
"""
    with Board(broker, slow) as board:
        device.await_board(TIMEOUT_S)
        until(lambda: board_seconds(device) > 20)
        for turn in range(4):
            command = json.dumps({"transaction": turn})
            device._connection.publish(f"beckon/{DEVICE}/cmd/calibrate", command)
        until(lambda: device._answers.qsize() == 4)
        assert board.boots == 1 and not (board.flash / "crash.txt").exists()
        state = device.await_board(TIMEOUT_S)
        assert state["calibration"] == "failed: it moved by 12 deg/s; keep the board still"


def test_an_esp32_s_heap_is_enough(broker, device, micropython_32, monkeypatch):
    """On 32 bits, with commands, Home Assistant and a new model beside the one in use.

    MicroPython's ESP32 port, emulated, had 144,768 bytes of heap with everything running.
    """
    monkeypatch.setattr(unix_board, "micropython_command", lambda: micropython_32)
    monkeypatch.setattr(unix_board, "unix_arch", lambda: ARCH)
    board = Board(broker, speed=5)
    board._heap_kib = 141
    with board:
        device.await_board(TIMEOUT_S)
        device.request("discovery", on=True)
        model = another_model()
        assert device.send_model(model, KEY, wait_s=TIMEOUT_S) == model[8:12][::-1].hex()
        until(lambda: device.request("diag")["diag"].get("windows"))
        diag = device.request("diag")["diag"]
        assert diag["samples_lost"] == diag["messages_oversized"] == 0
        assert board.boots == 2 and not (board.flash / "crash.txt").exists()


def test_settings_that_cannot_be_read_end_the_program_with_a_line(broker):
    class Broken(Board):
        def _fill_flash(self):
            super()._fill_flash()
            (self.flash / "config.json").write_text('{"broker_port": "many"}')

    with Broken(broker) as board:
        assert board.wait(TIMEOUT_S) == 0
    assert board.last_words().startswith("beckon: config.json: broker_port must be int")


@pytest.mark.parametrize(
    "before, error",
    [
        ("from link import mqtt_link\ndel mqtt_link.Link\n", "ImportError"),
        # Within a task that nobody waits for.
        ("from events import publisher\nasync def publish_diag(self):\n    raise KeyError('x')\n"
         "publisher.Publisher.publish_diag = publish_diag\n", "KeyError"),
    ],
    ids=["a start that fails", "a task beside"],
)
def test_whatever_fails_is_a_crash(broker, before, error):
    with Board(broker, before) as board:
        until(lambda: board.boots >= 2, board.last_words)
        assert error in (board.flash / "crash.txt").read_text()
