"""What is held out: training never draws from it, and each part has everyday movement."""

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span
from host_tools.dataset.held_out import held_out, idle_piece, piece
from host_tools.errors import BeckonError
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank
from tests.test_dataset_split import named, recording


def test_no_augmented_copy_of_what_is_held_out():
    """Every window is the same to the last bit whatever the held-out part holds."""
    rng = np.random.default_rng(6)
    data = Dataset("d", [
        recording(f"{p}{i}", rng, "xy"[i % 2], p) for p in "abc" for i in range(6)])
    recipe = choose(data, 100, draws=300)
    known, held = held_out(data, 1).parts[0]

    def windows():
        return StreamBank(known, recipe).draw(400, np.random.default_rng(1))[0]

    before = windows()
    for r in held.recordings:
        r.samples[:] = np.nan
    assert np.array_equal(before, windows())
    known.recordings[-1].samples[:] *= 2
    assert not np.array_equal(before, windows())


def quiet(name: str, seconds: float, subject: str = "") -> Recording:
    """A recording of no gesture. Each sample is another one, so that it can be told."""
    n = round(seconds * 20)
    start = sum(map(ord, name)) * 10_000
    samples = np.repeat(np.arange(start, start + n, dtype=np.float32)[:, None], 6, axis=1)
    return Recording(name, samples, 20.0, (Span(0.0, 1000 * seconds, "none", subject),))


def gestures(people: str = "a") -> list[Recording]:
    rng = np.random.default_rng(1)
    return [recording(f"{p}{i}", rng, "xy"[i % 2], p) for p in people for i in range(6)]


def life_of(part: Dataset) -> list[Recording]:
    return [r for r in part.recordings if r.spans[0].label == "none"]


@pytest.mark.parametrize("people", ["a", "abc"])
@pytest.mark.parametrize("life", [
    [quiet(f"evening{p}", 400, f"other{p}") for p in range(6)],  # people enough
    [quiet("evening", 2400)],  # a long recording of nobody in particular
    [quiet(f"walk{i}", 100, "a") for i in range(24)],  # short ones of who makes the gestures
])
def test_every_part_has_its_share_of_everyday_movement(people, life):
    parts = held_out(Dataset("d", [*gestures(people), *life]), 1).parts
    assert len(parts) == 3
    seconds = [sum(r.seconds for r in life_of(held)) for _, held in parts]
    if people == "a" or life[0].subject != "a":
        assert min(seconds) == pytest.approx(800, rel=0.01)
    assert sum(seconds) == pytest.approx(2400, rel=0.01)
    for known, held in parts:
        heard = {float(x) for r in life_of(held) for x in r.samples[:, 0]}
        assert not heard & {float(x) for r in life_of(known) for x in r.samples[:, 0]}
        subjects = {r.subject for r in life_of(held)} & {r.subject for r in life_of(known)} - {""}
        assert not subjects or people == "a" and subjects == {"a"}


def sitting(labels: str, name: str = "sitting", subject: str = "", seed: int = 1) -> Recording:
    """One recording with a take of each letter, 2 s apart; no sample like another."""
    rng = np.random.default_rng(seed)
    n = 200 * len(labels) + 100
    spans = [Span(2000 * i + 1000, 2000 * i + 1800, k, subject) for i, k in enumerate(labels)]
    return Recording(name, rng.normal(size=(n, 6)).astype(np.float32) * 5, 100.0, tuple(spans))


def labels_of(part: Dataset) -> str:
    return "".join(s.label for r in part.recordings for s in r.spans if s.label != "none")


def test_a_sitting_is_divided_by_its_takes():
    """A guided sitting, a gesture after the other, and a recording without gestures."""
    data = Dataset("d", [sitting("aaaaabbbcc"), quiet("none", 120)])
    split = held_out(data, 1)
    assert (split.by, split.unjudged) == ("take", ())
    assert [labels_of(held) for _, held in split.parts] == ["aabc", "aab", "abc"]
    for known, held in split.parts:
        assert sorted(labels_of(known) + labels_of(held)) == sorted("aaaaabbbcc")
        seen = {x.tobytes() for r in known.recordings for x in r.samples}
        assert not seen & {x.tobytes() for r in held.recordings for x in r.samples}
        assert sum(r.seconds for r in life_of(held)) == pytest.approx(40)
        for r in held.recordings[:-1]:  # on the sitting's own clock, cut where nothing is labelled
            assert r.name == "sitting"
            assert all(s in data.recordings[0].spans for s in r.spans)
            first = round(data.recordings[0].index(r.start_ms))
            assert np.array_equal(r.samples, data.recordings[0].samples[first:][: len(r.samples)])


def test_a_gesture_with_one_take_is_known_and_not_judged():
    split = held_out(Dataset("d", [sitting("aaabbbz")]), 1)
    assert split.unjudged == ("z",)
    assert all("z" in labels_of(known) and "z" not in labels_of(held)
               for known, held in split.parts)
    nothing = held_out(Dataset("d", [sitting("abz")]), 1)
    assert (nothing.by, nothing.parts, nothing.unjudged) == ("", (), ("a", "b", "z"))


@pytest.mark.parametrize("recordings, by, parts", [
    ([sitting("ab" * 3, p, p, i) for i, p in enumerate("pqr")], "subject", 3),
    ([sitting("ab" * 3, p, "p", i) for i, p in enumerate("pqr")], "recording", 3),
    ([sitting("ab" * 3, "1", "", 1), sitting("ab" * 3, "2", "p", 2)], "recording", 2),
    # each knows what the other does not: neither people nor recordings leave every gesture known
    ([sitting("aaa", "1", "p", 1), sitting("bbb", "2", "q", 2)], "take", 3),
    # one take of each in the second recording is too little to learn from, and to judge on
    ([sitting("ab" * 9, "1", "p", 1), sitting("ab", "2", "p", 2)], "take", 3),
])
def test_the_first_split_that_judges_every_gesture_is_taken(recordings, by, parts):
    split = held_out(Dataset("d", recordings), 1)
    assert (split.by, len(split.parts), split.unjudged) == (by, parts, ())
    assert set("".join(labels_of(held) for _, held in split.parts)) == {"a", "b"}


def test_a_split_can_be_chosen():
    data = Dataset("d", [sitting("ab" * 3, p, p, i) for i, p in enumerate("pqr")])
    for by in ("subject", "recording", "take"):
        assert held_out(data, 1, by).by == by
    with pytest.raises(BeckonError, match="divided by subject"):
        held_out(Dataset("d", [sitting("ab" * 9)]), 1, "subject")


def test_copies_share_a_part():
    rng = np.random.default_rng(4)
    base = [recording(f"r{i}", rng) for i in range(12)]
    copies = [recording(f"c{i}", rng, samples=r.samples[::2]) for i, r in enumerate(base)]
    for known, held in held_out(Dataset("d", base + copies), 1, "recording").parts:
        assert not {r.name[1:] for r in known.recordings} & {r.name[1:] for r in held.recordings}
    one = sitting("ab" * 6)
    copy = Recording("copy", one.samples, 100.0, one.spans)
    known, held = held_out(Dataset("d", [one, copy]), 1).parts[0]
    assert {r.name for r in known.recordings + held.recordings} == {"sitting"}


def test_those_who_only_rest_make_no_parts():
    """One makes gestures: her recordings are divided, not she from those who rest."""
    data = named(*[("a", "p")] * 6, ("none", "q"), ("none", "r"), ("none", "s"))
    split = held_out(data, 1)
    assert split.by == "recording"
    assert all(labels_of(known) and labels_of(held) for known, held in split.parts)


def test_a_piece_keeps_the_clock_and_what_of_the_spans_is_in_it():
    r = Recording("r", np.zeros((100, 6), np.float32), 100.0,
                  (Span(0, 300, "a"), Span(400, 990, "b")),
                  gaps=((10, 30), (60, 61)), start_ms=0.0)
    part = piece(r, 20, 50)
    assert (part.start_ms, len(part.samples), part.gaps) == (200.0, 30, ((0, 10),))
    assert part.spans == (Span(200, 300, "a"), Span(400, 490, "b"))
    idle = idle_piece(quiet("q", 60), 400, 800)
    assert (idle.start_ms, idle.spans) == (20_000, (Span(20_000, 39_950, "none"),))
