"""Cross-validation: nobody is judged by a model that has seen him, and the figures add up."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.cli.crossval import summary
from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.convert import write_folder
from host_tools.dataset.held_out import held_out
from host_tools.dataset.split import day_of, parts_by
from host_tools.errors import BeckonError
from host_tools.evaluation.confusions import Habit, habits
from host_tools.evaluation.evaluate import Tally
from host_tools.evaluation.span_accuracy import SpanResults
from host_tools.experiments import crossval
from host_tools.experiments import label_errors as wrong_labels
from host_tools.experiments.crossval import cross_validate, held_streams
from host_tools.paths import DEMO
from host_tools.training.recipe import choose


def hands(people="abc", each=3, seed=1):
    """A push along x and a turn about z, one recording each, and rest."""
    rng = np.random.default_rng(seed)
    out = []
    for person in people:
        for label in ("push", "turn", "none"):
            for k in range(each):
                x = rng.normal(0, 0.1, (150, 6))
                x[:, 2] += 9.8
                t = np.clip((np.arange(150) - 50) / 40, 0, 1)
                if label == "push":
                    x[:, 0] += 8 * np.sin(2 * np.pi * t)
                elif label == "turn":
                    x[:, 5] += 150 * np.sin(np.pi * t) ** 2
                out.append(Recording(f"{person}_{label}_{k}", x.astype(np.float32), 100.0,
                                     (Span(500, 900, label, person),), native_hz=100.0))
    return Dataset("hands", out)


def test_by_subject():
    data = hands("abcde")
    parts = parts_by(data, "subject", 3)
    assert sorted(i for p in parts for i in p) == list(range(len(data.recordings)))
    people = [{data.recordings[i].subject for i in p} for p in parts]
    assert sum(map(len, people)) == 5 and all(people)
    with pytest.raises(BeckonError, match="gestures of 5 subjects .* make no 6 parts"):
        parts_by(data, "subject", 6)


def test_people_without_gestures_are_dealt_out():
    data = hands("ab")
    idle = [r.with_spans([Span(0, 900, "none", f"n{i}")])
            for i, r in enumerate(hands("c", seed=2).recordings)]
    parts = parts_by(Dataset("d", data.recordings + idle), "subject", 2)
    assert sorted(len(p) for p in parts) == [9 + 4, 9 + 5]


def test_a_gesture_of_nobody_is_refused():
    data = hands("ab")
    data.recordings[0] = data.recordings[0].with_spans([Span(500, 900, "push", "")])
    with pytest.raises(BeckonError, match="a_push_0: its subject is not known"):
        parts_by(data, "subject", 2)


def test_by_day(tmp_path):
    data = hands("a", each=4)
    for i, r in enumerate(data.recordings):
        path = tmp_path / f"{r.name}.csv.gz"
        path.with_name(f"{r.name}.json").write_text(
            json.dumps({"utc_start": f"2026-05-0{1 + i % 2}T10:00:00.000Z"}))
        data.recordings[i] = Recording(**{**r.__dict__, "path": path})
    parts = parts_by(data, "day", 2)
    days = [{day_of(data.recordings[i]) for i in p} for p in parts]
    assert sorted(map(sorted, days)) == [["2026-05-01"], ["2026-05-02"]]
    (tmp_path / "a_push_0.json").write_text("[]")
    with pytest.raises(BeckonError, match="a_push_0.csv.gz: its day is not known"):
        parts_by(data, "day", 2)


def test_by_recording_keeps_runs_though_there_are_people():
    data = hands("ab", each=6)
    for part in parts_by(data, "recording", 3):
        assert {data.recordings[i].spans[0].label for i in part} == {"push", "turn", "none"}
        assert len(part) == 12


def test_training_sees_nothing_of_the_held_out(monkeypatch):
    """Every fold's training gets the other people only, and each part is judged once."""
    seen = []

    def train(known, recipe, show, budget):
        seen.append({r.subject for r in known.recordings})
        raise StopIteration

    monkeypatch.setattr(crossval, "train", train)
    for part in held_out(hands("ab"), 1, "subject", 2).parts:
        with pytest.raises(StopIteration):
            cross_validate([part], lambda known: choose(known, 100))
        assert not seen[-1] & {r.subject for r in part[1].recordings}
    assert sorted(map(sorted, seen)) == [["a"], ["b"]]


def test_the_command(tmp_path, capsys):
    write_folder(hands("ab", each=3), tmp_path / "d")
    assert main(["crossval", str(tmp_path / "d"), "--steps", "40", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    told = summary(figures)
    assert figures["by"] == "subject" and [f["held"] for f in figures["folds"]] in (
        [["a"], ["b"]], [["b"], ["a"]])
    assert figures["span"]["count"] == 18 == sum(f["span"]["count"] for f in figures["folds"])
    assert figures["events"]["truth"] == sum(f["events"]["truth"] for f in figures["folds"])
    right = sum(figures["span"]["confusion"][i][i] for i in range(len(figures["span"]["labels"])))
    assert figures["span"]["accuracy"] == pytest.approx(right / 18, abs=1e-6)
    assert told.index("events") < told.index("span accuracy") and "held out" in told
    assert "too little time for a rate per hour" in told and "weakest gesture: " in told
    assert set(figures["per_class"]) == {"push", "turn"}
    assert set(figures["per_subject"]) == {"a", "b"}
    for division in ("per_class", "per_subject"):
        for key in ("truth", "hits"):
            parts = [x["events"][key] for x in figures[division].values()]
            assert sum(parts) == figures["events"][key]
    assert figures["weakest"]["recall"] == min(
        x["events"]["recall"] for x in figures["per_class"].values())
    own = [p for p in figures["curve"] if p["threshold"] == 70]
    assert len(own) == 1 and figures["recall_at_false_per_hour"] == {
        "0.1": None, "0.6": None, "2": None}
    assert main(["crossval", str(tmp_path / "d"), "--by", "day"]) == 2
    assert "gestures of 0 days" in capsys.readouterr().err


def test_what_somebody_makes_otherwise():
    """Turned round by one person; others' mistakes, few or many ways, are no habit."""
    truth = ["left"] * 5 + ["right"] * 4 + ["up"] * 3 + ["none"] * 4 + ["left"] * 5
    found = ["right"] * 4 + ["left"] + ["left"] * 4 + ["down"] * 3 + ["up"] * 4
    found += ["none"] * 4 + ["right"]
    subject = ["a"] * 16 + ["b"] * 5
    assert habits(np.array(truth), np.array(found), np.array(subject)) == [
        Habit("a", "left", "right", 4, 5), Habit("a", "right", "left", 4, 4),
    ]


def test_streams_are_of_one_person_each_and_everyday_movement_is_heard_as_it_is():
    """Single gestures of two people, and ten minutes of a third one's day."""
    data = hands("ab", each=4)
    day = Recording("day", np.zeros((60_000, 6), np.float32), 100.0,
                    (Span(0, 599_990, "none", "n1"),))
    test = Dataset("d", [*data.recordings, day])
    streams = held_streams(test, choose(data, 100), np.random.default_rng(1))
    gestures = [r for r in streams if any(s.label != "none" for s in r.spans)]
    assert {r.name[:2] for r in gestures} == {"a/", "b/"}
    for r in gestures:
        assert {s.subject for s in r.spans} == {r.name[0]}
    for person in "ab":
        found = [s.label for r in gestures for s in r.spans if s.subject == person]
        assert found.count("push") == found.count("turn") >= 4
    others = [r.name for r in streams if all(s.label == "none" for s in r.spans)]
    assert others == ["day"]  # idle takes are too short


def test_spans_of_negatives_do_not_count(monkeypatch):
    model = SimpleNamespace(labels=("none", "push", "turn"))
    seen = []

    def judge(model, data):
        seen.append(sorted(r.name for r in data.recordings))
        spans = SpanResults(np.array([1]), np.array([1]), np.array(["a"]), np.array([90]), ())
        return SimpleNamespace(spans=spans, tally=Tally, model_bytes=1, streams=[], curve=[])

    monkeypatch.setattr(crossval, "train", lambda *_: SimpleNamespace(model=model))
    monkeypatch.setattr(crossval, "evaluate", judge)
    data = hands("ab", each=1)
    idle = [Recording(f"idle{i}", r.samples, 100.0, (Span(0, 900, "none", f"n{i}"),))
            for i, r in enumerate(hands("c", each=1, seed=2).recordings[:2])]
    one, other = (Dataset("d", data.recordings[a:b] + idle[k:k + 1])
                  for k, (a, b) in enumerate(((0, 3), (3, 6))))
    result = cross_validate([(other, one), (one, other)], lambda known: choose(known, 100),
                            negatives={"idle0", "idle1"})
    assert seen[0] == ["a_none_0", "a_push_0", "a_turn_0"] and seen[2][0] == "b_none_0"
    assert [f.held for f in result.folds] == [("a",), ("b",)]


def test_wrong_labels_are_sought_though_a_part_has_no_take(monkeypatch):
    monkeypatch.setattr(wrong_labels, "_STEPS", (2, 2))
    found = wrong_labels.label_errors(read_dataset(DEMO))  # 3 takes of each gesture, 5 parts
    assert len(found.judged) == 9 and {j.label for j in found.judged} == {"circle", "x", "y"}
