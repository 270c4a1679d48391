"""Drop modules from the heap that are rarely used, so that the next import loads them again."""

import sys


def forget(*names):
    """Drop modules by their full names ("link.dns"). Names that are not loaded are ignored.

    A package keeps each of its modules as an attribute. Until that goes too, nothing is freed.
    """
    for name in names:
        sys.modules.pop(name, None)
        package, _, module = name.rpartition(".")
        if package in sys.modules:
            try:
                delattr(sys.modules[package], module)
            except (AttributeError, KeyError):  # MicroPython raises KeyError
                pass  # it was not loaded
