"""The benchmark of training: every variant trains, and the ratios are those of the rounds."""

import json
import math

import pytest

from host_tools.bench import training
from host_tools.cli.app import main


@pytest.mark.soak
def test_figures(monkeypatch, repository, capsys):
    monkeypatch.setattr(training, "SIZES", ((4, 10),))
    monkeypatch.chdir(repository)
    assert main(["bench", "training", "--windows", "256", "--epochs", "1", "--rounds", "1",
                 "--json"]) == 0
    (key, f), = json.loads(capsys.readouterr().out).items()
    assert key == "60-4-4" and f["windows"] == 256 and f["batch"] == 128
    assert math.isclose(f["updates_over_sklearn"], f["updates_ms"] / f["sklearn_ms"])
    assert math.isclose(f["fit_over_sklearn"], f["fit_ms"] / f["sklearn_ms"])
    assert "of it" in training.summary({key: f})


def test_a_faulty_option(capsys):
    assert main(["bench", "training", "--rounds", "0"]) == 2
    assert "--rounds must be at least 1" in capsys.readouterr().err
