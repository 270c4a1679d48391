"""Recordings with labels: reading, checking, resampling, splitting, converting."""
from host_tools.dataset.folder import read_dataset, read_datasets, with_negatives
from host_tools.dataset.idle import IDLE_LABEL, is_idle
from host_tools.dataset.recording import Dataset, Recording, Span

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
