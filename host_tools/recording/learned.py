"""What a board kept of a gesture that it learned, as a recording in a data folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block
from host_tools.recording.writer import LabelledSpan, check_name, segments, write_recording
from host_tools.units import GRAVITY

_FIELDS = ("label", "spans", "bad", "gaps", "samples", "rate_hz", "period_us", "accel_lsb_per_g",
           "gyro_lsb_per_10_dps", "model", "source")  # fmt: skip


def write_learned(folder: Path, device: str, about: bytes, samples: bytes) -> list[Path]:
    """Write the repetitions into folder, with labels; the paths of the new recordings.

    about: the board's learned.json. samples: int16 (n, 6), little-endian counts. A repetition
    that was of no use is left out, with its samples. Raises BeckonError.
    """
    told = _parsed(device, about)
    label = check_name("label", told["label"])
    counts = np.frombuffer(samples[: len(samples) // 12 * 12], "<i2").reshape(-1, 6)
    if len(counts) < told["samples"]:
        raise BeckonError(f"{device} kept {len(counts)} of {told['samples']} samples; pull again")
    values = np.empty(counts.shape)
    values[:, :3] = counts[:, :3] * (GRAVITY / told["accel_lsb_per_g"])
    values[:, 3:] = counts[:, 3:] * (10 / told["gyro_lsb_per_10_dps"])
    clipped = (np.abs(counts.astype(int)) >= 32767).any(axis=1)
    blocks, index = _blocks(values, clipped, told["gaps"])
    spans = [LabelledSpan(index(a), index(b), label) for a, b in told["spans"]]
    bad = [(index(a), index(b)) for a, b in told["bad"]]
    start = datetime.fromtimestamp(told.get("unix_ms", 0) / 1000 or 0, UTC)
    entries = {"device": device, "source": f"learned on the board, by {told['source']}",
               "model": told["model"], "nominal_hz": told["rate_hz"],
               "accel_g": told.get("accel_g"), "gyro_dps": told.get("gyro_dps")}  # fmt: skip
    out = []
    for number, segment in enumerate(segments(blocks[-1].end, spans, bad), start=1):
        name = f"{device}_{label}_{told['model']}_{number}".replace(" ", "_")
        rate_hz = 1e6 / told["period_us"]
        out.append(write_recording(folder, name, blocks, segment, rate_hz, entries, "", start))
    return out


def _parsed(device: str, about: bytes) -> dict[str, Any]:
    try:
        told = json.loads(about)
        if not all(field in told for field in _FIELDS):
            raise ValueError
    except (ValueError, TypeError):
        raise BeckonError(f"{device} says of what it learned what cannot be read") from None
    if not told["samples"]:
        raise BeckonError(f"{device} had no room in flash to keep the samples; the model is there")
    return told


def _blocks(values, clipped, gaps):
    """The samples between gaps, and a function from the number of a sample to its index."""
    places = [(at, lost) for at, lost in gaps if at]
    cuts = [0, *(at for at, _ in places), len(values)]

    def index(number: int) -> int:
        return number + sum(lost for at, lost in places if at <= number)

    blocks = [Block(index(a), values[a:b], clipped[a:b])
              for a, b in zip(cuts[:-1], cuts[1:], strict=True) if b > a]
    return blocks, index
