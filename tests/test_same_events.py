"""`simulate` and `evaluate` agree: the same events, at the same samples, with the same confidence.

One way leads through the sensor's registers and the firmware on MicroPython, the other
through NumPy. Recordings are written with the recorder's own writer, at the model's rate,
between rests that tremble by a count, as no sensor says the same for ever.
"""

from datetime import UTC, datetime

import numpy as np
import pytest

from host_tools.dataset.folder import read_dataset, read_recording
from host_tools.evaluation.emulator import Board, resting
from host_tools.model import reference
from host_tools.model.format import MEAN, Axis, FrontEnd, Model
from host_tools.model.golden import read_model, write_model
from host_tools.model.quantize import FloatLayer, quantise
from host_tools.mqtt.broker import embedded_broker
from host_tools.paths import DATA, DEFAULT_MODEL
from host_tools.recording.blocks import Block
from host_tools.recording.writer import Segment, write_recording
from host_tools.simulator.simulate import simulate
from host_tools.units import at_limit, counts_per_unit

SPEED = 40
REST_S = 4.0  # longer than a window and all that a debouncer remembers
DEBOUNCE = bytes([35, 3, 6, 3, 6, 0, 0, 0])
SETS = {  # folder: ranges and how many of its recordings are played, 20 in all
    "cyberry_wand_mpu6050": (4, 500, 8),
    "grwd_forearm": (2, 250, 5),
    "tkeyo_mpu6500_100hz": (2, 250, 4),
    "m5stick_gestures": (2, 250, 3),
}


def rest(counts, rng):
    """At rest as the first of counts says, with a tremor of a count, int16 (n, 6)."""
    out = resting(counts[:1], round(REST_S * 100))
    return np.clip(out + rng.integers(-1, 2, out.shape), -32768, 32767).astype(np.int16)


def written(folder, parts, model, seed):
    """Counts one after another, rests before, between and after, as a recording in a file."""
    rng = np.random.default_rng(seed)
    whole = [x for part in parts for x in (rest(part, rng), part)]
    counts = np.concatenate([*whole, rest(parts[-1][-1:], rng)])
    fe = model.front_end
    values = counts / counts_per_unit(fe.accel_g, fe.gyro_dps)
    blocks = [Block(0, values, at_limit(counts))]
    path = write_recording(folder, "played", blocks, Segment(0, len(counts), ()), float(fe.rate_hz),
                           {}, "", datetime.now(UTC))
    recording, _ = read_recording(path)
    assert (Board(model).raw(recording) == counts).all()  # what the board reads
    return path, recording


def both_ways(tmp_path, parts, model):
    """(events of the firmware, events of the evaluation) as (sample, label, confidence)."""
    tmp_path.mkdir(exist_ok=True)
    path, recording = written(tmp_path, parts, model, seed=1)
    board = Board(model)
    period_ms = 1000 / model.front_end.rate_hz
    evaluated = [(round(e.t_ms / period_ms), e.label, e.confidence)
                 for e in board.events(board.windows(recording))]
    write_model(tmp_path / "model.mlp", model)
    with embedded_broker() as broker:
        outcome = simulate(path, tmp_path / "model.mlp", broker, speed=SPEED)
    simulated = [(round(e["t_ms"] / period_ms), e["event_type"], e["confidence"])
                 for e in outcome.events]
    assert outcome.counters["samples_lost"] == 0
    return simulated, evaluated


def fitted(data, accel_g, gyro_dps):
    """A linear model of a set's classes: ridge regression on windows at the spans' ends."""
    axes, rate_hz, decimation = data.axes, 100, 4
    scale = tuple(Axis(i, 0, 8192, 15) for i in range(axes))
    fe = FrontEnd(rate_hz, accel_g, gyro_dps, scale, decimation, 25, 1, (1 << axes) - 1,
                  (0, 0), (0, 0), (0, 0), MEAN, None)
    labels = ("none", *sorted(set(data.labels) - {"none", "no_motion", "idle"}))
    shell = Model(fe, (), labels, 0, 1, 1)
    values, truth = [], []
    for r in data.recordings:
        raw = Board(shell).raw(r)
        found = reference.features(fe, np.concatenate([resting(raw[:1], 96), raw]))
        label = r.spans[0].label
        at = len(found.values) - np.array([1, 3, 5, 18, 20, len(found.values)])
        values.append(found.values[at])
        known = labels.index(label) if label in labels else 0
        truth += [known] * 3 + [0] * 3
    x = np.concatenate(values).astype(float) / 32768
    y = np.eye(len(labels))[truth]
    gram = x @ x.T + 1e-2 * np.trace(x @ x.T) / len(x) * np.eye(len(x))
    weights = 12 * (x.T @ np.linalg.solve(gram, y - y.mean(axis=0))).T
    bias = 12 * y.mean(axis=0)
    calibration = np.rint(x * 32768).astype(np.int16)
    return quantise([FloatLayer(weights, bias)], fe, labels, 0, calibration, debounce=DEBOUNCE)


@pytest.mark.parametrize("name", SETS)
def test_firmware_and_evaluation_agree_on_recordings(tmp_path, shared_data, name):
    accel_g, gyro_dps, count = SETS[name]
    data = read_dataset(shared_data / name)
    every = max(1, len(data.recordings) // 60)
    data.recordings = data.recordings[::every]
    model = fitted(data, accel_g, gyro_dps)
    board = Board(model)
    chosen = sorted(data.recordings, key=lambda r: len(r.samples))[:: len(data.recordings) // count]
    simulated, evaluated = both_ways(tmp_path, [board.raw(r) for r in chosen[:count]], model)
    assert simulated == evaluated
    assert len(evaluated) >= count // 2


def test_firmware_and_evaluation_agree_on_the_demo(tmp_path):
    model = read_model(DEFAULT_MODEL)
    (recording,) = read_dataset(DATA / "demo").recordings
    simulated, evaluated = both_ways(tmp_path, [Board(model).raw(recording)], model)
    assert simulated == evaluated
    assert len(evaluated) == 9
