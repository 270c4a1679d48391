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
    known = _parsed(device, about)
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
        rate_hz = 1e6 / known["period_us"]
        out.append(write_recording(folder, name, blocks, segment, rate_hz, entries, "", start))
    return out


def _parsed(device: str, about: bytes) -> dict[str, Any]:
    try:
        known = json.loads(about)
        if not all(field in known for field in _FIELDS):
            raise ValueError
    except (ValueError, TypeError):
        raise BeckonError("{device} says of what it learned what cannot be read",
                          device=device) from None
    if not known["samples"]:
        raise BeckonError("{device} had no room in flash to keep the samples; the model is there",
                          device=device)
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
