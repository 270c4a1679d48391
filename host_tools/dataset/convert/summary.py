"""What imported files were taken for, in a few lines. Pure."""
from __future__ import annotations

from collections import Counter

from host_tools.wording import counted

_SHOWN = 8


def shortened(notices: list[str]) -> list[str]:
    """Many files of one kind say the same: the first ones, and how many more."""
    if len(notices) <= 2 * _SHOWN:
        return notices
    return [*notices[: 2 * _SHOWN - 1], f"and {len(notices) - 2 * _SHOWN + 1} more"]


def summary(data, name: str, dry_run: bool) -> list[str]:
    """What the files were taken for: one line per format and rate, labels, people."""
    recordings, sources = data.recordings, data.sources
    labels = Counter(s.label for r in recordings for s in r.spans)
    people = sorted({s.subject for r in recordings for s in r.spans if s.subject})
    seconds = sum(r.seconds for r in recordings)
    lines = [f"{name}: {counted(len(recordings), 'recording')}, {_duration(seconds)}"
             + (" (nothing is written)" if dry_run else "")]
    kinds = Counter(_kind(r, s) for r, s in zip(recordings, sources, strict=True))
    lines += [f"  {count} x {kind}" for kind, count in kinds.most_common()]
    listed = ", ".join(f"{label} {count}" for label, count in sorted(labels.items()))
    lines.append(f"  labels: {listed or 'none'}")
    without = sum(not r.spans for r in recordings)
    if without:
        lines.append(f"  without a label: {without}")
    lines.append(f"  people: {', '.join(people) or 'not named'}")
    return lines


def _kind(recording, source) -> str:
    units = f"acceleration in {source.accel}{' (assumed)' if source.accel_assumed else ''}"
    if recording.axes == 6:
        units += f", turn rate in {source.gyro}{' (assumed)' if source.gyro_assumed else ''}"
    else:
        units += ", no turn rate"
    time = {"": "", "--rate": " (as named)"}.get(source.time, f" (times in {source.time})")
    return f"{source.form}, {recording.native_hz or recording.rate_hz:.3g} Hz{time}, {units}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
