"""What `beckon bench learn` counts beside recall: everyday alarms, and reasons of misses."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.bench.board_learning.everyday import Everyday
from host_tools.bench.board_learning.misses import KINDS, misses
from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.evaluation.emulator import Board
from host_tools.model.golden import read_model, seal
from host_tools.paths import DATA, DEFAULT_MODEL
from host_tools.training.answers import Heard

MODEL = read_model(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def streams():
    return read_dataset(str(DATA / "gestures")).recordings[:2]


def with_row(model, k, bias):
    last = model.layers[-1]
    biases = last.bias.copy()
    biases[k] += bias
    return seal(replace(model, layers=(*model.layers[:-1], replace(last, bias=biases))))


def test_alarms_are_the_boards_events_of_the_model_as_it_is_and_with_another_last_layer(streams):
    life = Everyday(MODEL, streams)
    for model in (MODEL, with_row(MODEL, MODEL.labels.index("circle"), 6_000_000)):
        board = Board(model)
        found = sum(len(board.events(board.windows(r))) for r in streams)
        assert life.alarms(model) == found > 0


def test_a_miss_has_one_reason(streams):
    never = replace(MODEL, decision=replace(MODEL.decision, calm_windows=255))
    hard = replace(MODEL, decision=replace(MODEL.decision, threshold_percent=100, span=64))
    circle = with_row(MODEL, MODEL.labels.index("circle"), 30_000_000)
    for model, reason in ((never, "missed_held_back"), (hard, "missed_unsure"),
                          (circle, "missed_other")):
        heard = Heard.of(model, streams)
        counts = misses(model, heard)
        assert set(counts) == set(KINDS)
        assert sum(counts.values()) == np.count_nonzero(~heard.found(model.decision))
        assert counts[reason] == max(counts.values()) > 0, counts


def test_a_set_of_choosing_alone_is_refused_without_it(tmp_path, capsys):
    assert main(["bench", "learn", "--data", str(tmp_path), "--only", "letters2"]) == 2
    assert "--only letters2: it is a set of --choosing alone" in capsys.readouterr().err
