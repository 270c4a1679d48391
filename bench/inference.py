"""One variant of an inference under MicroPython, timed on demand.

    micropython inference.py engine FILE.mlp
    micropython inference.py KIND 300 16 4

KIND: predict or learn, of a fully connected MicroMLP; objects or objects_learn, of one wired
by hand; connections or connections_learn, of the network in objects.py.

For each number N on stdin it runs N times and prints the microseconds. The engine
also answers `about`: bytes of memory, bytes allocated by an inference with all that
belongs to it (0, or it fails with the heap locked), and `load FILE N`.
"""
import gc
import random
import sys
import time
from array import array

import micropython


def engine(path):
    from microMLP_engine import Engine

    made = Engine.load(path)
    frame = array("h", [1000, -2000, 300, 4000, -500, 60])
    for _ in range(made.window * made.decimation):
        made.push(frame)

    def about():
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        micropython.heap_lock()
        made.push(frame)
        made.infer()
        made.confidence  # noqa: B018
        micropython.heap_unlock()
        allocated = gc.mem_alloc() - before
        gc.enable()
        return f"{len(made.buffer) + 4 * len(made.scores)} {allocated}"

    def load(path, count):
        start = time.ticks_us()
        for _ in range(count):
            Engine.load(path)
        return time.ticks_diff(time.ticks_us(), start)

    return made.infer, about, load


def network(kind, sizes):
    random.seed(1)
    kind, _, learn = kind.partition("_")
    if kind == "connections":
        from objects import Net

        net = Net(sizes, "TanH", lambda: random.random() - 0.5)
        x = [0.5] * sizes[0]
        targets = [0.5] * sizes[-1]
        return lambda: net.learn(x, targets) if learn else net.predict(x)
    from microMLP import MicroMLP

    def by_hand(before, after):
        for dst in after.Neurons:
            for src in before.Neurons:
                MicroMLP.Connection(src, dst)

    connect = by_hand if kind == "objects" else MicroMLP.LayersFullConnect
    net = MicroMLP.Create(sizes, "TanH", connect)
    half = MicroMLP.NNValue.FromAnalogSignal(0.5)
    x = [half] * sizes[0]
    targets = [half] * sizes[-1]
    return lambda: net.Learn(x, targets) if learn or kind == "learn" else net.Predict(x)


def main(kind, *rest):
    about = load = None
    if kind == "engine":
        run, about, load = engine(rest[0])
    else:
        run = network(kind, [int(n) for n in rest])
    while True:
        line = sys.stdin.readline().split()
        if not line:
            return
        if line[0] == "about":
            print(about())
        elif line[0] == "load":
            print(load(line[1], int(line[2])))
        else:
            count = int(line[0])
            start = time.ticks_us()
            for _ in range(count):
                run()
            print(time.ticks_diff(time.ticks_us(), start))


main(*sys.argv[1:])
