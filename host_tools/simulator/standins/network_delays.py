"""How long a real radio takes; loaded if the host left the file `delays` (radio_delays.py has it).

A station that saves power hears what the access point has for it at some of the beacons only. From
then on, and once it has sent something, it stays awake for a while.
"""

import json
import sys

import board_clock as clock
import machine
import select

with open(sys.argv[1] + "/delays") as _file:
    _known = json.load(_file)
associate_us = 1000 * _known["associate_ms"]
_beacons = (0, 1, 3)  # between two that it hears, by WLAN.PM_NONE, PM_PERFORMANCE, PM_POWERSAVE
_station = None
_shaken = None  # the last stream with TLS
_awake_us = 0  # until then
_due_us = -1  # the beacon for which something waits


def use(station):
    """The WLAN whose pm counts."""
    global _station
    _station = station
    select.radio = sys.modules[__name__]


def register(stream, events):
    """It waits for a stream: perhaps to send something, which wakes it. The arithmetic of a TLS
    handshake holds the loop."""
    global _shaken
    if events & select.POLLOUT:
        wake()
    if stream is not _shaken and "SSL" in str(type(stream)):
        _shaken = stream
        clock.sleep_us(_known["handshake_ms"] * 1000 * 160_000_000 // machine.freq())


def wake():
    global _awake_us
    _awake_us = clock.now_us() + 1000 * _known["awake_ms"]


def hears():
    """Whether what has come reaches the program now. To be asked only if something has come."""
    global _due_us
    now_us = clock.now_us()
    every_us = _known["beacon_us"] * _beacons[_station.pm]
    if not every_us or now_us < _awake_us:
        _due_us = -1
        return True
    if _due_us < 0:
        _due_us = now_us + every_us - now_us % every_us
    if now_us < _due_us:
        return False
    wake()
    _due_us = -1
    return True


def heard(events):
    """Those of poll's events that the program may see."""
    return [event for event in events if event[1] & ~select.POLLIN or hears()]
