"""The bytes between the simulated board and the simulated sensor.

The board (MicroPython) writes a request to one named pipe and reads the
response from another; one request is under way at a time. All numbers are
little-endian. Both sides import this file, so it stays plain Python without
imports.

Request: REQUEST, then `length` bytes of data for OP_WRITE_MEM, OP_WRITE and OP_SPI.
    op         one of the OP_ numbers below
    bus        id of the I2C or SPI bus
    address    7-bit I2C address; 0 on SPI
    register   first register for OP_READ_MEM and OP_WRITE_MEM; see the ops
    length     bytes to read or written
    now_us     the board's time since its power-on, microseconds, never falling

Response: RESPONSE, then `length` bytes of data for the ops that read.
    status     0, or an errno as the ESP32 numbers it: ENODEV or ETIMEDOUT
    length     bytes of data that follow; 0 when status is not 0
    next_data_ready_us   when the sensor latches its next sample, in the board's
               time; NEVER when it sleeps or nothing is there
    int_level  level of the sensor's INT pin at now_us, 0 or 1
    int_edges  how often INT became active up to now_us, modulo 256
"""

REQUEST = "<BBBBHxxQ"
REQUEST_SIZE = 16
RESPONSE = "<hHBBxxQ"
RESPONSE_SIZE = 16

OP_READ_MEM = 0  # registers from `register` on, with a repeated start
OP_WRITE_MEM = 1
OP_PROBE = 2  # address and stop bit only, as I2C.scan() does
OP_READ = 3  # from the register that the last write named
OP_WRITE = 4  # the first byte names the register
OP_NEXT = 5  # nothing on the bus: advance the time, ask for next_data_ready_us
# The two lines as GPIO, for the recovery of a bus whose SDA is held low.
# `register`: bit 0 is the level at which the board drives SCL, bit 1 SDA; 1 is
# released, since both are open drain. Reads 1 byte: the levels that are seen.
OP_LINES = 6
# Full-duplex bytes on SPI. `register` is 1 when CS has fallen since the last
# OP_SPI, so that the first byte is an address; reads as many as it writes.
OP_SPI = 7

ENODEV = 19
ETIMEDOUT = 116

NEVER = 0xFFFFFFFFFFFFFFFF

# machine.wake_reason(), as an ESP32 numbers it
PIN_WAKE = 2
TIMER_WAKE = 4
