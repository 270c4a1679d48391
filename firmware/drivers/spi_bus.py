"""An MPU-6500 on SPI, in the shape of a bus that its driver knows.

    imu = MPU6500(SPIBus(SPI(1, 1_000_000, sck=..., mosi=..., miso=...), Pin(5, Pin.OUT)))

PS 6.4, 6.5: mode 0 or 3, most significant bit first, at most 1 MHz for all
registers (20 MHz holds for the sensor and interrupt registers only). The first
byte is the register, with bit 7 set to read.
"""


class SPIBus:
    """spi: a machine.SPI. cs: the Pin at the sensor's nCS, an output.

    Addresses are ignored: the chip select names the sensor.
    """

    USER_CTRL = 0x10
    """I2C_IF_DIS: the sensor shall not take SPI traffic for I2C, PS 6.1."""

    def __init__(self, spi, cs):
        self._spi = spi
        self._cs = cs
        self._one = bytearray(1)
        cs(1)

    def readfrom_mem_into(self, address, register, buffer):
        one = self._one
        one[0] = register | 0x80
        self._cs(0)
        try:
            self._spi.write(one)
            self._spi.readinto(buffer)
        finally:
            self._cs(1)

    def writeto_mem(self, address, register, buffer):
        one = self._one
        one[0] = register
        self._cs(0)
        try:
            self._spi.write(one)
            self._spi.write(buffer)
        finally:
            self._cs(1)
