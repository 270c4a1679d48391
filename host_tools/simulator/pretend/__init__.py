"""A board to practise on: firmware, sensor and a hand, on a serial port of this computer."""
