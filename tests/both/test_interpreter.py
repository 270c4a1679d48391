"""What the pure modules count on in every interpreter that runs them."""

import struct
from array import array

import micropython


def test_array_h_is_int16():
    row = array("h", bytes(12))
    assert len(row) == 6
    row[0] = -32768
    assert struct.unpack("<h", bytes(memoryview(row))[:2])[0] == -32768


def test_heap_lock_nests():
    micropython.heap_lock()
    micropython.heap_lock()
    first = micropython.heap_unlock()
    second = micropython.heap_unlock()
    assert (first, second) == (1, 0)


def test_decorators_keep_the_function():
    @micropython.native
    def double(x):
        return 2 * x

    assert double(21) == 42
