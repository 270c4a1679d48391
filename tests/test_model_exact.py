"""NumPy, CPython and MicroPython give the same integers for the same model and window."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from host_tools.evaluation.emulator import Piece, Windows, events_of
from host_tools.model import reference
from host_tools.model.codec import encode
from host_tools.model.golden import write_model
from host_tools.toolchain import micropython_command
from tests.random_models import random_frames, random_model

HERE = Path(__file__).parent
LIB = HERE.parent / "firmware" / "lib"


def run(command, script, *args, timeout_s=600):
    """The last line that the script prints under an interpreter."""
    path = f"{LIB}:{LIB.parent}"
    done = subprocess.run(
        [*command, str(HERE / "engine" / script), *map(str, args)],
        env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "PYTHONPATH": path},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


INTERPRETERS = {"MicroPython": micropython_command, "CPython": lambda: [sys.executable]}


def write_cases(folder, seeds):
    windows = 0
    for number, seed in enumerate(seeds):
        model = random_model(seed)
        frames = random_frames(model, seed)
        result = reference.run(model, frames)
        write_model(folder / f"{number}.mlp", model)
        (folder / f"{number}.frames").write_bytes(frames.tobytes())
        lines = [
            " ".join(map(str, [end, label, confidence, activity, *shares, *scores]))
            for end, scores, label, confidence, shares, activity in zip(*result, strict=True)
        ]
        (folder / f"{number}.expected").write_text("\n".join(lines))
        windows += len(lines)
    return windows


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_bit_exact(interpreter, tmp_path):
    windows = write_cases(tmp_path, range(200))
    said = run(INTERPRETERS[interpreter](), "compare.py", tmp_path, 200)
    assert said == f"200 models {windows} windows 0 different"


def life(model, seed):
    """int16 (n, 6): noise that swells and fades, so that shares and activity do, too."""
    rng = np.random.default_rng(seed + 2_000_000)
    fe = model.front_end
    n = min(6000, (fe.window + 300 * fe.hop) * fe.decimation)
    loud = np.repeat(rng.integers(0, 15, n // 25 + 1), 25)[:n, None]
    return (rng.integers(-32768, 32768, (n, 6)) >> loud).astype(np.int16)


def write_lives(folder, seeds):
    """Models with frames and gaps, and the events that `evaluate` finds there; how many."""
    events = 0
    for number, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        counting = bytes(int(rng.integers(low, high)) for low, high in
                         ((0, 60), (1, 5), (0, 4), (1, 5), (0, 9), (0, 4)))
        model = replace(random_model(seed), debounce=counting + bytes(2))
        frames = life(model, seed)
        n = int(rng.integers(0, 3))
        places = np.sort(rng.choice(np.arange(1, len(frames)), n, replace=False))
        gaps = [(int(at), int(rng.integers(1, 200))) for at in places]
        starts, index, pieces = [0, *places.tolist()], 0, []
        for i, part in enumerate(np.split(frames, places)):
            index += gaps[i - 1][1] if i else 0
            found = reference.run(model, part)
            pieces.append(Piece(index + starts[i] + found.end, found.label, found.confidence,
                                found.shares, found.activity))
        told = events_of(model, Windows(tuple(pieces)))
        write_model(folder / f"{number}.mlp", model)
        (folder / f"{number}.frames").write_bytes(frames.tobytes())
        (folder / f"{number}.gaps").write_bytes(np.array(gaps, np.int32).tobytes())
        (folder / f"{number}.events").write_text("\n".join(
            f"{e.t_ms:.0f} {model.labels.index(e.label)} {e.confidence} {e.label_confidence}"
            for e in told))
        events += len(told)
    return events


def test_the_recogniser_reports_what_evaluate_finds(tmp_path):
    """Through the firmware's ring buffer, recogniser and rules, over gaps, the heap locked."""
    events = write_lives(tmp_path, range(300))
    assert events > 500
    said = run(micropython_command(), "recognize.py", tmp_path, 300)
    assert said == f"300 models {events} events 0 different"


@pytest.mark.soak
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_bit_exact_on_ten_thousand(interpreter, tmp_path):
    windows = write_cases(tmp_path, range(10_000))
    assert windows > 10_000
    said = run(INTERPRETERS[interpreter](), "compare.py", tmp_path, 10_000)
    assert said == f"10000 models {windows} windows 0 different"


def small_models():
    """A dense one with a table, a convolution with pooling, a gated 6-bit one, one with all
    sections."""
    found = {}
    for seed in range(1000):
        model = random_model(seed, longest=5)
        size = len(encode(model))
        kind = None
        if size < 700 and any(x.pool > 1 for x in model.layers):
            kind = "convolution"
        if size < 700 and model.fast and any(model.front_end.gate):
            kind = "6 bits, gated"
        if size < 3000 and model.tables:
            kind = "table"
        every = model.activity and model.decision and model.unknown and model.activity.accel_mul
        if size < 1200 and every and len(model.layers) == 2 and not model.tables:
            kind = "all sections"
        if kind and kind not in found:
            found[kind] = model
        if len(found) == 4:
            return found
    raise AssertionError(found)


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("kind", ["convolution", "6 bits, gated", "table", "all sections"])
def test_broken_files_are_refused_or_run(interpreter, kind, tmp_path):
    """On CPython a read or write outside the engine's memory is an IndexError."""
    model = small_models()[kind]
    write_model(tmp_path / "m.mlp", model)
    step = 1 if interpreter == "MicroPython" and kind != "table" else 13
    said = run(INTERPRETERS[interpreter](), "fuzz.py", tmp_path / "m.mlp", step)
    refused, _, ran, _ = said.split()
    assert int(refused) > 0 and int(ran) > 0
