"""The fields of a training recipe that the options of `beckon train` set by hand."""
from __future__ import annotations

import argparse
from dataclasses import fields, replace
from typing import Any

from host_tools.errors import BeckonError
from host_tools.model.format import FILE_MAX

_LEAST_SIZE = 1000


def recipe_fields(args: argparse.Namespace) -> dict[str, Any]:
    """Fields for host_tools.training.recipe.choose(); all that need no look at the data.

    Raises BeckonError, status 2, for a value that cannot be.
    """
    from host_tools.experiments.search import load

    for name in ("window", "hop", "steps", "epochs"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise BeckonError(f"--{name} {value}: must be at least 1", 2)
    found: dict[str, Any] = load(args.recipe) if args.recipe else {}
    found["seed"] = args.seed
    if args.steps:
        found["steps"] = args.steps
    if args.hidden:
        found["hidden"] = _hidden(args.hidden)
    if args.size:
        found["most_bytes"] = _size(args.size)
    if args.axes:
        found["axes"] = args.axes.count(",") + 1
    if args.no_level:
        found["levelled"] = False
    if args.no_background:
        found["background"] = False
    if args.weight:
        found["weights"] = tuple(_named(text, "--weight", "LABEL=N, N above 0", 1e-9)
                                 for text in args.weight)
    if args.augment:
        found["augment"] = _augment(args.augment, found.get("augment"))
    return found


def _hidden(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(n) for n in text.split(","))
    except ValueError:
        raise BeckonError(f"--hidden {text}: write sizes with commas", 2) from None
    if min(sizes) < 1:
        raise BeckonError(f"--hidden {text}: a layer needs at least 1 neuron", 2)
    return sizes


def _size(text: str) -> int:
    """Bytes of 4096, 4k or 4kB; k is 1,000."""
    digits = text.lower().removesuffix("b").removesuffix("k")
    thousands = text.lower().removesuffix("b").endswith("k")
    size = int(digits) * (1000 if thousands else 1) if digits.isdecimal() else 0
    if not _LEAST_SIZE <= size <= FILE_MAX:
        raise BeckonError(
            f"--size {text}: write bytes from {_LEAST_SIZE} to {FILE_MAX}, such as 4k", 2
        )
    return size


def _augment(texts: list[str], base):
    """The amounts by name, or base, from a file of beckon tune, with them."""
    from host_tools.augment.kinds import Augment

    known = [f.name for f in fields(Augment)]
    amounts = dict(_named(text, "--augment", "NAME=AMOUNT, at least 0", 0.0) for text in texts)
    for name in amounts:
        if name not in known:
            raise BeckonError(f"--augment {name}: choose from {', '.join(known)}", 2)
    return replace(base, **amounts) if base else amounts


def _named(text: str, option: str, form: str, least: float) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not name or not least <= value < float("inf"):
        raise BeckonError(f"{option} {text}: write {form}", 2)
    return name, value
