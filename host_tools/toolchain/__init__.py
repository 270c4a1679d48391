"""What the tools need beyond Python packages: MicroPython, mpy-cross, umqtt, a broker.

Each function returns a ready-to-use path or argument list, fetching the thing into
the cache folder the first time. All raise BeckonError with the cure when they cannot.
"""

from host_tools.toolchain.interpreter import micropython_command
from host_tools.toolchain.mosquitto import mosquitto_command
from host_tools.toolchain.mpy_cross import compile_mpy
from host_tools.toolchain.umqtt import umqtt_folder

__all__ = ["compile_mpy", "micropython_command", "mosquitto_command", "umqtt_folder"]
