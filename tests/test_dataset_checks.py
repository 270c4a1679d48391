"""Findings about units, gravity, range and rate, on signals made to be wrong."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.checks import check
from host_tools.dataset.checks import findings as located
from host_tools.dataset.classes import class_faults
from host_tools.dataset.unit_check import turning_slope


def turning(accel=1.0, gyro=1.0, gravity=9.80665, rate_hz=100.0, subject="a"):
    """A sensor turned slowly about x, gravity and gyroscope agreeing; then faults by factor."""
    t = np.arange(1500) / 100
    angle = 1.2 * np.sin(0.8 * t)
    x = np.zeros((len(t), 6))
    x[:, 1], x[:, 2] = gravity * np.sin(angle), gravity * np.cos(angle)
    x[:, 3] = np.degrees(np.gradient(angle, t))
    x[:, :3] *= accel
    x[:, 3:] *= gyro
    samples = x.astype(np.float32)
    return Recording("r" + subject, samples, rate_hz, (Span(0, 900, "x", subject),),
                     native_hz=rate_hz)


def findings(**kwargs):
    return check(Dataset("d", [turning(subject=s, **kwargs) for s in "ab"]))


def test_nothing_wrong():
    assert findings() == []
    r = turning()
    assert turning_slope([(r.samples, r.rate_hz)]) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("fault, words", [
    ({"accel": 1 / 9.80665}, "in g"),
    ({"accel": 1000 / 9.80665}, "in mg"),
    ({"gyro": np.pi / 180}, "in rad/s"),
    ({"accel": 1.04}, "+4 % off"),
    ({"rate_hz": 25.0}, "the rate"),
])
def test_units_and_rate(fault, words):
    assert any(words in f for f in findings(**fault)), findings(**fault)


def test_missing_gravity():
    r = turning()
    r.samples[:, :3] = np.random.default_rng(1).normal(0, 0.1, (len(r.samples), 3))
    assert any("gravity is missing" in f for f in check(Dataset("d", [r])))


def test_clipping_needs_a_held_limit():
    t = np.arange(500) / 100
    x = np.zeros((500, 6), np.float32)
    x[:, 2] = 9.8
    x[:, 0] = np.clip(30 * np.sin(6 * t), -19.61, 19.61)
    data = Dataset("d", [Recording(n, x, 100.0, (Span(0, 900, "x", n),)) for n in "ab"])
    assert any("clipped at 19.61 m/s^2 in 2 recordings" in f for f in check(data))
    x[:, 0] = 19 * np.sin(6.1 * t)
    assert not any("clipped" in f for f in check(data))


def takes(*lengths_ms):
    """Recordings of 20 s at rest with one span each."""
    x = np.random.default_rng(1).normal(0, 0.05, (2000, 6)).astype(np.float32)
    x[:, 2] += 9.81
    return Dataset("d", [Recording(f"r{i}", x, 100.0, (Span(0, n, "wave", f"p{i % 2}"),),
                                   native_hz=100.0) for i, n in enumerate(lengths_ms)])


def test_short_and_odd_takes_are_named_before_training():
    (found,) = check(takes(900, 170, 1000, 1100))
    assert found.startswith("r1: a wave of 0.17 s (18 samples) is short, the usual one has 0.95 s")
    (found,) = check(takes(900, 1000, 9000, 1100, 8000))
    assert found.startswith("r2 and 1 more: a wave of 9.00 s") and "beckon data cut" in found
    assert check(takes(900, 1000, 1500, 600)) == []


def test_each_finding_knows_what_it_is_about_and_where():
    data = takes(*[1000] * 30)
    data.recordings = [
        r.with_spans([replace(r.spans[0], label="wave" if i < 27 else "knock",
                              subject="" if i in (4, 9) else r.spans[0].subject)])
        for i, r in enumerate(data.recordings)]
    few, nameless = located(data)
    assert few.text.startswith("r27: 3 takes of 'knock' are few beside the usual 15")
    assert (few.about, few.recording, few.t_ms) == ("classes", "r27", 0)
    assert nameless.text.startswith("r4: 2 of 30 takes do not say who moved")
    assert (nameless.about, nameless.recording) == ("people", "r4")
    r = data.recordings[7]
    in_g = r.samples.copy()
    in_g[:, :3] /= 9.80665
    data.recordings[7] = replace(r, samples=in_g)
    (unit,) = [f for f in located(data) if f.about == "units"]
    assert unit.text.startswith("r7: at rest |a| is 1, in the other recordings 9.81")
    assert unit.recording == "r7"


def test_a_label_whose_takes_are_all_too_short_is_refused():
    (fault,) = class_faults(takes(17, 20, 18))
    assert fault.startswith("r0: every 'wave' is shorter than 100 ms (this one: 17 ms)")
    assert class_faults(takes(17, 120)) == []


def test_real_recordings(shared_data):
    assert any("gravity is missing" in f
               for f in check(read_dataset(shared_data / "uhh_phone_streams")))
    found = check(read_dataset(shared_data / "air_keyboard_mpu6050"))
    assert sum("clipped" in f for f in found) == 2
