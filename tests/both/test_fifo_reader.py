"""What each look at the FIFO means: tables of looks, with the clock's answers scripted."""
from sensing.fifo_reader import FifoReader

FRAME = 12
SIZE = 512
HALF = 22  # frames: more than half of the FIFO
STALL_MS = 100


class Clock:
    """Answers look() with the next of `answers`, 0 when there are none."""

    def __init__(self, known=False, index=-1, located=0, guessed=0):
        self.known = known
        self.index = index
        self.located = located
        self.guessed = guessed
        self.narrow = True
        self.settled = True
        self.unsure = False
        self.answers = []
        self.asked = []
        self.started = None
        self.accepted = 0
        self.certain = None

    def look(self, before_us, after_us, newest):
        self.asked.append(newest)
        return self.answers.pop(0) if self.answers else 0

    def accept(self):
        self.accepted += 1

    def locate(self, before_us, after_us, certain):
        self.certain = certain
        return self.located

    def guess(self, before_us, after_us, oldest_us):
        return self.guessed

    def start(self, index, before_us, after_us, oldest_us):
        self.started = (index, oldest_us)
        self.known = True
        self.index = index


def reader_of(clock, stops=True):
    reader = FifoReader(clock, STALL_MS)
    reader.start(500, FRAME, SIZE, stops)
    return reader


def look(reader, frames, now_ms=0, odd=0):
    """(lost, frames, known, doubt, again) of a look at so many frames and odd bytes."""
    reader.look(FRAME * frames + odd, 1000 * now_ms, 1000 * now_ms + 90, now_ms)
    found = (reader.lost, reader.frames, reader.known, reader.doubt, reader.again)
    reader.next += reader.frames
    return found


def joined(**options):
    """A reader that has moved its first two frames."""
    clock = Clock(**options)
    reader = reader_of(clock)
    assert look(reader, 2) == (0, 2, True, "", False)
    return reader, clock


def test_the_first_sample_starts_the_clock():
    clock = Clock()
    reader = reader_of(clock)
    assert look(reader, 0, 3) == (0, 0, True, "", True)
    assert clock.started is None
    assert look(reader, 1, 4) == (0, 1, True, "", False)
    assert clock.started == (0, 3000)  # not before the last look that saw nothing
    assert reader.next == 1


def test_frames_are_moved_in_order():
    reader, clock = joined()
    for frames, newest in ((1, 2), (3, 5), (0, 5), (8, 13)):
        assert look(reader, frames) == (0, frames, True, "", False)
        assert clock.asked[-1] == newest


def test_the_first_frames_wait_until_their_time_is_known_well():
    clock = Clock()
    clock.narrow = clock.settled = False
    reader = reader_of(clock)
    assert look(reader, 1) == (0, 0, True, "", True)
    assert look(reader, 2) == (0, 0, True, "", True)
    clock.narrow = True
    assert look(reader, 3) == (0, 3, True, "", True)
    clock.narrow = False  # later ones do not wait
    assert look(reader, 1) == (0, 1, True, "", True)


def test_but_for_no_longer_than_half_a_fifo():
    clock = Clock()
    clock.narrow = clock.settled = False
    reader = reader_of(clock)
    assert look(reader, HALF - 2) == (0, 0, True, "", True)
    assert look(reader, HALF) == (0, HALF, True, "", True)


def test_lost_samples_come_before_the_frames():
    reader, clock = joined()
    clock.answers = [5]
    assert look(reader, 3) == (5, 3, True, "", False)
    assert clock.accepted == 1 and reader.gaps == 1 and reader.next == 10


def test_lost_samples_wait_for_a_frame_behind_them():
    reader, clock = joined()
    clock.answers = [5]
    assert look(reader, 0) == (0, 0, True, "", False)
    assert clock.accepted == 0 and reader.gaps == 0 and reader.next == 2


def test_more_samples_than_can_have_been_taken_are_in_doubt():
    reader, clock = joined()
    clock.answers = [-1]
    assert look(reader, 3)[:4] == (0, 0, True, "fifo_garbled")
    assert reader.next == 2
    reader.start(9000, FRAME, SIZE, True)
    assert reader.doubt == ""


def test_frames_wait_while_the_clock_is_unsure():
    reader, clock = joined()
    clock.unsure = True
    assert look(reader, 3) == (0, 0, True, "", True)
    clock.unsure = False
    assert look(reader, 4) == (0, 4, True, "", False)


def test_half_a_frame_is_waited_for_but_not_for_ever():
    reader, clock = joined()
    for _ in range(2):
        assert look(reader, 1, odd=6) == (0, 0, True, "", True)
    assert look(reader, 1) == (0, 1, True, "", False)
    for _ in range(2):
        assert look(reader, 1, odd=6) == (0, 0, True, "", True)
    assert look(reader, 1, odd=6) == (0, 0, True, "fifo_misaligned", True)


def test_of_a_full_fifo_the_oldest_frames_are_moved():
    reader, clock = joined()
    asked = len(clock.asked)
    assert look(reader, 42, odd=8)[:4] == (0, 28, False, "fifo_overflows")
    assert len(clock.asked) == asked  # its count says nothing about time any more
    reader, clock = joined()
    assert look(reader, 41) == (0, 41, True, "", False)  # a frame of room: not full
    assert look(reader, 41, odd=9)[:4] == (0, 28, False, "fifo_overflows")


def test_a_full_fifo_is_dropped_if_frames_are_cut_or_of_unknown_index():
    reader = reader_of(Clock(), stops=False)
    look(reader, 2)
    assert look(reader, 42, odd=8)[:4] == (0, 0, True, "fifo_overflows")
    assert look(reader_of(Clock()), 42, odd=8)[:4] == (0, 0, True, "fifo_overflows")


def test_a_count_that_no_fifo_has_is_garbled():
    reader, clock = joined()
    assert look(reader, 341, odd=4)[3] == "fifo_overflows"  # 4096 bytes
    reader, clock = joined()
    assert look(reader, 341, odd=5)[:4] == (0, 0, True, "fifo_garbled")


def stall_of(looks):
    """Doubt of the last of these looks: (frames, ms) each, after the first frames moved."""
    reader, clock = joined()
    clock.unsure = True
    for frames, ms in looks:
        found = look(reader, frames, ms)
    return found[3]


def test_a_stall_takes_both_looks_and_time():
    late = STALL_MS + 1
    assert stall_of([(0, 0), (0, 1), (0, 2), (0, 3), (0, late)]) == "sensor_stalls"
    assert stall_of([(0, 0), (0, 1), (0, 2), (0, 3), (0, STALL_MS)]) == ""
    assert stall_of([(0, 0), (0, 1), (0, 2), (0, late)]) == ""  # the program was busy
    # Frames still come in, so the time begins again.
    assert stall_of([(1, 0), (1, 1), (1, 2), (2, 3), (2, late)]) == ""
    assert stall_of([(1, 0), (1, 1), (1, 2), (2, 3), (2, 4), (2, 5), (2, 6), (2, late)]) == ""
    assert stall_of(
        [(1, 0), (2, 3), (2, 4), (2, 5), (2, 6), (2, 3 + late)]
    ) == "sensor_stalls"


def test_an_empty_fifo_that_stays_so_stalls_with_a_clock_that_is_sure_too():
    reader, clock = joined()
    for ms in (0, 30, 60, 90):
        assert look(reader, 0, ms) == (0, 0, True, "", False)
    assert look(reader, 0, 120) == (0, 0, True, "sensor_stalls", False)


def test_a_stall_over_the_wrap_of_the_clock():
    wrap = 0x3FFFFFFF
    reader, clock = joined()
    for ms in (wrap - 40, wrap - 30, wrap - 20, wrap - 10):
        assert look(reader, 0, ms)[3] == ""
    assert look(reader, 0, 70)[3] == "sensor_stalls"


def test_a_frame_moved_ends_what_began_to_look_like_a_stall():
    reader, clock = joined()
    for ms in (0, 30, 60, 90):
        look(reader, 0, ms)
    assert look(reader, 1, 95) == (0, 1, True, "", False)
    assert look(reader, 0, 300)[3] == ""


def test_after_a_restart_the_running_clock_gives_the_index():
    reader, clock = joined()
    reader.start(9000, FRAME, SIZE, True)
    clock.located = -1
    assert look(reader, 1) == (0, 0, True, "", True)  # too near the edge to tell
    assert clock.certain is True
    clock.located = 11
    assert look(reader, 2) == (8, 2, True, "", False)  # 2 to 9 were lost
    assert reader.next == 12
    assert reader.gaps == 0  # what a restart costs is not the FIFO's loss


def test_a_fifo_half_full_takes_the_likelier_index():
    reader, clock = joined()
    reader.start(9000, FRAME, SIZE, True)
    clock.located = 40
    assert look(reader, HALF) == (17, HALF, True, "", False)
    assert clock.certain is False


def test_a_new_phase_counts_by_the_time_that_has_passed():
    reader, clock = joined()
    clock.known = False
    reader.start(9000, FRAME, SIZE, True)
    clock.guessed = 30
    assert look(reader, 1) == (28, 1, True, "", False)
    assert clock.started == (30, 9000) and reader.next == 31


def test_a_new_phase_never_goes_back():
    reader, clock = joined()
    clock.known = False
    reader.start(9000, FRAME, SIZE, True)
    clock.guessed = 1  # which has been handed on already
    assert look(reader, 1) == (0, 1, True, "", False)
    assert clock.started == (2, 9000)


def test_the_third_failing_read_in_a_row_asks_for_help():
    reader, clock = joined()
    assert [reader.fault() for _ in range(4)] == [False, False, True, False]
    assert not reader.fault()
    look(reader, 1)
    assert [reader.fault() for _ in range(3)] == [False, False, True]


def test_only_a_reset_may_help_after_five_doubts_without_a_frame():
    reader = reader_of(Clock())
    assert [reader.give_up("fifo_garbled", 7) for _ in range(5)] == [False] * 4 + [True]
    assert not reader.give_up("fifo_garbled", 8)
    assert reader.give_up("output_stuck", 9)


def test_before_the_first_look():
    reader = FifoReader(Clock(), STALL_MS)
    assert (reader.lost, reader.frames, reader.known, reader.doubt, reader.again) == (
        0, 0, True, "", True)
    reader.look(24, 1000, 1090, 1)  # of 12 bytes each unless start() says otherwise
    assert reader.frames == 2


def test_less_than_half_a_fifo_can_wait_for_a_better_look():
    for frames, certain in ((20, True), (HALF, False)):
        clock = Clock(known=True, located=-1)
        look(reader_of(clock), frames)
        assert clock.certain is certain


def test_frames_that_still_come_in_begin_the_looks_of_a_stall_again():
    reader, clock = joined()
    clock.unsure = True
    for k in range(8):
        assert look(reader, 2 + k, k)[3] == ""
    assert look(reader, 9, 8 + STALL_MS)[3] == ""  # late, but the second look at these


def test_a_look_allocates_nothing():
    import micropython

    reader, clock = joined()

    class Quiet:  # allocates nothing either
        known = narrow = settled = True
        unsure = False

        def look(self, before_us, after_us, newest):
            return 0

    reader._clock = Quiet()
    micropython.heap_lock()
    try:
        for ms in range(100):
            reader.look(36, 1_000_000 + 1000 * ms, 1_000_090 + 1000 * ms, 0x3FFFFF00 + ms)
            reader.next += reader.frames
    finally:
        micropython.heap_unlock()
    assert reader.next == 302
