"""machine.Pin for a bus line, whose level is what board and sensor make of it, and for INT."""
import asyncio

import board_clock
import machine

_OP_NEXT = 5  # host_tools/simulator/wire.py
_OP_LINES = 6
_SCL = 22
_levels = {22: 1, 21: 1}  # as the board drives them
_bus = machine.I2C(0)
_answer = bytearray(1)


class LinePin(machine.Pin):
    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        super().__init__(id, mode, pull, value=value)
        if value is not None and id in _levels:
            self.value(value)

    def value(self, x=None):
        if x is not None:
            _levels[self._id] = x
        drive = _levels[_SCL] | _levels[21] << 1
        _bus._transact(_OP_LINES, 0, drive, 0, None, _answer)
        return _answer[0] >> (0 if self._id == _SCL else 1) & 1


class InterruptPin(machine.Pin):
    """The sensor's INT, until a moment at which its wire falls off. run() is a task."""

    def __init__(self, until_us):
        super().__init__(4)
        self._until_us = until_us
        self._handler = None

    def irq(self, handler, trigger):
        assert trigger == self.IRQ_RISING
        self._handler = handler

    async def run(self):
        while board_clock.now_us() < self._until_us:
            _bus._transact(_OP_NEXT, 0, 0, 0, None, None)
            due_us = 0
            for i in range(8):  # the end of the response, little-endian
                due_us |= _bus._response[8 + i] << 8 * i
            await asyncio.sleep_ms(max(0, (due_us - board_clock.now_us()) // 1000 + 1))
            if self._handler and due_us < self._until_us:
                self._handler(self)
