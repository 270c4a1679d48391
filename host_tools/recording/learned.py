"""What a board kept of a gesture that it learned, as a recording in a data folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block
from host_tools.recording.writer import LabelledSpan, check_name, segments, write_recording
from host_tools.units import GRAVITY

_MOST = 100  # gestures in a row; a model has 32 labels at most

_FIELDS = ("label", "spans", "bad", "gaps", "samples", "rate_hz", "period_us", "accel_lsb_per_g",
           "gyro_lsb_per_10_dps", "model", "before", "source")  # fmt: skip


def led_to(
    model: str,
    read_about: Callable[[str], bytes | None],
    read_samples: Callable[[str], bytes],
) -> list[tuple[bytes, bytes]]:
    """(about, samples) of each gesture that led to the model with this id, the last one first.

    read_about, read_samples: of the gesture that led to a model; None, b"": the board has none.
    Raises BeckonError.
    """
    found: list[tuple[bytes, bytes]] = []
    while len(found) < _MOST:
        about = read_about(model)
        if about is None:
            break
        known = _parsed(about)
        found.append((about, read_samples(model) if known["samples"] else b""))
        model = str(known["before"])
    return found


def write_learned(folder: Path, device: str, about: bytes, samples: bytes) -> list[Path]:
    """Write the repetitions into folder, with labels; the paths of the new recordings. What was
    pulled before stays as it is.

    about: the board's JSON of it, see firmware/learning/record.py. samples: int16 (n, 6),
    little-endian counts. A repetition that was of no use is left out, with its samples. Raises
    BeckonError.
    """
    known = _parsed(about)
    label = check_name("label", known["label"])
    counts = np.frombuffer(samples[: len(samples) // 12 * 12], "<i2").reshape(-1, 6)
    if len(counts) < known["samples"]:
        raise BeckonError("{device} kept {found} of {all} samples; pull again", device=device,
                          found=len(counts), all=known["samples"])
    values = np.empty(counts.shape)
    values[:, :3] = counts[:, :3] * (GRAVITY / known["accel_lsb_per_g"])
    values[:, 3:] = counts[:, 3:] * (10 / known["gyro_lsb_per_10_dps"])
    clipped = (np.abs(counts.astype(int)) >= 32767).any(axis=1)
    blocks, index = _blocks(values, clipped, known["gaps"])
    spans = [LabelledSpan(index(a), index(b), label) for a, b in known["spans"]]
    bad = [(index(a), index(b)) for a, b in known["bad"]]
    start = datetime.fromtimestamp(known.get("unix_ms", 0) / 1000 or 0, UTC)
    entries = {"device": device, "source": f"learned on the board, by {known['source']}",
               "model": known["model"], "nominal_hz": known["rate_hz"],
               "accel_g": known.get("accel_g"), "gyro_dps": known.get("gyro_dps")}  # fmt: skip
    out = []
    for number, segment in enumerate(segments(blocks[-1].end, spans, bad), start=1):
        name = f"{device}_{label}_{known['model']}_{number}".replace(" ", "_")
        if (folder / "recordings" / f"{name}.csv.gz").exists():
            continue  # pulled before, after an earlier gesture
        rate_hz = 1e6 / known["period_us"]
        out.append(write_recording(folder, name, blocks, segment, rate_hz, entries, "", start))
    return out


def _parsed(about: bytes) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(about)
        if not all(field in known for field in _FIELDS):
            raise ValueError
    except (ValueError, TypeError):
        raise BeckonError("what the board says of a gesture that it learned cannot be "
                          "read") from None
    return known


def _blocks(values, clipped, gaps):
    """The samples between gaps, and a function from the number of a sample to its index."""
    places = [(at, lost) for at, lost in gaps if at]
    cuts = [0, *(at for at, _ in places), len(values)]

    def index(number: int) -> int:
        return number + sum(lost for at, lost in places if at <= number)

    blocks = [Block(index(a), values[a:b], clipped[a:b])
              for a, b in zip(cuts[:-1], cuts[1:], strict=True) if b > a]
    return blocks, index
