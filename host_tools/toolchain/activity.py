"""What the tool chain is busy with, for whoever wants to show it.

A program that has a terminal sets `display` to a function that takes a text and
returns a context manager (beckon does); without one nothing is shown.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

display: Callable[[str], AbstractContextManager[Any]] = contextlib.nullcontext


def doing(what: str) -> AbstractContextManager[Any]:
    """Use around what may take longer than two seconds."""
    return display(what)
