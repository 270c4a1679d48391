"""Places in an engine's memory: see microMLP_engine.py, whose constants a test compares. Pure."""

from struct import unpack_from

from micropython import const

STATUS = 0  # as `layer` of place_of

_STATUS = const(4)
_FIRST = const(51)
_LAYER_WORDS = const(14)
_IN = const(12)


def place_of(engine, layer):
    """Where the values that layer 1, 2, ... reads begin; of STATUS, its word: 1 if it ran."""
    at = unpack_from("<I", engine.buffer, 0)[0]
    if not layer:
        return at + 4 * _STATUS
    return unpack_from("<I", engine.buffer, at + 4 * (_FIRST + _LAYER_WORDS * (layer - 1) + _IN))[0]
