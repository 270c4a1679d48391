"""The button between a GPIO and GND, which several parts share: they differ by how long it is held.

    a press             starts or ends a take, while samples go over the serial line
    held for 2 to 5 s   learns a gesture (firmware/learning/)
    held for 8 s        brings the access point back (firmware/portal/)

Samples over the serial line take the place of the firmware, so a take cannot be meant for the
others.
"""

import asyncio
from time import ticks_diff, ticks_ms

from machine import Pin
from micropython import const

_POLL_MS = const(20)
_LONGEST_MS = const(60_000)  # from here on, what is held is not said more precisely


async def watch(number, pressed, held=None, released=None):
    """Watch the button forever.

    pressed(count): called at each press, which are counted from 1. held(ms): called at each
    look at a button that is down. released(ms): called when it is up again. ms: how long it
    was held, 60,000 at most.
    """
    pin = Pin(number, Pin.IN, Pin.PULL_UP)
    before = 1
    down = False
    count = since = ms = 0
    while True:
        level = pin.value()
        if level == before and down != (not level):  # twice the same: it does not bounce
            down = not level
            if down:
                count += 1
                since = ticks_ms()
                ms = 0
                if pressed:
                    pressed(count)
            elif released:
                released(ms)
        elif down:
            ms = max(ms, min(_LONGEST_MS, ticks_diff(ticks_ms(), since)))
            if held:
                held(ms)
        before = level
        await asyncio.sleep_ms(_POLL_MS)
