"""SMOTE: fill up rare classes with points between neighbours of the same class.

Chawla et al. 2002, JAIR 16, 321-357, as imbalanced-learn does it. Such a
window mixes two movements sample by sample. Nobody ever moved like that,
which is why training here prefers the physical augmentations.
"""
from __future__ import annotations

import numpy as np

from host_tools.errors import BeckonError


def smote(x: np.ndarray, y: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """x float (n, values), y int (n,) with every class as often as the most frequent one.

    Raises BeckonError when imbalanced-learn is missing or a class has one window only.
    """
    try:
        from imblearn.over_sampling import SMOTE
    except ImportError:
        raise BeckonError(
            "imbalanced-learn is not installed; run: pip install imbalanced-learn"
        ) from None
    least = int(np.bincount(y)[np.unique(y)].min())
    if least < 2:
        raise BeckonError("SMOTE needs at least two windows of each class")
    return SMOTE(random_state=seed, k_neighbors=min(5, least - 1)).fit_resample(x, y)
