"""Studio's training without a browser: a run, its end, what is made of the result."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from host_tools.dataset import read_dataset
from host_tools.dataset.held_out import held_out
from host_tools.dataset.labels import Row
from host_tools.errors import BeckonError
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.matching import FALSE, HIT
from host_tools.model.golden import read_model
from host_tools.paths import DATA, DEFAULT_MODEL, DEMO
from host_tools.simulator.synthesis.generate import generate, write_folder
from host_tools.studio.train import job
from host_tools.studio.train.history import History
from host_tools.studio.train.job import TrainChoice, recipe_of, train_and_judge
from host_tools.studio.train.session import MISSED, Settings, TrainSession
from host_tools.studio.train.warnings import from_labels, shown
from host_tools.training.calibrate import Calibration
from host_tools.training.train import Report, Trained
from tests import waiting


@pytest.fixture(scope="module")
def gestures(tmp_path_factory):
    """Four of the synthetic people, one gesture recording each."""
    folder = tmp_path_factory.mktemp("data") / "gestures"
    (folder / "recordings").mkdir(parents=True)
    names = ("p1-1", "p1-2", "p1-3", "p1-4")
    for name in names:
        shutil.copy(DATA / "gestures" / "recordings" / f"{name}.csv.gz", folder / "recordings")
    rows = (DATA / "gestures" / "labels.csv").read_text().splitlines()
    mine = [row for row in rows[1:] if row.split(",")[0] in names]
    (folder / "labels.csv").write_text("\n".join([rows[0], *mine]) + "\n")
    return str(folder)


def run(session, until=lambda s: False):
    """Train until it ends or `until(session)`; the states on the way."""
    states = []

    def there():
        if not session.progress.running or until(session):
            return True
        session.poll()
        if not states or states[-1] != session.progress.state:
            states.append(session.progress.state)
        return False

    waiting.until(there, "the end of the training", timeout_s=600)
    return states


@pytest.fixture(scope="module")
def trained(gestures):
    session = TrainSession()
    session.train(TrainChoice((gestures,), steps=40))
    states = run(session)
    assert states[-1] == "done", session.progress.fault
    return session, states


def test_a_run_from_data_to_figures(trained):
    session, states = trained
    assert [s for s in states if s != "tuning"] == ["reading", "training", "judging", "done"]
    p = session.progress
    assert p.step == p.steps == 40 and p.losses[-1][0] == 40
    assert "4 recordings" in p.about and session.about.startswith("Trained on 4 recordings")
    assert session.held and session.source == "A new model"
    names = [s.recording.name for s in session.evaluation.streams]
    assert sorted(names) == ["p1-1", "p1-2", "p1-3", "p1-4"]  # each once, by who did not see it
    assert len(names) == p.judged == p.judge_of
    assert [(f.number, f.parts) for f in p.parts] == [(1, 3), (2, 3), (3, 3)]
    assert sum(f.truth for f in p.parts) == session.evaluation.tally().truth == 60
    assert "people in turn" in session.judged.divided == p.divided
    assert any(line.startswith("found: ") for line in session.judged.outlook)


@pytest.fixture(scope="module")
def afternoon(tmp_path_factory):
    """The first afternoon: a guided sitting, a gesture after the other, and a none recording."""
    folder = tmp_path_factory.mktemp("data") / "afternoon"
    (take,) = generate(31, 1, 6, 1.2)
    order = sorted(take.spans, key=lambda s: s[2])
    cut = [(start - 300, end + 700, label) for start, end, label in order]
    period_ms = 1000 / 100
    pieces = [take.values[round(a / period_ms) : round(b / period_ms)] for a, b, _ in cut]
    spans, at = [], 0
    for x, (_, _, label) in zip(pieces, cut, strict=True):
        spans.append((at + 300, at + round(len(x) * period_ms) - 700, label))
        at += round(len(x) * period_ms)
    sitting = replace(take, name="sitting", subject="", values=np.concatenate(pieces), spans=spans)
    still = np.tile(np.float32([0, 0, 9.81, 0, 0, 0]), (4000, 1))
    still += np.random.default_rng(1).normal(0, 0.05, still.shape)
    none = replace(take, name="none", subject="", values=still, spans=[(0, 39_990, "none")])
    write_folder([sitting, none], folder)
    return str(folder)


@pytest.fixture(scope="module")
def first_day(afternoon):
    """A short training, in this process; its result is kept as of a child process."""
    session, reports = TrainSession(), []
    session.history = History(Path(afternoon) / "models")
    with pytest.MonkeyPatch.context() as patch:
        whole = job.recipe_of
        patch.setattr(job, "recipe_of", lambda *a: replace(whole(*a), draws=300))
        judged = train_and_judge(reports.append, TrainChoice((afternoon,), steps=30))
    session._next = "A new model", (afternoon,)
    for report in reports:
        session._apply_report(report)
    session._keep_result(judged)
    session.progress.state = "done"
    return session


def test_one_sitting_is_judged_by_takes_that_were_left_out(first_day, afternoon):
    """Each of its gestures, and the recording without any is learned from and judged, too."""
    session = first_day
    found = session.evaluation
    assert session.held and session.judged.unjudged == ()
    assert "none 1" in session.about and "of the takes in turn" in session.judged.divided
    assert found.tally().truth == 18
    assert Counter(g.label for s in found.streams for g in s.gestures) == dict.fromkeys(
        ("circle", "x", "y"), 6)
    assert sum(s.recording.seconds for s in found.streams
               if s.recording.name == "none") == pytest.approx(40)
    pieces = session.streams("sitting")
    assert len(pieces) == 9 and all(s.recording.start_ms >= 0 for _, s in pieces)
    labels = [(s.start_ms, s.label) for r in read_dataset(afternoon).recordings for s in r.spans]
    judged = [(g.start_ms, g.label) for _, s in pieces for g in s.gestures]
    assert set(judged) <= set(labels)  # on the recording's own clock
    times = [h.t_ms for h in session.happenings("sitting")]
    assert times == sorted(times)
    wrong = session.happenings(wrong=True)
    for h in wrong[:3]:
        start, end = session.span_of(h)
        assert start < end and session.why(h) and len(session.shares(h).t_ms) > 20


def test_the_history_of_the_project(first_day, tmp_path):
    t = first_day.evaluation.tally()
    (entry,) = first_day.history.entries()
    assert (entry.takes, entry.labels, entry.split) == (18, 3, "take")
    assert (entry.found, entry.of, entry.false, entry.twice) == (
        t.hits, t.truth, t.false, t.duplicates)
    assert entry.model == first_day.model.model_id and entry.saved == ""
    first_day.apply(Settings(threshold_percent=99))
    assert first_day.model.model_id != entry.model
    first_day.save(tmp_path / "wand.mlp")
    first_day.apply(first_day.tuned)
    assert first_day.model.model_id == entry.model
    assert [e.saved for e in first_day.history.entries()] == ["wand.mlp"]
    first_day.history.add(replace(entry, found=3))  # the same data and seed again
    assert [e.found for e in first_day.history.entries()] == [3]
    path = tmp_path / "history.json"
    for broken in ("", "[1]", '{"a": 1}', '[{"model": "x"}]'):
        path.write_text(broken)
        assert History(tmp_path).entries() == []


def test_what_the_labels_alone_tell():
    def rows(*spans):
        return {"one": [Row(0, 1, label, who) for label, who in spans]}

    assert from_labels(rows(("none", ""))) == ["Nothing is labelled as a gesture yet."]
    few, quiet = from_labels(rows(*[("x", "")] * 3, *[("y", "")] * 12))
    assert few.startswith("Few takes of x (3).") and "no gesture" in quiet
    (nobody,) = from_labels({**rows(*[("x", "anna")] * 10, ("none", "")),
                             "two": [Row(0, 1, "x", "")]})
    assert nobody.startswith("Nobody is named in two.")
    assert shown(["/home/me/p/labels.csv:2: the only one; fix it"] * 2, Path("/home/me/p")) == [
        "Labels.csv:2: the only one; fix it."]


def test_judging_the_parts_again_keeps_them(first_day):
    before = first_day.evaluation.tally()
    first_day.judge_again()
    run(first_day)
    assert first_day.progress.state == "done", first_day.progress.fault
    assert first_day.held and first_day.evaluation.tally().as_json() == before.as_json()


def test_too_little_to_judge_gives_a_model_and_no_figures(tmp_path, monkeypatch):
    """Two gestures with a take each and one with two: only that one could be judged."""
    (take,) = generate(32, 1, 2, 1.2)
    labels = [s[2] for s in take.spans]
    kept = [s for i, s in enumerate(take.spans) if s[2] == "x" or labels.index(s[2]) == i]
    write_folder([replace(take, name="few", spans=kept[:4])], tmp_path / "few")
    data = read_dataset(tmp_path / "few")
    split = held_out(data, 1)
    assert split.by == "take" and split.unjudged == ("circle", "y")
    write_folder([replace(take, name="one", spans=[s for s in kept if s[2] != "x"])],
                 tmp_path / "one")
    made = read_model(DEFAULT_MODEL)
    monkeypatch.setattr(job, "train", lambda *arguments: Trained(
        made, recipe_of(data, TrainChoice(())), Calibration()))
    result = train_and_judge(lambda report: None, TrainChoice((str(tmp_path / "one"),)))
    assert result.evaluation is None and not result.held and result.parts == ()
    assert result.outlook[0].startswith("too little to judge")
    assert result.unjudged == ("circle", "y")


def test_the_line_of_the_loss_is_near_the_loss():
    """Of a training with few reports, too: at each moment within a tenth of what it says."""
    for count in (5, 50, 400):
        session = TrainSession()
        for i in range(count):
            session._apply_report(Report(16 * (i + 1), 16 * count, 1.3 * np.exp(-3 * i / count)))
        for _, loss, mean in session.progress.losses:
            assert 1 <= mean / loss < 1.16


def test_the_settings_are_the_model_s_and_followed_at_once(trained, tmp_path):
    session, _ = trained
    before = session.version
    first = session.settings
    assert first == session.tuned and first.decision == session.evaluation.model.decision
    session.apply(first)
    assert session.version == before
    session.apply(Settings(100, 30, 10, 0, 40, 75))
    assert session.version == before + 1 and session.evaluation.tally().hits == 0
    size = session.save(tmp_path / "models" / "one.mlp")
    model = read_model(tmp_path / "models" / "one.mlp")
    assert Settings.of(model) == session.settings
    assert size == (tmp_path / "models" / "one.mlp").stat().st_size
    with pytest.raises(ValueError):
        session.apply(Settings(span=0))
    session.apply(first)


def test_stopping_leaves_what_was_there_and_nothing_half_written(trained, gestures):
    session, _ = trained
    result = session.evaluation
    session.train(TrainChoice((gestures,), steps=50_000))
    with pytest.raises(BeckonError, match="stop it first"):
        session.train(TrainChoice((gestures,)))
    run(session, until=lambda s: len(s.progress.losses) > 1)
    assert session.progress.left_s > 0
    session.stop()
    assert session.progress.state == "stopped"  # and not done: of so many steps
    assert session.evaluation is result
    session.stop()


def test_faults_are_one_line(tmp_path):
    session = TrainSession()
    session.train(TrainChoice((str(tmp_path / "nothing"),)))
    run(session)
    assert session.progress.state == "failed" and "no such folder" in session.progress.fault
    (tmp_path / "bad.mlp").write_bytes(DEFAULT_MODEL.read_bytes()[:-5])
    session.judge(tmp_path / "bad.mlp", (str(DEMO),))
    run(session)
    assert session.progress.state == "failed" and "bad.mlp" in session.progress.fault
    with pytest.raises(BeckonError, match="train one first"):
        session.save(tmp_path / "x.mlp")
    with pytest.raises(BeckonError, match="steps 0"):
        session.train(TrainChoice(("x",), steps=0))


@pytest.fixture(scope="module")
def judged():
    session = TrainSession()
    session.judge(DEFAULT_MODEL, (str(DEMO),))
    run(session)
    assert session.progress.state == "done", session.progress.fault
    return session


def test_a_model_that_is_there_is_judged_as_evaluate_does(judged):
    expected = evaluate(read_model(DEFAULT_MODEL), read_dataset(DEMO)).as_json()
    told = judged.evaluation.as_json()
    assert told["events"] == expected["events"] and told["span"] == expected["span"]
    assert not judged.held and judged.source == "model.mlp"


def test_what_happened_and_why(judged):
    happenings = judged.happenings()
    assert [h.kind for h in happenings] == [HIT] * 9
    assert "the label's end" in judged.why(happenings[0])
    around = judged.shares(happenings[0])
    at = int(np.argmin(np.abs(around.t_ms - happenings[0].t_ms)))
    labels = judged.evaluation.model.labels
    assert labels[around.percent[at].argmax()] == happenings[0].label
    start, end = judged.span_of(happenings[0])
    gesture = judged.evaluation.streams[0].gestures[0]
    assert abs(start - gesture.start_ms) < 400 and abs(end - gesture.end_ms) < 400
    assert judged.happenings(wrong=True) == []
    judged.apply(Settings(100, 30, 10, 0))
    missed = judged.happenings(wrong=True)
    assert [h.kind for h in missed] == [MISSED] * 9
    assert "the mean of 30 must reach that" in judged.why(missed[0])
    assert len(judged.shares(missed[0]).t_ms) > 50
    judged.apply(judged.tuned)


def test_judging_again_sees_labels_that_changed(tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    session = TrainSession()
    session.judge(DEFAULT_MODEL, (str(folder),))
    run(session)
    rows = (folder / "labels.csv").read_text().splitlines()
    (folder / "labels.csv").write_text("\n".join(rows[:1] + rows[2:]) + "\n")
    session.judge_again()
    run(session)
    assert [h.kind for h in session.happenings(wrong=True)] == [FALSE]
    assert "nothing is labelled here" in session.why(session.happenings(wrong=True)[0])


def test_a_window_that_is_chosen_by_hand():
    data = read_dataset(DEMO)
    recipe = recipe_of(data, TrainChoice((), window_ms=1000, steps=7, rate_hz=50))
    assert (recipe.window_s, recipe.steps, recipe.rate_hz) == (1.0, 7, 50)
    with pytest.raises(BeckonError, match="window of 250 ms"):
        recipe_of(data, TrainChoice((), window_ms=250))


def test_a_split_that_cannot_be_is_refused_before_the_training():
    with pytest.raises(BeckonError, match="divided by subject"):
        train_and_judge(lambda report: None, TrainChoice((str(DEMO),), split="subject"))
    with pytest.raises(BeckonError, match="choose one of subject"):
        TrainChoice((str(DEMO),), split="moon").check()
