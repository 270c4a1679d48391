"""Imported recordings whose values do not fit their units are refused, with the cure."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from host_tools.dataset.convert.options import Imported, Options, Source
from host_tools.dataset.recording import Recording
from host_tools.dataset.take_units import check_units
from host_tools.errors import BeckonError, Sentence
from host_tools.units import GRAVITY

_LEAST_G, _MOST_G = 0.2, 5.0  # of one take among others: beyond, it is in another unit


def check_imported(data: Imported, path: Path, options: Options) -> None:
    """Add notices where a unit was named, raise BeckonError where nobody named it.

    That gravity is missing no name of a column excuses, only an option does.
    """
    kinds: dict[Source, list[Recording]] = {}
    for recording, source in zip(data.recordings, data.sources, strict=True):
        kinds.setdefault(source, []).append(recording)
    for source, recordings in kinds.items():
        for finding in check_units((r.samples, r.rate_hz) for r in recordings):
            assumed = source.accel_assumed if finding.quantity == "accel" else source.gyro_assumed
            if finding.lacks_gravity:
                assumed = options.accel is None
            text = Sentence("{path}: {finding}", path=path, finding=finding.message)
            unmendable = finding.unit == "" and finding.text.endswith("0 in every sample")
            if assumed or unmendable:
                if not unmendable:
                    usual = "m/s2" if finding.quantity == "accel" else "dps"
                    text = Sentence("{text}, or --{quantity}-unit {usual} if that is right",
                                   text=text, quantity=finding.quantity, usual=usual)
                raise BeckonError(text)
            data.notices.append(text)
        if source.accel_assumed:
            _refuse_mixture(recordings)


def _refuse_mixture(recordings: list[Recording]) -> None:
    means = [float(np.linalg.norm(r.samples[:, :3].mean(axis=0))) / GRAVITY for r in recordings]
    odd = [i for i, g in enumerate(means) if not _LEAST_G < g < _MOST_G]
    if odd and len(odd) < len(means):
        r = recordings[odd[0]]
        raise BeckonError("{path}: its acceleration averages {mean:.2g} times gravity, as that "
                          "of {odd} of {all} recordings: another unit, or no sensor; import "
                          "them apart and name the unit with --accel-unit", path=r.path or r.name,
                          mean=means[odd[0]], odd=len(odd), all=len(means))
