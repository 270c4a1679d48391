"""Brings the access point back while the firmware runs: the button, held for 8 s."""

import asyncio

from micropython import const

from ops.button import watch
from ops.files import PORTAL, write_atomically

_HELD_MS = const(8000)


async def watch_button(pin, restart):
    """Restart the board into its access point once the button is held for 8 s. pin: GPIO."""
    asked = asyncio.Event()

    def held(ms):
        if ms >= _HELD_MS:
            asked.set()

    watcher = asyncio.create_task(watch(pin, None, held))
    await asked.wait()
    watcher.cancel()
    print("access point: the button asks for it")
    write_atomically(PORTAL, "1")
    await restart()
