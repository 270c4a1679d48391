"""Short private names: the same program, fewer names."""

import subprocess
from pathlib import Path

from host_tools.device.minify import shorten
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command

ONE, TWO, PLAIN = Path("one.py"), Path("two.py"), Path("plain.py")

SOURCE = '''
from micropython import const
_LIMIT = const(3)
_table = [1, 2, 3]  # _table in a comment

class _Helper:
    def __init__(self, _seed):
        self._private_sum = _seed
        self.public = "_private_sum"

    def _private_add(self, value):
        self._private_sum += value if value < _LIMIT else 0
        return self._private_sum

def run():
    helper = _Helper(5)
    for item in _table:
        helper._private_add(item)
    return helper._private_add(0), helper.public, __name__ is not None
'''


def executed(text):
    scope = {"__name__": "module"}
    exec(text.replace("from micropython import const", "const = int"), scope)
    return scope["run"]()


def test_program_says_the_same_with_fewer_names():
    text = shorten({ONE: SOURCE})[ONE]
    assert executed(text) == executed(SOURCE) == (8, "_private_sum", True)
    for name in ("_Helper", "_private_add", "self._private_sum", "_seed"):
        assert name not in text
    assert "_LIMIT" in text  # the compiler drops it
    assert [len(line) > 0 for line in text.split("\n")] == [len(x) > 0 for x in SOURCE.split("\n")]


def test_what_others_use_keeps_its_name():
    texts = {
        ONE: "class A:\n    def __init__(self):\n        self._shared = self._own = 1\n",
        TWO: "def read(a):\n    return a._shared\n",
    }
    assert "_shared" in shorten(texts)[ONE] and "_own" not in shorten(texts)[ONE]


def test_plain_modules_and_their_names_are_left_alone():
    texts = {ONE: "_slot = None\n_mine = 1\n", PLAIN: "import one\none._slot = 2\n_left = 1\n"}
    short = shorten(texts, {PLAIN})
    assert short[PLAIN] == texts[PLAIN]
    assert short[ONE].startswith("_slot") and "_mine" not in short[ONE]


def test_no_clash_with_short_names_that_are_there():
    text = shorten({ONE: "_a = 1\n_long = 2\ndef run():\n    return _a, _long\n"})[ONE]
    assert executed(text) == (1, 2)


PARAMETERS = """
LIMIT = 3

class Box:
    def __init__(self, content, size=2):
        self.content = content
        self.size = size

    def fill(self, content, after):
        for item in range(after):
            self.content += content
        return self.content

def named(other, times):
    return other * times

def outer(value):
    def inner(item):
        return item + value
    return inner(value)

def run():
    box = Box(1)
    import json as content
    return box.fill(5, after=2), box.fill(5, 1), named(other=2, times=3), outer(4), box.size, LIMIT
"""


def test_parameters_become_short_unless_a_keyword_means_them():
    text = shorten({ONE: PARAMETERS})[ONE]
    assert executed(text) == executed(PARAMETERS) == (11, 16, 6, 8, 2, 3)
    assert "def __init__(self, _a, size=2):" in text and "self.content = _a" in text
    assert "def fill(self, _a, after):" in text and "self.content += _a" in text
    assert "def named(other, times):" in text
    assert "def outer(value):" in text  # a function with another one inside is left alone


def test_what_two_asterisks_may_name_keeps_its_name():
    texts = {ONE: "def load(sensor, file):\n    return sensor, file\n",
             TWO: "import one\nkept = {'sensor': 1}\none.load(file=2, **kept)\n"}  # fmt: skip
    assert "def load(sensor, file):" in shorten(texts)[ONE]


def test_a_keyword_in_another_module_counts():
    texts = {ONE: "def send(payload, topic):\n    return payload, topic\n",
             TWO: "import one\none.send(payload=1, topic=2)\n"}  # fmt: skip
    assert "def send(payload, topic)" in shorten(texts)[ONE]
    del texts[TWO]
    assert "def send(_a, _b):" in shorten(texts)[ONE]


def test_firmware_still_compiles_and_has_few_private_names():
    texts = {path: path.read_text() for path in FIRMWARE.rglob("*.py")}
    short = shorten(texts)
    assert sum(map(len, short.values())) < sum(map(len, texts.values()))
    for path, text in short.items():
        compile(text, str(path), "exec")
        assert text.count("\n") == texts[path].count("\n")  # tracebacks name true lines


def test_micropython_runs_it():
    text = shorten({ONE: SOURCE})[ONE] + "\nprint(run())\n"
    done = subprocess.run(
        [*micropython_command(), "-c", text], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "(8, '_private_sum', True)", done.stderr
