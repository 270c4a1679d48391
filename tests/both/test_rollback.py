"""Files on trial, on both interpreters; every loss of power between two steps."""

import os
import random

from ops import rollback as module
from ops.rollback import Rollback

PATH = "trial-test-%d" % random.getrandbits(30)


def clear():
    for name in os.listdir("."):
        if name.startswith(PATH):
            os.remove(name)


def put(name, text):
    with open(name, "w") as file:
        file.write(text)


def used():
    with open(PATH) as file:
        return file.read()


def boot():
    trial = Rollback(PATH)
    trial.boot()
    return trial


def setup():
    clear()
    put(PATH, "old")
    put(PATH + ".new", "new")


def cleared(test):
    def run():
        setup()
        try:
            test()
        finally:
            clear()

    return run


@cleared
def test_a_good_file_stays():
    Rollback(PATH).replace(PATH + ".new")
    trial = boot()
    assert used() == "new" and trial.is_on()
    trial.confirm()
    for _ in range(5):
        assert not boot().is_on() and used() == "new"


@cleared
def test_a_file_that_never_works_is_taken_back_at_the_third_boot():
    Rollback(PATH).replace(PATH + ".new")
    for _ in range(2):
        assert not boot().reverted and used() == "new"
    assert boot().reverted and used() == "old"
    assert not boot().reverted and used() == "old"


@cleared
def test_reverting_at_once():
    Rollback(PATH).replace(PATH + ".new")
    trial = boot()
    trial.revert()
    assert trial.reverted and used() == "old"
    trial.revert()
    trial.confirm()
    assert used() == "old"


@cleared
def test_a_trial_that_fails_ends_at_the_next_boot():
    Rollback(PATH).replace(PATH + ".new", "s")
    boot().fail()
    assert used() == "new"
    assert boot().reverted and used() == "old"
    boot().fail()
    assert not boot().is_on() and used() == "old"


@cleared
def test_without_a_trial_nothing_happens():
    trial = boot()
    trial.revert()
    trial.confirm()
    assert used() == "old" and not trial.reverted


@cleared
def test_the_first_file_of_all():
    os.remove(PATH)
    Rollback(PATH).replace(PATH + ".new")
    assert used() == "new"
    for _ in range(4):
        assert not boot().reverted
    assert used() == "new"


@cleared
def test_a_change_of_a_file_on_trial_can_still_be_taken_back_to_the_last_good_one():
    Rollback(PATH).replace(PATH + ".new", "s")
    put(PATH + ".new", "newer")
    Rollback(PATH).replace(PATH + ".new", "")
    for _ in range(2):
        trial = boot()
        assert used() == "newer" and trial.needs == "s"
    assert boot().reverted and used() == "old"


@cleared
def test_a_file_put_in_place_since_this_boot_is_not_judged_by_it():
    """Not after a trial that this boot ended, and not during one."""
    for boots in (3, 1):
        setup()
        Rollback(PATH).replace(PATH + ".new", "s")
        for _ in range(boots):
            trial = boot()
        put(PATH + ".new", "newer")
        Rollback(PATH).replace(PATH + ".new", "s")
        trial.confirm()
        trial.fail()
        for _ in range(2):
            assert not boot().reverted and used() == "newer"
        assert boot().reverted and used() == "old"


@cleared
def test_what_worked_before_is_known_at_each_boot():
    Rollback(PATH).replace(PATH + ".new", "s")
    for _ in range(2):
        assert boot().needs == "s"
    boot()
    put(PATH + ".new", "new")
    Rollback(PATH).replace(PATH + ".new")
    assert boot().needs == ""


@cleared
def test_a_damaged_count_takes_the_old_file_back():
    Rollback(PATH).replace(PATH + ".new")
    put(PATH + ".try", "?")
    assert boot().reverted and used() == "old"


class Cut(Exception):
    pass


class Steps:
    """os for the module under test: the power goes after so many changes."""

    def __init__(self, left):
        self.left = left

    def _step(self):
        if not self.left:
            raise Cut
        self.left -= 1

    def stat(self, path):
        return os.stat(path)

    def rename(self, old, new):
        self._step()
        os.rename(old, new)

    def remove(self, path):
        self._step()
        os.remove(path)


def cut_after(steps, action):
    module.os = Steps(steps)
    try:
        action()
        return False
    except Cut:
        return True
    finally:
        module.os = os


def test_a_loss_of_power_between_any_two_steps():
    try:
        for steps in range(9):
            setup()
            cut_after(steps, lambda: Rollback(PATH).replace(PATH + ".new"))
            assert used() in ("old", "new")
            boot()
            assert used() in ("old", "new")
            boot().confirm()
            assert boot().reverted is False
        for steps in range(9):
            setup()
            Rollback(PATH).replace(PATH + ".new")
            boot()
            boot()
            cut_after(steps, boot)  # which takes the old file back
            boot()
            boot()
            assert used() == "old" and not boot().is_on()
    finally:
        clear()
