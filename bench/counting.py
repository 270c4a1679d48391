"""Run things a number of times between marks, for whoever counts instructions.

    micropython counting.py TIMES FILE.mlp ... [NUMBER]

First an empty method, then each model's inference. With NUMBER only that one is run.
"""
import sys
from array import array

from microMLP_engine import Engine


class Empty:
    def infer(self):
        return 0


def full(path):
    engine = Engine.load(path)
    frame = array("h", [1000, -2000, 300, 4000, -500, 60])
    for _ in range(engine.window * engine.decimation):
        engine.push(frame)
    return engine


def main(times, *rest):
    only = None
    if not rest[-1].endswith(".mlp"):
        only = int(rest[-1])
        rest = rest[:-1]
    things = [Empty()] + [full(path) for path in rest]
    for number, thing in enumerate(things):
        if only is None or number == only:
            print("MARK")
            for _ in range(int(times)):
                thing.infer()
            print("MARK")


main(*sys.argv[1:])
