"""One core for linear algebra.

Our matrices are small: dividing one among threads costs more than it saves, and on a
busy computer the threads wait for each other. `beckon train` beside its calibration
took 36 to 48 s with two threads and 6 to 8 s with one, turn about on two busy cores.
"""

import os

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
              "VECLIB_MAXIMUM_THREADS")


def one_core() -> None:
    """Let NumPy use one core, here and in processes started from here.

    To be called before NumPy is imported. What the user has set stays.
    """
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
