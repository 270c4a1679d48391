"""Whether there is enough to distinguish: faults of the classes, each with file and line.

    for fault in class_faults(data): print(fault)
"""
from __future__ import annotations

from collections import defaultdict

from host_tools.dataset.idle import is_idle
from host_tools.dataset.recording import Dataset, Recording, Span
from host_tools.errors import Sentence

_LEAST_SPAN_MS = 100.0  # fewer than three frames of the network: no gesture is so short
_LEAST_IDLE_MS = 300.0  # a shorter stretch beside the spans shows nothing of rest


def place(r: Recording, span: Span) -> str:
    """FILE:LINE of the label, or what is known of it."""
    if r.path is None:
        return r.name
    labels = r.path.parent.parent / "labels.csv"
    return f"{labels}:{span.line}" if span.line and labels.exists() else str(r.path)


def examples_of(data: Dataset) -> dict[str, list[tuple[Recording, Span]]]:
    """The spans of each label, each with its recording, in the order of the data."""
    out: dict[str, list[tuple[Recording, Span]]] = defaultdict(list)
    for r in data.recordings:
        for s in r.spans:
            out[s.label].append((r, s))
    return out


def class_faults(data: Dataset) -> list[str]:
    """What makes training senseless: no gesture, one class only, one example of everything, or a
    class with examples that are all too short for a gesture."""
    examples = examples_of(data)
    if not examples:
        return [Sentence("{data}: no span is labelled; label the recordings in labels.csv",
                        data=data.name)]
    first = next(iter(examples.values()))[0]
    gestures = {label: e for label, e in examples.items() if not is_idle(label)}
    if not gestures:
        return [Sentence("{place}: {examples} is all there is, no gesture; label some",
                        place=place(*first), examples=', '.join(sorted(examples)))]
    out = []
    if len(examples) == 1 and not any(_has_idle(r) for r in data.recordings):
        label = next(iter(examples))
        out.append(Sentence("{place}: {label!r} is the only class, with no rest beside it; add "
                           "another gesture, or recordings without any labelled none",
                           place=place(*first), label=label))
    for label, found in sorted(gestures.items()):
        if max(s.length_ms for _, s in found) < _LEAST_SPAN_MS:
            out.append(Sentence("{place}: every {label!r} is shorter than {least_span_ms:g} ms "
                               "(this one: {length_ms:.0f} ms); label whole gestures, or name the "
                               "right unit of time or rate when you import them",
                               place=place(*found[0]), label=label, least_span_ms=_LEAST_SPAN_MS,
                               length_ms=found[0][1].length_ms))
    lone = lone_examples(data)
    return out + (lone if len(lone) == len(gestures) else [])


def lone_examples(data: Dataset) -> list[str]:
    """Gestures with one example: a model can learn them, but not be judged on them."""
    return [
        Sentence("{place}: the only example of {label!r}; record at least two, better twenty",
                place=place(*found[0]), label=label)
        for label, found in sorted(examples_of(data).items())
        if len(found) == 1 and not is_idle(label)
    ]


def _has_idle(r: Recording) -> bool:
    """Whether a stretch of the recording lies outside its spans."""
    end_ms = r.start_ms + r.seconds * 1000
    before = r.start_ms
    for s in sorted(r.spans, key=lambda s: s.start_ms):
        if s.start_ms - before > _LEAST_IDLE_MS:
            return True
        before = max(before, s.end_ms)
    return end_ms - before > _LEAST_IDLE_MS
