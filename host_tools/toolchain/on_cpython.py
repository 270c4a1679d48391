"""Let CPython import the firmware's pure modules.

`install()` puts firmware/ and firmware/lib/ on sys.path and, if there is none, a
module `micropython` whose decorators do nothing and whose heap never locks.
"""

import sys
import types
from typing import Any

from host_tools.paths import FIRMWARE


def install() -> None:
    """Idempotent."""
    for folder in (FIRMWARE / "lib", FIRMWARE):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    if "micropython" not in sys.modules:
        sys.modules["micropython"] = _micropython()


def _micropython() -> types.ModuleType:
    module: Any = types.ModuleType("micropython", "Stand-in for CPython.")
    depth = 0

    def same(value):
        return value

    def viper(function):
        # Its pointer and word types exist on MicroPython alone.
        def refuse(*args, **kwargs):
            raise NotImplementedError(f"{function.__name__} is viper code: give CPython a twin")

        return refuse

    def heap_lock():
        nonlocal depth
        depth += 1

    def heap_unlock():
        nonlocal depth
        depth -= 1
        return depth

    module.const = module.native = module.bytecode = same
    module.viper = viper
    module.heap_lock, module.heap_unlock = heap_lock, heap_unlock
    module.heap_locked = lambda: depth
    module.opt_level = lambda level=0: 0
    module.mem_info = module.qstr_info = lambda verbose=0: None
    module.alloc_emergency_exception_buf = lambda size: None
    module.stack_use = lambda: 0
    module.kbd_intr = lambda char: None
    module.schedule = lambda function, argument: function(argument)
    return module
