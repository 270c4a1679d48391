"""microMLP.py in halves: a board that only classifies, or only learns, needs but one.

    python -m host_tools.model.engine_only interface > microMLP.py

The interface takes some 18 kB of byte-code, and its names stay in the heap even
while nobody asks for it; the engine takes some 15 KB of heap.
"""

import re
import sys

from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE

_MARK = "# MicroMLP's interface."


def engine_only(source: str) -> str:
    """The text of microMLP.py up to the interface. Raises BeckonError if it has none."""
    return _halves(source)[0].rstrip() + "\n"


def interface_only(source: str) -> str:
    """The text of microMLP.py with MicroMLP alone. Raises BeckonError if it is another's."""
    engine, interface = _halves(source)
    head, found, _ = engine.partition("\nclass ModelError")
    # What imports the file once more for MicroMLP, and what drops the engine at its end.
    text, imports = re.subn(r"(?s)\nif not _CPYTHON:\n.*?\nif _CPYTHON or [^\n]*:\n",
                            "\nif True:\n", interface, count=1)
    text, ends = re.subn(r"\n    if not _CPYTHON:\n        del Engine.*\n", "", text)
    if not found or imports != 1 or ends != 1:
        raise BeckonError("microMLP.py is not laid out as expected: its engine cannot be cut off")
    return head.rstrip() + "\n\n" + text.rstrip() + "\n"


def _halves(source: str) -> tuple[str, str]:
    head, mark, tail = source.partition(_MARK)
    at = head.rfind("\n# ---")
    if not mark or at < 0:
        raise BeckonError(f"microMLP.py has no line {_MARK!r} where the engine ends")
    return head[:at], head[at:] + mark + tail


if __name__ == "__main__":
    halves = {"engine": engine_only, "interface": interface_only}
    if len(sys.argv) != 2 or sys.argv[1] not in halves:
        sys.exit("say which half: engine or interface")
    print(halves[sys.argv[1]]((FIRMWARE / "lib" / "microMLP.py").read_text()), end="")
