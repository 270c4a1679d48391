"""What the firmware needs of a sensor's driver. Not on a board: it costs no heap there.

A driver is any class with what Imu has; it need not derive from it. lacks() compares, and
tests/test_imu_contract.py holds a driver against it.
"""


class Imu:
    """bus: as i2c_bus.I2CBus. accel_g, gyro_dps: full scale. rate_hz: the nearest is taken.

    Raises ValueError for what the sensor cannot do. Touches no bus before bring_up().
    """

    def __init__(self, bus, address, accel_g, gyro_dps, rate_hz):
        self.bus = bus
        """Its recover(), if it has one, frees a bus that the sensor holds."""
        self.address = address
        # Settings as they are in effect.
        self.accel_g = accel_g
        self.gyro_dps = gyro_dps
        self.rate_hz = rate_hz
        self.period_us = 0
        """Nominal sample period; the sensor's own clock may be off by 2 %."""
        self.accel_lsb_per_g = 0
        self.gyro_lsb_per_10_dps = 0
        # For people. Known after bring_up().
        self.identity = -1
        self.name = ""
        self.warning = ""
        """What a person should know about this part, or empty."""
        # The FIFO.
        self.fifo_frame = 0
        """Bytes of a frame in the FIFO."""
        self.fifo_size = 0
        """Bytes; with less than a frame of room the FIFO is full."""
        self.fifo_stops = False
        """Whether a full FIFO keeps its oldest frames whole."""
        self.frames = bytearray()
        """What read_fifo has read: 12 bytes a frame, ax ay az gx gy gz, big-endian int16."""

    CHUNK_FRAMES = 0
    """The most that read_fifo takes; reading them holds the event loop."""

    def bring_up(self):
        """Generator: reset, identify, configure; yields the milliseconds to wait.

        Raises OSError.
        """

    def intact(self):
        """Whether the sensor still has the settings that bring_up() gave it. Raises OSError."""

    def start_fifo(self):
        """Empty the FIFO and fill it, beginning with the next sample. Raises OSError."""

    def fifo_bytes(self):
        """How many bytes lie in the FIFO. Allocates nothing. Raises OSError."""

    def read_fifo(self, n, left):
        """Move n frames into `frames`. left: bytes that lie in the FIFO afterwards, or more
        by whole frames; -1: unknown. Allocates nothing. Raises OSError."""

    def sound(self, n, left):
        """Whether what read_fifo(n, left) has read can be believed. Allocates nothing.
        Raises OSError."""

    def centi_c(self):
        """Temperature of the chip in 1/100 degree Celsius. Raises OSError."""

    def fingerprint(self):
        """Text that no two sensors share, to which a calibration belongs. Raises OSError."""

    def make_self_test(self):
        """Object whose generator run() tests the resting sensor and yields milliseconds to
        wait; then it has passed, text (why not) and ratios (six). The sensor needs
        bring_up() afterwards."""


def lacks(driver):
    """Names of Imu that driver, an instance, does not have, or not as a method if it is one."""
    contract = Imu(None, 0, 0, 0, 0)
    names = [name for name in dir(contract) if not name.startswith("_")]
    return sorted(
        name
        for name in names
        if not hasattr(driver, name)
        or callable(getattr(contract, name)) != callable(getattr(driver, name))
    )
