"""Learning on the board, its pure parts, on both interpreters with the same integers."""

from array import array

from learning.examples import INSIDE as INSIDE_EXAMPLES
from learning.examples import OWN, Examples
from learning.repetitions import AFTER, INSIDE, NOTHING, REPETITION, Repetitions
from learning.row import Row

WIDTH = 5
KNOWN = ((0, (3, 1, 0, 2, 1)), (1, (200, 10, 5, 0, 30)), (2, (8, 180, 20, 4, 0)))
NEW = (20, 15, 5, 220, 60)
ROWS = ((0, 0, 0, 0, 0), (9, -3, 0, -2, 0), (-2, 9, 0, -2, 0))
BIASES = (300, -200, -200)
WEIGHTS, BIAS = [120, 109, 127, 169, 131], -5153  # that are learned
METRIC_WEIGHTS = [115, 126, 137, 150, 248]
TURNED = ([96, 109, 127, 172, 131], -5198)


def near(values, seed):
    """values, a little changed."""
    moved = [v + (seed * 37 + k * 11) % 17 - 8 for k, v in enumerate(values)]
    return bytes([max(0, min(255, v)) for v in moved])


def packed(values):
    """As examples lie in a model file."""
    roots = [min(15, round(v ** 0.5)) for v in values] + [0]
    return bytes([roots[k] | roots[k + 1] << 4 for k in range(0, len(values), 2)])


def identity():
    metric = bytearray(b"\x80" * (WIDTH * (WIDTH + 1) // 2))
    for i in range(WIDTH):
        metric[i * (i + 3) // 2] += 32
    return metric


def examples(new=NEW, repetitions=3, metric=None):
    made = Examples(WIDTH, 12, repetitions)
    for label, values in KNOWN:
        for i in range(4):
            made.put(packed(near(values, i + label)), label)
    for k in range(repetitions):
        for i in range(OWN):
            made.put_own(k, i, near(new, 7 * k + i))
        for i in range(INSIDE_EXAMPLES):
            made.put_inside(k, i, near(KNOWN[0][1], 5 * k + i))
    metric = metric or identity()
    made.put_metric(metric[:3])  # in pieces, as from a file
    made.put_metric(metric[3:])
    assert made.metric == metric
    return made


def row(made, skip=-1):
    weights = b"".join([bytes([w + 128 for w in one]) + b"\x80" * 3 for one in ROWS])
    return Row(made, 3, weights, 8, array("i", BIASES), 4000, 0, skip)


def learned(made, skip=-1):
    one = row(made, skip)
    while one.step():
        pass
    return one, one.finish(800)


def test_values_are_kept_by_their_square_roots():
    made = Examples(WIDTH, 1, 1)
    made.put_own(0, 1, bytes([0, 3, 90, 200, 255]))
    assert made.own(0, 1) == packed([0, 3, 90, 200, 255]) == bytes([0x20, 0xE9, 0x0F])
    for v in range(256):
        made.put_own(0, 0, bytes([v] * WIDTH))
        assert made.own(0, 0) == packed([v] * WIDTH), v
        assert made.own(0, 1) == bytes([0x20, 0xE9, 0x0F])


def test_a_new_row_leads_for_its_own_examples_and_for_no_others():
    one, (weights, bias) = learned(examples())
    assert min([one.own_lead(k) for k in range(3)]) > 1000
    assert max([one.lead(i) for i in range(12)]) < -1000
    # The same on every interpreter, in viper or not
    assert (list(weights), bias) == (WEIGHTS, BIAS), (list(weights), bias)


def test_what_varies_within_a_gesture_counts_less():
    _, (weights, _) = learned(examples())
    metric = identity()
    metric[9] = 128 + 1  # the fourth value, by which the new gesture differs most
    _, (less, _) = learned(examples(metric=metric))
    assert abs(less[3] - 128) < abs(weights[3] - 128) * 2 // 3, list(less)
    assert list(less) == METRIC_WEIGHTS, list(less)


def test_a_metric_turns_a_step():
    metric = identity()
    metric[6] = 128 - 20  # the fourth value with the first
    _, (weights, bias) = learned(examples(metric=metric))
    assert (list(weights), bias) == TURNED, (list(weights), bias)


def test_a_known_row_starts_from_what_it_is():
    one, (weights, _) = learned(examples(near(KNOWN[1][1], 3)), skip=1)
    assert max([abs(w - 128 - old) for w, old in zip(weights, ROWS[1])]) < 40, list(weights)
    assert min([one.own_lead(k) for k in range(3)]) > 0


def test_examples_that_nothing_tells_apart_have_no_lead():
    one, _ = learned(examples(KNOWN[2][1]))
    assert min([one.lead(i) for i in range(8, 12)]) > -1000  # the others are below -6000
    assert max([one.own_lead(k) for k in range(3)]) < 0


def test_repetitions_move_and_know_their_distance():
    made = examples()
    made.put_own(1, 0, bytes(WIDTH))
    assert made.distance(0, 0) == 0 and made.distance(0, 1) == made.distance(1, 0) > 0
    last = made.own(2, 4)
    made.move(2, 0)
    assert made.own(0, 4) == last and made.distance(0, 2) == 0


def kinds(activity, window_ms=2000):
    found = Repetitions(window_ms, 40)
    return found, [found.update(a) for a in activity]


def test_a_movement_and_the_rest_after_it_are_a_repetition():
    found, seen = kinds([5] * 4 + [40, 300, 400, 300, 90] + [20] * 10)
    assert seen == [NOTHING] * 4 + [INSIDE] * 4 + [INSIDE if 90 >= 100 else AFTER] + [AFTER] * 8 + [
        REPETITION, NOTHING]
    assert (found.start, found.end, found.peak, found.fault) == (5, 9, 400, "too short, a knock")


def test_faults_of_repetitions():
    rest = [3] * 12
    for moves, fault in ((([300] * 10), ""), ([300] * 2, "knock"), ([36] * 10, "weak"),
                         ([300] * 60, "longer than the 1800 ms")):
        found, seen = kinds(rest + moves + rest)
        assert seen.count(REPETITION) == 1, moves
        assert fault in found.fault and bool(fault) == bool(found.fault), (moves, found.fault)


def test_a_short_pause_does_not_end_it_and_a_gap_spoils_it():
    found, seen = kinds([300] * 8 + [3] * 5 + [300] * 8 + [3] * 12)
    assert seen.count(REPETITION) == 1 and found.start == 1 and found.end == 22
    found = Repetitions(2000, 40)
    for a in [300] * 8:
        found.update(a)
    found.gap()
    for a in [3] * 10:
        found.update(a)
    assert found.fault == "samples were lost"
    for a in [300] * 8 + [3] * 10:
        found.update(a)
    assert found.fault == ""
