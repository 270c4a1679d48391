"""The whole firmware on a simulated board that sleeps, is moved, and wakes."""

import threading
import time
from datetime import datetime

import pytest

from host_tools.bench.naps.scripted import Hand
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.unix_board import SimulatedBoard
from tests.link.host import Mosquitto
from tests.waiting import TIMEOUT_S

DEVICE = "wand"
INT_PIN = 34
SETTINGS = {"device": DEVICE, "power": "wake_on_motion", "imu_int_pin": INT_PIN,
            "light_sleep_s": 4, "deep_sleep_s": 8, "contact_s": 20}  # fmt: skip


def hand(*plan):
    """A sensor that feels gestures of the demo: (seconds still before it, index)."""
    return Hand(plan).sensor


class Board(SimulatedBoard):
    """before_deep: called each time just before the board sleeps deeply. before: MicroPython
    that runs in front of the firmware."""

    def __init__(self, broker, sensor, settings=(), int_pin=INT_PIN, before_deep=lambda n: None,
                 before="", boot_ms=1000):  # fmt: skip
        super().__init__(DEFAULT_MODEL, broker, {(0, 0x68): sensor}, speed=20, boot_ms=boot_ms,
                         int_pin=int_pin, settings={**SETTINGS, **dict(settings)})  # fmt: skip
        self._before_deep = before_deep
        self._before = before
        self.deep = 0

    def _fill_flash(self):
        super()._fill_flash()
        main = self.flash / "main.py"
        main.write_text(self._before + main.read_text())

    def stop_time_server(self):
        self._clock.close()

    def _sleep(self):
        self.deep += 1
        self._before_deep(self)
        super()._sleep()
        if self.rtc_jump_us:
            path = self._standins / "rtc_time"
            path.write_text(str(int(path.read_text()) + self.rtc_jump_us))

    rtc_jump_us = 0  # in each deep sleep


def utc(event):
    return datetime.fromisoformat(event["time"])


class Told:
    """What a board says on the broker, in order."""

    def __init__(self, subscriber, board):
        self._subscriber = subscriber
        self._board = board
        self.events = []
        self.statuses = []

    def until(self, kind, wanted=lambda payload: True):
        """The first payload of that kind that is wanted."""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            message = self._subscriber.receive(0.1)
            if message is None:
                continue
            if message.kind == "event":
                self.events.append(message.payload)
            elif message.kind == "status":
                self.statuses.append(message.payload)
            if message.kind == kind and wanted(message.payload):
                return message.payload
        raise AssertionError(f"no {kind} came: {list(self._board.output)[-5:]}")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker")) as mosquitto:
        yield BrokerAddress("127.0.0.1", mosquitto.port)


# Each module takes a board's time to import, more than two seconds in all.
SLOW_IMPORTS = """
import asyncio
import builtins
import board_clock
for name in list(asyncio._attrs):  # its relative imports work with the plain importer alone
    getattr(asyncio, name)
plain_import = builtins.__import__
imported = []
def slow_import(name, *more):
    if name not in imported:
        imported.append(name)
        board_clock.asleep(40_000)
    return plain_import(name, *more)
builtins.__import__ = slow_import
"""


def test_a_board_that_is_still_sleeps_and_what_moves_it_is_recognised(broker):
    """Light sleep, deep sleep, a wake-up by its timer, and RTC memory full of garbage."""
    def before_deep(board):
        if board.deep == 1:
            board.stop_time_server()
        if board.deep == 2:
            board.rtc_memory.write_bytes(b"\x5a" * 300)

    sensor = hand((4, 0), (9, 1), (30, 2), (10, 3))
    with Subscriber(broker, DEVICE) as subscriber:
        with Board(broker, sensor, before_deep=before_deep, before=SLOW_IMPORTS) as board:
            told = Told(subscriber, board)
            state = told.until("state", lambda s: s.get("sensor") == "ok")
            assert state["power"] == "wake_on_motion" and not state["asleep"]
            first = told.until("event")
            assert first["event_type"] == "y"
            state = told.until("state", lambda s: s["asleep"])
            assert state["power_problem"] == "" and state["next_contact_s"] == 28
            assert told.until("status") == "asleep"
            # The movement that ends a light sleep is recognised, and on the same clock.
            second = told.until("event")
            assert (second["event_type"], second["boot"]) == ("circle", first["boot"])
            assert second["seq"] == first["seq"] + 1
            apart_ms = second["t_ms"] - first["t_ms"]
            assert 9_000 < apart_ms < 13_500
            diag = told.until("diag")
            assert diag["sleeps_light"] == diag["wakes_motion"] == 1
            assert diag["samples_lost"] == 0 and diag["lag_ms_max"] < 3000
            # So is the one that ends a deep sleep, though the firmware is there only after it.
            third = told.until("event")
            assert (third["event_type"], third["seq"]) == ("circle", 0)
            assert third["boot"] >> 16 == (first["boot"] >> 16) + 1
            assert third["latency_ms"] > 1500
            apart_s = (utc(third) - utc(second)).total_seconds()
            assert 28 < apart_s < 34  # by the RTC, as no server told it the time again
            fourth = told.until("event")
            assert (fourth["event_type"], fourth["seq"]) == ("y", 1)
            apart_ms = fourth["t_ms"] - third["t_ms"]
            assert abs((utc(fourth) - utc(third)).total_seconds() * 1000 - apart_ms) < 100
            diag = told.until("diag")
            assert diag["reset_cause"] == 4 and diag["sleeps_deep"] == 1
            assert (diag["wakes_motion"], diag["wakes_timer"], diag["rtc_faults"]) == (2, 0, 0)
            assert diag["samples_lost"] == 0
            # The third boot finds garbage in RTC memory. It says that it is there, and sleeps.
            diag = told.until("diag")
            assert (diag["rtc_faults"], diag["wakes_timer"]) == (1, 1)
            assert told.until("status") == "asleep"
            assert "offline" not in told.statuses and not (board.flash / "crash.txt").exists()
        kinds = [nap.kind for nap in board.naps]
        assert kinds[:5] == ["light", "light", "deep", "light", "deep"]


@pytest.mark.parametrize("settings, int_pin, why", [
    ({}, None, "GPIO 34 does not follow the sensor's INT; check the wire"),
    ({"imu_int_pin": 5}, 5, "GPIO 5 cannot wake this chip"),
], ids=["not wired", "wrong pin"])  # fmt: skip
def test_a_board_that_could_not_wake_stays_awake_and_says_why(broker, settings, int_pin, why):
    device = f"wand-{settings.get('imu_int_pin', 0)}"
    with Subscriber(broker, device) as subscriber:
        with Board(broker, hand((9, 1)), {**settings, "device": device}, int_pin) as board:
            told = Told(subscriber, board)
            state = told.until("state", lambda s: s.get("power_problem"))
            assert state["power_problem"] == why and not state["asleep"]
            assert told.until("event")["event_type"] == "circle"
            assert not board.naps and not board.light_naps() and "asleep" not in told.statuses
            assert f"beckon: always on, {why}" in list(board.output)


SAY = """
import machine
freq = machine.freq
def set_frequency(hz):
    freq(hz)
    print("MHz", freq() // 1000000)
machine.freq = set_frequency
import network
config = network.WLAN.config
def set_config(self, *args, **options):
    print("pm", options.get("pm"))
    return config(self, *args, **options)
network.WLAN.config = set_config
from umqtt import simple
connect = simple.MQTTClient.connect
def connect_and_say(self, clean=True):
    print("keepalive", self.keepalive)
    return connect(self, clean)
simple.MQTTClient.connect = connect_and_say
"""


def test_modem_sleep_lets_processor_and_radio_rest_and_loses_nothing(broker):
    with Subscriber(broker, "napper") as subscriber:
        settings = {"power": "modem_sleep", "device": "napper"}
        with Board(broker, hand((4, 0)), settings, before=SAY) as board:
            told = Told(subscriber, board)
            event = told.until("event")
            assert event["event_type"] == "y"
            lines = list(board.output)
            assert [line for line in lines if line.startswith("MHz")] == ["MHz 240", "MHz 80"]
            assert "pm 2" in lines and "keepalive 300" in lines


@pytest.mark.parametrize("kept_in", ["flash", "RTC memory", "a jump"])
def test_an_event_that_nobody_took_survives_a_deep_sleep(tmp_path, kept_in):
    """In flash, whatever becomes of RTC memory; in RTC memory if flash takes nothing, also if its
    clock jumps back by 30 years meanwhile."""
    with Mosquitto(tmp_path) as mosquitto:
        address = BrokerAddress("127.0.0.1", mosquitto.port)
        mosquitto.stop()
        started = threading.Event()

        def before_deep(board):
            if kept_in == "flash":
                board.rtc_memory.write_bytes(bytes(200))
            elif kept_in == "a jump":
                board.rtc_jump_us = -(10**15)
            if board.deep == 1:
                mosquitto.start()
                started.set()

        class Full(Board):
            def _fill_flash(self):
                super()._fill_flash()
                if kept_in != "flash":
                    (self.flash / "spool").write_text("not a folder")

        with Full(address, hand((4, 0)), {"deep_sleep_s": 1}, before_deep=before_deep) as board:
            assert started.wait(TIMEOUT_S)
            with Subscriber(address, DEVICE) as subscriber:
                told = Told(subscriber, board)
                event = told.until("event")
                assert event["event_type"] == "y" and event["seq"] == 0
                assert event["time"]
                if kept_in == "RTC memory":  # how late it is, it knows from the RTC alone
                    assert event["latency_ms"] > 1000
                diag = told.until("diag")
                assert diag["boot"] > event["boot"]
                assert diag["rtc_faults"] == (kept_in != "RTC memory")
                assert 0 <= diag["asleep_s"] < 600  # a time that jumped counts for nothing
                assert len(told.events) == 1


def test_a_board_does_not_sleep_while_a_model_is_on_trial(broker):
    """Else its next start would count as another try."""
    class OnTrial(Board):
        def _fill_flash(self):
            super()._fill_flash()
            model = DEFAULT_MODEL.read_bytes()
            (self.flash / "model.mlp.old").write_bytes(model)
            (self.flash / "model.mlp.try").write_text("1s")

    with Subscriber(broker, "trial") as subscriber:
        with OnTrial(broker, hand((4, 0)), {"device": "trial"}) as board:
            told = Told(subscriber, board)
            diag = told.until("diag")
            assert diag["uptime_ms"] > 60_000 and diag["sleeps_light"] == 0  # a healthy minute
            told.until("status", lambda status: status == "asleep")
            assert not (board.flash / "model.mlp.try").exists() and board.boots == 1
