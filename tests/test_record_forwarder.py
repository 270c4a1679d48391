"""record --from csv: time, units and faults of a line of numbers, by a clock that the test turns.

The line and the clock are the test's, so nothing depends on how busy the computer is; the same
over a pseudo-terminal is in test_record_board.py.
"""

import json
import re

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset.folder import read_recording
from host_tools.errors import BeckonError
from host_tools.recording import forwarder_source
from host_tools.units import GRAVITY, accel_factor, gyro_factor

RATE = 100


class Line:
    """A serial line that delivers rows at RATE, and the clock that goes with it."""

    def __init__(self, rows, silences=(), pattern="%.4f"):
        self.now_s = 100.0
        self._lines = [",".join(pattern % v for v in row).encode() + b"\r\n" for row in rows]
        self._due_s = [100 + i / RATE for i in range(len(rows))]
        for start_s, length_s, burst in silences:
            for i, due_s in enumerate(self._due_s):
                if due_s > 100 + start_s:
                    inside = due_s <= 100 + start_s + length_s
                    self._due_s[i] = (max(due_s, 100 + start_s + length_s) if burst and inside
                                      else due_s if burst else due_s + length_s)  # fmt: skip
        self._at = 0

    def __call__(self, port, baud):
        return self

    def read(self, timeout_s=0.0):
        self.now_s += 0.016
        first = self._at
        while self._at < len(self._lines) and self._due_s[self._at] <= self.now_s:
            self._at += 1
        if self._at == len(self._lines) and first == self._at:
            raise BeckonError("the board on nowhere went away")
        return b"".join(self._lines[first : self._at])

    def close(self):
        pass

    def monotonic(self):
        return self.now_s


@pytest.fixture
def record(monkeypatch, tmp_path, capsys):
    """record(line, option...) -> (status, JSON, stderr, the recording, what lies beside it)."""

    def run(line, *options):
        monkeypatch.setattr(forwarder_source, "Console", line)
        monkeypatch.setattr("host_tools.recording.forwarder_source.time", line)
        monkeypatch.setattr("host_tools.recording.session.time", line)
        monkeypatch.setattr("host_tools.device.ports.find_port", lambda port: port)
        status = main(["record", "nowhere", "--from", "csv", "--free", "--labels", "none",
                       "--out", str(tmp_path), "--json", *options])  # fmt: skip
        said = capsys.readouterr()
        told = json.loads(said.out) if said.out else {}
        recording = beside = None
        for path in (tmp_path / "recordings").glob("*.csv.gz"):
            recording, _ = read_recording(path)
            beside = json.loads(path.with_name(path.name[:-7] + ".json").read_text())
        return status, told, said.err, recording, beside

    return run


def rest(seconds, gyro=True):
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 0.03, (round(seconds * RATE), 6)) + [1.2, -3, 9.3, 0.4, -0.2, 0.1]
    return rows if gyro else rows[:, :3]


def moved(seconds, still_s=3.0):
    """At rest first, then a hand that turns and pushes."""
    rows = rest(seconds)
    t = np.arange(len(rows)) / RATE
    wave = np.where(t > still_s, np.sin(2 * np.pi * 1.5 * t), 0)
    rows[:, 0] += 10 * wave
    rows[:, 4] += 150 * wave
    return rows


def test_a_pause_is_a_gap_and_the_rate_stays(record):
    line = Line(rest(10), silences=[(5, 3, False)])
    status, told, err, recording, beside = record(line, "--seconds", "8")
    assert status == 0, err
    assert told["lost"] == pytest.approx(300, abs=8)
    assert told["measured_hz"] == pytest.approx(100, rel=0.01)
    assert beside["pauses"] == 1 and beside["lost_in_pauses"] == told["lost"]
    ((first, last),) = recording.gaps
    assert last - first == pytest.approx(300, abs=8) and first == pytest.approx(300, abs=12)


def test_a_burst_after_a_stall_loses_nothing(record):
    line = Line(rest(11), silences=[(5, 3, True)])
    status, told, err, recording, beside = record(line, "--seconds", "8")
    assert status == 0, err
    assert (told["lost"], beside["pauses"], recording.gaps) == (0, 0, ())
    assert told["measured_hz"] == pytest.approx(100, rel=0.01)


def test_silence_while_lines_are_held_is_not_the_end(record):
    """4 s without a line and half a second until it is clear that they do not catch up."""
    line = Line(rest(10), silences=[(5, 4.7, False)])
    status, told, err, *_ = record(line, "--seconds", "9")
    assert status == 0, err
    assert told["lost"] == pytest.approx(470, abs=20)


def test_a_pause_while_the_rate_is_measured(record):
    """As of a board that restarts when its port is opened."""
    line = Line(rest(9), silences=[(0.5, 2.5, False)])
    status, told, err, *_ = record(line, "--seconds", "2")
    assert status == 0 and told["lost"] == 0
    assert told["measured_hz"] == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("unit", ["g", "mg", "counts:16384", "counts:2048"])
def test_the_unit_of_acceleration_is_measured_and_reported_first(record, unit):
    rows = rest(6, gyro=False) / accel_factor(unit)
    status, told, err, recording, beside = record(Line(rows), "--seconds", "2")
    assert status == 0, err
    assert f"comes in {unit} and is converted to m/s2" in err
    assert f" samples per second, 3 axes, acceleration in {unit}, no turn rates" in err
    assert np.median(np.linalg.norm(recording.samples, axis=1)) == pytest.approx(9.84, abs=0.06)
    assert beside["line_accel_unit"] == unit


@pytest.mark.parametrize("unit", ["dps", "rad/s", "mdps"])
def test_turn_rates_are_judged_once_something_turns(record, unit):
    """At rest for the first seconds, so only at the end it is known."""
    rows = moved(14)
    rows[:, 3:] /= gyro_factor(unit)
    status, told, err, recording, beside = record(Line(rows), "--seconds", "11")
    assert status == 0, err
    assert "turn rates in dps (assumed: nothing turns" in err
    assert ("they are saved in deg/s" in err) == (unit != "dps")
    assert np.abs(recording.samples[:, 4]).max() == pytest.approx(150, rel=0.03)
    assert beside["line_gyro_unit"] == unit


def test_named_units_are_used_and_doubted(record):
    rows = moved(8, still_s=0) / np.repeat([GRAVITY, gyro_factor("rad/s")], 3)
    status, told, err, recording, _ = record(
        Line(rows), "--seconds", "2", "--accel-unit", "g", "--gyro-unit", "dps")  # fmt: skip
    assert status == 0
    assert "look like rad/s, not like the dps of --gyro-unit" in err
    assert np.abs(recording.samples[:, 4]).max() < 3


@pytest.mark.parametrize("rows, told", [
    (0 * rest(6), "every acceleration is 0, so the sensor does not answer"),
    (rest(6) - [1.2, -3, 9.3, 0, 0, 0], "gravity is missing.*--accel-unit m/s2"),
    (0.5 * rest(6), "fits neither m/s2 .9.81. nor g .1.*--accel-unit"),
    (moved(6, still_s=0) / GRAVITY, "the sensor moves .*hold it still"),
    (np.rint(rest(6) * 1670.7),
     r"raw counts \(16.* at rest\).*--gyro-unit .*counts:131 for 250 deg/s"),
])  # fmt: skip
def test_what_cannot_be_recorded_as_it_is(record, rows, told):
    status, _, err, recording, _ = record(Line(rows), "--seconds", "2")
    assert status == 1 and recording is None
    assert re.search(told, err.splitlines()[-1]), err


def test_counts_with_both_scales(record):
    rows = moved(9) / np.repeat([accel_factor("counts:8192"), gyro_factor("counts:65.5")], 3)
    status, _, err, recording, _ = record(
        Line(np.rint(rows), pattern="%d"), "--seconds", "6", "--gyro-unit", "counts:65.5")
    assert status == 0, err
    assert "comes in counts:8192" in err
    assert np.abs(recording.samples[:, 4]).max() == pytest.approx(150, rel=0.03)


@pytest.mark.parametrize("options", [
    ["--accel-unit", "furlong"], ["--accel-unit", "counts"], ["--gyro-unit", "counts:0"],
    ["--gyro-unit", "counts:x"], ["--gyro-unit", "counts:nan"],
])  # fmt: skip
def test_units_that_do_not_exist(record, options):
    status, _, err, _, _ = record(Line(rest(4)), *options)
    assert status == 2 and "name one of" in err


def test_units_are_for_lines_alone(capsys, tmp_path):
    assert main(["record", "x", "--labels", "a", "--accel-unit", "g", "--out", str(tmp_path)]) == 2
    assert "are for --from csv alone" in capsys.readouterr().err
