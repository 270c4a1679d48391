"""What a calibration takes off, how it is found, and files that are not to be believed."""
import json
import os
from array import array

import micropython

from sensing.calibrated_ring import CalibratedRing
from sensing.calibration import Calibration, SixPositions, gyro_bias_mdps
from sensing.ring_buffer import RingBuffer

PATH = "calibration_test.json"


class Imu:
    accel_lsb_per_g = 4096
    gyro_lsb_per_10_dps = 328
    frames = bytearray(96)


def frame(values):
    raw = bytearray()
    for v in values:
        raw += bytes(((v >> 8) & 0xFF, v & 0xFF))
    return raw


def calibrated(values, **errors):
    ring = RingBuffer(4)
    way = CalibratedRing(ring, Calibration("x", **errors), Imu)
    way.gap(2)
    way.push_fifo(frame(values), 1)
    row = array("h", bytes(12))
    assert ring.read_into(row) == 2 and ring.lost == 2
    return list(row)


def error_of(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as e:
        return str(e)
    raise AssertionError("no %s" % kind)


def test_nothing_off_changes_nothing():
    for values in ([1, -1, 4096, 32767, -32768, 0], [-32768, 32767, -4096, 12345, -2, 2]):
        assert calibrated(values) == values


def test_offset_scale_and_bias_are_taken_off():
    out = calibrated(
        [4096 + 205, -4096, 100, 1000, -1000, 7],
        accel_offset_ug=(50_000, 0, 0),
        accel_scale_ppm=(0, 30_000, -20_000),
        gyro_bias_mdps=(5_000, -5_000, 0),
    )
    assert out == [4096, round(-4096 / 1.03), round(100 / 0.98), 836, -836, 7]


def test_the_end_of_the_range_does_not_wrap():
    out = calibrated(
        [32767, -32768, 32767, 32767, -32768, -32768],
        accel_offset_ug=(-200_000, 200_000, 0),
        accel_scale_ppm=(-100_000, -100_000, -100_000),
        gyro_bias_mdps=(-20_000, 20_000, -20_000),
    )
    assert out == [32767, -32768, 32767, 32767, -32768, -32768 + 656]


def test_six_positions_find_offset_and_scale():
    offset = (0.04, -0.03, 0.06)
    scale = (1.02, 0.985, 1.0)
    six = SixPositions(4096)
    for axis in (2, 0, 1):
        for sign in (1, -1):
            assert len(six.missing) == 6 - len(six.seen)
            g = [offset[i] for i in range(3)]
            g[axis] += sign * scale[axis]
            side = six.add([4096 * v for v in g])
            assert side == ("+" if sign > 0 else "-") + "xyz"[axis]
    found_offset, found_scale = six.solve()
    for i in range(3):
        assert abs(found_offset[i] - offset[i] * 1_000_000) <= 10
        assert abs(found_scale[i] - (scale[i] - 1) * 1_000_000) <= 10


def test_positions_that_are_none():
    six = SixPositions(4096)
    assert "missing: +x -x +y -y +z -z" in error_of(ValueError, six.solve)
    assert "flat" in error_of(ValueError, six.add, [2000, 0, 3900])
    assert "1 g" in error_of(ValueError, six.add, [0, 0, 2000])
    assert "1 g" in error_of(ValueError, six.add, [0, 0, -8000])
    six.add([0, 0, 4096])
    assert "-z" in error_of(ValueError, six.solve)


def test_gyro_bias_of_a_mean():
    assert gyro_bias_mdps([0, 0, 0, 3280, -6560, 0], 100, 328) == (1000, -2000, 0)


def test_a_file_comes_back():
    first = Calibration("70abc", (100, -200, 300), (1, 2, 3), (-4, 5, -6), 3120)
    first.save(PATH)
    again = Calibration.load(PATH, "70abc")
    assert again._entries() == first._entries()
    assert again.centi_c == 3120
    os.remove(PATH)


def write(text):
    with open(PATH, "w") as file:
        file.write(text)


def test_files_that_are_not_to_be_believed():
    Calibration("70abc", (100, 0, 0)).save(PATH)
    with open(PATH) as file:
        good = file.read()
    text = error_of(ValueError, Calibration.load, PATH, "70def")
    assert "70abc" in text and "70def" in text and "again" in text
    entries = json.loads(good)
    entries["gyro_bias_mdps"][0] = 101
    write(json.dumps(entries))
    assert "damaged" in error_of(ValueError, Calibration.load, PATH, "70abc")
    entries["gyro_bias_mdps"][0] = 99_999
    write(json.dumps(entries))
    assert "20000" in error_of(ValueError, Calibration.load, PATH, "70abc")
    # Torn at any place; only the last brace alone is not missed on MicroPython.
    for n in range(0, len(good) - 1, 7):
        write(good[:n])
        assert PATH in error_of(ValueError, Calibration.load, PATH, "70abc")
    for bad in ("[]", "{}", "7", '{"check": 1}', '{"sensor": "x", "colour": 3, "check": 1}'):
        write(bad)
        assert PATH in error_of(ValueError, Calibration.load, PATH, "70abc")
    os.remove(PATH)
    error_of(OSError, Calibration.load, PATH, "70abc")


def test_values_that_no_part_needs():
    assert "gyro_bias_mdps" in error_of(ValueError, Calibration, "x", (20_001, 0, 0))
    assert "accel_offset_ug" in error_of(ValueError, Calibration, "x", accel_offset_ug=(0, 1.5, 0))
    assert "three" in error_of(ValueError, Calibration, "x", accel_scale_ppm=(0, 0))
    assert "centi_c" in error_of(ValueError, Calibration, "x", centi_c=9000)


def test_correcting_allocates_nothing():
    ring = RingBuffer(16)
    way = CalibratedRing(ring, Calibration("x", (500, 1, 2), (3, 4, 5), (6, 7, 8)), Imu)
    raw = frame([1, 2, 3, 4, 5, 6])
    micropython.heap_lock()
    try:
        for _ in range(4):
            way.push_fifo(raw, 1)
    finally:
        micropython.heap_unlock()
    assert len(ring) == 4
