"""The dispatcher: discovery, usage, and every fault as one line with its status."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import host_tools.cli
from host_tools.cli import app, environment

COMMAND = '''"""{summary}

  ./beckon {name} --rate 50
"""
{imports}

def add_arguments(parser):
    parser.add_argument("--rate", type=int, default=100, help="samples a second")
    parser.add_argument("--loud", action="store_true", help="say more")

def run(args):
    {body}
'''


@pytest.fixture
def command(tmp_path, monkeypatch):
    """write(name, body, ...) puts a command beside the real ones, for this test alone."""
    monkeypatch.setattr(app, "FOLDER", tmp_path)
    monkeypatch.setattr(host_tools.cli, "__path__", [*host_tools.cli.__path__, str(tmp_path)])
    names = []

    def write(name, body, imports="", summary="Do something."):
        names.append(name)
        text = COMMAND.format(name=name, body=body, imports=imports, summary=summary)
        (tmp_path / f"{name}.py").write_text(text)

    yield write
    for name in names:
        sys.modules.pop(f"host_tools.cli.{name}", None)


def one_line(capsys) -> str:
    """The only line on stderr, stdout being empty."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.endswith("\n"), err
    return err.rstrip("\n")


def test_the_status_is_the_commands_own(command, capsys):
    command("probe_a", "print(args.rate); return 7")
    assert app.main(["probe-a", "--rate", "3"]) == 7
    assert capsys.readouterr().out == "3\n"


def test_the_overview_imports_no_command(command, capsys):
    command("probe_b", "return 0", imports="raise RuntimeError", summary="Never imported.")
    (app.FOLDER / "helper.py").write_text('"""No run() in here."""\n')
    (app.FOLDER / "_private.py").write_text("def run(args): pass\n")
    assert app.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "probe-b  Never imported." in out
    assert "helper" not in out and "private" not in out


def test_no_command_is_wrong_usage(capsys):
    assert app.main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "usage: beckon" in err


@pytest.mark.parametrize("words", [["probec", "--help"], ["help", "probec"]])
def test_help_shows_defaults_and_the_example(command, capsys, words):
    command("probec", "return 0")
    assert app.main(words) == 0
    out = capsys.readouterr().out
    assert "samples a second (default: 100)" in out
    assert "say more\n" in out  # no "(default: False)"
    assert "\n./beckon probec --rate 50\n" in out


def test_an_unknown_command_gets_the_nearest(command, capsys):
    command("simulate", "return 0")
    assert app.main(["simulat"]) == 2
    assert one_line(capsys) == "beckon: unknown command 'simulat': did you mean 'simulate'?"


def test_a_command_unlike_any(capsys):
    assert app.main(["qqqqq"]) == 2
    assert one_line(capsys) == "beckon: unknown command 'qqqqq': see beckon --help"


@pytest.mark.parametrize("name", ["../app", "app", "progress", "__init__", "a/b", "a\0b", "", "."])
def test_what_is_no_command(capsys, name):
    assert app.main([name]) == 2
    assert one_line(capsys).startswith("beckon: unknown command")


def test_an_unknown_option_of_beckon(capsys):
    assert app.main(["--rate", "3"]) == 2
    assert one_line(capsys) == "beckon: unknown option --rate: see beckon --help"


@pytest.mark.parametrize("words", [["--rate", "x"], ["--rat", "3"], ["--rate"], ["stray"]])
def test_wrong_usage_of_a_command_is_one_line(command, capsys, words):
    command("probed", "return 0")
    assert app.main(["probed", *words]) == 2
    line = one_line(capsys)
    assert line.startswith("beckon probed: ") and line.endswith("see beckon probed --help")


@pytest.mark.parametrize("words, line", [
    (["--ratte"], "probei: unrecognized arguments: --ratte: did you mean '--rate'?"),
    (["--ratte=3"], "probei: unrecognized arguments: --ratte=3: did you mean '--rate'?"),
    (["--zzz"], "probei: unrecognized arguments: --zzz"),
    (["fly", "--hight=2"], "probei: unrecognized arguments: --hight=2: did you mean '--height'?"),
    (["fly", "--rat"], "probei: unrecognized arguments: --rat: did you mean '--rate'?"),
    (["swim", "--height", "2"], "probei: unrecognized arguments: --height 2"),
])
def test_a_mistyped_option_gets_the_nearest(command, capsys, words, line):
    command("probei", "return 0")
    more = '''
_declare = add_arguments
def add_arguments(parser):
    _declare(parser)
    ways = parser.add_subparsers(dest="way")
    ways.add_parser("fly").add_argument("--height")
    ways.add_parser("swim")
'''
    with open(app.FOLDER / "probei.py", "a") as file:
        file.write(more)
    assert app.main(["probei", *words]) == 2
    assert one_line(capsys) == f"beckon {line}; see beckon probei --help"


@pytest.mark.parametrize("words, near", [
    (["data", "chheck"], "check"), (["image", "x", "--chip", "esp23"], "esp32"),
])
def test_a_mistyped_choice_gets_the_nearest(capsys, words, near):
    assert app.main(words) == 2
    line = one_line(capsys)
    assert f"did you mean '{near}'?" in line and "choose from" in line


@pytest.mark.parametrize("use", ["from foreign_probe import nothing", "import foreign_probe; "
                                 "foreign_probe.nothing", "import foreign_probe.part",
                                 "import foreign_probe; foreign_probe.fail()"])
def test_a_module_of_another_program_is_named(command, capsys, monkeypatch, tmp_path, use):
    monkeypatch.delenv("BECKON_DEBUG", raising=False)
    other = tmp_path / "other"
    other.mkdir()
    (other / "foreign_probe.py").write_text("def fail():\n    return {}['x']\n")
    monkeypatch.setenv("PYTHONPATH", f"/no/such{os.pathsep}{other}")
    monkeypatch.syspath_prepend(str(other))
    command("probej", use)
    try:
        assert app.main(["probej"]) == 1
    finally:
        sys.modules.pop("foreign_probe", None)
    line = one_line(capsys)
    if "part" in use:  # nothing to find there: the usual line
        assert "is missing" in line
    else:
        assert line.startswith(f"beckon probej: PYTHONPATH brings in {other}/foreign_probe.py")
        assert "a bug in Beckon" not in line and "env -u PYTHONPATH" in line


def test_a_fault_of_ours_stays_ours_with_pythonpath(command, capsys, monkeypatch):
    monkeypatch.delenv("BECKON_DEBUG", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(app.__file__).parents[2]))
    command("probek", "import json; json.loads('{').no")
    assert app.main(["probek"]) == 1
    assert "PYTHONPATH" not in one_line(capsys)


def test_missing_packages_of_an_extra(monkeypatch):
    lines = ["numpy<3", "nicegui<4,>=3.10; extra == 'studio'", "beckon[studio]; extra == 'all'",
             'no-such-package<6,>=1; extra == "studio"', "other-none; extra == 'tune'"]
    monkeypatch.setattr(environment.importlib.metadata, "requires", lambda name: lines)
    monkeypatch.setattr(environment, "_installed", lambda need: need.startswith("nicegui"))
    assert environment.missing_packages("studio") == ["no-such-package<6,>=1"]
    line = environment.pip_line(["no-such-package<6,>=1"])
    assert line == f"{sys.executable} -m pip install 'no-such-package<6,>=1'"


def test_what_is_installed():
    assert environment._installed("numpy<3,>=1.26") and environment._installed("beckon[studio]")
    assert not environment._installed("no-such-package<6,>=1")


@pytest.mark.parametrize("typed, offered", [
    ("beckon si", ["simulate"]),
    ("./beckon data ch", ["check"]),
    ("beckon simulate --mod", ["--model"]),
    ("beckon image out --chip esp32s", ["esp32s2", "esp32s3"]),
    ("beckon evaluate mod", ["model file.mlp"]),
    ("beckon evaluate nothing-", []),
    ("beckon completion z", ["zsh"]),
])
def test_bash_completes(completion, tmp_path, typed, offered):
    """The script in a real bash, asked as the Tab key asks."""
    (tmp_path / "model file.mlp").touch()
    ask = f'''
source {completion}
COMP_LINE={shlex.quote(typed)}; COMP_WORDS=({typed}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
$(complete -p beckon | sed 's/.*-F \\([^ ]*\\).*/\\1/')
for word in "${{COMPREPLY[@]}}"; do echo "$word"; done
'''
    done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True,
                          cwd=tmp_path, timeout=60)
    assert done.stderr == ""
    assert [word.strip() for word in done.stdout.splitlines()] == offered


@pytest.fixture(scope="module")
def completion(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "made" / "beckon"
    assert app.main(["completion", "bash", "--out", str(path)]) == 0
    return path


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_every_shell_gets_a_script(capsys, shell):
    assert app.main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "beckon" in out and "simulate" in out and "recording" in out


FAULTS = [
    ("raise BeckonError('no file: give one')", 1, "no file: give one"),
    ("raise BeckonError('two\\nlines', status=2)", 2, "two lines"),
    ("raise ValueError('rate 7: need 50 or 100')", 1, "rate 7: need 50 or 100"),
    ("open('/no/such/file')", 1, "No such file or directory: /no/such/file"),
    ("raise OSError('text alone')", 1, "text alone"),
    ("raise BrokenPipeError(32, 'Broken pipe')", 1, "Broken pipe"),
    ("import no_such_package", 1, "the Python package no_such_package is missing: start with "
                                  "./beckon, which installs it"),
    ("{}['x']", 1, "KeyError: 'x' (a bug in Beckon: report it; BECKON_DEBUG=1 shows where)"),
]


@pytest.mark.parametrize("body, status, line", FAULTS)
def test_a_fault_is_one_line(command, capsys, monkeypatch, body, status, line):
    monkeypatch.delenv("BECKON_DEBUG", raising=False)
    command("sample", body, imports="from host_tools.errors import BeckonError")
    assert app.main(["sample"]) == status
    assert one_line(capsys) == f"beckon sample: {line}"


def test_debug_shows_where(command, monkeypatch):
    monkeypatch.setenv("BECKON_DEBUG", "1")
    command("probef", "{}['x']")
    with pytest.raises(KeyError):
        app.main(["probef"])


def test_an_interrupt_is_quiet(command, capsys):
    command("probeg", "raise KeyboardInterrupt")
    assert app.main(["probeg"]) == 130
    assert capsys.readouterr() == ("", "")


def test_unknown_arguments_can_be_passed_on(command, capsys):
    command("probeh", "print(args.rest, args.rate); return 0", imports="PASS_ON = True")
    assert app.main(["probeh", "-k", "x y", "--rate", "5"]) == 0
    assert capsys.readouterr().out == "['-k', 'x y'] 5\n"


def beckon(*words, **kwargs):
    return subprocess.run([sys.executable, "-m", "host_tools", *words], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60, **kwargs)


def test_version():
    done = beckon("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("beckon 0.")


def test_a_reader_that_left_is_no_fault():
    read, write = os.pipe()
    os.close(read)  # as `beckon ... | head -0` would
    try:
        done = subprocess.run([sys.executable, "-m", "host_tools", "--help"], stdout=write,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_message_survives_an_ascii_locale():
    done = beckon("tést", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "unknown command" in done.stderr


def test_a_terminated_command_still_cleans_up(tmp_path):
    mark = tmp_path / "cleaned"
    code = f"""
import sys, time, types
from pathlib import Path
from host_tools.cli import app, environment
def run(args):
    try:
        print("ready", flush=True)
        time.sleep(50)
    finally:
        Path({str(mark)!r}).touch()
module = types.SimpleNamespace(__doc__="Wait.", add_arguments=lambda parser: None, run=run)
app.importlib.import_module = lambda name: module
app.is_command = lambda name: True
app._assigned = lambda name, variable: None
sys.argv = ["beckon", "wait"]
sys.exit(app.main())
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(timeout=60) == 143
    process.stdout.close()
    assert mark.exists()


def test_starting_up_imports_nothing_heavy():
    code = ("import sys; from host_tools.cli.app import main; main(['--help']); "
            "print(*{'numpy', 'rich', 'amqtt', 'paho', 'asyncio'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("name", app.commands())
def test_every_command_explains_itself(name, capsys):
    assert app.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    summary = app.commands()[name]
    assert summary.endswith(".") and len(summary) <= 90
    assert f"beckon {name} " in out.split("options:")[-1], "no example at the end of the docstring"
