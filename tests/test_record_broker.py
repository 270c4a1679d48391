"""beckon record --from mqtt://...: what a board's command `stream` sends, as a recording."""

import json
import threading
from array import array

import numpy as np
import pytest
from paho.mqtt import client as mqtt

from host_tools.cli.app import main
from host_tools.dataset.folder import read_recording
from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.paths import DEFAULT_MODEL
from host_tools.recording import broker_source
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Sines
from host_tools.simulator.unix_board import SimulatedBoard
from sensing.ring_buffer import RingBuffer
from serial_line.stream_frame import FrameWriter
from tests.waiting import TIMEOUT_S

ANSWER = {"accel_lsb_per_g": 4096, "gyro_lsb_per_10_dps": 328, "period_us": 10000}


class Board:
    """Answers `stream` and sends samples at 100 Hz, in messages of 20, one of them lost."""

    def __init__(self, broker, answer):
        self._answer = answer
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect(broker.host, broker.port)
        self._client.subscribe("beckon/wand/cmd/stream")
        self._client.loop_start()
        self._index = 0
        self.asked = []
        self.refusals = 0  # how often it says that it is busy, after the first stream
        self._ring = RingBuffer(64)
        self._stop = threading.Event()

    def close(self):
        self._stop.set()
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client, userdata, message):
        asked = json.loads(message.payload)
        self.asked.append(asked["seconds"])
        answer = {**self._answer, "transaction": asked["transaction"], "ok": True}
        if len(self.asked) > 1 and asked["seconds"] and self.refusals:
            self.refusals -= 1
            answer = {"transaction": asked["transaction"], "error": "busy with another command"}
            client.publish("beckon/wand/rsp/stream", json.dumps(answer), qos=1)
            return
        client.publish("beckon/wand/rsp/stream", json.dumps(answer), qos=1)
        if "period_us" in self._answer:
            threading.Thread(target=self._send, args=(asked["seconds"],), daemon=True).start()

    def _send(self, seconds):
        for _ in range(round(seconds / 0.2)):  # in samples, not by the clock
            if self._stop.wait(0.2):
                break
            out = bytearray()
            for _ in range(20):
                self._ring.push(array("h", (self._index, 0, 4096, 328, -328, 0)))
                self._index += 1
            FrameWriter(out.extend).samples(self._ring)
            if self._index != 60:  # QoS 0: a message may get lost
                self._client.publish("beckon/wand/raw", bytes(out), qos=0)


@pytest.fixture
def board(request, monkeypatch):
    monkeypatch.setattr(broker_source, "_STREAM_S", 2)
    monkeypatch.setattr(broker_source, "_FIRST_TIMEOUT_S", TIMEOUT_S)
    with embedded_broker() as broker:
        board = Board(broker, getattr(request, "param", ANSWER))
        board.url = str(broker)
        yield board
        board.close()


def record(board, tmp_path, *more):
    return main(["record", "--from", board.url, "--free", "--out", str(tmp_path), "--json", *more])


def test_samples_arrive_in_their_units_and_losses_are_known(board, tmp_path, capsys):
    assert record(board, tmp_path, "--device", "wand", "--seconds", "3.5") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lost"] == 20 and told["samples"] >= 330
    assert len(board.asked) >= 3  # one stream was not enough
    assert board.asked[-1] == 0  # the board need not stream on for nobody
    (path,) = (tmp_path / "recordings").glob("*.csv.gz")
    recording, _ = read_recording(path)
    assert recording.rate_hz == 100 and recording.gaps == ((40, 60),)
    expected = np.arange(100, 140) / 4096 * 9.80665
    assert np.abs(recording.samples[100:140, 0] - expected).max() < 0.001
    assert recording.samples[0, 2:5] == pytest.approx([9.80665, 10, -10], abs=0.001)
    about = json.loads((tmp_path / "recordings" / path.name.replace("csv.gz", "json")).read_text())
    assert (about["device"], about["accel_g"], about["gyro_dps"]) == ("wand", 8, 1000)
    assert about["dropped"] == 20 and about["line_frames_refused"] == 0


def test_a_board_whose_clock_is_slower_is_asked_once_more(board, tmp_path, capsys, monkeypatch):
    """It refuses while the last stream is not over by its own clock."""
    monkeypatch.setattr(broker_source, "_RETRY_S", 0.2)
    board.refusals = 2
    assert record(board, tmp_path, "--device", "wand", "--seconds", "3.5") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] >= 330 and board.refusals == 0


@pytest.mark.parametrize("board", [{"ok": 1}], indirect=True)
def test_answers_that_are_not_known(board, tmp_path, capsys):
    assert record(board, tmp_path, "--device", "wand") == 1
    assert "answers `stream` in an unknown way" in capsys.readouterr().err


@pytest.mark.parametrize("board", [{**ANSWER, "error": "not in safe mode"}], indirect=True)
def test_refusals_are_passed_on(board, tmp_path, capsys):
    assert record(board, tmp_path, "--device", "wand") == 1
    assert "wand refuses stream: not in safe mode" in capsys.readouterr().err
    assert record(board, tmp_path) == 2
    assert "name the board with --device" in capsys.readouterr().err


def test_the_whole_way_from_a_simulated_board(tmp_path, capsys, monkeypatch):
    """The real firmware, a broker, and a stream that has to be asked for again."""
    monkeypatch.setattr(broker_source, "_STREAM_S", 3)
    devices = {(0, 0x68): SimulatedMPU6500(Sines(gyro_dps=200))}
    with embedded_broker() as broker:
        settings = {"device": "wand", "time_server": ""}
        with SimulatedBoard(
            DEFAULT_MODEL, broker, devices, settings=settings, speed=1.01
        ) as board:
            with RemoteDevice(broker, "wand") as device:
                device.await_board(TIMEOUT_S)
            assert main(["record", "--from", str(broker), "--device", "wand", "--free", "--seconds",
                         "5", "--labels", "none", "--out", str(tmp_path), "--json"]) == 0
            assert board.boots == 1
    told = json.loads(capsys.readouterr().out)
    assert told["seconds"] >= 5 and told["samples"] > 200
    (path,) = (tmp_path / "recordings").glob("*.csv.gz")
    recording, _ = read_recording(path)
    assert told["samples"] + told["lost"] == len(recording.samples)  # short gaps are filled in
    assert 190 < np.abs(recording.samples[:, 3:]).max() < 210
    about = json.loads((tmp_path / "recordings" / path.name.replace("csv.gz", "json")).read_text())
    assert (about["device"], about["source"], about["dropped"]) == ("wand", "broker", told["lost"])
    assert about["nominal_hz"] == pytest.approx(100, rel=0.01)
