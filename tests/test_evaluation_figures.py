"""Figures against cases worked by hand and against the literature's tables."""

import json
import math

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.cli.evaluate import summary
from host_tools.dataset import Dataset, Recording, Span
from host_tools.evaluation.alarms import false_alarms, samples_before
from host_tools.evaluation.details import Details
from host_tools.evaluation.emulator import Board, debounce_module, share_debounce_module
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.metrics import Tally, confusion, macro_f1, poisson_interval
from host_tools.evaluation.mistakes import event_mistakes, span_mistakes
from host_tools.evaluation.span_accuracy import label_number, span_results
from host_tools.model.golden import write_model
from host_tools.model.quantize import FloatLayer, quantise
from host_tools.plots.evaluation_page import _show, html_report
from host_tools.plots.svg import Plot, ticks
from host_tools.training.debounce_tuning import pack
from host_tools.training.features import describe
from host_tools.training.recipe import Recipe


@pytest.mark.parametrize("count, low, high", [
    (0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (20, 12.217, 30.888),
])
def test_poisson_interval(count, low, high):
    """Exact limits as tabled by Ulm 1990 (Am J Epidemiol 131, 373)."""
    found = poisson_interval(count)
    assert found[0] == pytest.approx(low, abs=2e-3) and found[1] == pytest.approx(high, abs=2e-3)


def test_macro_f1_by_hand():
    m = confusion(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), 3)
    assert m.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    # F1: 2*2/(3+3) = 2/3, 2*2/(2+3) = 4/5, 0
    assert macro_f1(m) == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)


def test_latency_percentiles_by_hand():
    """Of 0, 1, ... 100 ms half are at most 50 and 95 % at most 95, in any order."""
    tally = Tally(latencies_ms=[float(i * 37 % 101) for i in range(101)])
    assert tally.as_json()["latency_ms"] == {"p50": 50, "p95": 95}
    assert tally.latency_ms(0.9) == 90
    assert math.isnan(Tally().latency_ms(0.95))


def test_a_wrong_name_for_a_gesture_is_no_alarm():
    """The rate is per hour outside the gestures, so only events there count for it."""
    events = Tally(truth=5, hits=2, false=3, alarms=1, idle_s=1800.0).as_json()
    assert (events["missed"], events["false"], events["alarms"]) == (3, 3, 1)
    assert events["false_per_hour"] == 2
    assert events["false_per_hour_95"] == pytest.approx([2 * 0.0253, 2 * 5.572], abs=2e-3)


@pytest.fixture(scope="module")
def model():
    """Says "push" while the mean of ax over 8 frames is over 4 m/s^2, else none."""
    recipe = Recipe(rate_hz=50, decimation=2, window=8, labels=("none", "push"),
                    centre=(False, False), gain=(1.0, 1.0))
    weights = np.zeros((2, 48))
    weights[1, 0::6] = 50.0 / 8
    threshold = 50.0 * 4 / (4 * 9.80665)
    calibration = np.random.default_rng(1).integers(-32768, 32767, (64, 48)).astype(np.int16)
    return quantise([FloatLayer(weights, np.array([0.0, -threshold]))], describe(recipe),
                    recipe.labels, 0, calibration, debounce=pack(60, 2, 0, 3, 0))


def stream(*pushes, seconds=10.0, spans=(), name="s", subject="p"):
    """50 Hz; ax is 10 m/s^2 from a to b seconds for each push."""
    x = np.zeros((int(seconds * 50), 6), np.float32)
    x[:, 2] = 9.8
    for a, b in pushes:
        x[int(a * 50) : int(b * 50), 0] = 10
    spans = tuple(Span(a * 1000, b * 1000, label, subject) for a, b, label in spans)
    return Recording(name, x, 50.0, spans, native_hz=50.0)


def run(model, *recordings):
    return evaluate(model, Dataset("d", list(recordings)))


def test_events_and_latency(model):
    result = run(model, stream((2, 2.8), (5, 5.8), spans=[(2, 2.8, "push"), (5, 5.8, "push")]))
    events = result.as_json()["events"]
    assert (events["truth"], events["hits"], events["missed"], events["false"]) == (2, 2, 0, 0)
    # The mean passes 4 with the fourth frame inside: 160 ms; the second window makes the event
    assert events["latency_ms"]["p50"] == pytest.approx(200 - 20 - 800, abs=41)
    assert events["f1"] == 1 and events["false_per_hour"] == 0


def test_false_missed_and_hours(model):
    result = run(model, stream((2, 2.8), (7, 7.8), spans=[(4, 5, "push")], seconds=37))
    events = result.as_json()["events"]
    assert (events["hits"], events["missed"], events["false"]) == (0, 1, 2)
    assert events["idle_hours"] == pytest.approx(36 / 3600, abs=1e-6)
    assert events["false_per_hour"] == pytest.approx(200, rel=1e-4)
    low, high = events["false_per_hour_95"]
    assert low < 200 < high


def test_the_sensor_rests_before_and_after_a_recording(model):
    """A cut does not hide a gesture that the board would have told."""
    cut = stream((0.1, 0.3), (9.7, 9.9), seconds=9.9,
                 spans=[(0.1, 0.3, "push"), (9.7, 9.9, "push")])
    cut.samples[-1] = cut.samples[50]  # at rest again
    board = Board(model)
    times, labels, *_ = board.windows(cut).pieces[0]
    assert times[0] == 20 and times[-1] == pytest.approx(9900 + 1000, abs=40)
    assert labels[0] == labels[-1] == model.idle
    events = run(model, cut).as_json()["events"]
    assert (events["truth"], events["hits"], events["false"]) == (2, 2, 0)
    alone = stream(seconds=0.1)  # shorter than a window
    assert len(board.windows(alone)) == 27


def test_labels_the_model_does_not_know_are_no_gesture(model):
    result = run(model, stream((2, 2.8), spans=[(2, 3, "walk")]))
    assert result.as_json()["events"]["false"] == 1
    assert result.as_json()["span"]["count"] == 0
    assert "walk (1)" in result.notices[0]
    assert label_number(model, "no_motion") == model.idle


def test_no_window_spans_a_gap(model):
    whole = stream((2, 3), seconds=6)
    broken = Recording(**{**whole.__dict__, "gaps": ((105, 140),)})
    board = Board(model)
    assert len(board.windows(whole)) > len(board.windows(broken))
    pieces = board.windows(broken).pieces
    assert len(pieces) == 2 and pieces[1][0][0] >= 140 * 20 + 15 * 20


def test_a_span_is_judged_at_its_end(model):
    """The window ends with the span; what it lacks is what lies before, or the held edge."""
    board = Board(model)
    early = stream((0, 0.2), spans=[(0, 0.15, "push")], seconds=2)  # edge held: all push
    late = stream((1.0, 1.2), spans=[(1.1, 1.18, "push")], seconds=2)  # 200 of 320 ms are push
    short = stream((1.0, 1.06), spans=[(1.0, 1.06, "push")], seconds=2)  # 60 of 320 ms are
    assert span_results(board, Dataset("d", [early, late])).accuracy == 1
    assert span_results(board, Dataset("d", [short])).accuracy == 0


def test_error_ratio_is_the_articles(model):
    result = run(model, stream((2, 2.8), spans=[(2, 2.8, "push")]))
    assert result.error_ratios() == {"push": {"windows": 0.0, "events": 0.0}}


def test_the_debouncer_is_the_boards(repository):
    """The very file: its class comes from firmware/debounce.py."""
    import inspect

    firmware = repository / "firmware"
    counting, shares = debounce_module(), share_debounce_module()
    assert inspect.getsourcefile(counting.Debouncer) == str(firmware / "debounce.py")
    path = firmware / "recognition" / "share_debouncer.py"
    assert inspect.getsourcefile(shares.ShareDebouncer) == str(path)
    assert counting.NO_EVENT == shares.NO_EVENT


def test_the_hardest_mistakes_come_first(model):
    """A false event in a gesture's place and one outside; then missed, then repeated ones."""
    result = run(
        model,
        stream((2, 2.8), (3.2, 3.6), spans=[(2, 2.8, "push")], name="twice"),
        stream((2, 2.8), spans=[(5, 6, "push")], name="late"),
    )
    found = event_mistakes(result)
    assert [(m.recording, m.kind, m.truth, m.label) for m in found] == [
        ("late", "false", "", "push"), ("late", "missed", "push", ""),
        ("twice", "duplicate", "push", "push")]
    assert found[0].t_ms == pytest.approx(2200, abs=41) and found[1].t_ms == 5000
    wrong = span_mistakes(result)
    assert [(m.recording, m.truth, m.label) for m in wrong] == [("late", "push", "none")]
    assert wrong[0].confidence > 50
    page = html_report(result)
    assert "What the false alarms were" in page and "Ward" in page
    assert page.index("Wrong events") < page.index("Wrong spans") < page.index("<svg")


@pytest.mark.parametrize("low, high, most, wanted", [
    (0, 13.46, 8, [0, 2, 4, 6, 8, 10, 12]), (0, 100, 2, [0, 50, 100]),
    (-0.3, 0.3, 6, [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]), (1000.1, 1000.9, 2, [1000.5]),
])
def test_ticks_are_round(low, high, most, wanted):
    assert ticks(low, high, most) == wanted


def test_json_has_only_json(model):
    figures = run(model, stream(seconds=0.2)).as_json()  # too short for any window
    text = json.dumps(figures, allow_nan=False)
    assert json.loads(text)["events"]["latency_ms"] == {"p50": None, "p95": None}


@pytest.fixture
def folder(tmp_path, model):
    from host_tools.dataset.convert import write_folder

    recordings = [stream((2, 2.8), spans=[(2, 2.8, "push")], name="good"),
                  stream((2, 2.8), spans=[(6, 7, "push")], name="<bad>")]
    write_folder(Dataset("d", recordings), tmp_path / "set")
    write_model(tmp_path / "m.mlp", model)
    return tmp_path


def test_the_command(folder, capsys):
    page = folder / "r.html"
    command = ["evaluate", str(folder / "m.mlp"), str(folder / "set")]
    assert main([*command, "--json", "--report", str(page)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) >= {"span", "events", "model", "speed"}
    assert figures["events"]["hits"] == 1 and figures["events"]["false"] == 1
    assert math.isfinite(figures["speed"]["realtime_factor"])
    assert figures["model"]["bytes"] == (folder / "m.mlp").stat().st_size
    html = page.read_text()
    assert html.index(">&lt;bad&gt;, m") < html.index(">good, m")  # mistakes first, names escaped
    assert main(command) == 0
    assert "1 of 2 found" in capsys.readouterr().out


def test_a_rate_per_hour_is_given_for_long_enough_times_only(folder, capsys):
    """Half a minute says nothing about an hour; ten minutes say little, and how little."""
    assert main(["evaluate", str(folder / "m.mlp"), str(folder / "set")]) == 0
    said = capsys.readouterr().out
    assert "too little time for a rate per hour" in said and "95 %" not in said
    assert "2.00 per hour (95 %: 0.24 to 7.22)" in summary(_figures_of_an_hour())


def test_spans_are_counted_only_if_the_model_names_them_at_their_end():
    """One that waits for the rest after a gesture finds 9 of 9 and names 3 of 9 before it."""
    figures = _figures_of_an_hour()
    text = summary(figures)
    assert "9 of 9 named right" in text and text.index("found") < text.index("named")
    figures["span"] |= {"not_yet": 6, "accuracy": 1 / 3, "confusion": [[0, 0], [6, 3]]}
    text = summary(figures)
    assert "6 of 9 get their name only after the label's end" in text
    assert "0.333" not in text and "named right" not in text
    figures["span"]["count"] = 0
    assert "named" not in summary(figures)


def _figures_of_an_hour():
    counts = {"hits": 9, "truth": 9, "missed": 0, "false": 2, "duplicates": 0, "f1": 0.9,
              "idle_hours": 1.0, "false_per_hour": 2.0, "false_per_hour_95": [0.242, 7.225],
              "latency_ms": {"p50": 100, "p95": 200}}
    return {"events": counts, "span": {"count": 9, "accuracy": 1, "macro_f1": 1, "not_yet": 0,
                                        "confusion": [[0, 0], [0, 9]]},
            "model": {"bytes": 9}, "speed": {"realtime_factor": 1000}}


def test_a_damaged_model_writes_nothing(folder, capsys):
    path = folder / "m.mlp"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["evaluate", str(path), str(folder / "set"), "--report", str(folder / "j")]) == 1
    assert "CRC" in capsys.readouterr().err and not (folder / "j").exists()


def test_a_long_signal_keeps_its_peaks():
    y = np.zeros(100_000)
    y[54_321] = 1
    plot = Plot((0, 1), (0, 1))
    plot.signal(np.linspace(0, 1, len(y)), y, "#000")
    text = plot.text()
    assert len(text) < 40_000 and f"{float(plot.y(1)):.1f}" in text


def test_what_the_false_alarms_were(model):
    """A push where nothing is labelled, and one in a gesture of a label that is not known."""
    result = run(
        model, stream((2, 2.8), (6, 6.8), spans=[(2, 2.8, "push")], name="two"),
        stream((3, 3.8), spans=[(2.5, 4, "walk")], name="walk", subject="q"),
    )
    found = false_alarms(result)
    assert [(a.recording.name, a.label, a.activity, a.outside) for a in found] == [
        ("two", "push", "", True), ("walk", "push", "walk", True)]
    for a in found:
        assert a.nearest.label == "push" and a.nearest.recording.name == "two"
        assert a.nearest.alike and a.nearest.likeness > 0.8  # made the same way
    details = Details.of(result).as_json()
    assert details["false_alarms"]["reported"] == {"push": 2}
    assert details["false_alarms"]["activity"] == {"walk": 1}
    assert details["false_alarms"]["surest"][0]["nearest"]["recording"] == "two"
    assert details["ward"]["truth"]["correct"] == 1
    assert details["ward"]["reported"]["inserted"] == 2


def test_false_alarms_without_any_gesture_are_like_nothing(model):
    (alarm,) = false_alarms(run(model, stream((2, 2.8))))
    assert alarm.nearest is None and alarm.as_json()["nearest"] is None
    assert false_alarms(run(model, stream())) == []


def test_round_numbers_keep_their_zeros_on_the_page(model):
    """160 ms is not 16 ms."""
    assert _show(160.0, 0) == "160" and _show(0.5) == "0.5" and _show(1.0) == "1"


def test_a_window_beyond_the_recording_is_at_rest():
    r = stream((0, 1.0), seconds=1.0)
    r.samples[:, 5] = 30
    window = samples_before(r, 1500.0, 1000.0)
    assert len(window) == 50 and window[0, 5] == 30 and (window[-20:, 5] == 0).all()
    assert (window[-20:, 0] == r.samples[-1, 0]).all()


def test_the_curve_is_drawn_where_there_is_time_enough(model):
    """Twelve minutes with a gesture and alarms; half a minute says nothing about an hour."""
    long = stream((2, 2.8), (300, 300.8), spans=[(2, 2.8, "push")], seconds=720)
    page = html_report(run(model, long))
    assert "recall against false alarms per hour</text>" in page
    assert "too few hours to prove it" in page
    assert "are too little for a rate" in html_report(run(model, stream(spans=[(2, 3, "push")])))
    assert "Recall against" not in html_report(run(model, stream()))
