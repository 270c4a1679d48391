"""From the examples of a gesture to its row of weights, checked, and to the new model."""

import asyncio
import gc
from array import array

from learning.layout import place_of
from learning.row import Row
from micropython import const

from ops.lazy import forget

# Natural logits, in tenths
_MARGIN = const(50)  # by which the gesture leads, and others do
_CAREFUL = const(3)  # taken off the new score, for the known gestures' sake
_FIRM = const(10)  # by which a known gesture's example must lead


async def learned_row(engine, model, examples, good, known, label):
    """(weights + 128, bias) of the gesture `label`.

    model: ModelFile. examples: Examples, with so many `good` repetitions. known: which label the
    model is sure of for each, or -1. Raises ValueError if it is not distinct from another one.
    """
    index = engine.labels.index(label) if label in engine.labels else -1
    unit = (1000 << model.logit_shift + 18) // (model.logit_mul * 693) >> model.shift
    unit = max(1, unit)  # of a score, for one natural logit
    biases = array("i", [bias >> model.shift for bias in model.biases()])
    margin = _MARGIN * unit // 10
    row = Row(examples, good, model.weights(), model.pitch, biases, margin, engine.idle, index)
    while row.step():
        await asyncio.sleep(0)
    weights, bias = row.finish(_CAREFUL * unit // 10)
    _check(engine, row, examples, good, known, label, index, unit)
    return weights, bias << model.shift


def _check(engine, row, examples, good, known, label, index, unit):
    labels = engine.labels
    lost = [0] * len(labels)
    counts = [0] * len(labels)
    for i in range(examples.count):
        lost[examples.labels[i]] += row.lead(i) > -_FIRM * unit // 10
        counts[examples.labels[i]] += 1
    for k in range(len(labels)):
        if k == engine.idle or k == index:
            continue
        if 2 * known.count(k) > good or counts[k] and 4 * lost[k] >= counts[k]:
            raise ValueError(
                "%r is too close to %r; make it more different, or learn more of %r itself"
                % (label, labels[k], labels[k])
            )
    found = [k for k in range(good) if row.own_lead(k) > 0]
    if 5 * len(found) < 3 * good:
        raise ValueError(
            "only %d of %d repetitions are distinct from what the model knows; make it "
            "longer, or more different" % (len(found), good)
        )


async def golden_score(engine, model, weights, bias):
    """The score that the golden window has with these weights (+ 128). Forgets the history."""
    engine.reset()
    frame = array("h", bytes(12))
    x = model.seed
    for i in range(engine.window * engine.decimation):
        for k in range(6):
            x ^= (x << 7) & 65535
            x ^= x >> 9
            x ^= (x << 8) & 65535
            frame[k] = (x - 32768) >> (i >> 3 & 3)
        engine.push(frame)
        if not i & 31:
            await asyncio.sleep(0)
    engine.infer()
    memory = engine.buffer
    at = place_of(engine, model.layers)
    for weight in weights:
        bias += (memory[at] | memory[at + 1] << 8) * (weight - 128)
        at += 2
    engine.reset()
    return bias


def loads(path):
    """See that the engine takes the model, if there is memory for a second one; else the next
    start does, and takes the old one back. Raises ValueError."""
    from microMLP_engine import Engine

    gc.collect()
    try:
        Engine.load(path)
    except MemoryError:
        pass
    finally:
        forget("microMLP_loader")
