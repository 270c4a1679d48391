"""The commands that use the sensor, and Home Assistant's discovery, on the whole board."""

import json
import queue
from dataclasses import replace

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset.folder import read_recording
from host_tools.errors import BeckonError
from host_tools.model.golden import filled_in, read_model, write_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.simulator.unix_board import SimulatedBoard
from host_tools.testing.still_board import StillBoard
from tests.link.host import Mosquitto, Subscriber
from tests.waiting import TIMEOUT_S, until

DEVICE = "glove"
KEY = "k3y"


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        yield BrokerAddress("127.0.0.1", mosquitto.port)


@pytest.fixture
def device(broker):
    with RemoteDevice(broker, DEVICE, TIMEOUT_S) as device:
        yield device


@pytest.fixture
def board(broker, device):
    with StillBoard(broker, {"device": DEVICE, "update_key": KEY}, speed=5) as board:
        device.await_board(TIMEOUT_S)
        yield board


def samples(device):
    return device.request("diag")["diag"]["samples"]


def goes_on(device):
    """Sampling is at work (again)."""
    before = samples(device)
    until(lambda: samples(device) >= before + 50, "no samples")


def recognises(device):
    """Recognition is at work (again)."""
    before = device.request("diag")["diag"]["windows"]
    until(lambda: device.request("diag")["diag"]["windows"] > before, "no windows")


def test_calibration_measures_the_bias_and_is_used_from_then_on(board, device):
    goes_on(device)
    answer = device.request_signed("calibrate", KEY)
    state = device.await_board(TIMEOUT_S)
    assert state["crash"] == "" and state["safe_mode"] == ""
    kept = json.loads((board.flash / "calibration.json").read_text())
    assert kept["gyro_bias_mdps"] == answer["gyro_bias_mdps"]
    assert all(abs(bias) < 20_000 for bias in answer["gyro_bias_mdps"])
    goes_on(device)
    assert not any("not calibrated" in line for line in board.output)
    again = device.request_signed("calibrate", KEY)  # the bias is measured before the correction
    for old, new in zip(answer["gyro_bias_mdps"], again["gyro_bias_mdps"], strict=True):
        assert abs(old - new) < 100
    device.await_board(TIMEOUT_S)


def test_calibration_of_a_moving_board_is_refused(broker, device):
    t_ms = np.arange(6000) * 10.0
    turn = 40 * np.sin(t_ms / 1000 * 6)[:, None] * [0, 0, 0, 1, 1, 1]
    values = turn + [0, 0, 9.81, 0, 0, 0] + np.random.default_rng(1).normal(0, 0.02, (6000, 6))
    sensor = SimulatedMPU6500(RecordedMovement(t_ms, values))
    with SimulatedBoard(DEFAULT_MODEL, broker, {(0, 0x68): sensor}, speed=5,
                        settings={"device": DEVICE, "update_key": KEY}) as board:
        device.await_board(TIMEOUT_S)
        with pytest.raises(BeckonError, match="keep the board still"):
            device.request_signed("calibrate", KEY)
        goes_on(device)
        assert not (board.flash / "calibration.json").exists()


def test_a_damaged_calibration_is_told_and_not_used(broker, device):
    class Damaged(StillBoard):
        def _fill_flash(self):
            super()._fill_flash()
            (self.flash / "calibration.json").write_text('{"sensor": "70')

    with Damaged(broker, {"device": DEVICE}, speed=5) as board:
        device.await_board(TIMEOUT_S)
        goes_on(device)
        assert any("not calibrated" in line for line in board.output)


def test_self_test(board, device):
    goes_on(device)
    answer = device.request("self_test")
    assert answer["passed"], answer
    assert len(answer["ratios_percent"]) == 6
    goes_on(device)
    assert device.request("diag")["diag"]["sensor_starts"] == 2  # found reset, set up again


def test_raw_samples_for_a_bounded_time(board, device, broker):
    goes_on(device)
    with Subscriber(broker.port, f"beckon/{DEVICE}/raw") as raw:
        answer = device.request("stream", seconds=4)
        assert answer["topic"] == f"beckon/{DEVICE}/raw" and answer["period_us"] == 10_000
        with pytest.raises(BeckonError, match="busy with another command"):
            device.request("stream", seconds=1)
        recognises(device)  # again, so the stream is over
        raw.catch_up(f"beckon/{DEVICE}/raw")
        data = b"".join(raw.payloads("/raw"))
    rows = unpacked(data)
    indices = [index for index, _ in rows]
    assert 350 < len(rows) < 450
    assert indices == list(range(indices[0], indices[0] + len(rows)))
    mean = np.array([row for _, row in rows]).mean(0)
    assert abs(mean[2] - answer["accel_lsb_per_g"]) < answer["accel_lsb_per_g"] * 0.05


def test_record_takes_them_as_a_recording(board, device, broker, tmp_path, capsys):
    goes_on(device)
    command = ["record", "--from", str(broker), "--device", DEVICE, "--free", "--seconds", "2"]
    assert main([*command, "--out", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (path,) = (tmp_path / "recordings").glob("*.csv.gz")
    recording, _ = read_recording(path)
    assert recording.rate_hz == 100 and len(recording.samples) == told["samples"] >= 200
    assert told["lost"] == 0 and recording.gaps == ()
    assert recording.samples.mean(0) == pytest.approx([0, 0, 9.81, 0, 0, 0], abs=0.2)


def unpacked(data):
    """(index, six counts) of the frames of stream_frame.py, each checked."""
    rows = []
    at = 0
    while at < len(data):
        assert data[at : at + 3] == b"\xa5\x5a\x01", at
        size = int.from_bytes(data[at + 3 : at + 5], "little")
        body = data[at + 5 : at + 5 + size]
        crc = 0xFFFF
        for byte in data[at + 2 : at + 5 + size]:
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
        assert crc == int.from_bytes(data[at + 5 + size : at + 7 + size], "little")
        first = int.from_bytes(body[:4], "little")
        values = np.frombuffer(body[4:], "<i2").reshape(-1, 6)
        rows += [(first + i, row) for i, row in enumerate(values)]
        at += 7 + size
    return rows


def test_a_stream_of_no_possible_length_is_refused(board, device):
    for seconds in (61, -1, True, False, None, "5", 1.5, [1]):
        with pytest.raises(BeckonError, match="seconds must be"):
            device.request("stream", seconds=seconds)


def test_a_stream_can_be_ended_early(board, device, broker):
    device.request("stream", seconds=60)
    assert device.request("stream", seconds=0)["seconds"] == 0
    for _ in range(5):  # the sensor is free when the answer comes
        assert device.request("stream", seconds=60)["ok"]
        assert device.request("stream", seconds=0)["ok"]
    assert device.request("self_test")["ok"]
    recognises(device)
    assert device.request("stream", seconds=0)["ok"]  # none runs: nothing to end
    assert device.request("stream", seconds=1)["ok"]


def test_too_little_memory_is_said_with_the_cure(board, device, monkeypatch):
    class Short(queue.Queue):
        def get(self, block=True, timeout=None):
            answer = super().get(block, timeout)
            return {"transaction": answer["transaction"], "error": "failed: MemoryError('..',)"}

    monkeypatch.setattr(device, "_answers", Short())
    with pytest.raises(BeckonError, match="has too little memory for diag; start it again"):
        device.request("diag")


TOPIC = f"homeassistant/device/{DEVICE}/config"


def test_home_assistant_knows_the_board_its_sensors_and_its_new_name(broker, device):
    """The model has 24 labels of 55 bytes: more than a packet of the link holds."""
    labels = ["none", *(f"{i:02} {'x' * 52}" for i in range(23))]

    def configs(subscriber):
        """What is retained; what was taken back is not."""
        found = {topic: payload for topic, payload, _ in subscriber.messages}
        return {topic: json.loads(payload) for topic, payload in found.items() if payload}

    with LabelledBoard(broker, labels, {"device": DEVICE, "update_key": KEY}) as board:
        assert device.await_board(TIMEOUT_S)["labels"] == labels
        with Subscriber(broker.port, "homeassistant/+/#") as house:
            device.request("discovery", on=True)
            (announced,) = configs(house).values()
            assert announced["cmps"]["gesture"]["evt_typ"] == labels[1:]
            assert announced["cmps"]["gesture_22"]["pl"] == labels[23]
            device.request_signed("restart", KEY)
            device.await_board(TIMEOUT_S)
            house.wait(lambda messages: [m[0] for m in messages].count(TOPIC) >= 2)
            house.messages.clear()
            with Subscriber(broker.port, f"beckon/{DEVICE}/diag") as diag:
                house.client.publish("homeassistant/status", b"online", 1)
                house.wait(lambda messages: TOPIC in [m[0] for m in messages])
                diag.wait(lambda messages: messages)  # its sensors need not wait a minute
            device.request("set", settings={"trigger_age_s": 9})
            house.wait(lambda messages: any(b"< 9000" in m[1] for m in messages))
            until(lambda: device.request("diag")["diag"].get("windows"))
            device.change_settings(KEY, device="mitten")
            device.request_signed("restart", KEY)
            house.wait(lambda messages: (TOPIC, b"") in [m[:2] for m in messages])
        renamed = TOPIC.replace(DEVICE, "mitten")
        with RemoteDevice(broker, "mitten", TIMEOUT_S) as mitten:
            until(lambda: not (board.flash / "config.json.try").exists())
            with (Subscriber(broker.port, "homeassistant/+/#") as house,
                  Subscriber(broker.port, f"beckon/{DEVICE}/+") as old):
                house.catch_up("homeassistant/test/catch-up")
                old.catch_up(f"beckon/{DEVICE}/catch-up")
                assert list(configs(house)) == [renamed]
                assert not any(retained for _, _, retained in old.messages)
            mitten.request("discovery", on=False)
            with Subscriber(broker.port, "homeassistant/+/#") as house:
                house.catch_up("homeassistant/test/catch-up")
                assert configs(house) == {}
        assert json.loads((board.flash / "config.json").read_text())["ha_discovery"] == 0
        assert not (board.flash / "crash.txt").exists()


class LabelledBoard(StillBoard):
    """With the default model, widened to these labels, so that its gestures are nonsense."""

    def __init__(self, broker, labels, settings):
        super().__init__(broker, settings, speed=5)
        model = read_model(DEFAULT_MODEL)
        *layers, last = model.layers
        rows = [i % len(model.labels) for i in range(len(labels))]
        layers.append(replace(last, weights=last.weights[rows], bias=last.bias[rows]))
        model = replace(model, layers=tuple(layers), labels=tuple(labels),
                        decision=replace(model.decision, thresholds=()))  # fmt: skip
        self._model = self._folder / "labelled.mlp"
        write_model(self._model, filled_in(model))


def test_the_threshold_is_changed_at_once(board, device):
    threshold = read_model(DEFAULT_MODEL).decision.threshold_percent
    assert device.request("set", settings={"threshold_percent": 99})["restart"] is False
    assert device.await_board(TIMEOUT_S)["threshold_percent"] == 99  # and `state` shows it
    device.request_signed("restart", KEY)
    assert device.await_board(TIMEOUT_S)["threshold_percent"] == 99 != threshold
    device.request("set", settings={"threshold_percent": -1})
    assert device.await_board(TIMEOUT_S)["threshold_percent"] == threshold
