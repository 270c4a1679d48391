"""A recording's whole way: sensor registers, firmware on MicroPython, broker, JSON lines."""

import csv
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from paho.mqtt import client as mqtt

from host_tools.cli.app import main
from host_tools.dataset import Recording
from host_tools.evaluation.matching import HIT, match_events, missed
from host_tools.model.golden import read_model, seal, write_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.event_fields import EVENT_FIELDS
from host_tools.mqtt.subscriber import Message
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.simulator import wire
from host_tools.simulator.i2c_server import I2CServer
from host_tools.simulator.simulate import _Run, simulate
from tests.link.host import Mosquitto
from tests.link.host import Subscriber as Listener
from tests.waiting import until

SMALL_HEAP_KIB = 152  # docs/simulator.md
RECORDING = next((DEMO / "recordings").iterdir())
KEYS = {field.name for field in EVENT_FIELDS}


def demo_spans():
    return labelled(DEMO)


def labelled(folder):
    with open(folder / "labels.csv") as file:
        rows = list(csv.DictReader(file))
    return [(float(row["start_ms"]), float(row["end_ms"]), row["label"]) for row in rows]


def verdicts(spans, events):
    return match_events(spans, [(event["t_ms"], event["event_type"]) for event in events])


def test_broker_delivers_each_gesture_once(tmp_path, capsys):
    out = tmp_path / "events.jsonl"
    status = main(["simulate", "--recording", str(RECORDING), "--speed", "10", "--out", str(out)])
    said = capsys.readouterr()
    assert status == 0, said.err
    assert " 0 lost" in said.err
    events = [json.loads(line) for line in out.read_text().splitlines()]
    found = verdicts(demo_spans(), events)
    assert [v.kind for v in found] == [HIT] * 9 and not missed(demo_spans(), found)
    for number, event in enumerate(events):
        assert set(event) == KEYS | {"received_ms"}
        assert event["seq"] == number and event["boot"] == events[0]["boot"]
        assert 0 < event["confidence"] <= 100 and event["latency_ms"] >= 0
        assert event["received_ms"] >= event["t_ms"]
    assert list(tmp_path.iterdir()) == [out]


def test_lines_go_to_standard_output_and_to_a_broker_of_ones_own(capsys):
    with embedded_broker() as broker:
        status = main(["simulate", "--recording", str(RECORDING), "--speed", "20",
                       "--broker", str(broker)])  # fmt: skip
        assert status == 0
        lines = capsys.readouterr().out.splitlines()
        assert [json.loads(line)["event_type"] for line in lines] == [s[2] for s in demo_spans()]


def test_a_small_heap_is_enough_even_when_the_link_is_lost(tmp_path):
    """On the 64-bit Unix port; the stand-ins for the hardware come on top."""
    lost = []

    def lose_link(event):
        """Log in as the board, which a broker allows only once."""
        if not lost:
            lost.append(event)
            device = listener.messages[0][0].split("/")[1]
            client_id = f"{device}-000001"  # the stand-in's chip
            other = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
            other.connect(broker.host, broker.port)
            other.loop_start()
            until(other.is_connected)
            other.disconnect()
            other.loop_stop()

    with Mosquitto(tmp_path) as mosquitto, Listener(mosquitto.port) as listener:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        outcome = simulate(RECORDING, DEFAULT_MODEL, broker, speed=10, heap_kib=SMALL_HEAP_KIB,
                           on_event=lose_link)  # fmt: skip
    assert [event["event_type"] for event in outcome.events] == [s[2] for s in demo_spans()]
    assert outcome.counters["samples_lost"] == 0
    assert outcome.counters["link_drops"] >= 1
    assert outcome.counters["messages_oversized"] == 0  # no counters left out for lack of heap


def test_a_wired_interrupt_wakes_the_sampler(monkeypatch):
    transact = I2CServer._transact
    looks = []  # of the pin's stand-in at the sensor; none if nobody asks for interrupts

    def spy(self, device, op, *rest):
        if op == wire.OP_NEXT:
            looks.append(op)
        return transact(self, device, op, *rest)

    monkeypatch.setattr(I2CServer, "_transact", spy)
    with embedded_broker() as broker:
        outcome = simulate(RECORDING, DEFAULT_MODEL, broker, speed=10, settings={"imu_int_pin": 4})
    assert len(looks) > 100
    assert [event["event_type"] for event in outcome.events] == [s[2] for s in demo_spans()]
    assert outcome.counters["samples_lost"] == 0


def stillness(path, seconds, rate_hz=100):
    """A recording of nothing but gravity and a little noise."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.02, (seconds * rate_hz, 6)) + [0, 0, 9.81, 0, 0, 0]
    with open(path, "w") as file:
        file.write("t_ms,ax,ay,az,gx,gy,gz\n")
        for i, row in enumerate(values):
            file.write(f"{i * 1000 // rate_hz}," + ",".join(f"{v:.3f}" for v in row) + "\n")
    return path


def test_two_minutes_lose_no_sample(tmp_path):
    recording = stillness(tmp_path / "still.csv", 120)
    with embedded_broker() as broker:
        outcome = simulate(recording, DEFAULT_MODEL, broker, speed=40, heap_kib=SMALL_HEAP_KIB)
    assert outcome.events == []
    assert outcome.counters["samples"] >= 12_000
    assert outcome.counters["samples_lost"] == 0
    assert outcome.counters["gaps"] == 0


@pytest.mark.parametrize("rate", [50, 200])
def test_sampling_starts_without_a_loss(tmp_path, rate):
    """Whatever the sensor's rate: the firmware must not take a slow start for a stall."""
    model = read_model(DEFAULT_MODEL)
    front_end = replace(model.front_end, rate_hz=rate)
    path = tmp_path / "model.mlp"
    write_model(path, seal(replace(model, front_end=front_end)))
    recording = stillness(tmp_path / "still.csv", 3)
    with embedded_broker() as broker:
        for _ in range(2):
            counters = simulate(recording, path, broker, speed=10).counters
            assert (counters["samples_lost"], counters["sensor_starts"]) == (0, 1)
            assert counters["samples"] >= 3 * rate


@pytest.mark.soak
def test_five_minutes_in_real_time_lose_no_sample(tmp_path):
    recording = stillness(tmp_path / "still.csv", 300)
    with embedded_broker() as broker:
        outcome = simulate(recording, DEFAULT_MODEL, broker, speed=1, heap_kib=SMALL_HEAP_KIB)
    assert outcome.counters["samples"] >= 30_000 and outcome.counters["samples_lost"] == 0


@pytest.mark.parametrize("rate", [0, *(pytest.param(rate, marks=pytest.mark.soak)
                                      for rate in (50, 100))])
def test_circles_of_a_real_hand(shared_data, tmp_path, capsys, rate):
    """Trained on one day's recordings, played those of another day. Rate 0: the default model."""
    model = tmp_path / "model.mlp" if rate else DEFAULT_MODEL
    if rate:
        trained = main(["train", str(shared_data / "tkeyo_mpu6500_100hz"),
                        str(shared_data / "tkeyo_mpu6500_20hz_windows:none"),
                        "--rate", str(rate), "--steps", "1500", "--out", str(model)])  # fmt: skip
        assert trained == 0
    stream = shared_data / "tkeyo_mpu6500_streams"
    out = tmp_path / "events.jsonl"
    assert main(["simulate", "--recording", str(stream / "recordings" / "stream_circle.csv.gz"),
                 "--model", str(model), "--speed", "5", "--out", str(out)]) == 0  # fmt: skip
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["event_type"] for event in events] == ["circle"] * 6
    spans = labelled(stream)
    assert not missed(spans, verdicts(spans, events))


@contextmanager
def deaf_port():
    """A port that takes connections and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield server.getsockname()[1]


def refused(capsys, *arguments):
    """The one line and status of a refusal."""
    status = main(["simulate", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("beckon simulate: "), said.err
    return status, lines[0]


HEADER = "t_ms,ax,ay,az,gx,gy,gz\n"


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "no such file"),
        ("", "columns"),
        (HEADER, "0 samples"),
        (HEADER + "0,1,2,3,4,5,6\n10,1,2,x,4,5,6\n20,1,2,3,4,5,6\n", ":3: 'x'"),
        (HEADER + "0,1,2,3,4,5,6\n10,1,2,3,nan,5,6\n20,1,2,3,4,5,6\n", ":3: nan"),
        (HEADER + "0,1,2,3,4,5,6\n10,1,2,3\n", ":3: 4 fields"),
        ("a,b,c\n1,2,3\n", "columns"),
    ],
)
def test_recording_that_cannot_be_played(tmp_path, capsys, content, words):
    path = tmp_path / "recording.csv"
    if content is not None:
        path.write_text(content)
    status, line = refused(capsys, "--recording", path, "--out", tmp_path / "out.jsonl")
    assert status == 1 and words in line and "recording.csv" in line
    assert not (tmp_path / "out.jsonl").exists()


def test_recording_without_gyroscope(tmp_path, capsys):
    path = tmp_path / "three-axes.csv"
    path.write_text("t_ms,ax,ay,az\n0,0,0,9.8\n10,0,0,9.8\n20,0,0,9.8\n")
    status, line = refused(capsys, "--recording", path)
    assert status == 1 and "no gyroscope" in line and "three-axes.csv" in line


def test_image_holds_what_a_board_needs(tmp_path, capsys):
    folder = tmp_path / "board"
    assert main(["image", str(folder), "--chip", "esp32c3"]) == 0
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"main.py", "model.mlp", "lib/microMLP_engine.mpy", "lib/umqtt/simple.mpy"} <= names
    assert (folder / "lib" / "microMLP_engine.mpy").read_bytes()[:1] == b"M"
    assert main(["image", str(tmp_path / "no"), "--model", str(tmp_path / "none.mlp")]) == 1
    assert "none.mlp" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_truncated_gzip(tmp_path, capsys):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(RECORDING.read_bytes()[:2000])
    status, line = refused(capsys, "--recording", path)
    assert status == 1 and "cut.csv.gz" in line


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda b: None, "No such file"),
        (lambda b: b"", "0 bytes"),
        (lambda b: b"XXXX" + b[4:], "not a Beckon model"),
        (lambda b: b[:4] + b"\x63\0" + b[6:], "version 99"),
        (lambda b: b[:-7], "cut"),
        (lambda b: b + b"more", "cut"),
        (lambda b: b[:500] + bytes([b[500] ^ 1]) + b[501:], "CRC"),
        (lambda b: b * 6, "20000"),
    ],
)
def test_model_that_cannot_be_used(tmp_path, capsys, spoil, words):
    path = tmp_path / "broken.mlp"
    content = spoil(DEFAULT_MODEL.read_bytes())
    if content is not None:
        path.write_bytes(content)
    status, line = refused(capsys, "--recording", RECORDING, "--model", path)
    assert status == 1 and words in line and "broken.mlp" in line and "beckon train" in line


def test_broker_that_is_not_there_or_says_nothing(capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    status, line = refused(capsys, "--recording", RECORDING,
                           "--broker", f"mqtt://127.0.0.1:{closed}")  # fmt: skip
    assert status == 1 and str(closed) in line and "--broker" in line
    with deaf_port() as port:
        status, line = refused(capsys, "--recording", RECORDING,
                               "--broker", f"mqtt://127.0.0.1:{port}")  # fmt: skip
    assert status == 1 and "no answer" in line


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://h:99999", "mqtt://h:x", "mqtt://:1"])
def test_broker_address_that_is_none(capsys, url):
    status, line = refused(capsys, "--recording", RECORDING, "--broker", url)
    assert status == 2 and "mqtt://host:port" in line


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "1e9"])
def test_speed_that_cannot_be(capsys, speed):
    status, line = refused(capsys, "--recording", RECORDING, "--speed", speed)
    assert status == 2 and "--speed" in line


def test_demo_tells_what_it_saw(capsys):
    assert main(["demo", "--speed", "15"]) == 0
    said = capsys.readouterr()
    rows = [line.split() for line in said.out.splitlines() if " % " in line]
    assert [row[2] for row in rows] == [s[2] for s in demo_spans()]
    assert "9 of 9 gestures recognised" in said.out and "0 wrong" in said.out


def test_demo_refuses_a_port_in_use(capsys):
    with deaf_port() as port:
        assert main(["demo", "--port", str(port)]) == 1
    assert f"port {port} is in use" in capsys.readouterr().err


def test_demo_fails_when_a_gesture_is_missing(monkeypatch, tmp_path, capsys):
    """With labels of which one never happens."""
    from host_tools.cli import demo

    folder = tmp_path / "demo"
    (folder / "recordings").mkdir(parents=True)
    (folder / "recordings" / RECORDING.name).write_bytes(RECORDING.read_bytes())
    labels = (DEMO / "labels.csv").read_text()
    name = Path(RECORDING.name).name.removesuffix(".csv.gz")
    (folder / "labels.csv").write_text(labels + f"{name},100,900,x,{name}\n")
    monkeypatch.setattr(demo, "DEMO", folder)
    assert main(["demo", "--speed", "15"]) == 1
    assert "the x at 0.1 s did not come" in capsys.readouterr().err


def test_watch_prints_each_event_once(capsys):
    def publish(broker):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.connect(broker.host, broker.port)
        client.loop_start()
        payload = {"event_type": "wave\x1b[2J", "confidence": 93, "seq": 1, "boot": 5,
                   "latency_ms": 12, "t_ms": 5}  # fmt: skip
        for extra in ({}, {}, {"seq": 2}):
            client.publish("beckon/kitchen/event", json.dumps(payload | extra), qos=1)
        client.publish("beckon/kitchen/event", b"\xff no json", qos=1).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()

    with embedded_broker() as broker:
        timer = threading.Timer(1.0, publish, [broker])
        timer.start()
        assert main(["watch", "--broker", str(broker), "--count", "2"]) == 0
        timer.join()
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "wave" in line]) == 2
    assert not any("\x1b" in line for line in lines)


def test_recording_that_stands_still_to_the_letter_is_no_frozen_sensor(tmp_path):
    """Rounded or padded recordings repeat themselves, which the firmware must distrust."""
    path = stillness(tmp_path / "padded.csv", 12)
    lines = path.read_text().splitlines()
    still = lines[401].partition(",")[2]
    lines[402:802] = [f"{line.partition(',')[0]},{still}" for line in lines[402:802]]
    path.write_text("\n".join(lines) + "\n")
    with embedded_broker() as broker:
        outcome = simulate(path, DEFAULT_MODEL, broker, speed=10)
    assert outcome.counters["samples_lost"] == 0 and outcome.counters["sensor_starts"] == 1


@pytest.mark.parametrize("speed, played_s, received_ms", [
    (1.0, 4.98, 5000),  # by the clock: looking at the board's time comes a little late
    (40.0, 200.0, 200_000),
    (40.0, 110.0, 110_000),  # 22 times real time is all that it reached
])
def test_when_an_event_came_is_the_recordings_time_at_any_speed(speed, played_s, received_ms):
    recording = Recording("r", np.zeros((100, 6), np.float32), 100.0)
    run = _Run(recording, None, speed, None)
    run.sensor = SimpleNamespace(played_s=played_s)
    run._began_s = 100.0
    run._take(Message("wand", "event", {"event_type": "x"}, False, 105.0))
    assert run.outcome.events == [{"event_type": "x", "received_ms": received_ms}]
