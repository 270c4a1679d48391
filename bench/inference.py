"""One variant of an inference under MicroPython, timed on demand.

    micropython inference.py engine FILE.mlp
    micropython inference.py objects|wired|predict|learn|objects_learn|empty 300 16 4

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
    from microMLP import Engine

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
        return f"{len(made._arena) + 4 * len(made.scores)} {allocated}"

    def load(path, count):
        start = time.ticks_us()
        for _ in range(count):
            Engine.load(path)
        return time.ticks_diff(time.ticks_us(), start)

    return made.infer, about, load


def network(kind, sizes):
    random.seed(1)
    if kind.startswith("objects"):
        from objects import Net

        net = Net(sizes, "TanH", lambda: random.random() - 0.5)
        x = [0.5] * sizes[0]
        targets = [0.5] * sizes[-1]
        return lambda: net.learn(x, targets) if kind == "objects_learn" else net.predict(x)
    from microMLP import MicroMLP

    net = MicroMLP.Create(sizes, "TanH", MicroMLP.LayersFullConnect)
    if kind == "wired":  # one connection by hand, and the net is no longer arrays
        layers = net.Layers
        MicroMLP.Connection(layers[0].GetNeuron(0), layers[-1].GetNeuron(0))
    half = MicroMLP.NNValue.FromAnalogSignal(0.5)
    x = [half] * sizes[0]
    targets = [half] * sizes[-1]
    return lambda: net.Learn(x, targets) if kind == "learn" else net.Predict(x)


class Empty:
    def infer(self):
        return 0


def main(kind, *rest):
    about = load = None
    if kind == "engine":
        run, about, load = engine(rest[0])
    elif kind == "empty":
        run = Empty().infer
    else:
        made = network(kind, [int(n) for n in rest])
        run = made
    while True:
        line = sys.stdin.readline().split()
        if not line:
            return
        if line[0] == "about":
            print(about())
        elif line[0] == "load":
            print(load(line[1], int(line[2])))
        else:
            count = range(int(line[0]))
            start = time.ticks_us()
            for _ in count:
                run()
            print(time.ticks_diff(time.ticks_us(), start))


main(*sys.argv[1:])
