import micropython
from debounce import NO_EVENT, Debouncer

REST, CIRCLE, X = 0, 1, 2


def debouncer(**settings):
    return Debouncer(3, REST, **settings)


def events(debouncer, labels, confidence=90):
    """(window, label) of each event for a string of labels: . rest, c circle, x."""
    found = []
    for window, letter in enumerate(labels):
        label = debouncer.update(".cx".index(letter), confidence)
        if label != NO_EVENT:
            found.append((window, label))
    return found


def test_burst_gives_one_event():
    assert events(debouncer(min_count=3), "...cccccccc....") == [(5, CIRCLE)]


def test_too_few_inferences_give_none():
    assert events(debouncer(min_count=3), "...cc.......c......c....") == []


def test_count_goes_on_over_short_gaps():
    assert events(debouncer(min_count=3, quiet=5), "..c..c..c...") == [(8, CIRCLE)]


def test_quiet_windows_end_a_burst():
    assert events(debouncer(min_count=3, quiet=3), "..cc...c.......") == []


def test_least_span_delays():
    fast = events(debouncer(min_count=3, min_span=0), "ccccccccc...")
    late = events(debouncer(min_count=3, min_span=6), "ccccccccc...")
    assert fast == [(2, CIRCLE)] and late == [(6, CIRCLE)]


def test_article_two_conditions():
    # At 50 Hz with one inference a sample: nine inferences, 450 ms = 22 windows apart.
    article = {"min_count": 9, "min_span": 22, "majority_of": 9, "quiet": 10}
    gesture = "c" * 9 + "." * 5 + "x" * 9
    assert events(debouncer(**article), gesture + "." * 20) == [(22, CIRCLE)]
    trailing = "x" * 8 + "." * 40  # too few
    assert events(debouncer(**article), trailing) == []


def test_majority_of_the_first_wins():
    assert events(debouncer(min_count=5), "xxccc....") == [(4, CIRCLE)]
    assert events(debouncer(min_count=5, majority_of=2), "xxccc....") == [(4, X)]


def test_latest_wins_a_tie():
    assert events(debouncer(min_count=4), "xxcc.....") == [(3, CIRCLE)]


def test_trailing_movement_is_part_of_the_gesture():
    held = debouncer(min_count=3, quiet=4)
    assert events(held, "..cccc..xxxx..xxxx......") == [(4, CIRCLE)]


def test_next_gesture_after_quiet():
    again = debouncer(min_count=3, quiet=4)
    assert events(again, "cccc....xxxx....cccc....") == [(2, CIRCLE), (10, X), (18, CIRCLE)]


def test_dead_time():
    dead = debouncer(min_count=2, quiet=2, refractory=10)
    assert events(dead, "cc...xx...xx...xx..") == [(1, CIRCLE), (16, X)]


def test_doubt_counts_as_rest():
    doubting = debouncer(min_count=3, threshold_percent=60)
    assert events(doubting, "..ccccccccc...", confidence=59) == []
    assert events(doubting, "..ccccccccc...", confidence=60) == [(4, CIRCLE)]


def test_confidence_is_the_mean_of_the_winner():
    mean = debouncer(min_count=4)
    for label, confidence in ((X, 100), (CIRCLE, 80), (CIRCLE, 90)):
        assert mean.update(label, confidence) == NO_EVENT
    assert mean.update(CIRCLE, 91) == CIRCLE
    assert mean.confidence == (80 + 90 + 91) // 3


def test_reset_forgets_the_burst_but_not_the_dead_time():
    broken = debouncer(min_count=3)
    assert events(broken, "cc") == []
    broken.reset()
    assert events(broken, "cc....") == []
    held = debouncer(min_count=2, quiet=2, refractory=8)
    assert events(held, "cc") == [(1, CIRCLE)]
    held.reset()
    assert events(held, "cc..cc......") == []
    assert events(held, "cc") == [(1, CIRCLE)]


def test_reset_forgets_the_votes():
    one = debouncer(min_count=3)
    assert events(one, "xx") == []
    one.reset()
    assert events(one, "ccc") == [(2, CIRCLE)] and one.label_confidence == 100


def test_reset_in_the_last_window_of_the_dead_time_releases_nothing():
    one = debouncer(min_count=1, quiet=1, refractory=1)
    assert events(one, "c") == [(0, CIRCLE)]
    one.reset()
    assert events(one, "c.c") == [(2, CIRCLE)]
    two = debouncer(min_count=1, quiet=2, refractory=1)
    assert events(two, "c") == [(0, CIRCLE)]
    two.reset()
    assert events(two, ".c..c") == [(4, CIRCLE)]  # it takes two windows of rest after it, too


def test_settings_that_cannot_be():
    for settings in (
        {"min_count": 0},
        {"quiet": 0},
        {"threshold_percent": 101},
        {"threshold_percent": -1},
        {"min_span": -1},
        {"refractory": -1},
        {"majority_of": -1},
    ):
        try:
            debouncer(**settings)
        except ValueError:
            continue
        raise AssertionError(settings)
    for classes, idle in ((1, 0), (3, 3), (3, -1)):
        try:
            Debouncer(classes, idle)
        except ValueError:
            continue
        raise AssertionError((classes, idle))


def test_settings_at_their_limits_will_do():
    assert Debouncer(2, 1).update(0, 50) == NO_EVENT
    assert events(debouncer(min_count=1, quiet=1), "c.x.") == [(0, CIRCLE), (2, X)]
    assert events(debouncer(min_count=1, threshold_percent=100), "c", 99) == []
    assert events(debouncer(min_count=1, threshold_percent=100), "c", 100) == [(0, CIRCLE)]
    assert events(debouncer(min_count=1, threshold_percent=0), "c", 0) == [(0, CIRCLE)]


def test_what_it_does_unless_it_is_set_otherwise():
    """Half sure, three windows, no span, five of quiet, no dead time, all of them vote."""
    assert events(debouncer(), "..ccc..", 50) == [(4, CIRCLE)]
    assert events(debouncer(), "..ccc..", 49) == []
    assert events(debouncer(), "cc....c") == [(6, CIRCLE)]
    assert events(debouncer(), "cc.....c") == []
    assert events(debouncer(), "ccc.....xxx") == [(2, CIRCLE), (10, X)]
    assert events(debouncer(), "ccc....xxx") == [(2, CIRCLE)]
    assert events(debouncer(min_count=4), "cxxx") == [(3, X)]
    one = debouncer()
    assert events(one, "ccc") == [(2, CIRCLE)]
    one.reset()
    assert events(one, "ccc") == [(2, CIRCLE)]


def test_the_threshold_of_the_model_comes_back():
    one = debouncer(min_count=1, quiet=1, threshold_percent=60)
    one.threshold_percent = 0
    assert one.threshold_percent == 0 and events(one, "c.", 1) == [(0, CIRCLE)]
    one.threshold_percent = -1
    assert one.threshold_percent == 60
    assert events(one, "c.", 59) == [] and events(one, "c.", 60) == [(0, CIRCLE)]


def test_nothing_is_known_before_the_first_event():
    new = debouncer()
    assert (new.confidence, new.label_confidence) == (0, 0)


def test_label_confidence_is_the_share_of_the_votes():
    one = debouncer(min_count=3)
    assert events(one, "xcc") == [(2, CIRCLE)]
    assert one.label_confidence == 66
    # Only the first two vote; the last window is of a label without a vote.
    two = debouncer(min_count=3, majority_of=2)
    assert events(two, "xxc") == [(2, X)]
    assert (two.confidence, two.label_confidence) == (90, 100)


def test_a_burst_that_came_to_nothing_leaves_no_votes_and_no_span():
    one = debouncer(min_count=3, quiet=2)
    assert events(one, "xx..ccx") == [(6, CIRCLE)]
    assert one.label_confidence == 66
    late = debouncer(min_count=1, min_span=3, quiet=2)
    assert events(late, "c.." "c...") == []
    assert events(late, "c..") == [] and events(late, "cccc") == [(3, CIRCLE)]


def test_an_event_leaves_no_votes_and_no_span():
    one = debouncer(min_count=3, quiet=1)
    assert events(one, "ccc.xxc") == [(2, CIRCLE), (6, X)]
    assert one.label_confidence == 66
    late = debouncer(min_count=1, min_span=2, quiet=1)
    assert events(late, "ccc.cc") == [(2, CIRCLE)]
    assert events(late, "c") == [(0, CIRCLE)]


def test_a_movement_that_goes_on_is_held_back_until_it_rests():
    held = debouncer(min_count=2, quiet=3)
    assert events(held, "cc" + "..c" * 5) == [(1, CIRCLE)]
    assert events(held, "...cc") == [(4, CIRCLE)]


def test_the_dead_time_counts_every_window_from_the_event():
    """Also those of rest; with one window of quiet the next burst may begin right behind it."""
    for dead in (3, 4):
        one = debouncer(min_count=1, quiet=1, refractory=dead)
        assert events(one, "c" + "." * dead + "x") == [(0, CIRCLE), (dead + 1, X)]
        two = debouncer(min_count=1, quiet=1, refractory=dead)
        assert events(two, "c" + "." * (dead - 1) + "x.x") == [(0, CIRCLE), (dead + 2, X)]


def test_allocates_nothing():
    tight = debouncer(min_count=2, quiet=2, refractory=3)
    script = bytes((CIRCLE, CIRCLE, REST, REST, X, REST, REST, REST, X, X, CIRCLE)) * 3
    count = 0
    micropython.heap_lock()
    try:
        for label in script:
            if tight.update(label, 90) != NO_EVENT:
                count += 1
    finally:
        micropython.heap_unlock()
    assert count == 4, count  # two in the first round, then the trailing end holds one back


def test_the_threshold_may_change_at_any_time():
    one = debouncer(min_count=3, threshold_percent=50)
    assert events(one, "..cccc........", 60) == [(4, CIRCLE)]
    one.threshold_percent = 70
    assert events(one, "..cccc........", 60) == []
    assert events(one, "..cccc........", 70) == [(4, CIRCLE)]
