"""An I2C bus that can be freed when a device holds SDA low.

A board that resets in the middle of a read leaves the sensor waiting for clocks
with SDA low, and the ESP32's I2C block can then make no start condition. The
cure (UM10204 3.1.16): clock SCL by hand until SDA is let go, make a stop
condition, set the block up again.
"""
from time import sleep_us

from machine import I2C, Pin

_CLOCKS = 18  # nine free one byte; twice that, in case a clock was missed
_HALF_US = 5  # 100 kHz


class I2CBus:
    """machine.I2C with `recover()`; the transactions are the block's own.

    id: 0 or 1. scl, sda: pin numbers. freq: Hz, at most 400000 for an MPU-6500.
    Raises ValueError for pins that are the same or cannot be used, or such a freq.
    """

    def __init__(self, id, scl, sda, freq=400_000):
        if scl == sda:
            raise ValueError("scl and sda must be two pins, not both %r" % (scl,))
        if not 10_000 <= freq <= 400_000:
            raise ValueError("freq must be from 10000 to 400000 Hz, not %r" % (freq,))
        self._id = id
        self._scl = scl
        self._sda = sda
        self.freq = freq
        self._open()

    def _open(self):
        try:
            i2c = I2C(self._id, scl=Pin(self._scl), sda=Pin(self._sda), freq=self.freq)
        except (ValueError, OSError) as fault:  # which says neither the value nor what it is for
            raise ValueError(
                "bus %r cannot be at scl %r, sda %r: %s; take pins that this chip has and that"
                " can be outputs" % (self._id, self._scl, self._sda, fault)
            )
        # The block's own bound methods, so that a transaction costs no second call.
        self.readfrom_mem_into = i2c.readfrom_mem_into
        self.writeto_mem = i2c.writeto_mem
        self.scan = i2c.scan

    def recover(self):
        """Free the bus; True if SDA was held low and is high now. Takes 0.3 ms.

        SDA stays released while SCL is clocked: a low SDA would be an
        acknowledge, and the device would send one byte after another forever.
        """
        scl = Pin(self._scl, Pin.OPEN_DRAIN, value=1)
        sda = Pin(self._sda, Pin.OPEN_DRAIN, value=1)
        sleep_us(_HALF_US)
        held = not sda.value()
        clocks = _CLOCKS
        while clocks and not sda.value():
            scl.value(0)
            sleep_us(_HALF_US)
            scl.value(1)
            sleep_us(_HALF_US)
            clocks -= 1
        freed = held and bool(sda.value())
        # The stop condition: SDA rises while SCL is high.
        scl.value(0)
        sleep_us(_HALF_US)
        sda.value(0)
        sleep_us(_HALF_US)
        scl.value(1)
        sleep_us(_HALF_US)
        sda.value(1)
        sleep_us(_HALF_US)
        self._open()
        return freed
