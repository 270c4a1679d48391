"""MicroPython side: a flash chip in RAM whose power goes in the middle of an operation."""

import random


class PowerCut(Exception):
    pass


class Flash:
    """Block device with the extended interface that VfsLfs2 asks for.

    After `left` writing operations the power goes: the last one is done in part, as a
    real chip would leave it, `at_cut(memory)` is called, and nothing is written ever
    again.
    """

    SIZE = 4096

    def __init__(self, memory, left, at_cut):
        self.memory = memory
        self._left = left
        self._at_cut = at_cut

    def readblocks(self, block, buf, offset=0):
        start = block * self.SIZE + offset
        buf[:] = self.memory[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        start = block * self.SIZE + offset
        self._write(start, buf)

    def ioctl(self, op, argument):
        if op == 4:
            return len(self.memory) // self.SIZE
        if op == 5:
            return self.SIZE
        if op == 6:
            self._write(argument * self.SIZE, b"\xff" * self.SIZE)
        return 0

    def _write(self, start, data):
        if self._left <= 0:
            raise PowerCut
        self._left -= 1
        size = len(data)
        if not self._left:
            size = random.getrandbits(16) % (size + 1)
        self.memory[start : start + size] = data[:size]
        if not self._left:
            self._at_cut(self.memory)
            raise PowerCut
