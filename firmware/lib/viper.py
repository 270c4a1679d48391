"""viper on CPython: the same functions run, slowly, over a class that stands for a pointer.

A module that has viper functions imports these names where it does not find MicroPython:

    if sys.implementation.name == "micropython":
        import micropython
    else:
        from viper import micropython, ptr8, ptr16, ptr32, uint

For tests and tools. It never lies on a board.
"""


def const(value):
    return value


class micropython:
    """The decorators of MicroPython's module of that name."""

    def native(function):
        return function

    def viper(function):
        """The function, with its arguments cast to the types that it names."""
        casts = [k for n, k in function.__annotations__.items() if n != "return"]

        def call(*args):
            return function(*[cast(arg) for cast, arg in zip(casts, args)])

        return call


class _Pointer:
    """What a viper pointer does: unsigned loads, stores that wrap.

    It reads and writes the target's own memory. Outside of that memory it raises
    IndexError, where a board would read or write something else.
    """

    def __init__(self, target, code="B", at=0):
        if isinstance(target, _Pointer):
            target, at = target.bytes, target.at
        self.bytes = memoryview(target).cast("B")
        self.items = self.bytes.cast(code)
        self.code = code
        self.at = at
        self.first = at // self.items.itemsize

    def __add__(self, offset):
        return _Pointer(self.bytes, self.code, self.at + offset)

    def __getitem__(self, index):
        return self.items[self.first + index]

    def __setitem__(self, index, value):
        self.items[self.first + index] = value & (1 << 8 * self.items.itemsize) - 1


def ptr8(target):
    return _Pointer(target, "B")


def ptr16(target):
    return _Pointer(target, "H")


def ptr32(target):
    return _Pointer(target, "I")


def uint(target):
    return target if isinstance(target, int) else _Pointer(target)
