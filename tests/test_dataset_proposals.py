"""The rule that turns movement into proposals, with energies written down instead of measured.

tests/test_studio_label_proposals.py judges the proposals on recordings.
"""

import numpy as np
import pytest

from host_tools.dataset import Recording, Span, proposals
from host_tools.dataset.proposals import Proposal, overlaps, propose

RATE_HZ = 100.0
REST, STRONG = 0.01, 1.0


@pytest.fixture
def found(monkeypatch):
    """found(energy, known=()): (first, last + 1) samples of what is proposed."""

    def spans(energy, known=(), start_ms=0.0):
        energy = np.asarray(energy, np.float32)
        monkeypatch.setattr(proposals, "motion_energy", lambda samples, rate_hz, gaps: energy)
        r = Recording("r", np.zeros((len(energy), 6), np.float32), RATE_HZ, start_ms=start_ms)
        made = propose(r, known)
        assert all(p.label == "" and p.confidence is None for p in made)
        return [(round((p.start_ms - start_ms) / 10), round((p.end_ms - start_ms) / 10))
                for p in made]

    return spans


def still(n=1000):
    return np.full(n, REST)


def moved(*stretches, n=1000):
    """Rest but for (first, last + 1, energy) each."""
    energy = still(n)
    for first, last, level in stretches:
        energy[first:last] = level
    return energy


def test_a_stretch_of_movement(found):
    assert found(moved((100, 180, STRONG))) == [(100, 180)]
    assert found(moved((100, 180, STRONG), (400, 425, STRONG))) == [(100, 180), (400, 425)]
    assert found(still()) == []
    assert found(np.zeros(100)) == []


def test_the_times_are_on_the_recordings_clock(monkeypatch):
    energy = moved((100, 151, STRONG)).astype(np.float32)
    monkeypatch.setattr(proposals, "motion_energy", lambda samples, rate_hz, gaps: energy)
    r = Recording("r", np.zeros((1000, 6), np.float32), 30.0, start_ms=7000.0)
    # 100 / 30 s and 151 / 30 s, to a tenth of a millisecond
    assert propose(r) == [Proposal(10333.3, 12033.3)]


def test_the_energy_is_that_of_the_samples_without_its_gaps():
    """What was filled in is not movement: the gaps reach the energy."""
    x = np.zeros((1000, 6), np.float32)
    x[300:350, 0] = 9 * np.sin(np.arange(50))
    x[600:650, 0] = 9 * np.sin(np.arange(50))
    assert len(propose(Recording("r", x, RATE_HZ))) == 2
    (only,) = propose(Recording("r", x, RATE_HZ, gaps=((580, 670),)))
    assert 2800 < only.start_ms < 3050


@pytest.mark.parametrize(("level", "count"), [(0.34, 0), (0.36, 1)])
def test_weak_movement_is_none_however_quiet_the_rest(found, level, count):
    assert len(found(moved((100, 150, level)))) == count


@pytest.mark.parametrize(("level", "count"), [(0.74, 0), (0.77, 1), (4.0, 1)])
def test_in_a_restless_recording_movement_is_half_more_than_the_dividing_level(
        found, level, count):
    """Rest at 0.5: Otsu divides in the first bin above it, so movement begins at 0.752."""
    energy = np.full(1000, 0.5)
    energy[100:140] = level
    assert len(found(energy)) == count


def test_a_stretch_reaches_out_to_its_foot_and_no_further(found):
    """From 0.8 of the level on, 0.28, which alone would be nothing."""
    slope = moved((100, 140, STRONG), (94, 100, 0.3), (140, 147, 0.3))
    assert found(slope) == [(94, 147)]
    assert found(moved((100, 140, STRONG), (93, 100, 0.3), (140, 148, 0.3))) == [(93, 148)]
    assert found(moved((100, 140, STRONG), (94, 100, 0.27), (140, 147, 0.27))) == [(100, 140)]
    assert found(moved((94, 147, 0.3))) == []


def test_a_stretch_may_begin_and_end_with_the_recording(found):
    assert found(moved((0, 40, STRONG))) == [(0, 40)]
    assert found(moved((0, 10, 0.3), (10, 40, STRONG))) == [(0, 40)]
    assert found(moved((960, 1000, STRONG))) == [(960, 1000)]
    assert found(moved((0, 40, STRONG), (960, 1000, STRONG))) == [(0, 40), (960, 1000)]
    assert found(moved((960, 990, STRONG), (990, 1000, 0.3))) == [(960, 1000)]


@pytest.mark.parametrize(("n", "count"), [(19, 0), (20, 1), (600, 1), (601, 0)])
def test_a_gesture_takes_a_fifth_of_a_second_to_six(found, n, count):
    assert len(found(moved((100, 100 + n, STRONG), n=4000))) == count


@pytest.mark.parametrize(("n", "count"), [(6000, 1), (6001, 0)])
def test_six_seconds_are_not_a_millisecond_more(monkeypatch, n, count):
    energy = moved((100, 100 + n, STRONG), n=40_000).astype(np.float32)
    monkeypatch.setattr(proposals, "motion_energy", lambda samples, rate_hz, gaps: energy)
    assert len(propose(Recording("r", np.zeros((40_000, 6), np.float32), 1000.0))) == count


def test_a_rest_of_a_quarter_second_ends_a_stretch(found):
    assert found(moved((100, 140, STRONG), (164, 200, STRONG))) == [(100, 200)]
    assert found(moved((100, 140, STRONG), (165, 200, STRONG))) == [(100, 140), (165, 200)]
    # Three in a row: each is held against the one before it.
    assert found(moved((100, 120, STRONG), (140, 160, STRONG), (180, 200, STRONG))) == [(100, 200)]


def test_a_lull_that_is_no_rest_ends_nothing(found):
    """However long, while the energy stays above the foot."""
    assert found(moved((100, 140, STRONG), (140, 190, 0.3), (190, 230, STRONG))) == [(100, 230)]
    dip = moved((100, 140, STRONG), (140, 190, 0.3), (190, 230, STRONG))
    dip[165] = 0.2
    assert found(dip) == [(100, 165), (166, 230)]


def test_what_is_labelled_is_left_out(found):
    energy = moved((100, 150, STRONG), (400, 450, STRONG))
    assert found(energy, [Span(1490, 1600, "x")]) == [(400, 450)]
    assert found(energy, [Span(1500, 4000, "x")]) == [(100, 150), (400, 450)]
    assert found(energy, [Span(0, 9999, "x")]) == []


def test_spans_that_touch_do_not_overlap():
    spans = [Span(100, 200, "x"), Span(500, 600, "x")]
    assert not overlaps(200, 500, spans)
    assert overlaps(199, 500, spans) and overlaps(200, 501, spans)
    assert overlaps(120, 130, spans) and overlaps(0, 900, spans)
    assert not overlaps(0, 900, [])


def otsu(energy):
    """Otsu's threshold by the book, on 128 bins of the logarithm: the upper edge of the last
    bin of the lower class, for which the variance between the classes is greatest."""
    logs = np.log10(np.maximum(energy, 1e-3))
    counts, edges = np.histogram(logs, 128)
    middles = [(a + b) / 2 for a, b in zip(edges, edges[1:], strict=False)]
    best, level = 0.0, None
    for k in range(127):
        low, high = counts[: k + 1].sum(), counts[k + 1 :].sum()
        if not low or not high:
            continue
        mean_low = sum(c * m for c, m in zip(counts[: k + 1], middles, strict=False)) / low
        mean_high = sum(c * m for c, m in zip(counts[k + 1 :], middles[k + 1 :], strict=True))
        mean_high /= high
        between = float(low) * float(high) * (mean_low - mean_high) ** 2
        if between > best * (1 + 1e-12):
            best, level = between, 10 ** edges[k + 1]
    return level


@pytest.mark.parametrize("seed", range(6))
def test_the_level_is_otsus(seed):
    rng = np.random.default_rng(seed)
    energy = np.concatenate([10 ** rng.normal(-1.5, 0.3, 700), 10 ** rng.normal(0, 0.3, 200),
                             np.zeros(seed)]).astype(np.float32)
    assert proposals._otsu(energy) == pytest.approx(otsu(energy), rel=1e-6)


def test_two_samples_are_enough_to_divide():
    energy = np.float32([1.0, 2.0])
    assert proposals._otsu(energy) == pytest.approx(2 ** (1 / 128))


def test_energies_that_are_all_the_same_have_no_level():
    """Nothing divides them, so nothing is proposed, be they ever so strong."""
    assert proposals._otsu(np.full(50, 3.0, np.float32)) == float("inf")


def test_what_is_below_a_thousandth_is_rest_alike():
    """Zeros, as of gaps, and noise do not pull the level down."""
    energy = np.concatenate([np.full(500, 1e-9), np.zeros(300), np.full(100, 1.0)])
    assert proposals._otsu(energy) == pytest.approx(1e-3 * 10 ** (3 / 128))
