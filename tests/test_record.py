"""beckon record: the decoder, the judgement of takes, the files, and the whole on a board."""

import csv
import gzip
import hashlib
import io
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from host_tools.cli.app import main
from host_tools.dataset.folder import read_dataset, read_recording
from host_tools.errors import BeckonError
from host_tools.recording import writer
from host_tools.recording.blocks import Block
from host_tools.recording.board_source import baud_for
from host_tools.recording.display import LiveDisplay, Plot, bars
from host_tools.recording.guide import Guide, Phase
from host_tools.recording.replay_source import ReplaySource
from host_tools.recording.session import Session
from host_tools.recording.stream import Decoder, Info, Samples
from host_tools.recording.takes import BadTake, judge
from host_tools.recording.writer import LabelledSpan, check_name, segments

RATE = 100.0

# -- the decoder ------------------------------------------------------------------------


def stream(n=200, lost=((50, 7), (120, 1000))):
    """What a board sends for n samples, and sample by index: (bytes, {index: counts})."""
    from sensing.ring_buffer import RingBuffer
    from serial_line.stream_frame import FrameWriter

    rng = np.random.default_rng(n)
    rows = rng.integers(-32768, 32768, (n, 6)).astype(np.int16)
    rows[::9] = 0x5AA5  # what looks like a sync
    out = bytearray()
    ring = RingBuffer(256)
    frames = FrameWriter(out.extend)
    truth = {}
    index = 0
    frames.info({"accel_g": 8})
    for i, row in enumerate(rows):
        for at, gap in lost:
            if i == at:
                ring.gap(gap)
                index += gap
        ring.push_fifo(row.astype(">i2").tobytes(), 1)
        truth[index] = tuple(int(v) for v in row)
        index += 1
        if i % 7 == 6:
            frames.samples(ring)
    frames.samples(ring)
    frames.end()
    return bytes(out), truth


def decoded(data, pieces=()):
    """{index: counts} of what a decoder makes of data, cut at pieces."""
    decoder = Decoder()
    found = {}
    cuts = [0, *sorted(pieces), len(data)]
    for a, b in zip(cuts, cuts[1:], strict=False):
        for frame in decoder.feed(data[a:b]):
            if isinstance(frame, Samples):
                for k, row in enumerate(frame.counts):
                    assert frame.index + k not in found
                    found[frame.index + k] = tuple(int(v) for v in row)
    return found, decoder


STREAM, TRUTH = stream()


def test_everything_arrives_whole():
    found, decoder = decoded(STREAM)
    assert found == TRUTH
    assert (decoder.skipped, decoder.refused) == (0, 0)


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_however_it_is_cut_into_pieces(pieces):
    assert decoded(STREAM, pieces)[0] == TRUTH


def damage(draw_from):
    """One fault of a line at a place: a flipped, lost or doubled byte, or noise."""
    return st.tuples(st.integers(0, len(draw_from) - 1),
                     st.sampled_from(("flip", "drop", "double", "noise")),
                     st.integers(1, 255), st.binary(min_size=1, max_size=20))  # fmt: skip


def damaged(data, faults):
    for at, kind, bits, noise in sorted(faults, reverse=True):
        if kind == "flip":
            data = data[:at] + bytes((data[at] ^ bits,)) + data[at + 1 :]
        elif kind == "drop":
            data = data[:at] + data[at + 1 :]
        elif kind == "double":
            data = data[: at + 1] + data[at : at + 1] + data[at + 1 :]
        else:
            data = data[:at] + noise + data[at:]
    return data


@settings(max_examples=400)
@given(st.lists(damage(STREAM), min_size=1, max_size=8, unique_by=lambda fault: fault[0]))
def test_damage_costs_samples_and_never_makes_a_wrong_one(faults):
    found, _ = decoded(damaged(STREAM, faults))
    assert all(TRUTH.get(index) == row for index, row in found.items())
    # A fault costs the frame it is in and, through the sync, the one before: 14 samples.
    assert len(found) >= len(TRUTH) - 14 * 2 * len(faults)


@pytest.mark.parametrize("kind", ["flip", "drop", "double"])
def test_damage_to_any_single_byte(kind):
    data, truth = stream(60, lost=((20, 7), (40, 1000)))
    for at in range(len(data)):
        found, decoder = decoded(damaged(data, [(at, kind, 1 << at % 8, b"")]))
        assert all(truth.get(index) == row for index, row in found.items())
        # It is known: either samples were lost, or bytes were left over.
        known = decoder.skipped or decoder.refused or at >= len(data) - 2
        assert len(found) < len(truth) or known


@given(st.binary(max_size=3000))
def test_noise_alone_gives_nothing(noise):
    found, decoder = decoded(noise)
    assert not found and decoder.frames == 0


def test_a_traceback_between_frames_is_passed_over():
    text = b'Traceback (most recent call last):\r\n  File "x", line 1\r\n'
    cut = STREAM.index(b"\xa5\x5a\x01", 500)
    found, decoder = decoded(STREAM[:cut] + text + STREAM[cut:])
    assert decoder.skipped >= len(text) and len(found) >= len(TRUTH) - 7


# -- takes ------------------------------------------------------------------------------


def hand(seconds, moves, rate=RATE, axes=6, strength=1.0):
    """Samples (n, axes) of a hand that moves in each (start_s, end_s) of moves."""
    t = np.arange(round(seconds * rate)) / rate
    values = np.random.default_rng(1).normal(0, 0.05, (len(t), 6))
    values[:, 2] += 9.81
    for start, end in moves:
        inside = (t >= start) & (t < end)
        wave = np.sin(2 * np.pi * (t[inside] - start) / (end - start) * 2)
        values[inside, 0] += 8 * strength * wave
        values[inside, 4] += 200 * strength * wave
    return values[:, :axes]


def block(values, index=0, clipped=()):
    flags = np.zeros(len(values), bool)
    flags[list(clipped)] = True
    return Block(index, values, flags)


def test_a_good_take_is_cut_to_its_movement():
    start, stop = judge([block(hand(2, [(0.7, 1.4)]))], 0, 200, RATE)
    assert 60 <= start <= 72 and 135 <= stop <= 148


@pytest.mark.parametrize(
    "blocks, reason",
    [
        ([block(hand(2, []))], "no movement"),
        ([block(hand(2, [(0.7, 1.4)], strength=0.1))], "no movement"),
        ([block(hand(2, [(0.7, 1.4)]), clipped=(80,))], "beyond the sensor's range"),
        ([block(hand(2, [(0.0, 0.6)]))], "not at rest at GO"),
        ([block(hand(2, [(1.2, 2.0)]))], "did not end in time"),
        ([block(hand(2, [(0.3, 0.7), (1.2, 1.6)]))], "two movements"),
        ([block(hand(2, [(0.9, 0.95)], strength=6))], "a knock"),
        ([block(hand(2, [(0.7, 1.4)])[:90]), block(hand(2, [(0.7, 1.4)])[93:], 93)], "3 samples"),
        ([], "200 samples got lost"),
    ],
)
def test_bad_takes_are_refused_with_the_cure(blocks, reason):
    with pytest.raises(BadTake, match=reason):
        judge(blocks, 0, 200, RATE)


def test_accelerometer_alone_will_do():
    start, stop = judge([block(hand(2, [(0.7, 1.4)], axes=3))], 0, 200, RATE)
    assert 60 <= start <= 75 and 130 <= stop <= 148


# -- the course of a guided capture -----------------------------------------------------


def course(moves, seconds, labels=("a", "b"), takes=2, piece=7):
    """A Guide that has seen a hand for so long, with 1 s of countdown and takes of 1.5 s."""
    guide = Guide(list(labels), takes, RATE, 1.5, 1.0)
    values = hand(seconds, moves)
    phases = []
    for at in range(0, len(values), piece):
        guide.feed(block(values[at : at + piece], at))
        if not phases or phases[-1] != (guide.phase, guide.label):
            phases.append((guide.phase, guide.label))
    return guide, phases


def test_guide_asks_until_all_is_done():
    # GO comes 1 s into each cycle of 2.5 s; the third take is missed.
    moves = [(2.5 * k + 1.4, 2.5 * k + 2.0) for k in (0, 1, 3, 4)]
    guide, phases = course(moves, 20)
    assert guide.phase is Phase.DONE and guide.left == 0 and guide.label == ""
    assert [take.label for take in guide.good] == ["a", "a", "b", "b"]
    assert guide.refusals == 1 and guide.judged == 5
    assert sorted(guide.bad) == [(570, 750), (750, 820)]  # the take, and the countdown after it
    assert phases[:3] == [(Phase.COUNTDOWN, "a"), (Phase.GO, "a"), (Phase.COUNTDOWN, "a")]
    for take, (start, end) in zip(guide.good, moves, strict=True):
        assert abs(take.start - 100 * start) < 10 and abs(take.stop - 100 * end) < 10


@pytest.mark.parametrize("piece", [1, 100, 251, 5000])
def test_guide_takes_blocks_of_any_length(piece):
    """As after a computer that stood still: one block may hold many takes."""
    moves = [(2.5 * k + 1.4, 2.5 * k + 2.0) for k in (0, 1, 3, 4)]
    usual, _ = course(moves, 20)
    guide, _ = course(moves, 20, piece=piece)
    assert (guide.good, sorted(guide.bad)) == (usual.good, sorted(usual.bad))
    assert guide.phase is Phase.DONE


def test_guide_judges_a_take_whose_end_was_lost():
    guide = Guide(["a"], 2, RATE, 1.5, 1.0)
    values = hand(10, [(1.4, 2.0), (5.4, 6.0)])
    guide.feed(block(values[:220], 0))
    guide.feed(block(values[400:], 400))
    assert guide.refusals >= 1 and all(take.start >= 400 for take in guide.good)


def test_what_surrounds_a_bad_take_is_left_out():
    spans = [LabelledSpan(150, 200, "a"), LabelledSpan(900, 950, "b")]
    found = segments(1200, spans, [(400, 600), (0, 30)])
    assert [(s.first, s.end, [x.label for x in s.spans]) for s in found] == [
        (30, 400, ["a"]),
        (600, 1200, ["b"]),
    ]
    assert segments(1200, [], [(400, 600)]) == []


# -- the files --------------------------------------------------------------------------


def write_csv(path, values, rate=RATE):
    with open(path, "w") as file:
        file.write("t_ms,ax,ay,az,gx,gy,gz\n")
        for i, row in enumerate(values):
            file.write(f"{1000 * i / rate:.2f}," + ",".join(f"{v:.4f}" for v in row) + "\n")
    return path


def guided(tmp_path, moves, seconds, *more):
    path = write_csv(tmp_path / "hand.csv", hand(seconds, moves))
    return main(["record", "--from", str(path), "--speed", "0", "--out", str(tmp_path / "set"),
                 "--labels", "circle,x", "--takes", "2", "--countdown", "1", "--seconds", "1.5",
                 *more])  # fmt: skip


def test_guided_capture_becomes_a_data_set(tmp_path, capsys):
    moves = [(2.5 * k + 1.4, 2.5 * k + 2.0) for k in (0, 1, 3, 4)]
    assert guided(tmp_path, moves, 20, "--subject", "ann", "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["takes"], told["refused"], told["lost"]) == (4, 1, 0)
    assert "GO: circle" in said.err and "refused: there was no movement" in said.err
    dataset = read_dataset(tmp_path / "set")
    spans = [span for recording in dataset.recordings for span in recording.spans]
    assert [span.label for span in spans] == ["circle", "circle", "x", "x"]
    assert dataset.subjects == ["ann"]
    assert len(dataset.recordings) == 2  # before and after the take that was refused
    for recording in dataset.recordings:
        for span in recording.spans:
            moving = recording.samples[round(span.start_ms / 10) : round(span.end_ms / 10), 0]
            assert np.abs(moving).max() > 5
        told = json.loads((tmp_path / "set/recordings" / f"{recording.name}.json").read_text())
        data = (tmp_path / "set/recordings" / f"{recording.name}.csv.gz").read_bytes()
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        assert told["samples"] == len(recording.samples) and told["dropped"] == 0
        assert told["measured_hz"] == told["nominal_hz"] == 100
        assert told["utc_start"].endswith("Z") and told["subject"] == "ann"


def test_a_second_sitting_adds_to_the_first(tmp_path, capsys):
    moves = [(2.5 * k + 1.4, 2.5 * k + 2.0) for k in range(4)]
    labels = tmp_path / "set" / "labels.csv"
    labels.parent.mkdir()
    (tmp_path / "set/recordings").mkdir()
    write_csv(tmp_path / "set/recordings/old.csv", hand(5, [(1, 2)]))
    labels.write_text("recording,start_ms,end_ms,label,subject\nold,1000,2000,circle,bob")
    assert guided(tmp_path, moves, 12) == 0
    assert labels.read_text().splitlines()[1] == "old,1000,2000,circle,bob"
    assert read_dataset(tmp_path / "set").subjects == ["bob", "me"]
    assert not list((tmp_path / "set").rglob("*.tmp"))


def test_gaps_stay_gaps(tmp_path):
    values = hand(3, [(1, 2)])
    blocks = [block(values[:100]), block(values[130:], 130)]
    session = Session(ReplaySource(write_csv(tmp_path / "x.csv", values)), label="none")
    session.blocks = blocks
    assert (session.samples, session.lost) == (270, 30)
    (path,) = session.save(tmp_path, "me")
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    assert rows[100][0] == "990.00" and rows[101][0] == "1300.00"
    recording, notices = read_recording(path)
    assert recording.gaps == ((100, 130),) and "30 samples were lost" in notices[0]
    assert json.loads(path.with_name(path.name[:-7] + ".json").read_text())["dropped"] == 30


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "a,b", "", " a", ".a", "a\nb", "x" * 33,
                                  'a"b', "a:b"])  # fmt: skip
def test_names_that_would_break_paths_or_files(name):
    with pytest.raises(BeckonError, match="label"):
        check_name("label", name)


def test_names_of_all_languages():
    assert check_name("label", "große Welle_2") == "große Welle_2"


@pytest.mark.parametrize(
    "more, told",
    [
        (["--labels", "a/b"], "label 'a/b' holds '/'"),
        (["--labels", "a,a"], "a label occurs twice"),
        ([], "name the gestures with --labels"),
        (["--labels", "a,b", "--free"], "--free takes one label"),
        (["--labels", "a", "--takes", "0"], "--takes 0: name a number from 1"),
        (["--labels", "a", "--rate", "5000"], "--rate 5000: name a number from 10 to 500"),
        (["--labels", "a", "--subject", ".."], "subject '..' cannot be"),
        (["--labels", "a", "--from", "nowhere.csv"], "--from nowhere.csv: no such file"),
    ],
)
def test_arguments_that_cannot_be(tmp_path, more, told, capsys):
    assert main(["record", "/dev/nowhere", "--out", str(tmp_path / "out"), *more]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_recorded(
    tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").write_text("")
    arguments = ["record", "/dev/nowhere", "--labels", "a", "--out"]
    assert main([*arguments, str(tmp_path / "file" / "set")]) == 1
    assert "name another folder with --out" in capsys.readouterr().err
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((1,) * 10))
    assert main([*arguments, str(tmp_path / "set")]) == 1
    assert "no space left for" in capsys.readouterr().err


def test_a_disk_that_fills_at_the_end_loses_nothing(tmp_path, monkeypatch, capsys):
    moves = [(2.5 * k + 1.4, 2.5 * k + 2.0) for k in range(4)]
    replace = os.replace

    def full(source, target):
        if str(target).startswith(str(tmp_path / "set")):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(writer.os, "replace", full)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert guided(tmp_path, moves, 12) == 1
    said = capsys.readouterr().err
    assert "no space left" in said and "what was recorded is in" in said
    (rescued,) = tmp_path.glob("beckon-rescued-*")
    assert len(read_dataset(rescued).recordings[0].spans) == 4
    assert not [path for path in (tmp_path / "set").rglob("*") if path.is_file()]


def test_nothing_good_is_told(tmp_path, capsys):
    assert guided(tmp_path, [], 12) == 1
    assert "no good take, so nothing was saved" in capsys.readouterr().err
    assert not (tmp_path / "set" / "labels.csv").exists()


# -- the display ------------------------------------------------------------------------


def test_plot():
    plot = Plot(RATE)
    plot.add(hand(4, [(1, 2)]))
    assert "█" not in bars(plot.gyro, 500) and "▃" in bars(plot.gyro, 500)
    plot.add(hand(1, [], axes=3))
    assert bars(plot.gyro, 500).endswith(" " * 10)


def test_live_display_shows_what_to_do(tmp_path):
    path = write_csv(tmp_path / "hand.csv", hand(6, [(3.4, 4.0)]))
    with ReplaySource(path, 0) as source:
        session = Session(source, Guide(["wave"], 1, RATE, 1.5, 3.0))
        terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
        with LiveDisplay(session, terminal) as shown:
            while session.step():
                shown.update()
    said = terminal.file.getvalue()
    for text in ("wave in 1", "GO: wave", "wave: take 1 of 1; 1 to go in all", "accel ",
                 "0 lost, 100.00 Hz", "Hold still."):  # fmt: skip
        assert text in said, text
    assert "all done" in said


def test_baud_for():
    assert [baud_for(rate) for rate in (50, 100, 200, 400, 500)] == [
        115200, 115200, 230400, 460800, 921600]  # fmt: skip


def test_infos_are_dicts():
    decoder = Decoder()
    from serial_line.stream_frame import FrameWriter

    out = bytearray()
    frames = FrameWriter(out.extend)
    frames.info({"a": 1})
    frames.end()
    assert decoder.feed(bytes(out)) == [Info({"a": 1})]
