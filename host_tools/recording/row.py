"""Takes in a row: one recording of a gesture made again and again, cut into takes. Pure."""
from __future__ import annotations

import numpy as np

from host_tools.dataset.cut import cut_span
from host_tools.recording.blocks import Block


def cut_row(blocks: list[Block], rate_hz: float) -> list[tuple[int, int]]:
    """(first, last + 1) of each take, by the source's index; [] if nothing repeats.

    No take reaches over lost samples: each stretch without a loss is cut for itself.
    """
    found = []
    for stretch in _stretches(blocks):
        samples = np.concatenate([block.values for block in stretch]).astype(np.float32)
        start = stretch[0].index
        found += [(start + a, start + b) for a, b in cut_span(samples, rate_hz)]
    return found


def _stretches(blocks: list[Block]) -> list[list[Block]]:
    out: list[list[Block]] = []
    for block in blocks:
        if not len(block.values):
            continue
        if out and out[-1][-1].end == block.index:
            out[-1].append(block)
        else:
            out.append([block])
    return out
