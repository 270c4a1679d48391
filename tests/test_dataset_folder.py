"""Reading data-set folders: what is right, and every fault named with file and line."""

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.dataset import is_idle, read_dataset, read_datasets, with_negatives
from host_tools.dataset.checks import check
from host_tools.dataset.classes import class_faults
from host_tools.dataset.folder import _numbers, _table, read_recording
from host_tools.errors import BeckonError

HEADER = "t_ms,ax,ay,az,gx,gy,gz\n"
LABELS = "recording,start_ms,end_ms,label,subject\n"


def rows(n=100, step=10.0):
    return "".join(f"{i * step:g},{i % 7},0,9.8,{i % 5},0,0\n" for i in range(n))


def folder(tmp_path, labels="a,0,500,wave,p1\n", **recordings):
    base = tmp_path / "set"
    (base / "recordings").mkdir(parents=True)
    for name, text in (recordings or {"a": HEADER + rows()}).items():
        (base / "recordings" / f"{name}.csv").write_text(text)
    (base / "labels.csv").write_text(LABELS + labels)
    return base


def refused(tmp_path, *wanted, **kwargs):
    with pytest.raises(BeckonError) as e:
        read_dataset(folder(tmp_path, **kwargs))
    for text in wanted:
        assert text in str(e.value)
    assert "\n" not in str(e.value)


def test_a_plain_folder(tmp_path):
    data = read_dataset(folder(tmp_path))
    r = data.recordings[0]
    assert (r.name, r.rate_hz, r.samples.shape, r.subject) == ("a", 100.0, (100, 6), "p1")
    assert r.spans[0].label == "wave" and r.spans[0].end_ms == 500
    assert r.samples[3, 0] == 3 and r.samples[3, 2] == np.float32(9.8)


def test_gzip_and_accelerometer_only(tmp_path):
    base = folder(tmp_path)
    (base / "recordings" / "a.csv").unlink()
    text = "t_ms,ax,ay,az\n" + "".join(f"{i * 20},1,2,3\n" for i in range(50))
    (base / "recordings" / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    r = read_dataset(base).recordings[0]
    assert r.axes == 3 and r.rate_hz == 50


def test_selection_keeps_only_those_spans(tmp_path):
    base = folder(tmp_path, "a,0,200,wave,p1\na,300,500,none,p1\n")
    data = read_dataset(f"{base}:none")
    assert [s.label for s in data.recordings[0].spans] == ["none"]
    with pytest.raises(BeckonError, match="no span is labelled 'circle'; there are none, wave"):
        read_dataset(f"{base}:circle")


def test_equal_names_are_told_apart(tmp_path):
    one, two = folder(tmp_path / "x"), folder(tmp_path / "y")
    two = two.rename(two.parent / "other")
    names = [r.name for r in read_datasets([one, two]).recordings]
    assert names == ["set/a", "other/a"]


def test_negatives_lose_their_labels(tmp_path):
    base = folder(tmp_path)
    data = with_negatives(read_dataset(base), read_dataset(base))
    assert data.labels == ["none", "wave"]
    assert data.recordings[1].spans[0].end_ms == pytest.approx(990)


@pytest.mark.parametrize("label", ["none", "Idle", "no motion", "no_gesture", "still", "rest"])
def test_names_of_nothing(label):
    assert is_idle(label)
    assert not is_idle("restart")


@pytest.mark.parametrize("body, line, what", [
    ("0,1,2,3,4,5,6\n10,1,2,x,4,5,6\n", ":3", "'x' is not a number"),
    ("0,1,2,3,4,5,6\n10,1,2,nan,4,5,6\n", ":3", "nan is not a finite number"),
    ("0,1,2,3,4,5,6\n10,1,2,inf,4,5,6\n", ":3", "not a finite number"),
    ("0,1,2,3,4,5,6\n10,1,2,1e20,4,5,6\n", ":3", "1e20 is not a finite number below 1e+15"),
    ("0,1,2,3,4,5,6\n10,1,2,3\n", ":3", "4 fields instead of 7"),
    ("0,1,2,3,4,5,6\n\n10,1,2,3,4,5,6\n", ":3", "1 fields instead of 7"),
    ("0,1,2,3,4,5,6\r10,1,2,3,4,5,6\n20,1,2,3,4,5,6\n", ":2", "13 fields instead of 7"),
    ("0,1,2,3,4,5,6\n10,1,2,1_000,4,5,6\n", ":3", "'1_000' is not a number"),
    ("0,1,2,x,4,5,6\n", ":2", "'x' is not a number"),
    ("0,1,2,3,4,5,6\n10,1,2,3,4,5,6 # still\n", ":3", "'6 # still' is not a number"),
    ("0,1,2,3,4,5,6\n10,1,2,3,4,5,6\n10,1,2,3,4,5,6\n", ":4", "does not advance"),
    ("0,1,2,3,4,5,6\n", "a.csv", "1 samples"),
    ("", "a.csv", "0 samples"),
])
def test_faults_in_a_recording(tmp_path, body, line, what):
    refused(tmp_path, line, what, a=HEADER + body)


_NUMBERS = st.one_of(
    st.decimals(-10**6, 10**6, places=3).map(str), st.integers(-10**9, 10**9).map(str),
    st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True).map(repr),
    st.sampled_from(["0", "-0", "-0.0", "0.10", ".5", "5.", "007", "123456789.12345", "+1", " 1 "]),
)


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS), min_size=2, max_size=30))
def test_numbers_are_what_float_makes_of_them(rows):
    table = _table(None, [",".join(row) for row in rows], 4)
    expected = np.array([[float(x) for x in row] for row in rows])
    assert table.dtype == np.float64
    assert table.tobytes() == expected.tobytes()  # the sign of zero, too


@given(st.text(st.sampled_from("0123456789,.-+eE_xnaif\r\0 \t\x1c\"#'%"), max_size=30)
       | st.text(st.characters(max_codepoint=127, exclude_characters="\n")),
       st.integers(1, 3))
def test_strange_lines_mean_what_float_says(line, columns):
    lines = [",".join("1" * columns), line, ",".join("2" * columns)]

    def outcome(reader):
        try:
            return reader("x", lines, columns).tobytes()
        except BeckonError as error:
            return str(error)

    assert outcome(_table) == outcome(_numbers)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("host_tools.dataset.folder._MOST_BYTES", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"t_ms,ax,ay,az\n" + b"0" * (2 << 20)))
    with pytest.raises(BeckonError, match="more than 1 MB: cut it"):
        read_recording(path)
    # Below the limit for all files, but a thousand times as large as it is packed
    monkeypatch.setattr("host_tools.dataset.folder._MOST_BYTES", 1 << 30)
    monkeypatch.setattr("host_tools.dataset.folder._MOST_PACKED", 1 << 20)
    with pytest.raises(BeckonError, match="more than 1 MB: cut it"):
        read_recording(path)


def test_compressed_and_with_another_systems_line_ends(tmp_path):
    path = tmp_path / "r.csv.gz"
    with gzip.open(path, "wt", newline="") as f:
        csv.writer(f).writerows([["t_ms", "ax", "ay", "az"], *([10 * i, 0, 1.5, 9.81]
                                                                for i in range(50))])
    found, _ = read_recording(path)
    assert found.samples.shape == (50, 3) and found.name == "r" and found.rate_hz == 100
    path.write_bytes(b"\x1f\x8bnot really")
    with pytest.raises(BeckonError, match="cannot be read"):
        read_recording(path)


def test_wrong_columns(tmp_path):
    refused(tmp_path, "a.csv:1", "t_ms,ax,ay,az", a="time,x,y,z\n0,1,2,3\n")


def test_broken_gzip(tmp_path):
    base = folder(tmp_path)
    (base / "recordings" / "a.csv").unlink()
    whole = gzip.compress((HEADER + rows()).encode())
    (base / "recordings" / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BeckonError, match="cannot be read"):
        read_dataset(base)


def test_a_rate_that_changes(tmp_path):
    late = "".join(f"{1000 + i * 20},1,0,9.8,0,0,0\n" for i in range(100))
    refused(tmp_path, "a.csv:", "the rate changes", "100.0 to 50.0", a=HEADER + rows() + late)


def test_lost_samples_are_filled_in_with_a_notice(tmp_path):
    lines = rows().splitlines(keepends=True)
    few = HEADER + "".join(lines[:20] + lines[22:60] + lines[75:])
    data = read_dataset(folder(tmp_path, a=few))
    r = data.recordings[0]
    assert len(r.samples) == 100 and r.rate_hz == 100
    assert r.gaps == ((60, 75),)  # the short gap is filled in, the long one marked
    assert "17 samples were lost" in data.notices[0]


@pytest.mark.parametrize("labels, wanted", [
    ("a,-5,100,wave,p\n", (":2", "must start at 0")),
    ("a,300,100,wave,p\n", (":2", "end after its start")),
    ("a,0,5000,wave,p\n", (":2", "ends at 5000 ms", "recording 'a' at 1000 ms")),
    ("a,0,300,wave,p\na,200,400,wave,p\n", (":3", "overlaps the one in line 2")),
    ("b,0,300,wave,p\n", (":2", "recording 'b' is not in")),
    ("a,0,x,wave,p\n", (":2", "is not a number")),
    ("a,0,nan,wave,p\n", (":2", "must start at 0")),
    ("a,0,300,,p\n", (":2", "empty label")),
    ("a,0\n", (":2", "do not fit the header")),
    ("", ("holds no span",)),
])
def test_faults_in_the_labels(tmp_path, labels, wanted):
    refused(tmp_path, "labels.csv", *wanted, labels=labels)


def test_what_is_missing(tmp_path):
    with pytest.raises(BeckonError, match="no such folder"):
        read_dataset(tmp_path / "nowhere")
    base = folder(tmp_path)
    (base / "labels.csv").unlink()
    with pytest.raises(BeckonError, match=r"labels.csv: missing"):
        read_dataset(base)


def test_unlabelled_recordings_are_told(tmp_path):
    data = read_dataset(folder(tmp_path, a=HEADER + rows(), b=HEADER + rows()))
    assert len(data.recordings) == 1 and "1 recording without a label" in data.notices[0]


def test_two_recordings_in_one_are_refused(tmp_path):
    """Filling in a day between two samples would take all memory."""
    late = rows().replace("\n990,", "\n86400000,")
    refused(tmp_path, "a.csv:101", "nothing for 8.64e+04 s after t_ms 980", a=HEADER + late)


@pytest.mark.parametrize("labels, wanted", [
    ("a,0,990,wave,p\nb,0,990,wave,p\n", "labels.csv:2: 'wave' is the only class"),
    ("a,0,990,none,p\nb,0,990,idle,p\n", "labels.csv:2: idle, none is all there is, no gesture"),
])
def test_too_few_classes_are_named(tmp_path, labels, wanted):
    data = read_dataset(folder(tmp_path, labels, a=HEADER + rows(), b=HEADER + rows()))
    assert [wanted in fault for fault in class_faults(data)] == [True]
    assert wanted in " ".join(check(data))


def test_a_new_gesture_with_one_example_is_learned_and_named(tmp_path):
    labels = "a,0,500,tap,p\nb,0,400,wave,p\nb,500,900,tap,p\n"
    data = read_dataset(folder(tmp_path, labels, a=HEADER + rows(), b=HEADER + rows()))
    assert class_faults(data) == []
    assert "labels.csv:3: the only example of 'wave'" in " ".join(check(data))
    data.recordings = [r.with_spans(r.spans[:1]) for r in data.recordings]
    assert len(class_faults(data)) == 2  # one tap, one wave


def test_one_gesture_with_rest_beside_it_is_enough(tmp_path):
    labels = "a,0,500,wave,p\nb,0,400,wave,p\n"
    data = read_dataset(folder(tmp_path, labels, a=HEADER + rows(), b=HEADER + rows()))
    assert class_faults(data) == []
