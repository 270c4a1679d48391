"""The simulated MPU-6500's FIFO against the register map, byte by byte."""


from host_tools.simulator.sensor.movement import Sines
from tests.sensor_rig import Chip


def test_fifo_frame_holds_the_enabled_fields_in_register_order():
    for mask in (0x08, 0x78, 0xF8, 0x80, 0x70, 0x40, 0x20, 0x10, 0x88):
        chip = Chip(Sines())
        chip.start_fifo(mask)
        chip.wait(0.02)
        registers = chip.read(0x3B, 14)
        want = b""
        if mask & 0x08:
            want += registers[:6]
        if mask & 0x80:
            want += registers[6:8]
        for axis in range(3):
            if mask & 0x40 >> axis:
                want += registers[8 + 2 * axis : 10 + 2 * axis]
        assert chip.fifo_count() == 2 * len(want)
        chip.read(0x74, len(want))
        assert chip.read(0x74, len(want)) == want, hex(mask)


def test_both_enables_are_needed():
    for user, mask in ((0x40, 0), (0, 0x78), (0, 0)):
        chip = Chip()
        chip.write(0x6A, user)
        chip.write(0x23, mask)
        chip.wait(0.1)
        assert chip.fifo_count() == 0


def test_access_is_blocked_without_fifo_en():
    chip = Chip(Sines())
    chip.start_fifo()
    chip.wait(0.1)
    chip.write(0x6A, 0)
    assert chip.read(0x74, 6) == bytes(6)
    chip.write(0x6A, 0x40)
    assert chip.fifo_count() == 120


def test_count_is_latched_by_its_high_byte():
    chip = Chip()
    chip.start_fifo()
    chip.wait(0.3)
    assert chip.read(0x73) == 0  # never latched
    assert chip.fifo_count() == 360
    chip.wait(0.05)
    assert chip.read(0x73) == 360 & 0xFF
    assert chip.read(0x72) == 420 >> 8
    assert chip.read(0x73) == 420 & 0xFF


def test_reading_an_empty_fifo_repeats_the_last_byte():
    chip = Chip(Sines())
    chip.start_fifo()
    chip.wait(0.01)
    frame = chip.read(0x74, 12)
    assert chip.read(0x74, 5) == frame[-1:] * 5
    assert chip.fifo_count() == 0


def test_overwrite_mode_drops_the_oldest_bytes():
    chip = Chip(Sines())
    chip.start_fifo()
    chip.wait(0.5)
    assert chip.fifo_count() == 512
    assert chip.read(0x3A) & 0x10
    truth = chip.sensor.true_counts.astype(">i2").tobytes()
    # 512 is not a multiple of 12: the first byte lies within a frame.
    assert chip.read(0x74, 512) == truth[-512:]
    assert chip.sensor.overflow_bytes == len(truth) - 512


def test_stop_mode_keeps_the_oldest_and_cuts_the_last_frame():
    chip = Chip(Sines())
    chip.start_fifo(config=0x43)
    chip.wait(0.5)
    truth = chip.sensor.true_counts.astype(">i2").tobytes()
    assert chip.read(0x74, 512) == truth[:512]


def test_fifo_reset_empties_it_and_clears_itself():
    chip = Chip()
    chip.start_fifo()
    chip.wait(0.1)
    chip.write(0x6A, 0x44)
    assert chip.read(0x6A) == 0x40
    assert chip.fifo_count() == 0


def test_sizes_of_the_relatives():
    for name, size in (("MPU6050", 1024), ("ICM20602", 1008), ("MPU6880", 4096)):
        chip = Chip(part=name)
        chip.write(0x6B, 1)
        chip.start_fifo(divider=0)
        chip.wait(1)
        assert chip.fifo_count() == size
    chip = Chip(part="MPU6050")  # which has no stop mode
    chip.write(0x6B, 1)
    chip.start_fifo(config=0x43, divider=0)
    chip.wait(1)
    truth = chip.sensor.true_counts.astype(">i2").tobytes()
    assert chip.read(0x74, 1024) == truth[-1024:]
