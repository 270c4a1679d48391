"""What is wrong with a port or a board is one line with the cure, whatever the command."""

import json
import re

import pytest

from host_tools.cli.app import main
from host_tools.device.console import Console
from host_tools.recording.forwarder_source import ForwarderSource
from host_tools.testing.pty_board import PtyBoard, TalkingProcess
from tests.boards import node_board

BOOT_LOOP = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(Console.catch, "__defaults__", (0.4,))
    monkeypatch.setattr(ForwarderSource, "_MEASURE_S", 0.2)


def lines_of(port, tmp_path, capsys):
    """What deploy, record, record --from csv say, and doctor's fault; one line each."""
    record = ["record", port, "--out", str(tmp_path / "set")]
    said = []
    for command in (["deploy", port], [*record, "--labels", "a"],
                    [*record, "--free", "--from", "csv"]):  # fmt: skip
        assert main(command) == 1
        lines = capsys.readouterr().err.splitlines()
        assert lines[-1].startswith(f"beckon {command[0]}: ")
        assert all(line.endswith("...") for line in lines[:-1])
        said.append(lines[-1])
    assert main(["doctor", port, "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)["findings"]
    fault = faults[-1]
    assert [f["state"] for f in faults].count("fault") == 1 and fault["cure"]
    assert not list(tmp_path.rglob("*.csv*"))
    return [*said, f"{fault['text']}; {fault['cure']}"]


@pytest.mark.parametrize(
    "sent, told, csv_told",
    [
        (b"", "does not answer; press its reset button", "nothing comes from"),
        (BOOT_LOOP, "keeps restarting.*; flash it again", "3 or 6 numbers .a board with Beckon's"),
        (b"\x9f\xfe\x80\xc3" * 8, "is not text.*; press its reset", "not text at 115200.*--baud"),
        (b"temp 23\r\n", "not stop for Ctrl-C .*temp 23.*; press", "sends 'temp 23'"),
    ],
)
def test_a_board_that_does_not_listen(sent, told, csv_told, tmp_path, capsys):
    with PtyBoard(TalkingProcess(sent, 0.02)) as board:
        deploy, record, csv, doctor = lines_of(board.port, tmp_path, capsys)
    for line in (deploy, record, doctor):
        assert re.search(told, line), line
    assert re.search(csv_told, csv), csv


def test_a_port_that_is_busy_or_not_there(tmp_path, capsys, monkeypatch):
    from host_tools.device import console

    monkeypatch.setattr(console, "_BUSY_S", 0.1)
    with PtyBoard(TalkingProcess(b"")) as board, Console(board.port):
        for line in lines_of(board.port, tmp_path, capsys):
            assert "is in use by another program; close the serial monitor" in line
    for line in lines_of(str(tmp_path / "ttyUSB0"), tmp_path, capsys):
        assert "ttyUSB0 is not there; is the board plugged in?" in line


def test_unplugged_while_it_is_examined(tmp_path, capsys, monkeypatch):
    monkeypatch.undo()
    with node_board(tmp_path / "flash") as board:
        board.unplug_after(300)  # in the middle of the survey
        assert main(["doctor", board.port, "--json"]) == 1
    fault = json.loads(capsys.readouterr().out)["findings"][-1]
    assert fault["state"] == "fault" and "went away" in fault["text"]
    assert "check cable and plug" in fault["cure"]
