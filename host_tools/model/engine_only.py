"""microMLP.py without MicroMLP's interface: what a board that only classifies needs.

The interface takes some 18 kB of byte-code, and its names stay in the heap even
while nobody asks for it.
"""

from host_tools.errors import BeckonError

_MARK = "# MicroMLP's interface."


def engine_only(source: str) -> str:
    """The text of microMLP.py up to the interface. Raises BeckonError if it has none."""
    head, mark, _ = source.partition(_MARK)
    if not mark:
        raise BeckonError(f"microMLP.py has no line {_MARK!r} where the engine ends")
    return head[: head.rindex("\n# ---")].rstrip() + "\n"
