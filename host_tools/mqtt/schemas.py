"""The JSON Schemas of docs/schemas: what a device publishes, for programs that receive it.

    fault = fault_of("event", payload)      # "" if it is right
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from host_tools.paths import DOCS

FOLDER = DOCS / "schemas"
NAMES = ("event", "state", "diag", "status")


def schema(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


@functools.cache
def _judge(name: str) -> Callable[[Any], Any]:
    import fastjsonschema

    return fastjsonschema.compile(schema(name))


def fault_of(name: str, value: Any) -> str:
    """What the schema `name` objects to in the decoded value, in one line; "" for nothing."""
    from fastjsonschema import JsonSchemaValueException

    try:
        _judge(name)(value)
    except JsonSchemaValueException as fault:
        return " ".join(fault.message.split())[:200]
    return ""
