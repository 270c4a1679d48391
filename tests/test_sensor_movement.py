"""Recordings as a simulated sensor's movement, and traffic of any kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement, Sines
from host_tools.simulator.sensor.variants import PARTS
from host_tools.units import GRAVITY
from tests.sensor_rig import Chip


def test_recording_passes_exactly_when_the_clocks_agree():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(300, 6)) * ([9] * 3 + [300] * 3)
    movement = RecordedMovement(np.arange(300) * 10 + 12_345, values)
    chip = Chip(movement, errors=None)
    chip.write(0x1B, 0x10, 0x10)
    chip.start_fifo()
    out = b""
    while not chip.sensor.ended:
        chip.wait(0.1)
        out += chip.read(0x74, chip.fifo_count())
    got = np.frombuffer(out[: 300 * 12], ">i2").reshape(-1, 6)
    lsb = np.array([4096 / GRAVITY] * 3 + [32.8] * 3)
    assert (got == np.clip(np.rint(values * lsb), -32768, 32767)).all()
    # After its end it lies still, but with the noise of a sensor.
    tail = np.frombuffer(out[300 * 12 :], ">i2").reshape(-1, 6)
    assert len(tail) > 5 and (np.diff(tail, axis=0) != 0).any(axis=1).all()


def test_time_zero_is_the_first_frame_and_later_resets_do_not_move_it():
    t_ms = np.arange(0, 3000, 10)
    values = np.zeros((300, 6))
    values[:, 3] = np.arange(300)  # deg/s: the number of the sample
    chip = Chip(RecordedMovement(t_ms, values), errors=None)
    chip.write(0x19, 9, 3)
    chip.wait(0.7)
    assert chip.words(0x43, 1) == (0,)  # stands at its first sample until then
    chip.start_fifo()
    chip.wait(0.5)
    chip.read(0x74, 512)
    chip.write(0x6A, 0x44)
    chip.wait(0.1)
    frames = np.frombuffer(chip.read(0x74, chip.fifo_count()), ">i2").reshape(-1, 6)
    assert list(np.rint(frames[:, 3] / 131)) == list(range(50, 60))


@pytest.mark.parametrize(
    "t_ms, values",
    [
        ([], np.zeros((0, 6))),
        ([0, 1], np.zeros((2, 5))),
        ([0, 0], np.zeros((2, 6))),
        ([1, 0], np.zeros((2, 6))),
        ([0, np.nan], np.zeros((2, 6))),
        ([0, 1], np.full((2, 6), np.inf)),
        ([0], np.zeros((2, 6))),
    ],
)
def test_recordings_that_cannot_be(t_ms, values):
    with pytest.raises(ValueError):
        RecordedMovement(t_ms, values)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 127),
            st.one_of(st.binary(max_size=4), st.integers(0, 600)),
            st.integers(0, 200_000),
        ),
        max_size=60,
    ),
    st.sampled_from(sorted(PARTS)),
    st.booleans(),
)
def test_no_traffic_breaks_it(traffic, part, filters):
    """Any reads and writes at any times: right lengths, a bounded FIFO, identity kept."""
    sensor = SimulatedMPU6500(Sines(), part=part, filters=filters, reset_us=0)
    now_us = 0
    for register, what, wait_us in traffic:
        now_us += wait_us
        if isinstance(what, bytes):
            sensor.write(register, what, now_us)
        else:
            assert len(sensor.read(register, what, now_us)) == what
        assert len(sensor.fifo) <= sensor.fifo.size
        due = sensor.next_data_ready_us(now_us)
        assert due is None or due > now_us - 1
    assert sensor.read(0x75, 1, now_us)[0] == PARTS[part].who_am_i
    assert len(sensor.truth.times_us) == len(sensor.true_counts)
    assert (np.diff(sensor.truth.times_us) > 0).all()
