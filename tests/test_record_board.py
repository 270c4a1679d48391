"""beckon record on the simulated board behind a pseudo-terminal, and from data forwarders."""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.cli.program import program
from host_tools.dataset.folder import read_dataset, read_recording
from host_tools.errors import BeckonError
from host_tools.recording.board_source import BoardSource
from host_tools.recording.session import Session
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.testing.pty_board import PtyBoard, TalkingProcess
from host_tools.units import accel_counts
from tests.boards import firmware_image, node_board, sensor_board
from tests.waiting import until


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    return firmware_image(tmp_path_factory.mktemp("flash"))


@pytest.mark.parametrize("rate, baud", [(100, 115200), (200, 230400)])
def test_a_board_delivers_every_sample(firmware, tmp_path, capsys, rate, baud):
    sensor = SimulatedMPU6500(Sines())
    with sensor_board(firmware, sensor=sensor, speed=4) as board:
        assert main(["record", board.port, "--free", "--seconds", "12", "--rate", str(rate),
                     "--labels", "none", "--out", str(tmp_path), "--json"]) == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] + told["lost"] >= 12 * rate and told["clipped"] == 0
    assert told["measured_hz"] == pytest.approx(rate, rel=0.01)
    (path,) = (tmp_path / "recordings").glob("*.json")
    about = json.loads(path.read_text())
    assert about["baud"] == baud and about["sensor"] == "MPU6500" and about["accel_g"] == 8
    assert about["line_frames_refused"] == 0
    # The line loses nothing; a simulated board that gets no processor time may.
    assert told["lost"] == about["lost_on_board"]
    (recording,) = read_dataset(tmp_path).recordings
    assert recording.spans[0].label == "none"
    turning = recording.samples[:, 3:]
    assert 290 < np.abs(turning).max() < 310  # Sines: 300 deg/s


@pytest.mark.soak
def test_an_hour_loses_nothing(firmware):
    sensor = SimulatedMPU6500(Rest())
    board = sensor_board(firmware, sensor=sensor, speed=20)
    with board, BoardSource(board.port) as source:
        session = Session(source)
        while session.step() and session.seconds < 3600:
            pass
        assert not session.fault and session.samples >= 360_000 and session.lost == 0


@pytest.mark.soak
def test_real_time_takes_little_of_the_computer(firmware, tmp_path):
    """At most 5 % of a core, the start of Python included."""
    with sensor_board(firmware, sensor=SimulatedMPU6500(Sines())) as board:
        process = subprocess.Popen(
            [sys.executable, "-m", "host_tools", "record", board.port, "--free", "--seconds", "60",
             "--out", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    print(f"{usage.ru_utime + usage.ru_stime:.2f} s of processor for 60 s")
    assert usage.ru_utime + usage.ru_stime < 0.05 * 60


def test_a_board_that_does_not_follow_to_another_baud_rate(firmware, tmp_path):
    with sensor_board(firmware, sensor=SimulatedMPU6500(Rest())) as board:
        board._backend.baud = lambda: 115200  # whatever its program sets
        with BoardSource(board.port, rate_hz=200) as source:
            session = Session(source)
            while session.step() and session.seconds < 1:
                pass
            assert session.samples + session.lost >= 200
            about = source.about()
            assert about["line_frames_refused"] == 0
            assert about["baud"] == 115200 and source.rate_hz == 200


def test_what_is_beyond_the_range_is_told(firmware, tmp_path, capsys):
    with sensor_board(firmware, sensor=SimulatedMPU6500(Sines()), speed=4) as board:
        assert main(["record", board.port, "--free", "--seconds", "2", "--gyro-dps", "250",
                     "--out", str(tmp_path)]) == 0  # fmt: skip
    said = capsys.readouterr().err
    assert "samples at the end of the sensor's range: record with a larger" in said
    assert f"next: {program()} train {tmp_path}" in said


def test_a_line_with_faults_loses_samples_and_knows_it(firmware):
    flips = np.random.default_rng(3)

    def garble(data):
        if flips.random() < 0.02 and len(data) > 20:
            at = int(flips.integers(len(data)))
            return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        return data

    sensor = SimulatedMPU6500(Rest())
    board = sensor_board(firmware, sensor=sensor, speed=10)
    with board, BoardSource(board.port) as source:
        board._garble = garble
        session = Session(source)
        while session.step() and session.seconds < 20:
            pass
        board._garble = None
        about = source.about()
        assert session.lost > 0 and about["line_frames_refused"] > 0
        rows = np.concatenate([b.values for b in session.blocks])
        assert np.abs(rows[:, :3] - [0, 0, 9.81]).max() < 0.5  # not one wrong sample
        assert np.abs(rows[:, 3:]).max() < 5


def test_unplugged_in_the_middle_keeps_what_was_recorded(firmware, tmp_path, capsys):
    sent = []

    def count(data):
        sent.append(len(data))
        return data

    def pull_the_plug():
        until(lambda: sum(sent) > 6000, "some seconds of samples")
        board.unplug()

    with sensor_board(firmware, garble=count) as board:
        puller = threading.Thread(target=pull_the_plug)
        puller.start()
        status = main(["record", board.port, "--free", "--out", str(tmp_path)])
        puller.join()
    said = capsys.readouterr()
    assert status == 1 and "went away" in said.err and "1 recording saved" in said.err
    (path,) = (tmp_path / "recordings").glob("*.csv.gz")
    assert len(read_recording(path)[0].samples) > 50


def test_a_sensor_that_does_not_answer_is_named(firmware, monkeypatch):
    from host_tools.recording import board_source

    monkeypatch.setattr(board_source, "_FIRST_TIMEOUT_S", 5.0)
    sensor = SimulatedMPU6500(Rest())
    sensor.faults.no_answer_until_us = 1 << 60
    with sensor_board(firmware, sensor=sensor) as board:
        with pytest.raises(BeckonError, match=r"does not answer \(.*19.*check its wires"):
            with BoardSource(board.port):
                pass


def test_a_board_without_the_firmware_is_named(tmp_path):
    with node_board(tmp_path) as board, pytest.raises(BeckonError, match="run beckon deploy"):
        with BoardSource(board.port):
            pass


def test_text_lines_and_any_data_forwarder(firmware, tmp_path, capsys):
    """The firmware's own text mode, read as any other forwarder's."""
    main_py = firmware / "main.py"
    main_py.write_text("from serial_line import serial_stream\n"
                       "serial_stream.run(rate_hz=50, text=True)\n")
    try:
        sent = []

        def keep(data):
            sent.append(data)
            return data

        with sensor_board(firmware, movement=Rest(), garble=keep) as board:
            until(lambda: b"".join(sent).count(b"\n") > 10, "lines of numbers")
            status = main(["record", board.port, "--from", "csv", "--free", "--seconds", "2",
                           "--out", str(tmp_path), "--json"])  # fmt: skip
    finally:
        main_py.unlink()
    said = capsys.readouterr()
    assert status == 0, said.err
    told = json.loads(said.out)
    # The lines bear no time: a computer too busy for the board shows as a lower rate, or a pause
    assert 0 < told["measured_hz"] < 58
    (path,) = (tmp_path / "recordings").glob("*.csv.gz")
    beside = json.loads(path.with_name(path.name[:-7] + ".json").read_text())
    assert told["lost"] <= beside["lost_in_pauses"]  # some before the first block
    assert beside["line_accel_unit"] == "m/s2" and "acceleration in m/s2" in said.err
    assert np.abs(read_recording(path)[0].samples[:, 2] - 9.81).max() < 0.3
    # Counts come back: the text is finer than half a count of the accelerometer's range of 8 g
    rows = [line.split(b",") for line in b"".join(sent).splitlines() if line.count(b",") == 5]
    counts = np.array(rows[2:-2], float)[:, :3] * accel_counts(8)
    assert np.abs(counts - np.rint(counts)).max() < 0.25


@pytest.mark.parametrize(
    "text, told",
    [(b"", "nothing comes from"), (b"hello world\n", "sends 'hello world'; a data forwarder")],
)
def test_what_is_no_data_forwarder(text, told, tmp_path, capsys, monkeypatch):
    from host_tools.recording.forwarder_source import ForwarderSource

    monkeypatch.setattr(ForwarderSource, "_MEASURE_S", 0.4)
    with PtyBoard(TalkingProcess(text, 0.05)) as board:
        assert main(["record", board.port, "--from", "csv", "--free", "--out", str(tmp_path)]) == 1
    assert told in capsys.readouterr().err


def test_lines_that_are_broken_leave_a_gap(tmp_path):
    text = b"1,2,9.8\n1,2,9.8\n1,,9.8\n1 2 9.8\n"
    from host_tools.recording.forwarder_source import ForwarderSource

    with PtyBoard(TalkingProcess(text, 0.02)) as board:
        source = ForwarderSource(board.port, "g")
        source._MEASURE_S = 0.5
        with source:
            session = Session(source)
            while session.step() and session.seconds < 2:
                pass
            assert session.lost >= session.samples // 3 - 2 > 10
            first = session.blocks[0].values[0]
            assert first == pytest.approx([9.80665, 19.6133, 96.105], abs=0.01)
            assert source.axes == 3


def test_the_next_command_finds_a_board_on_native_usb(firmware, tmp_path, capsys):
    """There a reset takes the port away for a while."""
    with sensor_board(firmware, speed=4) as board:
        board.native_usb, board.late_s = True, 1.5
        boots = board.boots
        record = ["record", board.port, "--free", "--labels", "none", "--seconds", "1", "--out",
                  str(tmp_path)]
        assert main(record) == 0
        assert board.boots > boots and os.path.exists(board.port)
