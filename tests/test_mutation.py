"""The mutation tool on a toy module: it finds what tests miss, and nothing can hold it up."""

import os
import shutil

import pytest

from tests.conftest import REPOSITORY
from tests.mutation.__main__ import MutationError, _chosen, main, results
from tests.mutation.mutants import mutants, walk
from tests.mutation.report import Report, read_survivors
from tests.mutation.worker import KILLED, SURVIVED, TIMEOUT

MODULE = '''\
"""A toy."""
import sys

LIMIT = 10

if sys.implementation.name == "micropython":
    def double(x):
        return x * 2
else:
    def double(x):
        return x + x


def capped(x):
    if x > LIMIT:
        return LIMIT
    return x


def total(numbers):
    found = 0
    while numbers:
        found += numbers.pop()
    return found


def unused(x):
    return x + 1
'''

TESTS = '''\
from toy import capped, double, total


def test_capped():
    assert capped(3) == 3 and capped(99) == 10


def test_double():
    assert double(3) == 6


def test_total():
    assert total([1, 2, 3]) == 6
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """(folder with a module and its tests, environment for the worker)."""
    folder = tmp_path_factory.mktemp("toy") / "main"
    (folder / "firmware").mkdir(parents=True)
    (folder / "tests" / "both").mkdir(parents=True)
    (folder / "firmware" / "toy.py").write_text(MODULE)
    (folder / "tests" / "both" / "test_toy.py").write_text(TESTS)
    shutil.copy(REPOSITORY / "tests" / "both" / "run.py", folder / "tests" / "both")
    (folder / "pytest.ini").write_text(
        "[pytest]\npythonpath = firmware\naddopts = --import-mode=importlib\n")
    return folder, {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}",
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # quicker: the toy needs none
                    "BECKON_CACHE": os.environ.get("BECKON_CACHE", str(REPOSITORY / ".cache"))}


@pytest.fixture(scope="module")
def verdicts(toy):
    """(function, changed line) -> (verdict, by whom, whether a test runs the line)."""
    folder, env = toy
    found = list(results("firmware/toy.py", ["tests/both/test_toy.py"], folder, env,
                         cpu_least_s=1))
    assert found[0]["mutants"] == found[0]["chosen"] == len(found) - 1 > 10
    assert found[0]["tests"] == 3
    return {(r["function"], r["shown"]): (r["verdict"], r["by"], r["covered"])
            for r in found[1:]}


def test_what_a_test_notices_is_killed_by_it(verdicts):
    assert verdicts["capped", "if not (x > LIMIT):"] == (
        KILLED, "tests/both/test_toy.py::test_capped", True)
    assert verdicts["total", "found -= numbers.pop()"] == (
        KILLED, "tests/both/test_toy.py::test_total", True)


def test_what_changes_nothing_survives(verdicts):
    """x > LIMIT and x >= LIMIT return the same."""
    assert verdicts["capped", "if x >= LIMIT:"] == (SURVIVED, "", True)


def test_what_no_test_runs_survives_and_is_shown_so(verdicts):
    assert verdicts["unused", "return x - 1"] == (SURVIVED, "", False)


def test_a_loop_without_an_end_is_ended(verdicts):
    assert verdicts["total", "while not (numbers):"][0] == KILLED  # nothing to pop
    assert verdicts["total", "without found += numbers.pop()"][0] == TIMEOUT


def test_what_is_evaluated_at_import_is_changed_too(verdicts):
    assert verdicts["", "LIMIT = 11"][0] == KILLED


def test_what_only_micropython_runs_is_judged_there(verdicts):
    on_micropython = "tests/both/test_toy.py on MicroPython"
    assert verdicts["double", "return x * 3"] == (KILLED, on_micropython, False)
    assert verdicts["double", "return x - x"][:2] == (
        KILLED, "tests/both/test_toy.py::test_double")


def test_the_module_is_as_before(toy, verdicts):
    assert (toy[0] / "firmware" / "toy.py").read_text() == MODULE


def test_a_sample_is_the_same_for_the_same_seed():
    found = mutants(MODULE.encode())
    one, other = (list(walk(found, seed, 5)) for seed in (1, 2))
    assert one == list(walk(found, 1, 5)) != other and len(one) == 5
    assert list(walk(found, 1, 0)) == found


def test_a_mutant_that_only_waits_is_ended(toy):
    folder, env = toy
    (folder / "firmware" / "waiting.py").write_text(
        "import time\n\n\ndef wait(ready):\n    while not ready():\n        time.sleep(0.01)\n")
    (folder / "test_waiting.py").write_text(
        "from waiting import wait\n\n\ndef test_wait():\n    wait(lambda: True)\n")
    found = list(results("firmware/waiting.py", ["test_waiting.py"], folder, env,
                         wall_least_s=3))
    assert [r["verdict"] for r in found[1:] if r["shown"] == "while ready():"] == [TIMEOUT]


def test_tests_that_fail_without_a_mutant_are_an_error(toy):
    folder, env = toy
    (folder / "test_red.py").write_text("import toy\n\n\ndef test_red():\n    assert 0\n")
    with pytest.raises(MutationError, match="this fails: test_red.py::test_red"):
        list(results("firmware/toy.py", ["test_red.py"], folder, env))
    with pytest.raises(MutationError, match="cannot be"):
        list(results("firmware/toy.py", ["test_nowhere.py"], folder, env))


SOURCE = '''\
def f(a, b=2, *, key="k"):
    """Docstring 1."""
    if a < b and not key:  # the reason: 1
        raise ValueError("a is %d" % a)
    print("text")
    assert a
    a.x = [min(a, 1.0) for a in b if a]
    return a.x[-1] << 1 if a is not b else "%d" % a
'''


def test_every_mutant_is_another_program_and_most_kinds_are_there():
    source = SOURCE.encode()
    found = mutants(source)
    changed = [m.apply(source) for m in found]
    assert len(set(changed)) == len(changed) and source not in changed
    shown = {m.shown(source) for m in found}
    assert shown >= {
        'def f(a, b=3, *, key="k"):',
        "def f(a, b=2, *, key='kX'):",
        "if a <= b and not key: # the reason: 1",
        "if a < b or not key: # the reason: 1",
        "if a < b and key: # the reason: 1",
        "if not (a < b and not key): # the reason: 1",
        'without raise ValueError("a is %d" % a)',
        'without print("text")',
        "without a.x = [min(a, 1.0) for a in b if a]",
        "a.x = [max(a, 1.0) for a in b if a]",
        "a.x = [min(a, 1.25) for a in b if a]",
        "a.x = [min(a, 1.0) for a in b if not (a)]",
        'return a.x[1] << 1 if a is not b else "%d" % a',
        'return a.x[-1] >> 1 if a is not b else "%d" % a',
        'return a.x[-1] << 2 if a is not b else "%d" % a',
        'return a.x[-1] << 1 if a is b else "%d" % a',
        "return None",
    }
    assert not any("Docstring 2" in s or "assert" in s or "a is %dX" in s for s in shown)


def test_a_survivor_is_listed_with_a_reason_and_only_as_long_as_it_survives(tmp_path):
    file = tmp_path / "survivors.toml"
    file.write_text('[["m.py"]]\nin = "f"\nline = "return x"\nreason = "the same"\n'
                    '[["m.py"]]\nin = "f"\nline = "gone"\nreason = "no more"\n')
    report = Report("m.py", read_survivors(file)["m.py"])
    for verdict, shown in ((SURVIVED, "return x"), (SURVIVED, "new"), (KILLED, "return y")):
        report.add({"verdict": verdict, "function": "f", "shown": shown})
    assert (report.killed, report.total) == (1, 3)
    assert [s["shown"] for s in report.unlisted] == ["new"]
    assert report.stale == [("f", "gone")]
    file.write_text('[["m.py"]]\nin = "f"\nline = "return x"\n')
    with pytest.raises(ValueError, match="reason is missing"):
        read_survivors(file)


def test_every_listed_module_and_its_tests_are_there():
    import tomllib

    folder = REPOSITORY / "tests" / "mutation"
    targets = tomllib.loads((folder / "targets.toml").read_text())
    assert 50 <= targets.pop("least_percent") <= 100
    for module, target in targets.items():
        assert (REPOSITORY / module).is_file(), module
        for test in target["tests"]:
            file, _, function = test.partition("::")
            assert f"def {function}" in (REPOSITORY / file).read_text(), test
    known = read_survivors(folder / "survivors.toml")
    assert set(known) <= set(targets)
    for module, entries in known.items():  # an entry whose line has changed is out of date
        source = (REPOSITORY / module).read_bytes()
        there = {(m.function, m.shown(source)) for m in mutants(source)}
        assert not set(entries) - there, module


def test_an_unknown_module_is_named(capsys):
    assert _chosen(["ring"], ["a/ring.py", "b.py"]) == ["a/ring.py"]
    assert _chosen([], ["a/ring.py", "b.py"]) == ["a/ring.py", "b.py"]
    assert main(["no_such_module"]) == 2
    assert "no module matches 'no_such_module'; there are firmware/" in capsys.readouterr().err
