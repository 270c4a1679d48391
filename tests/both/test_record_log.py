"""The spool on a plain file system, on both interpreters."""

import os
import random

from events import record_log
from events.record_log import RecordLog

FOLDER = "spool-test-%d" % random.getrandbits(30)


def clear():
    try:
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER)
    except OSError:
        pass


def on_empty_folder(test):
    # Plain functions are what both runners find, hence a wrapper by name below.
    def run():
        clear()
        try:
            test()
        finally:
            clear()

    return run


def record(i):
    return b"event %d " % i + b"." * (i % 40)


def drained(spool):
    out = []
    while True:
        found = spool.peek()
        if found is None:
            assert spool.count == 0
            return out
        out.append(found)
        spool.pop()


def small(segments=4):
    return RecordLog(FOLDER, segment_bytes=256, segments=segments)


@on_empty_folder
def test_first_in_first_out_over_segments():
    spool = small(segments=99)
    for i in range(50):
        spool.append(record(i))
    assert spool.count == 50 and len(os.listdir(FOLDER)) > 5
    assert drained(spool) == [record(i) for i in range(50)]
    assert os.listdir(FOLDER) == []


@on_empty_folder
def test_peek_takes_nothing_and_pop_takes_one():
    spool = small()
    assert spool.peek() is None
    spool.pop()  # of nothing
    spool.append(b"a")
    spool.append(b"b")
    assert spool.peek() == spool.peek() == b"a"
    spool.pop()
    assert spool.peek() == b"b" and spool.count == 1


@on_empty_folder
def test_what_waits_survives_a_new_start():
    spool = small()
    for i in range(5):
        spool.append(record(i))
    again = small()
    assert again.count == 5
    again.append(record(5))
    assert drained(small()) == [record(i) for i in range(6)]


@on_empty_folder
def test_a_new_start_repeats_at_most_the_oldest_segment():
    spool = small(segments=99)
    for i in range(40):
        spool.append(record(i))
    for _ in range(23):
        spool.pop()
    waiting = drained(small(segments=99))
    assert waiting[-17:] == [record(i) for i in range(23, 40)]
    assert len(waiting) - 17 < 256 // 20


@on_empty_folder
def test_the_oldest_segment_is_given_up_when_there_are_too_many():
    spool = small(segments=3)
    for i in range(100):
        spool.append(record(i))
    assert len(os.listdir(FOLDER)) == 3
    assert spool.dropped > 0 and spool.count == 100 - spool.dropped
    assert drained(spool) == [record(i) for i in range(spool.dropped, 100)]


@on_empty_folder
def test_giving_up_counts_only_what_was_not_taken():
    spool = small(segments=3)
    i = 0
    while len(os.listdir(FOLDER)) < 3:
        spool.append(record(i))
        i += 1
    spool.pop()
    spool.pop()
    while not spool.dropped:
        spool.append(record(i))
        i += 1
    assert spool.count == i - 2 - spool.dropped
    assert drained(spool) == [record(k) for k in range(2 + spool.dropped, i)]


@on_empty_folder
def test_records_fill_a_block_to_its_last_byte_and_eight_blocks():
    spool = RecordLog(FOLDER)
    for i in range(64):  # 6 bytes of head, 506 of record: eight to a block
        assert len(os.listdir(FOLDER)) == (i + 7) // 8
        spool.append(b"%02d" % i + b"." * 504)
    assert spool.count == 64 and spool.dropped == 0
    for name in os.listdir(FOLDER):
        assert os.stat(FOLDER + "/" + name)[6] == 4096
    spool.append(b"x")
    assert len(os.listdir(FOLDER)) == 8 and spool.dropped == 8
    assert spool.peek()[:2] == b"08"


@on_empty_folder
def test_a_record_one_byte_too_long_for_the_block_begins_another():
    for last, files in ((506, 1), (507, 2)):
        spool = RecordLog(FOLDER)
        for _ in range(7):
            spool.append(b"x" * 506)
        spool.append(b"y" * last)
        assert len(os.listdir(FOLDER)) == files
        clear()


@on_empty_folder
def test_the_counters():
    spool = small(segments=3)
    counted = {}
    spool.counters(counted)
    assert counted == {"spool_waiting": 0, "spool_appended": 0, "spool_dropped": 0,
                       "spool_damaged": 0}
    for i in range(100):
        spool.append(record(i))
    spool.pop()
    with open(FOLDER + "/%06d.log" % spool._numbers[0], "wb"):
        pass
    waiting = spool.count
    spool.peek()
    lost = waiting - spool.count
    assert lost > 0
    counted = {}
    spool.counters(counted)
    assert counted == {"spool_waiting": 100 - spool.dropped - 1 - lost, "spool_appended": 100,
                       "spool_dropped": spool.dropped, "spool_damaged": 1}


class FullFlash:
    """In place of the module's open(): what is written fails, after some of it was."""

    def __init__(self, written):
        self.written = written

    def __call__(self, path, mode):
        if self.written is None:
            raise OSError(28)
        self._file = open(path, mode)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, data):
        self._file.write(data[: self.written])
        raise OSError(28)


def fails(spool, data, written):
    record_log.open = FullFlash(written)
    try:
        spool.append(data)
    except OSError as error:
        assert error.args[0] == 28
    else:
        raise AssertionError("append() hides that the flash failed")
    finally:
        del record_log.open


@on_empty_folder
def test_a_failing_flash_loses_nothing_that_was_safe():
    for written in (None, 0, 3, 8):
        spool = small()
        spool.append(b"first")
        spool.append(b"second")
        fails(spool, b"third", written)
        assert spool.count == spool.appended == 2
        spool.append(b"fourth")  # in another segment: the tail of that one is in doubt
        assert len(os.listdir(FOLDER)) == 2
        assert small().count == 3
        assert drained(spool) == [b"first", b"second", b"fourth"]
        clear()


@on_empty_folder
def test_a_failing_flash_leaves_no_empty_segment():
    for written in (None, 0, 3):
        spool = small()
        fails(spool, b"first", written)
        assert spool.count == 0 and os.listdir(FOLDER) == []
        spool.append(b"x" * 240)
        fails(spool, b"second" * 9, written)  # the first of a segment
        assert len(os.listdir(FOLDER)) == 1
        spool.append(b"third" * 9)
        assert drained(spool) == [b"x" * 240, b"third" * 9]
        clear()


@on_empty_folder
def test_a_segment_without_a_record_is_removed_and_damage_only_if_it_has_bytes():
    for content, damaged in ((b"", 0), (b"?", 1), (b"\x05\x00....", 1), (bytes(60), 1)):
        os.mkdir(FOLDER)
        with open(FOLDER + "/000003.log", "wb") as file:
            file.write(content)
        spool = small()
        assert spool.damaged == damaged and spool.count == 0, content
        assert os.listdir(FOLDER) == []
        clear()


@on_empty_folder
def test_damage_ends_a_segment_and_is_counted():
    for at, byte in ((0, 0xFF), (3, 0x55), (7, 0x55), (1, 0x7F)):
        spool = small(segments=99)
        for i in range(30):
            spool.append(record(i))
        victim = FOLDER + "/000001.log"
        with open(victim, "rb") as file:
            data = bytearray(file.read())
        second = 6 + data[0] + data[1] * 256
        data[second + at] ^= byte
        with open(victim, "wb") as file:
            file.write(data)
        again = small(segments=99)
        assert again.damaged == 1
        left = drained(again)
        assert all(found in [record(i) for i in range(30)] for found in left)
        assert left[:1] == [record(0)] and left[-1:] == [record(29)]
        assert 20 < len(left) < 30
        clear()


@on_empty_folder
def test_any_truncation_keeps_what_is_before_it():
    spool = RecordLog(FOLDER)
    for i in range(4):
        spool.append(record(i))
    with open(FOLDER + "/000000.log", "rb") as file:
        data = file.read()
    ends = [0]
    for i in range(4):
        ends.append(ends[-1] + 6 + len(record(i)))
    for size in range(len(data)):
        clear()
        os.mkdir(FOLDER)
        with open(FOLDER + "/000000.log", "wb") as file:
            file.write(data[:size])
        again = RecordLog(FOLDER)
        whole = sum(1 for end in ends[1:] if end <= size)
        again.append(b"new")
        assert drained(again) == [record(i) for i in range(whole)] + [b"new"]


@on_empty_folder
def test_a_segment_that_loses_its_content_while_in_use_does_not_stop_the_rest():
    spool = small(segments=99)
    for i in range(30):
        spool.append(record(i))
    spool.pop()
    with open(FOLDER + "/000000.log", "wb"):
        pass
    left = drained(spool)
    assert left and left[-1] == record(29) and spool.damaged == 1


@on_empty_folder
def test_strange_files_are_left_alone():
    os.mkdir(FOLDER)
    for name in ("readme", "x.log", ".log", "1.txt", "0000x.log"):
        with open(FOLDER + "/" + name, "wb") as file:
            file.write(b"?")
    spool = small()
    assert spool.count == 0
    spool.append(b"a")
    assert drained(spool) == [b"a"]
    assert len(os.listdir(FOLDER)) == 5


@on_empty_folder
def test_a_record_must_have_a_size_that_fits():
    spool = small()
    for size in (0, 513):
        try:
            spool.append(b"x" * size)
            raise AssertionError(size)
        except ValueError:
            pass
    spool.append(b"x" * 512)  # larger than a segment of this test: has one to itself
    assert drained(spool) == [b"x" * 512]


@on_empty_folder
def test_against_a_list_in_random_order():
    random.seed(7)
    spool = small(segments=99)
    model = []
    for i in range(600):
        what = random.getrandbits(3)
        if what < 4:
            spool.append(record(i))
            model.append(record(i))
        elif what < 7 and model:
            assert spool.peek() == model.pop(0)
            spool.pop()
        assert spool.count == len(model)
    assert drained(spool) == model
