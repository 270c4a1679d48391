"""Writing: whole or not at all, links and pipes as they are, the umask respected."""

import ast
import os
import stat
import threading

import pytest

from host_tools import files
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from tests.conftest import REPOSITORY


@pytest.fixture
def umask():
    """umask(value) sets it until the test ends."""
    old = os.umask(0)
    yield os.umask
    os.umask(old)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask, private, expected", [
    (0o022, False, 0o644), (0o077, False, 0o600), (0o002, False, 0o664), (0o002, True, 0o600),
])  # fmt: skip
def test_a_new_file_has_what_the_umask_leaves(tmp_path, umask, mask, private, expected):
    umask(mask)
    write_atomically(tmp_path / "x", b"1", private)
    assert mode(tmp_path / "x") == expected and os.listdir(tmp_path) == ["x"]


def test_an_old_file_keeps_its_mode(tmp_path, umask):
    umask(0o022)
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and mode(path) == 0o640


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    file, link = tmp_path / "far" / "file", tmp_path / "link"
    file.write_bytes(b"old")
    link.symlink_to("far/file")
    write_atomically(link, b"new")
    assert link.is_symlink() and file.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to("far/later")
    write_atomically(dangling, b"made")
    assert dangling.is_symlink() and (tmp_path / "far" / "later").read_bytes() == b"made"


def test_a_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    data = b"x" * 300_000  # more than a pipe holds
    write_atomically(pipe, data)
    reader.join()
    assert got == [data] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_without_a_reader_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_READER_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BeckonError, match="pipe: nobody reads from this pipe"):
        write_atomically(tmp_path / "pipe", b"1")


def test_devices_and_open_files(tmp_path):
    write_atomically(os.devnull, b"1")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    with pytest.raises(BeckonError, match="/dev/full: No space left on device"):
        write_atomically("/dev/full", b"1")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    with open(tmp_path / "out", "w+") as out:  # as /dev/stdout is after `> out`
        out.write("before\n")
        out.flush()
        write_atomically(f"/dev/fd/{out.fileno()}", b"after\n")
        assert (tmp_path / "out").read_text() == "before\nafter\n"


def test_what_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(BeckonError, match="x: No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x"]
    with pytest.raises(BeckonError, match="Is a directory"):
        write_atomically(tmp_path, b"new")
    with pytest.raises(BeckonError, match="No such file"):
        write_atomically(tmp_path / "no" / "x", b"new")


# Files of ours that nobody names: caches, temporary folders, a simulated board's flash
OWN = {"simulator/asleep.py", "toolchain", "bench", "testing", "simulator/unix_board.py",
       "device/image.py",
       "device/deploy.py", "cli/setup.py", "dataset/convert", "recording/writer.py", "files.py",
       "simulator/standins", "studio/frame/access.py", "dashboard/exports.py", "device/pretend.py",
       "device/stored_settings.py", "simulator/boot_rom.py", "simulator/pretend", "store/backup.py",
       "studio/phone/certificate.py", "studio/start/page.py"}  # fmt: skip


def test_every_output_goes_through_files():
    """No other code replaces a file, or writes one under the name that somebody gave."""
    found = []
    for path in sorted((REPOSITORY / "host_tools").rglob("*.py")):
        name = path.relative_to(REPOSITORY / "host_tools").as_posix()
        if any(name == own or name.startswith(own + "/") for own in OWN) or "on_board" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in ("write_text", "write_bytes", "mkstemp") or (
                    ast.unparse(node.func) in ("os.replace", "os.rename")
                ):
                    found.append(f"{name}:{node.lineno} {ast.unparse(node.func)}")
    assert found == []
