"""A button that starts and ends takes, while samples go over the serial line."""

import asyncio

from machine import Pin
from micropython import const

_POLL_MS = const(20)


async def watch(number, pressed):
    """Call pressed(count) at each press of the button between GPIO `number` and GND."""
    pin = Pin(number, Pin.IN, Pin.PULL_UP)
    before = 1
    held = False
    count = 0
    while True:
        level = pin.value()
        if level == before and held != (not level):  # twice the same: it does not bounce
            held = not level
            if held:
                count += 1
                pressed(count)
        before = level
        await asyncio.sleep_ms(_POLL_MS)
