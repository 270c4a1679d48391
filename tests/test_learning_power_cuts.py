"""A board that learns and loses its power, or whose flash is full, at each step of its writing."""

import pytest

from host_tools.bench.power_cuts.learning import LearningFlash, writes_of


@pytest.fixture(scope="module")
def flash(tmp_path_factory):
    return LearningFlash(tmp_path_factory.mktemp("flash"))


def what(seen):
    return seen["said"].rpartition(",")[0]


def check_after(flash, image, models):
    """The board comes up with one of these models, whole, and undo and learning go on rightly;
    (the model that it came up with, what undo said)."""
    up, undone, again, _, learned, known, kept, back = flash.live(
        ["boot", "undo", "boot", "confirm", "learn:six", "boot", "confirm", "undo"], image)
    by_id = {m["model"]: m for m in models}
    for seen in (up, undone, again, learned, known, kept, back):
        assert seen["whole"], seen
    now = by_id[up["model"]]
    for key in ("sha256", "label", "samples", "classes", "kept"):
        assert up[key] == now[key]
    before = models[models.index(now) - 1] if now is not models[0] else None
    if what(undone).startswith("refused: "):
        assert undone["model"] == up["model"]
    else:
        assert before and undone["sha256"] == before["sha256"]
    assert again["sha256"] == undone["sha256"] and what(learned) == "learned"
    assert known["label"] == "six" and not kept["trial"]
    assert back["sha256"] == again["sha256"] and back["label"] == again["label"]
    assert not [p for p in back["files"] if p.endswith((".learn", ".tmp", "new.raw", "new.json"))]
    return up["label"], what(undone)


def points(writes, request):
    """Every write with --soak; else some, and all of the last ones, where the files change."""
    if request.config.getoption("--soak"):
        return range(1, writes + 1)
    return [*range(1, writes - 30, 47), *range(writes - 30, writes + 1)]


def test_a_loss_of_power_while_it_learns_and_on_trial(flash, request):
    steps = ["learn:two", "boot", "confirm"]
    two, *more = flash.live(steps)
    writes = writes_of(two, *more)
    outcomes = set()
    unkept = 0
    for n in points(writes, request):
        image = flash.cut([], steps, n)
        label, said = check_after(flash, image, [flash.base, flash.one, two])
        outcomes.add(label)
        if label == "one" and said.startswith("refused"):
            assert said == "refused: the model from before 'one' is not kept any more"
            unkept += 1
    assert outcomes == {"one", "two"}
    assert unkept <= 5  # from the old file's rename on, until the new model is there
    assert flash.cut([], steps, writes + 1) is None


@pytest.mark.parametrize("trial", [[], ["boot", "confirm"]])
def test_a_loss_of_power_while_it_goes_back(flash, trial):
    two = flash.live(["learn:two"])[0]
    undone = flash.live(["learn:two", *trial, "undo"])[-1]
    assert undone["sha256"] == flash.one["sha256"]
    outcomes = set()
    for n in range(1, writes_of(undone) + 1):
        image = flash.cut(["learn:two", *trial], ["undo"], n)
        outcomes.add(check_after(flash, image, [flash.base, flash.one, two])[0])
    assert "one" in outcomes


def test_two_losses_of_power_in_a_row(flash):
    two = flash.live(["learn:two"])[0]
    last = writes_of(two)
    for first in (last // 2, last - 6, last - 4, last - 2, last):
        image = flash.cut([], ["learn:two"], first)
        for second in (1, 2, 3):
            again = image.with_name("again.bin")
            seen = flash.live([f"cut:{second}", "boot", "learn:two"], image, again)
            if seen[-1]["said"] == "cut":
                check_after(flash, again, [flash.base, flash.one, two])


def test_a_full_flash_changes_nothing(flash):
    outcomes = set()
    for free in range(40):
        before, after, gone, _ = flash.live(["boot", f"fill:{free}", "learn:long", "undo", "boot"])
        outcomes.add((what(after).partition(":")[0], after["samples"]))
        if what(after) != "learned":
            assert what(after) == "refused: 28"
            assert after["files"] == before["files"] and not after["trial"]
            assert gone["sha256"] == flash.base["sha256"]
        else:
            assert after["whole"] and after["label"] == "long" and after["trial"]
            assert gone["sha256"] == flash.one["sha256"]
    # Refused, learned without samples, and all of it
    assert outcomes == {("refused", 400), ("learned", 0), ("learned", 4000)}
