"""Run model files over frames with the engine; print what differs from what is expected.

    micropython compare.py FOLDER COUNT

FOLDER has N.mlp, N.frames (int16, six a frame) and N.expected for N below COUNT: a line
for each window with the frame's index, the label, the confidence, the activity, the shares
and the scores.
"""
import sys
from array import array

from microMLP_engine import Engine

try:
    from micropython import heap_lock, heap_unlock
except ImportError:  # CPython, whose heap cannot be locked

    def heap_lock():
        pass

    heap_unlock = heap_lock


def lines(engine, frames):
    for i in range(0, len(frames), 6):
        frame = frames[i:i + 6]
        heap_lock()
        label = percent = 0
        due = engine.push(frame)
        if due:
            label = engine.infer()
            percent = engine.confidence
            shares = engine.shares
            activity = engine.activity
        heap_unlock()
        if due:
            numbers = [i // 6, label, percent, activity] + list(shares) + list(engine.scores)
            yield " ".join(str(n) for n in numbers)


def main(folder, count):
    windows = different = 0
    for n in range(count):
        name = f"{folder}/{n}"
        with open(name + ".frames", "rb") as file:
            frames = array("h", file.read())
        with open(name + ".expected") as file:
            expected = file.read().splitlines()
        try:
            got = list(lines(Engine.load(name + ".mlp"), frames))
        except ValueError as e:
            got = [str(e)]
        windows += len(expected)
        if got != expected:
            different += 1
            print("model", n, "gives", got[:2], "not", expected[:2])
    print(count, "models", windows, "windows", different, "different")


main(sys.argv[1], int(sys.argv[2]))
