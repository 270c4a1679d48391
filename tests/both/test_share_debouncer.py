import json
import micropython
from recognition.share_debouncer import NO_EVENT, ShareDebouncer

REST, CIRCLE, X = 0, 1, 2
GOLDEN = __file__.rsplit("/", 1)[0] + "/decision.json"


def rule(**settings):
    """One that decides at once and needs no rest, but for the settings."""
    usual = {"span": 2, "threshold_percent": 60, "calm_windows": 0, "quiet": 2, "refractory": 0}
    usual.update(settings)
    return ShareDebouncer(3, REST, **usual)


def events(rule, letters, activity=None):
    """(window, label) of each event for windows such as c9: circle with 90 %, rest the others.

    v4: circle and x with 40 % each. activity: one number per window, or none at all.
    """
    found = []
    for window in range(len(letters) // 2):
        letter = letters[2 * window]
        part = 10 * int(letters[2 * window + 1])
        shares = [0, 0, 0]
        if letter in "cv":
            shares[CIRCLE] = part
        if letter in "xv":
            shares[X] = part
        shares[REST] = 100 - sum(shares)
        label = rule.update(bytes(shares), activity[window] if activity else 0)
        if label != NO_EVENT:
            found.append((window, label))
    return found


def test_the_mean_of_the_last_windows_decides():
    assert events(rule(), ".0c9.0c9.0") == []  # mean 45
    assert events(rule(), ".0c9c3.0.0") == [(2, CIRCLE)]  # mean 60
    assert events(rule(span=4), "c9c9c5.0.0") == []
    assert events(rule(span=4), "c9c9c6.0.0") == [(2, CIRCLE)]


def test_windows_before_the_first_one_add_nothing():
    assert events(rule(span=3), "c9") == []
    assert events(rule(span=3), "c9c9") == [(1, CIRCLE)]


def test_two_names_together_are_a_gesture():
    assert events(rule(), "v4v4.0.0") == [(1, CIRCLE)]
    assert events(rule(by_gesture=0), "v4v4.0.0") == []
    either = rule()
    assert events(either, "v4x5") == [(1, X)]
    assert (either.confidence, either.label_confidence) == (65, 69)


def test_it_waits_for_rest():
    calm = {"calm_windows": 2, "calm_ratio": 16, "calm_floor": 16}
    moving = [400, 400, 400, 100, 99, 99, 99, 99]
    assert events(rule(**calm), "c9c9c9c9c9c9c9c9", moving) == [(5, CIRCLE)]
    # a quarter of the peak is calm until the peak is forgotten; then only the floor is
    faint = [400, 99, 99, 99, 99, 99, 99, 99]
    assert events(rule(peak_windows=2, **calm), ".0.0.0c9c9c9c9c9", faint) == []
    still = [400, 15, 15, 15, 15, 15, 15, 15]
    assert events(rule(peak_windows=2, **calm), ".0.0.0c9c9c9c9c9", still) == [(4, CIRCLE)]


def test_the_next_one_needs_quiet_windows_and_time():
    long = "c9c9c9c9" + ".0.0.0" + "x9x9"
    assert events(rule(quiet=2), long) == [(1, CIRCLE), (8, X)]
    assert events(rule(quiet=3), long) == [(1, CIRCLE)]  # the mean sinks one window later
    assert events(rule(quiet=2, refractory=6), long) == [(1, CIRCLE)]
    assert events(rule(quiet=2, refractory=5), long) == [(1, CIRCLE), (8, X)]


def test_a_threshold_for_each_label():
    each = rule(thresholds=bytes((1, 90, 50)))
    assert events(each, "c8c8c8.0.0.0x5x5") == [(7, X)]
    each.threshold_percent = 75  # set by the user: for all
    assert events(each, ".0.0.0c8c8.0.0.0.0x5x5") == [(4, CIRCLE)]
    each.threshold_percent = -1
    assert each.threshold_percent == 60
    assert events(each, ".0.0.0.0c8c8.0.0.0.0x5x5") == [(11, X)]


def test_reset_forgets_all_but_the_dead_time():
    broken = rule(span=3)
    events(broken, "c9")
    broken.reset()
    assert events(broken, "c9.0.0.0") == []
    held = rule(refractory=9)
    assert events(held, "c9c9") == [(1, CIRCLE)]
    held.reset()
    assert events(held, "c9c9.0.0.0.0") == []
    assert events(held, ".0.0.0c9c9") == [(4, CIRCLE)]


class Dice:
    """The same numbers on both interpreters: a linear congruential generator."""

    def __init__(self, seed):
        self._x = seed

    def __call__(self, low, high):
        """A number from low to high."""
        self._x = (self._x * 16807) % 2147483647
        return low + self._x // 8 % (high - low + 1)


def described(settings, idle, windows):
    """Events of one stretch without a gap, each sum made from nothing."""
    (span, percent, by_gesture, calm_windows, ratio, floor, peak_windows, quiet, refractory,
     thresholds) = settings
    found, calm, low, last = [], 0, 0, None
    armed = True
    for t in range(len(windows)):
        some = [shares for shares, _ in windows[max(0, t + 1 - span):t + 1]]
        sums = [sum(row[k] for row in some) if k != idle else -1 for k in range(3)]
        label = sums.index(max(sums))
        gesture = sum(100 - row[idle] for row in some)
        evidence = gesture if by_gesture else sums[label]
        least = (thresholds[label] if thresholds else percent) * span
        peak = max(e for _, e in windows[max(0, t + 1 - peak_windows):t + 1])
        calm = calm + 1 if windows[t][1] < max(floor, peak * ratio >> 6) else 0
        low = low + 1 if 2 * evidence < least else 0
        if not armed:
            armed = low >= quiet and t - last >= refractory
        elif evidence >= least and calm >= calm_windows:
            sure = min(100, 100 * sums[label] // max(1, gesture))
            found.append((t, label, gesture // span, sure))
            armed, low, last = False, 0, t
    return found


def test_random_windows_give_the_events_of_the_description():
    total = 0
    for seed in range(1, 120):
        dice = Dice(seed * 7919)
        thresholds = bytes([dice(1, 100) for _ in range(3)]) if dice(0, 1) else b""
        settings = (dice(1, 6), dice(1, 90), dice(0, 1), dice(0, 3), dice(0, 64), dice(0, 60),
                    dice(1, 9), dice(1, 5), dice(0, 9), thresholds)
        idle = dice(0, 2)
        one = ShareDebouncer(3, idle, *settings)
        for _ in range(2):  # twice, with a gap in between
            windows = []
            while len(windows) < 50:
                part, label, loud = dice(0, 3) * 33, dice(0, 2), dice(0, 1) * 300 + 40
                for _ in range(dice(1, 9)):
                    shares = [0, 0, 0]
                    shares[label] = part
                    shares[idle] += 100 - part - (dice(0, 9) == 0)
                    windows.append((bytes(shares), dice(0, loud)))
            quiet = bytes([100 if k == idle else 0 for k in range(3)])
            windows += [(quiet, 0)] * 16  # so that no dead time is left at the gap
            found = []
            for t in range(len(windows)):
                label = one.update(*windows[t])
                if label != NO_EVENT:
                    found.append((t, label, one.confidence, one.label_confidence))
            assert found == described(settings, idle, windows), (seed, settings)
            total += len(found)
            one.reset()
    assert total > 200, total


def test_settings_that_cannot_be():
    for settings in (
        {"span": 0}, {"span": 65}, {"threshold_percent": 0}, {"threshold_percent": 101},
        {"calm_windows": -1}, {"calm_ratio": 65}, {"calm_floor": -1}, {"peak_windows": 0},
        {"quiet": 0}, {"refractory": 256}, {"thresholds": b"12"}, {"thresholds": bytes(3)},
        {"thresholds": bytes((1, 2, 101))},
    ):
        try:
            rule(**settings)
        except ValueError:
            continue
        raise AssertionError(settings)
    for classes, idle in ((1, 0), (3, 3), (3, -1)):
        try:
            ShareDebouncer(classes, idle)
        except ValueError:
            continue
        raise AssertionError((classes, idle))


def test_settings_at_their_limits_will_do():
    ShareDebouncer(2, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0)
    ShareDebouncer(3, 0, 64, 100, 1, 255, 64, 65535, 255, 255, 255, bytes((1, 100, 50)))


def test_what_it_does_unless_it_is_set_otherwise():
    """The settings by position, as a model's decision gives them."""
    plain = ShareDebouncer(3, 0)
    told = ShareDebouncer(3, 0, 6, 65, 1, 2, 16, 16, 50, 7, 10)
    seed = 5
    found = 0
    for k in range(4000):
        seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
        wave = (k % 60) < 12
        rest = (seed >> 10) % 41 if wave else 100
        shares = bytes((rest, 100 - rest, 0))
        activity = (seed >> 16) % 90 if wave else 14 + (seed >> 16) % 5
        event = plain.update(shares, activity)
        assert event == told.update(shares, activity)
        found += event != NO_EVENT
    assert found > 20
    assert plain.threshold_percent == 65


def test_a_threshold_that_cannot_be_is_cut_to_the_range():
    one = ShareDebouncer(3, 0)
    for asked, got in ((0, 1), (1, 1), (100, 100), (101, 100), (-1, 65)):
        one.threshold_percent = asked
        assert one.threshold_percent == got


def test_nothing_is_known_before_the_first_event():
    new = ShareDebouncer(3, 0)
    assert (new.confidence, new.label_confidence) == (0, 0)


def test_allocates_nothing():
    tight = ShareDebouncer(32, REST, span=8, calm_windows=2, peak_windows=50, quiet=2)
    gesture = bytearray(32)
    gesture[31] = 100
    rest = bytearray(32)
    rest[REST] = 100
    count = 0
    micropython.heap_lock()
    try:
        for i in range(240):
            shares = gesture if i % 60 < 20 else rest
            if tight.update(shares, 5015 - i if i % 60 < 15 else i & 7) != NO_EVENT:
                count += 1
        tight.reset()
    finally:
        micropython.heap_unlock()
    assert count == 4, count


def test_recorded_answers_give_the_recorded_events():
    """Shares and activity of a real stream, and what each rule makes of them."""
    with open(GOLDEN) as file:
        case = json.load(file)
    classes = len(case["labels"])
    shares = [bytes(row) for row in case["shares"]]
    total = 0
    for settings, expected in case["events"]:
        rule = ShareDebouncer(classes, case["idle"], *settings)
        found = []
        for window, row in enumerate(shares):
            label = rule.update(row, case["activity"][window])
            if label != NO_EVENT:
                found.append([window, label, rule.confidence, rule.label_confidence])
        assert found == expected, (settings, found)
        total += len(found)
    assert total > 10
