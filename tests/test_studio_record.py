"""Studio's recording without a browser: sittings from a replay, faults, boards."""

import gzip
import time

import numpy as np
import pytest

from host_tools.dataset.folder import read_dataset, read_recording
from host_tools.errors import BeckonError
from host_tools.recording.guide import Phase
from host_tools.studio.record.session import RecordSession
from host_tools.studio.record.sitting import Sitting
from host_tools.studio.record.sources import SourceChoice, make_source
from host_tools.studio.signal.live_feed import Feeds
from tests.waiting import until

RATE = 100.0


def hand(path, seconds, moves):
    """A recording of a hand that moves from each start to each end of moves, in seconds."""
    t = np.arange(round(seconds * RATE)) / RATE
    values = np.random.default_rng(1).normal(0, 0.05, (len(t), 6))
    values[:, 2] += 9.81
    for start, end in moves:
        inside = (t >= start) & (t < end)
        wave = np.sin(2 * np.pi * 3 * (t[inside] - start))
        values[inside, 0] += 8 * wave
        values[inside, 4] += 200 * wave
    rows = "".join(f"{1000 * at:.0f}," + ",".join(f"{v:.3f}" for v in row) + "\n"
                   for at, row in zip(t, values, strict=True))
    path.write_bytes(gzip.compress(f"t_ms,ax,ay,az,gx,gy,gz\n{rows}".encode()))
    return path


@pytest.fixture
def recorder():
    recorder = RecordSession(Feeds())
    yield recorder
    recorder.close()


def replay(tmp_path, seconds, moves, speed=0.0):
    """A choice of a replayed hand; its first half second lets the page start the sitting."""
    return SourceChoice("file", path=hand(tmp_path / "hand.csv.gz", seconds, moves), speed=speed)


def held_back(monkeypatch):
    """Let nothing come from replays until released, so that a sitting begins at sample 0."""
    from host_tools.recording.replay_source import ReplaySource

    gate = {"open": False}
    read = ReplaySource.read

    def waiting(self, timeout_s):
        if not gate["open"]:
            time.sleep(0.005)
            return []
        return read(self, timeout_s)

    monkeypatch.setattr(ReplaySource, "read", waiting)
    return gate


def test_a_guided_sitting_is_saved_with_its_good_takes_only(recorder, tmp_path, monkeypatch):
    gate = held_back(monkeypatch)
    # A take lasts a second of countdown and two of time; the second one is empty.
    moves = [(1.5, 2.2), (7.5, 8.2), (10.5, 11.2), (13.5, 14.2)]
    recorder.open(replay(tmp_path, 20, moves))
    until(lambda: recorder.view().state == "live")
    folder = tmp_path / "data"
    recorder.start(Sitting(folder, "ann", ("circle", "x"), takes=2, countdown_s=1))
    until(lambda: recorder.view().state == "recording")
    gate["open"] = True
    until(lambda: recorder.view().done)
    view = recorder.view()
    assert (view.done.takes, view.done.refused, view.done.fault) == (4, 1, "")
    assert [(t.label, t.good) for t in view.takes] == [
        ("circle", True), ("circle", False), ("circle", True), ("x", True), ("x", True)]
    assert "there was no movement" in view.takes[1].message
    assert max(view.takes[0].curve) == 1.0 and view.takes[0].curve[0] < 0.2
    data = read_dataset(folder)
    labels = [s.label for r in data.recordings for s in r.spans]
    assert sorted(labels) == ["circle", "circle", "x", "x"] and data.subjects == ["ann"]
    starts = [s.start_ms for r in data.recordings for s in r.spans]
    assert all(s.length_ms == pytest.approx(700, abs=150) for r in data.recordings
               for s in r.spans) and starts


def test_a_take_is_taken_back_and_the_sitting_paused(recorder, tmp_path, monkeypatch):
    gate = held_back(monkeypatch)
    recorder.open(replay(tmp_path, 60, [(1.5, 2.2)], speed=8))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("circle",), takes=3, countdown_s=1))
    until(lambda: recorder.view().state == "recording")
    recorder._tee.source._began_s = time.monotonic()
    gate["open"] = True
    until(lambda: recorder.view().good == 1)
    recorder.pause()
    until(lambda: recorder.view().phase is Phase.PAUSED)
    recorder.take_back()
    until(lambda: recorder.view().good == 0 and not recorder.view().takes[0].good)
    assert "took back the last circle" in recorder.view().takes[0].message
    assert recorder.view().phase is Phase.PAUSED
    recorder.pause()
    until(lambda: recorder.view().phase is Phase.COUNTDOWN)
    recorder.finish()
    until(lambda: recorder.view().done)
    done = recorder.view().done
    assert (done.takes, done.paths) == (0, ())
    assert recorder.view().state == "live"


def test_watching_keeps_nothing_and_a_free_recording_everything(recorder, tmp_path):
    recorder.open(replay(tmp_path, 6, [(2, 3)], speed=1))
    until(lambda: recorder.view().state == "live" and recorder.feed.sent > 5)
    assert recorder.view().samples == 0 and recorder._session is None
    recorder.start(Sitting(tmp_path / "data", "ann", ("none",), seconds=0.4))
    until(lambda: recorder.view().done)
    (path,) = recorder.view().done.paths
    recording, _ = read_recording(path)
    assert 0.4 <= recording.seconds < 1
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann"))
    until(lambda: recorder.view().samples > 10)
    recorder.discard()
    until(lambda: recorder.view().number == 2)
    assert recorder.view().done.paths == ()
    assert len(list((tmp_path / "data" / "recordings").glob("*.csv.gz"))) == 1


def test_takes_in_a_row_are_cut_and_kept_as_chosen(recorder, tmp_path, monkeypatch):
    gate = held_back(monkeypatch)
    moves = [(1.5 * n + 0.5, 1.5 * n + 1.2) for n in range(6)]
    recorder.open(replay(tmp_path, 14, moves))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("shake",), seconds=9.5, row=True))
    until(lambda: recorder.view().row)
    gate["open"] = True
    until(lambda: recorder.view().state == "review")
    view = recorder.view()
    assert [(take.label, take.good) for take in view.takes] == [("shake", True)] * 6
    assert all(max(take.curve) > 0.5 for take in view.takes) and view.done is None
    assert not (tmp_path / "data/labels.csv").exists()  # nothing is kept yet
    recorder.keep(2, False)
    recorder.keep(99, False)
    recorder.finish()
    until(lambda: recorder.view().done)
    done = recorder.view().done
    assert (done.takes, done.refused, done.fault) == (5, 1, "")
    data = read_dataset(tmp_path / "data")
    spans = [s for r in data.recordings for s in r.spans]
    assert [(s.label, s.subject) for s in spans] == [("shake", "ann")] * 5
    assert all(s.length_ms == pytest.approx(700, abs=150) for s in spans)
    # The take that was dropped is in no recording: it would count as no gesture
    assert len(data.recordings) == 2
    assert sum(r.seconds for r in data.recordings) < 9.5 - 0.6


def test_a_row_in_which_nothing_repeats_is_saved_without_takes(recorder, tmp_path, monkeypatch):
    gate = held_back(monkeypatch)
    recorder.open(replay(tmp_path, 8, []))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("shake",), seconds=4, row=True))
    until(lambda: recorder.view().row)
    gate["open"] = True
    until(lambda: recorder.view().done)
    done = recorder.view().done
    assert "nothing in it repeats" in done.fault and len(done.paths) == 1
    assert not (tmp_path / "data/labels.csv").exists()


def test_the_end_of_the_source_saves_what_there_is(recorder, tmp_path, monkeypatch):
    gate = held_back(monkeypatch)
    recorder.open(replay(tmp_path, 1.0, [], speed=1))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("none",)))
    gate["open"] = True
    until(lambda: recorder.view().state == "ended")
    assert len(recorder.view().done.paths) == 1 and recorder.view().fault == ""
    with pytest.raises(BeckonError, match="connect a source first"):
        recorder.start(Sitting(tmp_path / "data", "ann", ("none",)))


def test_what_cannot_be_saved_can_be_saved_again(recorder, tmp_path, monkeypatch):
    from host_tools.recording import writer

    recorder.open(replay(tmp_path, 30, [], speed=1))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("none",)))
    until(lambda: recorder.view().samples > 5)
    replace = writer.replace_file

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "replace_file", full)
    recorder.finish()
    until(lambda: recorder.view().state == "unsaved")
    assert "no space left" in recorder.view().fault
    monkeypatch.setattr(writer, "replace_file", replace)
    recorder.try_again(True)
    until(lambda: recorder.view().done)
    assert len(recorder.view().done.paths) == 1


def test_a_source_that_fails_in_the_middle_keeps_the_recording(recorder, tmp_path, monkeypatch):
    recorder.open(replay(tmp_path, 30, [], speed=1))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("none",)))
    until(lambda: recorder.view().samples > 5)

    def fail(timeout_s):
        raise BeckonError("wand does not answer")

    monkeypatch.setattr(recorder._tee.source, "read", fail)
    until(lambda: recorder.view().state == "ended")
    view = recorder.view()
    assert len(view.done.paths) == 1 and "does not answer" in view.done.fault
    assert "does not answer" in view.fault


@pytest.mark.parametrize(
    "choice, told",
    [
        (SourceChoice("file"), "no such file"),
        (SourceChoice("broker", broker="mqtt://127.0.0.1"), "enter the board's name"),
        (SourceChoice("broker", broker="http://x", device="wand"), "is not a broker address"),
        (SourceChoice("board", port="/nowhere/tty"), "is not there"),
    ],
)
def test_sources_that_cannot_be(choice, told):
    with pytest.raises(BeckonError, match=told):
        make_source(choice)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"labels": ("a/b",), "takes": 3}, "holds '/'"),
        ({"labels": (), "takes": 3}, "name the gestures"),
        ({"labels": ("a", "a"), "takes": 3}, "twice"),
        ({"labels": ("a",), "takes": 3, "seconds": 60.0}, "seconds of a take 60"),
        ({"labels": ("a", "b"), "takes": 0}, "one label"),
        ({"subject": "../x", "takes": 0}, "person"),
        ({"row": True, "labels": (), "seconds": 10.0}, "name one gesture"),
        ({"row": True, "labels": ("a",), "seconds": 1.0}, "from 3 to 120"),
    ],
)
def test_sittings_that_cannot_be(changes, told, tmp_path):
    with pytest.raises(BeckonError, match=told):
        Sitting(**{"folder": tmp_path / "data", "subject": "ann", **changes}).check()
    assert not (tmp_path / "data").exists()


def test_a_computer_that_stood_still_loses_no_take(recorder, tmp_path, monkeypatch):
    """Ten takes come as one block."""
    gate = held_back(monkeypatch)
    moves = [(3 * k + 1.5, 3 * k + 2.2) for k in range(10)]
    recorder.open(replay(tmp_path, 40, moves, speed=1))
    until(lambda: recorder.view().state == "live")
    recorder.start(Sitting(tmp_path / "data", "ann", ("circle",), takes=10, countdown_s=1))
    until(lambda: recorder.view().state == "recording")
    recorder._tee.source._began_s = time.monotonic() - 35
    gate["open"] = True
    until(lambda: recorder.view().done)
    assert (recorder.view().done.takes, recorder.view().done.refused) == (10, 0)


def test_a_second_source_is_refused(recorder, tmp_path):
    recorder.open(replay(tmp_path, 30, [], speed=1))
    with pytest.raises(BeckonError, match="disconnect it first"):
        recorder.open(replay(tmp_path, 30, [], speed=1))
    recorder.close()
    assert recorder.view().state == "off" and not recorder.running


def test_the_raw_stream_of_a_board_on_its_broker(recorder, tmp_path):
    from host_tools.mqtt.broker import embedded_broker
    from tests.test_record_broker import ANSWER, Board

    with embedded_broker() as broker:
        board = Board(broker, ANSWER)
        try:
            recorder.open(SourceChoice("broker", broker=str(broker), device="wand"))
            until(lambda: recorder.view().state == "live")
            recorder.start(Sitting(tmp_path / "data", "ann", ("none",), seconds=1))
            until(lambda: recorder.view().done)
            recorder.close()
        finally:
            board.close()
    (path,) = recorder.view().done.paths
    recording, _ = read_recording(path)
    assert recording.rate_hz == 100 and recording.samples[0, 4] == pytest.approx(-10, abs=0.001)
