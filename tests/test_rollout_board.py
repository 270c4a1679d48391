"""One simulated board with the whole firmware: what it publishes reaches the store, then a false
alarm's samples, then a roll-out to it."""

import threading
from contextlib import ExitStack

import numpy as np
import pytest
from sqlalchemy import text

from host_tools.collect.collector import Collector, Options
from host_tools.dashboard import exports
from host_tools.dataset.folder import read_recording
from host_tools.mqtt.remote_device import Refused, RemoteDevice
from host_tools.mqtt.schemas import fault_of
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.rollout.event_windows import export
from host_tools.rollout.keys import Keys
from host_tools.rollout.plan import Wanted, start
from host_tools.rollout.rules import Rules
from host_tools.rollout.runner import Runner
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.simulator.unix_board import SimulatedBoard
from host_tools.store import rollouts
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Event
from host_tools.store.tables import EVENT_WINDOW
from host_tools.store.verdicts import mark
from host_tools.store.writer import Writer
from host_tools.testing.servers import Mosquitto
from tests.rollout_rig import KEY, a_model, value
from tests.waiting import until

DEVICE = "wand"
GESTURES = 9  # of the demo's recording


def test_only_false_alarms_that_are_kept_become_recordings(tmp_path):
    engine = open_store(str(tmp_path / "store.db"))
    now = 1_763_634_400_000
    Writer(engine).write(Batch([Event(DEVICE, 7, seq, now, now, 0, 1, "circle", "m", 90, 90, True)
                                for seq in range(3)]))  # fmt: skip
    for seq in range(3):
        mark(engine, DEVICE, 7, seq, True, "anna", now)
    mark(engine, DEVICE, 7, 1, False, "anna", now)  # right after all
    samples = np.arange(60, dtype="<i2").tobytes()
    with engine.begin() as connection:
        connection.execute(EVENT_WINDOW.update().where(EVENT_WINDOW.c.seq < 2).values(
            condition="kept", period_us=20_000, accel_lsb_per_g=8192, gyro_lsb_per_10_dps=655,
            samples=samples))  # fmt: skip
    folder = tmp_path / "data"
    assert export(engine, folder) == (1, 0)
    assert export(engine, folder) == (0, 1)
    (path,) = (folder / "recordings").glob("*.csv")
    found, _ = read_recording(path)
    assert path.stem == "false-alarm-wand-7-0" and len(found.samples) == 10
    assert found.samples[1] == pytest.approx([6 / 8192 * 9.80665, 7 / 8192 * 9.80665,
                                              8 / 8192 * 9.80665, 90 / 655, 100 / 655, 110 / 655],
                                             abs=1e-3)  # fmt: skip
    labels = (folder / "labels.csv").read_text().splitlines()
    assert labels == ["recording,start_ms,end_ms,label,subject",
                      "false-alarm-wand-7-0,0,180,none,wand"]  # fmt: skip
    engine.dispose()


def test_a_false_alarms_samples_and_a_roll_out_on_a_board(tmp_path):
    recording, _ = read_recording(next((DEMO / "recordings").iterdir()))
    t_ms = [1000 * i / recording.rate_hz for i in range(len(recording.samples))]
    sensor = SimulatedMPU6500(RecordedMovement(t_ms, recording.samples))
    engine = open_store(str(tmp_path / "store.db"))
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        broker = stack.enter_context(Mosquitto(tmp_path)).address
        collector = Collector(broker, engine, Options("board"))
        runner = Runner(engine, broker, Keys({DEVICE: KEY}), look_s=0.3)
        for run in (collector.run, runner.run):
            thread = threading.Thread(target=run)
            thread.start()
            stack.callback(thread.join)
        stack.callback(collector.stop)
        stack.callback(runner.stop)
        everything = stack.enter_context(Subscriber(broker, "+"))
        board = stack.enter_context(SimulatedBoard(
            DEFAULT_MODEL, broker, {(0, 0x68): sensor}, speed=8,
            settings={"device": DEVICE, "update_key": KEY, "keep_windows": 2}))  # fmt: skip
        until(lambda: value(engine, "SELECT count(*) FROM event") == GESTURES, pause_s=0.2)
        until(lambda: value(engine, "SELECT diag FROM device WHERE diag IS NOT NULL"), pause_s=0.2)
        assert_stored_as_published(everything, engine)
        boot = value(engine, "SELECT max(boot) FROM event")
        newest = value(engine, "SELECT max(seq) FROM event")
        mark(engine, DEVICE, boot, newest, True, "anna", 1)
        mark(engine, DEVICE, boot, 0, True, "anna", 1)  # newer ones have come since
        until(lambda: value(engine, "SELECT count(*) FROM event_window WHERE condition <> "
                                    "'wanted'") == 2, pause_s=0.2,
              what=lambda: windows_and_output(engine, board))  # fmt: skip
        assert "no window of event 0 is kept" in value(
            engine, "SELECT detail FROM event_window WHERE condition = 'gone'")
        assert export(engine, tmp_path / "data") == (1, 0)
        got, _ = read_recording(next((tmp_path / "data" / "recordings").glob("*.csv")))
        end_ms = value(engine, f"SELECT t_ms FROM event WHERE seq = {newest}")
        assert_same_movement(got, recording, end_ms)
        archive = exports.as_negatives(engine)
        assert open(archive, "rb").read(2) == b"PK"
        with RemoteDevice(broker, DEVICE) as device, pytest.raises(Refused, match="HMAC"):
            device.request_signed("window", "another key", f"{newest} 0", seq=newest, at=0)
        number = start(engine, Wanted(a_model(1), [DEVICE],
                                      rules=Rules(back_s=300, watch_s=2, lost_percent=100,
                                                  restarted_percent=100)))  # fmt: skip

        def found():
            with engine.connect() as connection:
                return rollouts.rollout(connection, number), rollouts.targets(connection, number)

        until(lambda: found()[0].condition in ("done", "stopped"), pause_s=0.2)
        one, (target,) = found()
        assert one.condition == "done", one.reason
        assert (board.flash / "model.mlp").read_bytes() == a_model(1)
        assert target.step == "updated" and target.boot > boot == target.old_boot
        assert target.state["model"] == one.model


def windows_and_output(engine, board):
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT condition, tries, detail, seq FROM event_window"))
        return rows.all(), list(board.output)[-5:]


def assert_stored_as_published(everything, engine):
    """All that the board has published fits the schemas, and its events are in the store."""
    kinds, events = set(), []
    while message := everything.receive(0.3):
        if message.payload != "":
            kinds.add(message.kind)
            assert fault_of(message.kind, message.payload) == "", message
            if message.kind == "event":
                events.append(message.payload)
    assert kinds == {"event", "status", "state", "diag"}
    with engine.connect() as connection:
        rows = connection.execute(text(
            "SELECT g.name, seq, t_ms, confidence FROM event JOIN gesture g ON g.id = gesture_id "
            "ORDER BY boot, seq")).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [
        tuple(e[name] for name in ("event_type", "seq", "t_ms", "confidence")) for e in events]
    assert len(rows) == GESTURES and value(engine, "SELECT count(*) FROM quarantine") == 0


def assert_same_movement(got, recording, end_ms):
    """The window is a piece of the recording that ends about there: the board's clock begins with
    its first sample, some time after the recording."""
    period_ms = 1000 / got.rate_hz
    count = len(got.samples)
    whole_ms = np.arange(len(recording.samples)) * 1000 / recording.rate_hz
    shifts = []
    for shift_ms in np.arange(-1000, 3001, 4.0):
        at_ms = end_ms + shift_ms - period_ms * np.arange(count - 1, -1, -1)
        values = np.stack([np.interp(at_ms, whole_ms, recording.samples[:, axis])
                           for axis in range(3)], axis=1)  # fmt: skip
        shifts.append(np.sqrt(np.mean((values - got.samples[:, :3]) ** 2)))
    moved = np.sqrt(np.var(got.samples[:, :3]))
    assert min(shifts) < 0.1 * moved, (min(shifts), moved)
