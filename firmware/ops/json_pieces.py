"""JSON in small pieces, so that nothing large has to lie in the heap. Pure."""

import json


def pieces(value):
    """Yield the JSON of value as bytes, one piece for each thing in it.

    A function in value stands for an object: it returns an iterator of its (key, value).
    """
    if callable(value) or isinstance(value, dict):
        mark = b"{"
        for key, inner in value() if callable(value) else value.items():
            yield mark + json.dumps(key).encode() + b":"
            yield from pieces(inner)
            mark = b","
        yield b"{}" if mark == b"{" else b"}"
    elif isinstance(value, (list, tuple)):
        mark = b"["
        for inner in value:
            yield mark
            yield from pieces(inner)
            mark = b","
        yield b"[]" if mark == b"[" else b"]"
    else:
        yield json.dumps(value).encode()
