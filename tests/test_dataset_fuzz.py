"""Damaged files: each reader gives recordings or one line that names the file, nothing else."""

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path

import cbor2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.dataset import read_dataset
from host_tools.dataset.convert import Options, read_foreign
from host_tools.errors import BeckonError

ROWS = "".join(f"{i * 10},{i % 3},0.5,9.8,{i % 5},0,-1e1\n" for i in range(8))
CSV = ("t_ms,ax,ay,az,gx,gy,gz\n" + ROWS).encode()
LABELS = b"recording,start_ms,end_ms,label,subject\na,0,30,wave,p1\na,40,70,none,p1\n"
IMPULSE = json.dumps({
    "protected": {"ver": "v1", "alg": "HS256"}, "signature": "0" * 64,
    "payload": {"interval_ms": 10, "sensors": [
        {"name": n, "units": "m/s2"} for n in ("accX", "accY", "accZ")], "values": [[0, 1, 9]] * 4},
}).encode()
INFO = b'{"version": 1, "files": [{"path": "x.json", "label": {"type": "label", "label": "y"}}]}'
TABLE = ("label,shift," + ",".join(f"{a}_{t}" for t in (0, 50) for a in ("ax", "ay", "az"))
         + "\nx,0,1,2,3,4,5,6\n0,-99,1,2,3,4,5,6\n").encode()
OTHER = ("time;acc_x;acc_y;acc_z;label\n"
         + "".join(f"{i / 100};0;{i};1;{'wave' if i > 3 else ''}\n" for i in range(8))).encode()
CBOR = cbor2.dumps(json.loads(IMPULSE))
CREATEAI = json.dumps([{"name": "wave", "recordings": [
    {"data": {"x": [0, 0.1] * 4, "y": [0] * 8, "z": [1] * 8}}]}]).encode()
WISDM = b"".join(b"%d,Jogging,%d,-0.6,9.6,0.5;\n" % (1 + i // 6, 10**12 + i * 5 * 10**7)
                 for i in range(12))
CLOCK = ("\ufeffTime,x,y,z\r\n" + "".join(f"10:00:{50 + i / 50:06.3f},0,0,9.8\r\n"
                                         for i in range(9))).encode()
WIDE = ("Zeit (ms);ax;ay;az\n" + "".join(f"{i * 10};0,5;0;9,8\n" for i in range(9))).encode(
    "utf-16")
ANNOTATIONS = json.dumps([{"data": {"csv": "x.csv"}, "annotations": [{"result": [
    {"type": "timeserieslabels", "value": {"start": 0.01, "end": 0.05,
                                           "timeserieslabels": ["up"]}}]}]}]).encode()
STRUCTURED = json.dumps({"structuredLabels": {"x.json": [
    {"startIndex": 0, "endIndex": 1, "label": "up"},
    {"startIndex": 2, "endIndex": 3, "label": "down"}]}}).encode()
TOKENS = (b"nan", b"inf", b"-1", b"1e999", b"", b",", b"\n", b"\r\n", b'"', b"\0", b"\xff", b";",
          b"[", b"]", b"{", b"null", b"-", b"99999999999999999999", b"t_ms", b"\xef\xbb\xbf")


def npy():
    out = io.BytesIO()
    np.save(out, np.ones((5, 6), np.float32))
    return out.getvalue()


@st.composite
def damaged(draw, data):
    """data with up to four pieces cut out, replaced or put in."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 12))
        new = draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
        data = data[:at] + new + data[at + cut :]
    return data


def reads_or_refuses(read):
    try:
        data = read()
    except BeckonError as e:
        assert str(e) and "\n" not in str(e)
        return
    for r in data.recordings:
        assert len(r.samples) >= 2 and np.isfinite(r.samples).all() and r.rate_hz > 0
        assert all(s.end_ms > s.start_ms and s.label for s in r.spans)


def folder_with(place, recording=CSV, labels=LABELS, suffix=".csv"):
    (place / "recordings").mkdir()
    (place / "recordings" / f"a{suffix}").write_bytes(recording)
    (place / "labels.csv").write_bytes(labels)
    return place


fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def place():
    """A function that gives a new folder, since one test runs many times."""
    with tempfile.TemporaryDirectory() as name:
        count = iter(range(1 << 20))

        def new():
            path = Path(name) / str(next(count))
            path.mkdir()
            return path

        yield new


function_scoped = settings(fuzz, suppress_health_check=list(HealthCheck))


@function_scoped
@given(content=damaged(CSV))
def test_recordings(place, content):
    base = folder_with(place(), content)
    reads_or_refuses(lambda: read_dataset(base))


@function_scoped
@given(content=damaged(gzip.compress(CSV, mtime=0)))
def test_packed_recordings(place, content):
    base = folder_with(place(), content, suffix=".csv.gz")
    reads_or_refuses(lambda: read_dataset(base))


@function_scoped
@given(content=damaged(LABELS))
def test_labels(place, content):
    base = folder_with(place(), labels=content)
    reads_or_refuses(lambda: read_dataset(base))


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wave/1.csv", CSV)
        archive.writestr("tap/1.csv", OTHER)
    return out.getvalue()


@pytest.mark.parametrize("name, form, whole", [
    ("x.cbor", "auto", CBOR), ("x.zip", "auto", zipped()), ("s.json", "auto", CREATEAI),
    ("WISDM.txt", "auto", WISDM), ("x.csv", "auto", CLOCK), ("x.csv", "auto", WIDE),
    ("x.json", "edge-impulse", IMPULSE), ("wave.csv", "edge-impulse", CSV),
    ("x.csv", "csv", OTHER), ("x.csv.gz", "csv", gzip.compress(OTHER, mtime=0)),
    ("t.csv", "article", TABLE), ("x.npy", "npy", npy()), ("X.npy", "npy", npy()),
])
def test_foreign_files(place, name, form, whole):
    options = Options(rate_hz=100, hmac_key=b"k")

    @settings(fuzz, max_examples=60)
    @given(content=st.just(whole) | damaged(whole))
    def run(content):
        base = place()
        (base / name).write_bytes(content)
        reads_or_refuses(lambda: read_foreign(base, form, options))

    run()


@function_scoped
@given(content=damaged(INFO))
def test_lists_of_labels(place, content):
    base = place()
    (base / "x.json").write_bytes(IMPULSE)
    (base / "info.labels").write_bytes(content)
    reads_or_refuses(lambda: read_foreign(base, "edge-impulse"))


@function_scoped
@given(content=damaged(STRUCTURED))
def test_structured_labels(place, content):
    base = place()
    (base / "x.json").write_bytes(IMPULSE)
    (base / "structured_labels.labels").write_bytes(content)
    reads_or_refuses(lambda: read_foreign(base))


@function_scoped
@given(content=damaged(ANNOTATIONS))
def test_annotations_of_label_studio(place, content):
    base = place()
    (base / "x.csv").write_bytes(OTHER.replace(b";1;", b";9.8;"))
    (base / "export.json").write_bytes(content)
    reads_or_refuses(lambda: read_foreign(base, options=Options(accel="m/s2", time="s")))


@function_scoped
@given(first=damaged(CSV.replace(b"gx,gy,gz", b"u,v,w")), second=damaged(b"t_ms,x,y,z\n" + b"".join(
    b"%d,1,0,%d\n" % (i * 7, i) for i in range(10))))
def test_files_of_two_sensors(place, first, second):
    base = place()
    (base / "Accelerometer.csv").write_bytes(first)
    (base / "Gyroscope.csv").write_bytes(second)
    reads_or_refuses(lambda: read_foreign(base, options=Options(accel="m/s2", gyro="dps")))
