"""No copy of a movement, and no person, on both sides of a split."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span, read_datasets
from host_tools.dataset.near_duplicates import assign_groups
from host_tools.dataset.split import BY, day_of, folds, parts_by
from host_tools.errors import BeckonError


def recording(name, rng, label="wave", subject="", samples=None):
    x = rng.normal(size=(100, 6)).astype(np.float32) * 5 if samples is None else samples
    return Recording(name, x, 100.0, (Span(0, 900, label, subject),))


def test_shifted_and_thinned_copies_are_found():
    rng = np.random.default_rng(1)
    one = recording("one", rng)
    shifted = recording("shifted", rng, samples=one.samples[7:])
    thinned = recording("thinned", rng, samples=one.samples[3::5])
    data = Dataset("d", [one, recording("other", rng), shifted, thinned])
    assert assign_groups(data) == 3
    groups = [r.group for r in data.recordings]
    assert groups[0] == groups[2] == groups[3] != groups[1]


def test_rest_alone_joins_nothing():
    still = np.tile(np.float32([0, 0, 9.8, 0, 0, 0]), (50, 1))
    rng = np.random.default_rng(1)
    data = Dataset("d", [recording(n, rng, samples=still.copy()) for n in "ab"])
    assert assign_groups(data) == 0


def test_folds_keep_people_together():
    rng = np.random.default_rng(2)
    data = Dataset("d", [recording(f"{p}{i}", rng, subject=p) for p in "abcdef" for i in range(5)])
    for part in folds(data, 3):
        mine = {data.recordings[i].subject for i in part}
        others = {r.subject for i, r in enumerate(data.recordings) if i not in set(part)}
        assert mine and not mine & others


def test_one_person_is_split_in_time():
    rng = np.random.default_rng(3)
    data = Dataset("d", [recording(f"r{i:02d}", rng, "xy"[i % 2], "p") for i in range(30)])
    parts = folds(data, 3)
    assert sorted(i for p in parts for i in p) == list(range(30))
    assert {data.recordings[i].name for i in parts[0]} == {f"r{i:02d}" for i in range(10)}


# folds: which part each recording is in, worked by hand


def named(*labels_and_subjects):
    """A recording for each (label, subject), all different."""
    rng = np.random.default_rng(8)
    return Dataset("d", [recording(f"r{i:02d}", rng, label, subject)
                         for i, (label, subject) in enumerate(labels_and_subjects)])


def in_groups(data, groups):
    data.recordings = [
        replace(r, group=group) for r, group in zip(data.recordings, groups, strict=True)]


def numbers(parts):
    """The number of each recording's part; each recording is in one part."""
    where = {i: k for k, part in enumerate(parts) for i in part}
    assert sorted(i for part in parts for i in part) == sorted(where)
    return [where[i] for i in range(len(where))]


def test_few_recordings_of_a_label_do_not_all_come_first():
    """Each label's runs begin where the one before it ended."""
    assert numbers(folds(named(("a", ""), ("b", ""), ("c", "")), 3)) == [0, 1, 2]
    assert numbers(folds(named(("a", ""), ("b", ""), ("b", ""), ("c", "")), 3)) == [0, 1, 2, 0]
    # As many as parts, and more: one to each, from the first on.
    three = named(("a", ""), ("b", ""), ("b", ""), ("b", ""))
    assert numbers(folds(three, 3)) == [0, 0, 1, 2]
    seven = named(("a", ""), *[("b", "")] * 7)
    assert numbers(folds(seven, 3)) == [0, 0, 0, 0, 1, 1, 2, 2]


def test_recordings_without_a_label_are_dealt_out_like_a_label():
    data = named(("A", ""), ("A", ""), ("A", ""))
    data.recordings[2] = data.recordings[2].with_spans(())
    assert numbers(folds(data, 3)) == [1, 2, 0]  # the nameless label comes first
    assert folds(Dataset("d", []), 3) == [[], [], []]


def test_copies_count_once():
    """A run is so many movements, however many copies each has."""
    rng = np.random.default_rng(9)
    one = recording("a", rng)
    copies = [recording(f"a{i}", rng, samples=one.samples[i:]) for i in range(1, 7)]
    rest = [recording(f"b{i}", rng) for i in range(5)]
    data = Dataset("d", [one, *copies, *rest])
    assert numbers(folds(data, 3)) == [0] * 7 + [0, 1, 1, 2, 2]


def test_groups_that_are_known_are_kept():
    """Whoever read the data may know more than the samples tell."""
    data = named(*[("a", "")] * 6)
    in_groups(data, "xyzxyz")
    assert numbers(folds(data, 3)) == [0, 1, 2, 0, 1, 2]


def test_by_subject_with_just_enough_of_them():
    data = named(*[("a", p) for p in "pqr" for _ in range(2)])
    part = numbers(folds(data, 3))
    assert part[0::2] == part[1::2] and sorted(part[0::2]) == [0, 1, 2]
    two = named(*[("a", p) for p in "pqpqpqpq"])
    assert numbers(folds(two, 2)) in ([0, 1] * 4, [1, 0] * 4)  # two subjects, two parts
    # Too few subjects for three parts, or asked for: in runs.
    assert numbers(folds(two, 3)) == [0, 0, 0, 1, 1, 1, 2, 2]
    assert numbers(folds(two, 2, by_order=True)) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert numbers(parts_by(two, "recording", 2)) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_subjects_who_only_rest_are_no_subjects_to_judge_by():
    data = named(("a", "p"), ("a", "p"), ("a", "q"), ("a", "q"), ("none", "n"), ("none", "m"))
    assert numbers(folds(data, 2))[:4] in ([0, 0, 1, 1], [1, 1, 0, 0])
    assert numbers(folds(data, 3))[:4] == [0, 0, 1, 2]  # by order: two are too few


def test_no_part_is_left_without_gestures_by_those_who_only_rest():
    data = named(*[("a", p) for p in "pqr"], *[("none", p) for p in "cdefghijk"], ("none", ""))
    for seed in range(12):
        part = numbers(folds(data, 3, seed))
        assert sorted(part[:3]) == [0, 1, 2]


def test_a_gesture_beside_rest_in_one_recording_is_a_gesture():
    data = named(*[("a", p) for p in "pqrspqrs"])
    data.recordings = [r.with_spans([*r.spans, Span(900, 950, "none", r.subject)])
                       for r in data.recordings]
    part = numbers(folds(data, 4))
    assert part[:4] == part[4:] and sorted(part[:4]) == [0, 1, 2, 3]
    part = numbers(parts_by(data, "subject", 4))
    assert part[:4] == part[4:] and sorted(part[:4]) == [0, 1, 2, 3]


def test_the_seed_settles_who_is_in_which_part():
    data = named(*[("a", p) for p in "pqrstu"])
    assert folds(data, 3) == folds(data, 3, 0)
    assert len({str(folds(data, 3, seed)) for seed in range(5)}) > 1
    assert parts_by(data, "subject", 3) == parts_by(data, "subject", 3, 0)
    assert len({str(parts_by(data, "subject", 3, seed)) for seed in range(5)}) > 1


# parts_by


def test_what_may_be_divided_by():
    assert BY == ("subject", "day", "recording")


@pytest.mark.parametrize("by", ["subject", "recording"])
def test_near_duplicates_stay_together_whatever_divides(by):
    """The same movement under two names, and even of two subjects."""
    rng = np.random.default_rng(11)
    data = Dataset("d", [recording(f"{p}{i}", rng, subject=p) for p in "abc" for i in range(3)])
    copies = [recording(f"x{i}", rng, subject="abc"[(i + 1) % 3], samples=r.samples[2:])
              for i, r in enumerate(data.recordings[::3])]
    both = Dataset("d", data.recordings + copies)
    part = numbers(parts_by(both, by, 3))
    assert part[9:] == [part[0], part[3], part[6]]
    assert len({r.group for r in both.recordings}) == 9


def test_groups_that_are_known_are_kept_by_subject():
    data = named(("a", "p"), ("a", "q"), ("a", "p"), ("a", "q"))
    in_groups(data, "xyyz")
    part = numbers(parts_by(data, "subject", 2))
    assert part[0] != part[1] == part[2] == part[3]


def test_subjects_are_dealt_out_evenly():
    data = named(*[("a", p) for p in "pqrstu"])
    for seed in range(4):
        assert sorted(numbers(parts_by(data, "subject", 3, seed))) == [0, 0, 1, 1, 2, 2]


def test_rest_of_nobody_is_dealt_out_by_name():
    data = named(("a", "p"), ("a", "q"), *[("none", "")] * 4)
    assert numbers(parts_by(data, "subject", 2))[2:] == [0, 1, 0, 1]


def test_rest_of_those_who_gesture_stays_with_them():
    data = named(("a", "p"), ("a", "q"), ("none", "p"), ("none", "q"))
    part = numbers(parts_by(data, "subject", 2))
    assert part[2:] == part[:2]


def test_as_many_subjects_as_parts_will_do_and_one_less_will_not():
    data = named(("a", "p"), ("a", "q"), ("none", "n"))
    parts_by(data, "subject", 2)
    with pytest.raises(BeckonError, match="gestures of 2 subjects .p, q. make no 3 parts") as told:
        parts_by(data, "subject", 3)
    assert told.value.status == 2


def test_a_part_without_gestures_is_refused():
    data = named(("a", ""), ("a", ""), *[("none", "")] * 9)
    parts_by(data, "recording", 2)
    with pytest.raises(BeckonError, match="too few recordings for 3 parts") as told:
        parts_by(data, "recording", 3)
    assert told.value.status == 2


def test_the_gesture_of_nobody_is_named_and_refused():
    with pytest.raises(BeckonError, match="r02: its subject is not known") as told:
        parts_by(named(("a", "p"), ("a", "q"), ("a", "")), "subject", 2)
    assert told.value.status == 2


def test_the_day_is_that_of_the_file_beside_it(tmp_path):
    r = recording("r", np.random.default_rng(1))
    assert day_of(r) == ""
    for name in ("one.csv", "two.csv.gz"):
        r = replace(r, path=tmp_path / name)
        assert day_of(r) == ""
        beside = tmp_path / f"{name.split('.')[0]}.json"
        beside.write_text('{"utc_start": "2026-05-01T10:00:00.000Z"}')
        assert day_of(r) == "2026-05-01"
        for wrong in ("[]", "{}", "not JSON"):
            beside.write_text(wrong)
            assert day_of(r) == ""


def test_the_same_events_at_two_rates(shared_data):
    """128 movements lie in both folders of the article's author."""
    data = read_datasets([shared_data / "tkeyo_mpu6500_100hz",
                          shared_data / "tkeyo_mpu6500_20hz_windows"])
    assign_groups(data)
    fine = {r.group for r in data.recordings if r.native_hz == 100}
    coarse = [r for r in data.recordings if r.native_hz == 20 and r.spans[0].label != "none"]
    assert len(fine) == 128 and all(r.group in fine for r in coarse)
