"""Pin interrupts of the stand-in for `machine`: the edges of the sensor's INT.

The handler runs as a soft one does on an ESP32, between bytecodes, but only while the
program waits: at most eight times then, as more do not fit into MicroPython's queue.
"""

import board_clock as clock
import machine
from micropython import const

_OP_NEXT = const(5)  # as in wire.py
_QUEUE = const(8)  # MICROPY_SCHEDULER_DEPTH
_LOOK_US = const(10_000)  # at least so often: the sensor may be set to another rate

_bus = machine.I2C(0)  # of its own, so that no transaction under way is disturbed
_handlers = {}  # GPIO: (Pin, handler)
_edges = -1  # rising ones seen, modulo 256; -1 before the first look
_before = clock.idle


def irq(pin):
    """The method irq() of pin."""
    return lambda handler=None, trigger=machine.Pin.IRQ_RISING: _attach(pin, handler, trigger)


def _attach(pin, handler, trigger):
    """Call handler(pin) at each rising edge from now on; None: not any more."""
    global _edges
    if trigger != machine.Pin.IRQ_RISING:
        raise ValueError("only IRQ_RISING is simulated, not %r" % (trigger,))
    if handler is None:
        _handlers.pop(pin._id, None)
        if not _handlers:
            clock.interrupt_us = -1
        return
    if not _handlers:
        _edges = -1
    _handlers[pin._id] = pin, handler
    _check()


def _idle():
    _before()
    _check()


def _check():
    """Look at INT if an edge is due, and note when to look again."""
    global _edges
    now_us = clock.now_us()
    if not _handlers or now_us < clock.interrupt_us:
        return
    _bus._transact(_OP_NEXT, 0, 0, 0, None, None)
    response = _bus._response
    due_us = 0
    for i in range(14, 7, -1):  # seven bytes: NEVER stays a small integer
        due_us = due_us << 8 | response[i]
    clock.interrupt_us = min(max(due_us, now_us + 1), now_us + _LOOK_US)
    rose = 0 if _edges < 0 else (response[5] - _edges) & 0xFF
    _edges = response[5]
    for pin, handler in list(_handlers.values()):
        for _ in range(min(rose, _QUEUE)):
            handler(pin)


clock.idle = _idle
