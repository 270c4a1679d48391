"""Settings of the counting rule as they lie in a model file of version 1."""
from __future__ import annotations


def pack(threshold=80, min_count=4, min_span=0, quiet=6, refractory=10, majority_of=0) -> bytes:
    """See firmware/debounce.py for what they mean."""
    return bytes([threshold, min_count, min_span, quiet, refractory, majority_of, 0, 0])
