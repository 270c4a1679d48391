"""Tables of any make: units, times, text forms, takes. Right, or refused with the cure."""

import gzip
import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.dataset.convert import Options, read_foreign
from host_tools.dataset.convert.headers import Column, read_name
from host_tools.dataset.convert.options import parse_columns
from host_tools.dataset.convert.times import spread_equal
from host_tools.errors import BeckonError
from tests.imports import AXES, csv_text, in_units, movement

X = movement()


def read(tmp_path, text, name="wave.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_foreign(path, "csv", Options(**options))


def rows(count, form, start=0):
    return "".join(form.format(i=i, t=i * 10, s=i / 100) + "\n" for i in range(start, count))


AT_REST = "0,0.1,9.8"

# Columns

@pytest.mark.parametrize("name, column", [
    ("t_ms", ("time", "", "ms")), ("Time (s)", ("time", "", "s")), ("timestamp", ("time", "", "")),
    ("seconds_elapsed", ("time", "", "s")), ("Timestamp(ns)", ("time", "", "ns")),
    ("time_us", ("time", "", "us")), ("Time [µs]", ("time", "", "us")),
    ("Time since start in ms", ("time", "", "ms")), ("loggingTime(txt)", ("time", "", "")),
    ("accelerometerTimestamp_sinceReboot(s)", ("time", "", "s")),
    ("ax", ("accel", "x", "")), ("accX", ("accel", "x", "")), ("Acc Y", ("accel", "y", "")),
    ("ACCELEROMETER Z (m/s²)", ("accel", "z", "m/s2")), ("ax_g", ("accel", "x", "g")),
    ("accelerometerAccelerationX(G)", ("accel", "x", "g")), ("gFx", ("accel", "x", "g")),
    ("AccX[mg]", ("accel", "x", "mg")), ("ay_m_s2", ("accel", "y", "m/s2")),
    ("acc_g_x", ("accel", "x", "g")), ("acc_x_raw", ("accel", "x", "counts")),
    ("motionUserAccelerationX(G)", ("linear", "x", "g")),
    ("Linear Acceleration x (m/s^2)", ("linear", "x", "m/s2")),
    ("motionGravityX(G)", ("gravity", "x", "g")), ("GRAVITY X (m/s²)", ("gravity", "x", "m/s2")),
    ("gx", ("gyro", "x", "")), ("GyroX [mdps]", ("gyro", "x", "mdps")),
    ("gz (°/s)", ("gyro", "z", "dps")), ("gyro_x_dps", ("gyro", "x", "dps")),
    ("gx_rad_s", ("gyro", "x", "rad/s")), ("motionRotationRateX(rad/s)", ("gyro", "x", "rad/s")),
    ("wx", ("gyro", "x", "")), ("X (rad/s)", ("axis", "x", "rad/s")), ("y", ("axis", "y", "")),
    ("label", ("label", "", "")), ("activity", ("label", "", "")), ("user", ("subject", "", "")),
    ("take_id", ("take", "", "")), ("index", ("counter", "", "")), ("", ("counter", "", "")),
    ("Absolute acceleration (m/s^2)", ("", "", "")), ("magX", ("", "", "")), ("temp", ("", "", "")),
])
def test_names_of_columns(name, column):
    assert read_name(name) == Column(*column)


ACCEL = {"m/s2": "({u})", "g": "_{u}", "mg": "[{u}]"}
GYRO = {"dps": " ({u})", "rad/s": "({u})", "mdps": "_{u}"}


@pytest.mark.parametrize("accel", ACCEL)
@pytest.mark.parametrize("gyro", GYRO)
def test_units_of_the_header_count(tmp_path, accel, gyro):
    header = ",".join(["t_ms", *(f"a{x}{ACCEL[accel]}".format(u=accel) for x in "xyz"),
                       *(f"g{x}{GYRO[gyro]}".format(u=gyro) for x in "xyz")])
    found = read(tmp_path, csv_text(in_units(X, accel, gyro), header))
    assert np.allclose(found.recordings[0].samples, X, atol=0.01) and not found.notices
    assert not found.sources[0].accel_assumed and not found.sources[0].gyro_assumed


@pytest.mark.parametrize("header, options, words", [
    ("Time (s),ax,ay,az", {"time": "ms"}, "'Time .s.' is in s, --time-unit says ms: leave the"),
    ("t_ms,ax_g,ay_g,az_g", {"accel": "m/s2"}, "'ax_g' is in g, --accel-unit says m/s2: leave"),
    ("t_ms,ax_g,ay_g,az_mg", {}, "ax_g, ay_g, az_mg are in different units"),
    ("t_ms,ax_raw,ay_raw,az_raw", {}, "holds raw counts; name the counts per g: --accel-unit co"),
    ("t_ms,ax,ay,az", {"rate_hz": 50}, "its times say 100 Hz, --rate says 50: leave --rate out"),
    ("time,ax,ay,az", {"time": "us"}, "has 1e.05 samples per second, if its times are in us; 4 to"),
])
def test_contradictions_are_refused(tmp_path, header, options, words):
    step = "{s}" if "(s)" in header else "{t}"
    with pytest.raises(BeckonError, match=words):
        read(tmp_path, header + "\n" + rows(50, step + "," + AT_REST), **options)


def test_seconds_under_a_header_of_ms(tmp_path):
    text = "t_ms,ax,ay,az\n" + rows(50, "{s}," + AT_REST)
    with pytest.raises(BeckonError, match="name the unit of the times with --time-unit s"):
        read(tmp_path, text)
    assert read(tmp_path, text, time="s").recordings[0].rate_hz == 100


def test_a_rate_beside_times_that_agree_or_are_set_aside(tmp_path):
    text = "t_ms,ax,ay,az\n" + rows(50, "{t}," + AT_REST)
    assert read(tmp_path, text, rate_hz=99).recordings[0].rate_hz == 100
    none = parse_columns("t_ms=")
    assert read(tmp_path, text, rate_hz=50, columns=none).recordings[0].rate_hz == 50


@pytest.mark.parametrize("scale, accel, words", [
    (1 / 9.80665, "g", "seem to be in g; use --accel-unit g, or --accel-unit m/s2 if that is"),
    (1000 / 9.80665, "mg", "seem to be in mg; use --accel-unit mg"),
    (16384 / 9.80665, "counts:16384", "raw counts; name the counts per g: --accel-unit counts:163"),
])
def test_values_that_betray_the_unit(tmp_path, scale, accel, words):
    values = X[:, :3] * scale
    text = csv_text(np.rint(values) if accel.startswith("counts") else values, "t_ms,ax,ay,az")
    with pytest.raises(BeckonError, match=words):
        read(tmp_path, text)
    found = read(tmp_path, text, accel=accel)
    assert np.allclose(found.recordings[0].samples, X[:, :3], atol=0.02) and not found.notices


def test_turn_rates_in_rad_s(tmp_path):
    text = csv_text(in_units(X, "m/s2", "rad/s"))
    with pytest.raises(BeckonError, match="in rad/s; use --gyro-unit rad/s, or --gyro-unit dps"):
        read(tmp_path, text)
    assert np.allclose(read(tmp_path, text, gyro="rad/s").recordings[0].samples, X, atol=0.01)


def test_one_take_in_another_unit(tmp_path):
    for i in range(4):
        text = csv_text(movement(seed=i)[:, :3] / (1 if i else 9.80665), "t_ms,ax,ay,az")
        (tmp_path / f"up_{i}.csv").write_text(text)
    with pytest.raises(BeckonError, match="up_0.csv: its acceleration averages .* of 1 of 4"):
        read_foreign(tmp_path)


@pytest.mark.parametrize("zero, words", [
    (slice(0, 6), "the acceleration is 0 in every sample; check the wiring"),
    (slice(3, 6), "the turn rate is 0 in every sample; .*--columns gx=,gy=,gz="),
])
def test_zeros(tmp_path, zero, words):
    values = X.copy()
    values[:, zero] = 0
    with pytest.raises(BeckonError, match=words):
        read(tmp_path, csv_text(values))
    if zero.start:
        assert read(tmp_path, csv_text(values), columns=parse_columns("gx=,gy=,gz=")).axes == 3


# Times

@pytest.mark.parametrize("form, time", [
    ("{t}", "ms"), ("{s}", "s"), ("{t}000", "us"), ("1700000000{t:03d}000000", "ns"),
    ("1700000000.{t:03d}", "s"), ("2024-05-01T10:00:00.{t:03d}Z", "ISO 8601"),
    ("2024-05-01 10:00:00.{t:03d}+02:00", "ISO 8601"), ("2024-05-01 10-00-00_{t:03d}", "ISO 8601"),
    ("10:00:00.{t:03d}", "clock"), ("10:00:00:{t:03d}", "clock"), ("00:00.{t:03d}", "clock"),
])
def test_times_of_every_kind(tmp_path, form, time):
    found = read(tmp_path, "time,ax,ay,az\n" + rows(90, form + "," + AT_REST))
    r = found.recordings[0]
    assert (r.rate_hz, len(r.samples), found.sources[0].time) == (100, 90, time)


def test_midnight(tmp_path):
    lines = [f"23:59:59.{t:03d},{AT_REST}" for t in range(500, 1000, 10)]
    lines += [f"00:00:00.{t:03d},{AT_REST}" for t in range(0, 500, 10)]
    (r,) = read(tmp_path, "time,ax,ay,az\n" + "\n".join(lines)).recordings
    assert (r.rate_hz, len(r.samples)) == (100, 100)


def test_whole_seconds_and_buffers_are_spread(tmp_path):
    text = "timestamp,ax,ay,az\n" + "".join(f"{1700000000 + i // 50},{AT_REST}\n"
                                            for i in range(20, 400))
    found = read(tmp_path, text)
    assert (found.recordings[0].rate_hz, len(found.recordings[0].samples)) == (50, 380)
    assert "have the time of the one before" in found.notices[0]
    t, equal = spread_equal(np.array([0.0, 0, 20, 20, 40, 40]))
    assert equal == 3 and t.tolist() == [0, 10, 20, 30, 40, 50]


def test_rows_that_a_logger_wrote_twice(tmp_path):
    lines = [f"{i * 10},{i / 50},0,9.8" for i in range(50)]
    lines.insert(20, lines[19])
    found = read(tmp_path, "t_ms,ax,ay,az\n" + "\n".join(lines))
    assert len(found.recordings[0].samples) == 50 and "there twice" in found.notices[0]


def test_start_up_bursts_are_trimmed(tmp_path):
    t = [0, 0.2, 0.4, 900, *range(910, 2910, 10), 6000]
    found = read(tmp_path, "t_ms,ax,ay,az\n" + "".join(f"{v},{AT_REST}\n" for v in t))
    assert (found.recordings[0].rate_hz, len(found.recordings[0].samples)) == (100, 201)
    assert "samples at the ends" in found.notices[0]


@pytest.mark.parametrize("came, rate, lost", [(30, 100, 1), (10, 100, 21)])
def test_a_burst_after_a_stall_is_no_loss(tmp_path, came, rate, lost):
    t = [*range(0, 2000, 10), *(2300 + 0.1 * i for i in range(came)), *range(2310, 5000, 10)]
    found = read(tmp_path, "t_ms,ax,ay,az\n" + "".join(f"{v:.1f},{AT_REST}\n" for v in t))
    (r,) = found.recordings
    assert r.rate_hz == pytest.approx(rate, rel=0.003)
    assert len(r.samples) == len(t) + lost == 500 and bool(r.gaps) == (lost > 6)
    assert any("came late, at once after a stall" in n for n in found.notices)


# Text forms

BODY = rows(50, "{t}," + AT_REST)


@pytest.mark.parametrize("raw", [
    ("t_ms,ax,ay,az\n" + BODY).encode("utf-8-sig"),
    ("t_ms,ax,ay,az\n" + BODY).encode("utf-16"),
    ("t_ms,ax,ay,az\n" + BODY).encode("utf-16-be"),
    ("t_ms,ax,ay,az\n" + BODY).replace("\n", "\r\n").encode(),
    ("t_ms,ax,ay,az\n" + BODY).replace("\n", "\r").encode(),
    ("t_ms;ax (m/s²);ay (m/s²);az (m/s²)\n" + BODY.replace(",", ";").replace(".", ","))
    .encode("latin-1"),
    ("t_ms\tax\tay\taz\n" + BODY.replace(",", "\t")).encode(),
    ("t_ms ax ay az\n" + BODY.replace(",", "  ")).encode(),
    ("t_ms|ax|ay|az\n" + BODY.replace(",", "|")).encode(),
    ('"t_ms","ax","ay","az"\n' + BODY.replace(",", '","').replace("\n", '"\n"')[:-1]).encode(),
    ("# t_ms, ax, ay, az\n" + BODY.replace(",", ", ")).encode(),
    ("rst:0x1 (POWERON_RESET),boot:0x13\n\nWi-Fi 3 of 5\nt_ms,ax,ay,az\n" + BODY).encode(),
    ("t_ms,ax,ay,az\n" + BODY.replace("\n", "\n\n")).encode(),
    ("t_ms,ax,ay,az,\n" + BODY.replace("\n", ",\n")).encode(),
    ("t_ms,ax,ay,az\n" + BODY + "500,0").encode(),
    BODY.encode(),
    gzip.compress(("t_ms,ax,ay,az\n" + BODY).encode()),
], ids=(f"form{i}" for i in itertools.count()))
def test_text_forms(tmp_path, raw):
    (r,) = read(tmp_path, raw).recordings
    assert (r.rate_hz, len(r.samples)) == (100, 50)
    assert r.samples[3].tolist() == pytest.approx([0, 0.1, 9.8], abs=1e-6)


def test_capital_suffix(tmp_path):
    (tmp_path / "UP_1.CSV").write_text("t_ms,ax,ay,az\n" + BODY)
    assert read_foreign(tmp_path).labels == ["UP"]


def test_nan_and_empty_cells_are_lost_samples(tmp_path):
    lines = rows(100, "{t}," + AT_REST).splitlines()
    lines[20], lines[21] = "200,NaN,0.1,9.8", "210,,0.1,9.8"
    lines[30:40] = [f"{t},nan,nan,nan" for t in range(300, 400, 10)]
    found = read(tmp_path, "t_ms,ax,ay,az\n" + "\n".join(lines))
    r = found.recordings[0]
    assert r.rate_hz == 100 and len(r.samples) == 100 and r.gaps == ((30, 40),)
    assert "12 rows lack a number and count as lost" in found.notices[0]


@pytest.mark.parametrize("raw, words", [
    (b"\x00\x01\x02\x03", "not a text file; export it as CSV"),
    (b"\x1f\x8b\x08broken", "cannot be read .*copy it again"),
    (b"t_ms,ax,ay,az\n0,1,2,9\n10,1,Brownout,9\n20,1,2,9\n", ":3: 'Brownout' is not a number"),
    (b"1,2,3,4,5\n" * 9, "has no header, and 5 columns; name them by their number"),
    (b"ax,ay,az\n" + b"1,2,9\n" * 9, "has no column of times; give the rate with --rate"),
    (b"time,ax,ay,az\n" + b"soon,1,2,9\n" * 9, ":2: 'soon' is not a time; name another column"),
])
def test_what_is_refused(tmp_path, raw, words):
    with pytest.raises(BeckonError, match=words):
        read(tmp_path, raw)


def test_columns_by_number(tmp_path):
    text = rows(50, "7,{t}," + AT_REST)
    columns = parse_columns("t_ms=2,ax=3,ay=4,az=5")
    assert read(tmp_path, text, columns=columns).recordings[0].rate_hz == 100
    with pytest.raises(BeckonError, match="name columns by their number, 1 to 5"):
        read(tmp_path, text, columns=parse_columns("ax=accX"))


# Takes

TAKES = {
    "time again": "t_ms,ax,ay,az\n" + 3 * rows(40, "{t}," + AT_REST),
    "counter again": "n,ax,ay,az\n" + 3 * rows(40, "{i}," + AT_REST),
    "blank lines": "ax,ay,az\n" + "\n".join(3 * [rows(40, AT_REST)]),
    "rows of commas": "ax,ay,az\n" + ",,\n".join(3 * [rows(40, AT_REST)]),
    "header again": 3 * ("ax,ay,az\n" + rows(40, AT_REST)),
    "id": "gesture_id,ax,ay,az\n" + "".join(rows(40, f"{k}," + AT_REST) for k in "abc"),
    "pause": "t_ms,ax,ay,az\n" + "".join(f"{t + p},{AT_REST}\n" for p in (0, 9000, 18000)
                                         for t in range(0, 400, 10)),
}


@pytest.mark.parametrize("kind", TAKES)
def test_takes_in_one_file(tmp_path, kind):
    rate = {} if "t_ms" in TAKES[kind] else {"rate_hz": 100}
    found = read(tmp_path, TAKES[kind], **rate)
    assert [(r.name, len(r.samples), r.spans[0].label, r.spans[0].end_ms)
            for r in found.recordings] == [(f"wave_{k:03d}", 40, "wave", 390) for k in (1, 2, 3)]
    assert "wave.csv: holds 3 takes" in found.notices


def test_a_take_that_cannot_be_used_is_named(tmp_path):
    text = "ax,ay,az\n" + rows(40, AT_REST) + "\n0,0,9.8\n\n" + rows(40, AT_REST)
    found = read(tmp_path, text, rate_hz=100)
    assert len(found.recordings) == 2
    assert any("1 of 3 takes are left out, the first:" in n and ":43: a take of 1" in n
               for n in found.notices)


def test_an_uninterrupted_recording_stays_one(tmp_path):
    assert len(read(tmp_path, "sample,t_ms,ax,ay,az\n"
                    + rows(400, "{i},{t}," + AT_REST)).recordings) == 1


# Everything at once

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1")
NAMES = {"s": "Time (s)", "ms": "t_ms", "us": "time_us", "ns": "timestamp (ns)"}
STEPS = {"s": 0.02, "ms": 20, "us": 20_000, "ns": 20_000_000}


@settings(max_examples=60, deadline=None)
@given(separator=st.sampled_from(",;\t|"), decimal=st.sampled_from(".,"),
       encoding=st.sampled_from(ENCODINGS), time=st.sampled_from(sorted(NAMES)),
       accel=st.sampled_from(("m/s2", "g", "mg", "counts:4096")),
       gyro=st.sampled_from(("dps", "rad/s", "mdps", "counts:32.8")),
       in_header=st.booleans(), axes=st.sampled_from((3, 6)), ends=st.sampled_from("\n \r\n".split(
           " ")), seed=st.integers(0, 3))
def test_every_combination_comes_back(separator, decimal, encoding, time, accel, gyro, in_header,
                                      axes, ends, seed):
    """The same SI values, whatever the text looks like and whoever names the units."""
    if separator == "," and decimal == ",":
        decimal = "."
    x = movement(60, seed=seed)[:, :axes]
    units = [accel] * 3 + [gyro] * 3
    named = [in_header and not u.startswith("counts") for u in units]
    header = separator.join([NAMES[time] if in_header else "time", *(
        f"{a} ({u})" if n else a for a, u, n in zip(AXES, units, named, strict=True))][: axes + 1])
    values = in_units(x, accel, gyro)
    lines = [header]
    for i, row in enumerate(values.tolist()):
        cells = [f"{i * STEPS[time]:.10g}", *(f"{v:.9g}" for v in row)]
        lines.append(separator.join(c.replace(".", decimal) for c in cells))
    options = Options(accel=None if named[0] else accel,
                      gyro=None if named[3] or axes == 3 else gyro,
                      time=None if in_header or seed else time)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "wave.csv"
        path.write_bytes((ends.join(lines) + ends).encode(encoding))
        found = read_foreign(path, "auto", options)
    (r,) = found.recordings
    assert r.rate_hz == pytest.approx(50) and r.samples.shape == x.shape
    assert np.allclose(r.samples, x, rtol=1e-5, atol=1e-4)
    assert (r.spans[0].label, r.spans[0].end_ms) == ("wave", pytest.approx(1180))
