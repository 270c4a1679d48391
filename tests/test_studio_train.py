"""Studio's training without a browser: a run, its end, what is made of the result."""

import shutil

import numpy as np
import pytest

from host_tools.dataset import read_dataset
from host_tools.errors import BeckonError
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.matching import FALSE, HIT
from host_tools.model.golden import read_model
from host_tools.paths import DATA, DEFAULT_MODEL, DEMO
from host_tools.studio.train import job
from host_tools.studio.train.job import ALL, TrainChoice, recipe_of, train_and_judge
from host_tools.studio.train.session import MISSED, Settings, TrainSession
from host_tools.training.train import Trained
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
    assert "3 recordings" in p.about and session.about.startswith("Trained on 3 recordings")
    assert session.held and session.source == "A new model"
    judged = {s.recording.name for s in session.evaluation.streams}
    assert len(judged) == 1  # a quarter
    assert len(session.evaluation.streams) == p.judged == p.judge_of


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


def test_too_few_recordings_to_leave_some_out(tmp_path):
    with pytest.raises(BeckonError, match="too few recordings"):
        train_and_judge(lambda report: None, TrainChoice((str(DEMO),)))


def test_all_of_the_data_is_trained_on_and_judged(monkeypatch):
    """The training itself is not run again."""
    made = read_model(DEFAULT_MODEL)
    monkeypatch.setattr(job, "train", lambda data, recipe, report, budget: Trained(
        made, recipe, None))
    judged = train_and_judge(lambda report: None, TrainChoice((str(DEMO),), judge=ALL))
    assert not judged.held and len(judged.evaluation.streams) == 1
