"""One core for linear algebra.

Our matrices are small: dividing one among threads costs more than it saves, and on a
busy computer the threads wait for each other. On two busy cores, `beckon train` beside its
calibration took 36 to 48 s with two threads and 6 to 8 s with one, measured in turns.
"""

import os

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
              "VECLIB_MAXIMUM_THREADS")


def one_core() -> None:
    """Let NumPy use one core, here and in processes started from here.

    Call it before NumPy is imported. It keeps what the user has set.
    """
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
