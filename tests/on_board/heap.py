"""MicroPython side: what each module takes of the heap when it is imported.

    micropython heap.py MODULE...

Imports them in this order and prints, a line each, the module's name and its bytes.
"""

import gc
import sys


class Hardware:
    """Stands for the modules of the chip: importing asks for their names only."""

    I2C = Pin = RTC = freq = WDT = WDT_RESET = WLAN = reset = reset_cause = unique_id = None
    ESPNow = aes = None


for module in ("machine", "network", "bluetooth", "espnow", "cryptolib"):
    sys.modules[module] = Hardware


def used():
    for _ in range(3):  # what an import leaves on the stack goes with the next turn
        gc.collect()
    return gc.mem_alloc()


def fill_name_table():
    """Names go into a table that doubles when it is full, at 620, 1260, 2540 and 5100 of them.

    That must not happen below, as it would be counted for the module that is next.
    """
    for i in range(2600):
        setattr(Hardware, f"name{i}", None)


def main(modules):
    fill_name_table()
    taken = [0] * len(modules)  # made first, so that no module is charged for it
    for i in range(len(modules)):
        before = used()
        __import__(modules[i])
        taken[i] = used() - before
    for i in range(len(modules)):
        print(modules[i], taken[i])


main(sys.argv[1:])
