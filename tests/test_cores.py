"""NumPy gets one core, unless the user wants it otherwise."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from host_tools.cli.threads import one_core
one_core()
import numpy
numpy.ones((600, 600)) @ numpy.ones((600, 600))
from threadpoolctl import threadpool_info
print(*{i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"})
"""


@pytest.mark.parametrize("wanted, got", [(None, "1"), ("2", "2")])
def test_threads(wanted, got, repository):
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    if wanted:
        env.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), wanted))
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=repository, env=env, text=True,
                          capture_output=True, timeout=120)
    assert done.stdout.strip() in (got, ""), done.stderr  # "": a library that cannot be asked
    assert done.returncode == 0, done.stderr
