"""Run model files over frames with gaps through ring buffer and recogniser; compare the events.

    micropython recognize.py FOLDER COUNT

FOLDER has N.mlp, N.frames (int16, six per frame), N.gaps (int32 pairs: the frame before which
samples are lost, and how many) and N.events for N below COUNT: a line for each event with the
index of its sample, the label, its confidence and that of the label.
"""
import sys
from array import array

from micropython import heap_lock, heap_unlock

from microMLP_engine import Engine
from recognition.recognizer import EMPTY, Recognizer
from sensing.ring_buffer import RingBuffer

AT_ONCE = 20  # frames that the sampler moves


def events(recognizer, ring, frames, gaps):
    """(index, label, confidence, label confidence) of each event; the recogniser's heap locked."""
    row = array("h", bytes(12))
    count = len(frames) // 6
    at = 0
    while at < count:
        for _ in range(min(AT_ONCE, count - at)):
            if at in gaps:
                ring.gap(gaps[at])
            for k in range(6):
                row[k] = frames[6 * at + k]
            ring.push(row)
            at += 1
        label = 0
        while label != EMPTY:
            heap_lock()
            label = recognizer.step(ring)
            heap_unlock()
            if label >= 0:
                r = recognizer
                yield f"{r.index} {label} {r.confidence} {r.label_confidence}"


def main(folder, count):
    total = different = 0
    for n in range(count):
        name = f"{folder}/{n}"
        with open(name + ".frames", "rb") as file:
            frames = array("h", file.read())
        with open(name + ".gaps", "rb") as file:
            pairs = array("i", file.read())
        gaps = {pairs[i]: pairs[i + 1] for i in range(0, len(pairs), 2)}
        with open(name + ".events") as file:
            expected = file.read().splitlines()
        recognizer = Recognizer(Engine.load(name + ".mlp"))
        got = list(events(recognizer, RingBuffer(32), frames, gaps))
        total += len(expected)
        if got != expected or recognizer.gaps != len(gaps):
            different += 1
            print("model", n, "gives", got[:3], "not", expected[:3])
    print(count, "models", total, "events", different, "different")


main(sys.argv[1], int(sys.argv[2]))
