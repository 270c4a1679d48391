"""What RTC memory keeps over a deep sleep, and when it has been still, on both interpreters."""

from events.event import Event
from power.sleep_record import SleepRecord
from power.stillness import Stillness


def event(seq, label="circle"):
    made = Event()
    made.boot, made.seq, made.t_ms, made.captured_ms = 65536 * 7 + 1, seq, 1000 * seq, 2000 * seq
    made.unix_ms, made.confidence, made.label_confidence = 1764200000000 + seq, 90, 80
    made.label, made.model = label, "709cb702"
    return made


def record(events=()):
    made = SleepRecord()
    made.light, made.deep, made.by_motion, made.by_timer, made.slept_s = 3, 2, 4, 1, 86400 * 300
    made.unix_ms, made.rtc_us = 1764200000000, 817515200000000
    made.events = list(events)
    return made


def read(data):
    found = SleepRecord()
    found.unpack(data)
    return found


def test_what_was_packed_comes_back():
    found = read(record([event(0), event(1, "y")]).pack())
    assert (found.light, found.deep, found.by_motion, found.by_timer) == (3, 2, 4, 1)
    assert found.slept_s == 86400 * 300
    assert (found.unix_ms, found.rtc_us) == (1764200000000, 817515200000000)
    assert [(one.label, one.seq, one.boot, one.unix_ms) for one in found.events] == [
        ("circle", 0, 65536 * 7 + 1, 1764200000000),
        ("y", 1, 65536 * 7 + 1, 1764200000001),
    ]


def test_rtc_memory_takes_it_and_the_newest_events_are_kept():
    packed = record([event(i, "a" * 200) for i in range(20)]).pack()
    assert len(packed) <= 2048
    kept = [one.seq for one in read(packed).events]
    assert kept and kept == list(range(20 - len(kept), 20))


def test_any_change_of_a_bit_is_noticed():
    packed = record([event(0)]).pack()
    for at in range(len(packed)):
        for bit in (0, 7):
            damaged = bytearray(packed)
            damaged[at] ^= 1 << bit
            refused(bytes(damaged))


def test_what_a_brown_out_leaves_is_refused():
    for data in (b"", b"\0" * 300, b"\xff" * 2048, b"\x5a" * 60, record().pack()[:-1]):
        refused(data)


def refused(data):
    try:
        read(data)
    except ValueError:
        return
    raise AssertionError("taken: %r" % data)


def test_a_time_that_jumped_in_sleep_is_not_believed():
    made = record()
    slept_s = 3000
    for jump_s, found in ((0, 1000 * slept_s), (-3001, -1), (-86400 * 9000, -1), (86400, -1)):
        assert made.slept_ms(made.rtc_us + (slept_s + jump_s) * 1000000, 3600) == found
    assert made.slept_ms(made.rtc_us + 4500 * 1000000, 3600) == 4500000  # a slow clock's hour


def test_still_is_what_stays_within_the_noise():
    still = Stillness(240, 328)
    assert still.update([0, 0, 4096, 10, -5, 3], 1000) == 0
    assert still.update([200, -200, 4100, 10, -5, 3], 2000) == 1000
    assert still.update([0, 0, 4096, 10, -5, 400], 3000) == 0
    assert still.update([0, 0, 4096, 10, -5, 400], 3500) == 500


def test_a_slow_tilt_is_a_movement():
    still = Stillness(240, 328)
    longest = 0
    for step in range(100):
        longest = max(longest, still.update([40 * step, 0, 4096, 0, 0, 0], 100 * step))
    assert longest <= 700


def test_what_is_in_use_is_not_still():
    still = Stillness(240, 328)
    still.update([0] * 6, 0)
    still.moved(900)
    assert still.update([0] * 6, 1000) == 100
