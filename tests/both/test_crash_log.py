"""The crash log over boots, on both interpreters."""

import os
import random

from ops.crash_log import CrashLog

PATH = "crash-test-%d.txt" % random.getrandbits(30)


def clear():
    for path in (PATH, PATH + ".new"):
        try:
            os.remove(path)
        except OSError:
            pass


def boot(by_watchdog=False):
    log = CrashLog(PATH)
    log.boot(by_watchdog)
    return log


def in_the_end(test):
    def run():
        clear()
        try:
            test()
        finally:
            clear()

    return run


@in_the_end
def test_a_board_that_never_crashed_writes_nothing():
    log = boot()
    assert (log.in_a_row, log.text) == (0, "")
    log.healthy()
    assert PATH not in os.listdir(".")


@in_the_end
def test_a_traceback_is_told_by_the_next_boot_and_the_one_after():
    try:
        {}["missing key"]
    except KeyError as error:
        boot().record(error)
    for _ in range(2):
        log = boot()
        assert log.in_a_row == 1
        assert "KeyError" in log.text and "missing key" in log.text


@in_the_end
def test_crashes_in_a_row_are_counted_until_a_healthy_run():
    for count in range(3):
        log = boot()
        assert log.in_a_row == count
        log.record("it fell over")
    log = boot()
    assert log.in_a_row == 3
    log.healthy()
    assert (boot().in_a_row, boot().text) == (0, "")


@in_the_end
def test_a_reset_by_the_watchdog_counts_once():
    log = boot(by_watchdog=True)
    assert log.in_a_row == 1 and "watchdog" in log.text
    # Its reason was written before: the reset itself is not another crash.
    log.record("watchdog: no progress in sampling")
    log = boot(by_watchdog=True)
    assert log.in_a_row == 2 and "sampling" in log.text
    assert boot(by_watchdog=True).in_a_row == 3


@in_the_end
def test_a_long_text_is_kept_in_part_and_a_damaged_file_is_no_crash():
    boot().record("x" * 5000 + "the end")
    assert boot().text.endswith("the end") and len(boot().text) <= 500
    for damaged in ("", "\n", "a b\nc", "7", "1 1 1\n"):
        with open(PATH, "w") as file:
            file.write(damaged)
        assert boot().in_a_row == 0
