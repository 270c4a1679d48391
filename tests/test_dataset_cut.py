"""Spans that repeat a gesture: one rule for what goes on, cut into takes, and back."""

import numpy as np
import pytest

from host_tools.augment.continuing import continuing_in
from host_tools.cli.app import main
from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.cut import cut_span
from host_tools.evaluation.matching import judge, missed
from host_tools.evaluation.metrics import Tally
from host_tools.training.recipe import choose

RATE = 50.0


def repeated(period_s, rest_s=0.0, seconds=10.0, gyro=True, seed=1):
    """A gesture of two unequal strokes that is made again and again."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    x = rng.normal(0, 0.1, (len(t), 6))
    x[:, 2] += 9.81
    phase = t % (period_s + rest_s) / period_s
    inside = phase < 1
    wave = np.where(inside, np.sin(np.pi * phase) ** 2 * np.sin(2 * np.pi * phase), 0)
    x[:, 0] += 9 * wave * (1 + 0.05 * rng.normal(size=len(t)))
    x[:, 1] += 5 * np.where(inside, np.sin(np.pi * phase) ** 4, 0)
    x[:, 3:] += rng.normal(0, 2, (len(t), 3))
    x[:, 4] += 150 * wave
    return x.astype(np.float32) if gyro else x[:, :3].astype(np.float32)


@pytest.mark.parametrize("gyro", [True, False])
@pytest.mark.parametrize("period_s, rest_s", [(0.8, 0), (1.25, 0), (2.0, 0), (1, 1), (0.8, 0.5)])
def test_takes_are_as_many_as_were_made(period_s, rest_s, gyro):
    takes = cut_span(repeated(period_s, rest_s, gyro=gyro), RATE)
    made = 10 / (period_s + rest_s)
    assert abs(len(takes) - made) <= 1
    lengths = np.array([b - a for a, b in takes]) / RATE
    assert 0.75 * period_s < np.median(lengths) < 1.1 * (period_s + rest_s)
    assert all(a[1] <= b[0] for a, b in zip(takes, takes[1:], strict=False))
    if not rest_s:  # nothing is left over: it would count as no gesture
        assert takes[0][0] == 0 and takes[-1][1] == round(10 * RATE)


def test_what_does_not_repeat_is_not_cut():
    once = repeated(3.0, 7.0)
    assert len(cut_span(once, RATE)) < 2
    noise = np.random.default_rng(3).normal(0, 3, (500, 6)).astype(np.float32)
    noise = np.cumsum(noise, axis=0)
    assert len(cut_span(noise, RATE)) < 2


def recordings(seconds=10.0):
    return [Recording(f"{label}_{k}", repeated(p, seconds=seconds, seed=k), RATE,
                      (Span(0, 1000 * seconds - 20, label, "a"),), native_hz=RATE)
            for label, p in (("circle", 1.0), ("shake", 0.5)) for k in range(3)]  # fmt: skip


def test_training_and_evaluation_take_the_same_for_going_on():
    for seconds in (10.0, 5.5, 6.5, 3.0):
        data = Dataset("d", recordings(seconds))
        assert choose(data, 50).continuing == continuing_in(data)
    assert continuing_in(Dataset("d", recordings(10.0))) == ("circle", "shake")
    assert continuing_in(Dataset("d", recordings(5.5))) == ()


class Event:
    def __init__(self, t_ms, label):
        self.t_ms, self.label = t_ms, label


def test_a_movement_that_goes_on_has_no_latency_and_no_repeated_events():
    spans = [Span(0, 10_000, "circle"), Span(20_000, 20_500, "tap")]
    events = [Event(900, "circle"), Event(3000, "circle"), Event(4000, "tap"),
              Event(20_600, "tap"), Event(20_700, "tap")]
    verdicts, left = judge(spans, events, ("circle",))
    tally = Tally.of(2, verdicts, 0.0)
    assert (tally.hits, tally.duplicates, tally.false) == (2, 1, 1) and left == ()
    assert tally.latencies_ms == [100.0]
    before, _ = judge(spans, events)
    assert Tally.of(2, before, 0.0).latencies_ms == [-9100.0, 100.0]
    assert missed([(0, 1, "a")], []) == [0]


def folder(path, seconds=10.0):
    (path / "recordings").mkdir(parents=True)
    lines = ["recording,start_ms,end_ms,label,subject,note"]
    for r in recordings(seconds):
        rows = [f"{1000 * i / RATE:.0f}," + ",".join(f"{v:.4f}" for v in row)
                for i, row in enumerate(r.samples)]  # fmt: skip
        text = "t_ms,ax,ay,az,gx,gy,gz\n" + "\n".join(rows) + "\n"
        (path / "recordings" / f"{r.name}.csv").write_text(text)
        lines.append(f"{r.name},0,{1000 * seconds - 20:g},{r.spans[0].label},a,kept")
    (path / "labels.csv").write_text("\n".join(lines) + "\n")
    return path


def test_cut_and_undo(tmp_path, capsys):
    data = folder(tmp_path / "set")
    before = (data / "labels.csv").read_bytes()
    assert main(["data", "cut", str(data), "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert (data / "labels.csv").read_bytes() == before and len(list(data.iterdir())) == 2
    assert main(["data", "cut", str(data)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("6 spans of circle, shake -> ") and "--undo" in said.err
    cut = read_dataset(data)
    counts = {k: sum(s.label == k for r in cut.recordings for s in r.spans) for k in cut.labels}
    assert 27 <= counts["circle"] <= 33 and 54 <= counts["shake"] <= 66
    assert continuing_in(cut) == ()
    lines = (data / "labels.csv").read_text().splitlines()
    assert lines[0].endswith(",note") and all(line.endswith(",a,kept") for line in lines[1:])
    assert main(["data", "cut", str(data), "--undo"]) == 0
    assert (data / "labels.csv").read_bytes() == before and len(list(data.iterdir())) == 2
    assert main(["data", "cut", str(data), "--undo"]) == 1
    assert "nothing to undo" in capsys.readouterr().err


def test_what_there_is_not_to_cut(tmp_path, capsys):
    data = folder(tmp_path / "set", 3.0)
    assert main(["data", "cut", str(data)]) == 1
    assert "nothing to cut; name labels with --label" in capsys.readouterr().err
    assert main(["data", "cut", str(data), "--label", "wave"]) == 2
    assert "there are circle, shake" in capsys.readouterr().err
    assert main(["data", "cut", str(data), "--label", "circle"]) == 0  # by hand, 3 s are enough
