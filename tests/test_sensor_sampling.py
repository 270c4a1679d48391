"""Sampler, driver and FIFO on the real MicroPython, held against what the sensor measured."""

import pytest

from host_tools.bench.sensing.cost import drain_cost
from host_tools.bench.sensing.faults import KINDS, inject
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.testing.sample_records import compare
from host_tools.testing.script_board import sample


def sampled(rate_hz, seconds, *, movement=None, ppm=0, speed=4, stalls=(), **options):
    sensor = SimulatedMPU6500(movement or Sines(), clock_error_ppm=ppm, **options)
    records, counters = sample(sensor, rate_hz, seconds, speed, stalls)
    return sensor, counters, compare(records, sensor.truth, 1e6 / rate_hz / (1 + ppm * 1e-6))


@pytest.mark.parametrize("rate_hz, ppm", [(50, 10_000), (100, -10_000), (200, 500), (500, 10_000)])
def test_every_sample_once_in_order_and_with_its_time(rate_hz, ppm):
    # Above some 200 Hz the computer's own delays, four times as long, would count. Not 1: at
    # real time a busy computer loses samples, as a busy board does.
    seconds, speed = (6, 4) if rate_hz <= 200 else (3, 1.1)
    sensor, counters, found = sampled(rate_hz, seconds, ppm=ppm, speed=speed)
    assert found.wrong == found.lost == found.uncounted == 0
    assert counters["samples_lost"] == counters["ring_overwritten"] == 0
    assert found.error_ms_mean < 1 and found.error_ms_max < 5
    assert sensor.frames_latched - 42 <= found.frames <= sensor.frames_latched


@pytest.mark.parametrize("part", ("MPU6050", "ICM20602"))
def test_a_full_fifo_of_relatives(part):
    """The first one overwrites its oldest bytes, the other one's frames are of another size."""
    sensor, counters, found = sampled(100, 7, ppm=-2000, stalls=[(2_000_000, 2500)], part=part)
    assert found.wrong == found.uncounted == 0 and sensor.overflow_bytes
    assert counters["fifo_overflows"] == 1 and 100 < found.lost == counters["samples_lost"] < 300


def test_a_busy_program_loses_what_the_fifo_cannot_hold_and_no_more():
    stalls = [(2_000_000, 300), (3_000_000, 700), (5_000_000, 1500), (7_500_000, 410)]
    sensor, counters, found = sampled(100, 10, ppm=4000, stalls=stalls)
    assert found.wrong == found.uncounted == 0
    assert found.lost == counters["samples_lost"]
    # 28 trusted frames of a full FIFO are kept; 0.3 s fit into it.
    assert 40 + 120 - 40 < found.lost < 40 + 120 + 60
    assert counters["fifo_overflows"] in (2, 3)


def test_with_the_data_ready_interrupt_until_its_wire_falls_off():
    sensor = SimulatedMPU6500(Sines(), clock_error_ppm=-4000)
    records, counters = sample(sensor, 100, 8, speed=4, interrupt_until_s=5)
    found = compare(records, sensor.truth, 1e4 / 0.996)
    assert found.wrong == found.lost == found.uncounted == 0
    handed, taken = records["handed_ms"], records["taken_us"] / 1000
    with_pin = (taken > 2000) & (taken < 4900)
    # Woken by samples; without them by a clock of its own, a few times as seldom.
    assert (handed - taken)[with_pin].mean() < 30
    assert (handed - taken)[taken > 5500].mean() > (handed - taken)[with_pin].mean()
    assert taken.max() > 7500


@pytest.mark.parametrize("part", ("MPU6050", "MPU6886", "ICM20689", "unknown"))
def test_relatives(part):
    sensor, counters, found = sampled(100, 4, part=part)
    assert found.wrong == found.lost == found.uncounted == 0
    assert found.frames > 300


def test_a_chip_that_shows_no_status_while_an_interrupt_is_masked():
    sensor, counters, found = sampled(100, 3, status_needs_enable=True)
    assert found.wrong == found.lost == 0 and found.frames > 200


def test_a_sensor_at_rest_with_its_noise_is_not_taken_for_a_frozen_one():
    sensor, counters, found = sampled(100, 20, movement=Rest(), speed=10)
    assert found.wrong == found.lost == 0
    assert "output_stuck" not in counters and counters["sensor_starts"] == 1


def test_values_at_the_end_of_the_range_are_counted_and_handed_on():
    sensor, counters, found = sampled(100, 4, movement=Rest((9, 0, 0)))
    assert found.wrong == found.lost == 0
    assert counters["samples_saturated"] == counters["samples"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_fault_is_survived(kind):
    report = inject(3, seed=list(KINDS).index(kind), speed=10, kinds=(kind,))
    assert report.injected == report.recovered == {kind: 3}
    assert report.comparison.wrong == report.comparison.uncounted == 0
    assert report.comparison.lost == report.counters["samples_lost"]


def test_held_sda_is_clocked_free():
    report = inject(4, seed=3, speed=10, kinds=("sda_low",))
    assert report.counters["bus_recoveries"] == 4
    # Only a read of the FIFO that it broke into costs the frames that lay there.
    assert report.comparison.lost < 4 * 20


def test_draining_allocates_nothing():
    cost = drain_cost()
    assert cost["alloc_bytes"] == 0 and cost["heap_locked"]


def test_draining_allocates_nothing_with_objects_of_a_board_s_size(micropython_32):
    cost = drain_cost(micropython_32)
    assert cost["alloc_bytes"] == 0 and cost["heap_locked"]


@pytest.mark.soak
def test_all_faults_many_times():
    report = inject(20, seed=5, speed=8)
    assert report.recovered == report.injected
    assert report.comparison.wrong == report.comparison.uncounted == 0
