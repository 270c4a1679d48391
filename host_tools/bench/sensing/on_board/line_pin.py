"""machine.Pin for a bus line: its level is what board and sensor make of it."""
import machine

_OP_LINES = 6  # host_tools/simulator/wire.py
_SCL = 22
_levels = {22: 1, 21: 1}  # as the board drives them
_bus = machine.I2C(0)
_answer = bytearray(1)


class LinePin(machine.Pin):
    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        super().__init__(id, mode, pull, value=value)
        if value is not None and id in _levels:
            self.value(value)

    def value(self, x=None):
        if x is not None:
            _levels[self._id] = x
        drive = _levels[_SCL] | _levels[21] << 1
        _bus._transact(_OP_LINES, 0, drive, 0, None, _answer)
        return _answer[0] >> (0 if self._id == _SCL else 1) & 1
