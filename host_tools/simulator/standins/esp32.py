"""Stand-in for `esp32`: the pin that wakes the board."""

import machine_sleep

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

_RTC_PINS = (0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39)


def wake_on_ext0(pin, level):
    if pin is not None and pin._id not in _RTC_PINS:
        raise ValueError("invalid pin")
    machine_sleep.wake_pin = -1 if pin is None else pin._id
    machine_sleep.wake_level = int(level)
