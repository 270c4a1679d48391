"""The viewer's pure scripts under Node: tests/js/*.test.mjs, each of its tests once."""

import re
import shutil
import subprocess

import pytest

from tests.conftest import REPOSITORY

FILES = sorted((REPOSITORY / "tests" / "js").glob("*.test.mjs"))
DECLARED = re.compile(r"^test\(", re.MULTILINE)
PASSED = re.compile(r"^ok \d+ - (.*)$", re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_scripts(path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    done = subprocess.run([node, "--test", "--test-reporter=tap", path.name], cwd=path.parent,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    declared = len(DECLARED.findall(path.read_text()))
    passed = PASSED.findall(re.sub(r"(?m)^    ", "", done.stdout))
    passed = [name for name in passed if not name.endswith(path.name)]  # some versions: the file
    assert len(passed) == declared > 0, done.stdout


def test_there_are_scripts_to_test():
    assert {path.name for path in FILES} >= {"columns.test.mjs", "hits.test.mjs",
                                             "layout.test.mjs", "pyramid.test.mjs",
                                             "range.test.mjs"}
