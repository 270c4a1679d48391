"""Boards behind pseudo-terminals, for the tests of what talks to a serial port."""

import pytest

from host_tools.device.image import unix_arch, write_image
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest
from host_tools.testing.pty_board import NodeProcess, PtyBoard, SensorProcess
from host_tools.toolchain.webassembly import node_missing

IMU = (0, 0x68)


def node_board(flash, **options) -> PtyBoard:
    """MicroPython under Node; skips where there is no Node."""
    if node_missing():
        pytest.skip(node_missing())
    garble = options.pop("garble", None)
    return PtyBoard(NodeProcess(flash, **options), garble)


def sensor_board(flash, movement=None, speed=1.01, garble=None, sensor=None) -> PtyBoard:
    """The simulated board with an MPU6500 that feels movement.

    speed: above 1, board time waits for a computer that is too busy, so nothing is lost.
    """
    sensor = sensor or SimulatedMPU6500(movement or Rest())
    return PtyBoard(SensorProcess(flash, {IMU: sensor}, speed=speed), garble)


def firmware_image(folder):
    """A flash with the whole firmware, but for main.py, in folder."""
    flash = folder / "flash"
    write_image(flash, unix_arch())
    (flash / "main.py").unlink()
    return flash
