"""Recordings with labels: reading, checking, resampling, splitting, converting."""
from .folder import read_dataset, read_datasets, with_negatives
from .labels import IDLE_LABEL, is_idle
from .recording import Dataset, Recording, Span

__all__ = [
    "IDLE_LABEL",
    "Dataset",
    "Recording",
    "Span",
    "is_idle",
    "read_dataset",
    "read_datasets",
    "with_negatives",
]
