"""beckon record, guided, on a terminal: a board that is moved as the screen asks, real keys."""

import csv
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest

from host_tools.cli.record import _obey
from host_tools.dataset.folder import read_dataset
from host_tools.recording.blocks import Block
from host_tools.recording.guide import Guide, Phase
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from tests.boards import firmware_image, sensor_board
from tests.waiting import until

COMMAND = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
from host_tools.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


class Terminal:
    """A command on a terminal of 80 columns; what it shows, and keys for it."""

    def __init__(self, *arguments):
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True, env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.set_blocking(self._master, False)
        self.text = ""
        self.bells = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self.slave)

    def press(self, key):
        os.write(self._master, key.encode())

    def look(self):
        """The panel as it is shown now, line by line."""
        try:
            data = os.read(self._master, 1 << 16).decode(errors="replace")
        except BlockingIOError:
            data = ""
        self.bells += data.count("\a")
        self.text = (self.text + re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data))[-20_000:]
        _, _, panel = self.text[: self.text.rfind("╰")].rpartition("╭")
        return [line.strip("│ ") for line in panel.splitlines()[1:]]

    def wait_for(self, *wanted):
        """The line that begins with one of wanted, once it is shown."""

        def found():
            return next((line for line in self.look() if line.startswith(wanted)), None)

        return until(found, lambda: f"{wanted}: {self.text[-1500:]}")

    def end(self):
        """The exit status, and all that was printed last."""

        def ended():
            self.look()
            return self.process.poll() is not None

        until(ended, lambda: f"the end: {self.text[-1500:]}")
        self.look()
        return self.process.poll(), self.text


class Hand:
    """Holds the sensor still, and waves when it is told to."""

    filtered = False
    duration_s = None

    def __init__(self):
        self._now_s = 0.0
        self._begin_s = -10.0
        self._strength = 0.0

    def wave(self, strength=1.0, delay_s=0.5):
        self._strength, self._begin_s = strength, self._now_s + delay_s

    def wait_until_over(self):
        until(lambda: self._now_s >= self._begin_s + 1.5, "the end of the movement")

    def sample(self, t_s):
        self._now_s = float(t_s[-1])
        values = np.zeros((len(t_s), 6))
        values[:, 2] = 9.80665
        at = (t_s - self._begin_s) / 0.7
        wave = np.where((at >= 0) & (at < 1), np.sin(4 * np.pi * at), 0) * self._strength
        values[:, 0] = 8 * wave
        values[:, 4] = 200 * wave
        return values


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    return firmware_image(tmp_path_factory.mktemp("flash"))


def test_a_whole_sitting(firmware, tmp_path):
    hand = Hand()
    lose = [0]

    def garble(data):
        lose[0] -= lose[0] > 0
        return b"" if lose[0] else data

    def cut():
        hand.wave()
        lose[0] = 8

    board = sensor_board(firmware, sensor=SimulatedMPU6500(hand), speed=5, garble=garble)
    what = ["--labels", "circle,x", "--takes", "2", "--seconds", "2.5", "--countdown", "1.5"]
    where = ["--out", str(tmp_path), "--subject", "ann"]
    with board, Terminal("record", board.port, *what, *where) as terminal:

        def take(act, result):
            for _ in range(8):  # a busy computer may see GO late, or stutter
                terminal.wait_for("GO: ")
                act()
                terminal.wait_for("circle in", "x in", "all done")
                if re.match(result, terminal.wait_for("good: ", "refused: ")):
                    return
            raise AssertionError(f"never {result}: {terminal.text[-1500:]}")

        assert terminal.wait_for("circle: take") == "circle: take 1 of 2; 4 to go in all"
        assert terminal.wait_for("circle in 2", "circle in 1")
        assert terminal.wait_for("Hold still. At GO")
        take(lambda: None, "refused: there was no movement")
        take(lambda: hand.wave(12), "refused: the movement went beyond the sensor's range")
        take(cut, r"refused: \d+ samples got lost on the way")
        take(hand.wave, "good: 0.7 s of circle")
        assert "circle: take 2 of 2; 3 to go in all" in terminal.look()
        assert re.search("gyro .*[▂▃▄▅▆▇█]", "\n".join(terminal.look()))
        take(hand.wave, "good: 0.7 s of circle")
        assert terminal.bells >= 5
        terminal.press("u")
        terminal.wait_for("took back the last circle")
        terminal.press(" ")
        terminal.wait_for("paused; space goes on")
        assert "circle: take 2 of 2; 3 to go in all" in terminal.look()
        hand.wave(delay_s=0)
        hand.wait_until_over()
        terminal.press(" ")
        terminal.wait_for("circle in")
        take(hand.wave, "good: ")
        terminal.wait_for("x: take 1 of 2; 2 to go in all")
        take(hand.wave, "good: 0.7 s of x")
        terminal.press("\x03")
        status, said = terminal.end()
        echo = termios.tcgetattr(terminal.slave)[3]
    assert status == 0 and "3 takes (" in said and "next: everyday movement" in said
    assert echo & termios.ICANON and echo & termios.ECHO
    with open(tmp_path / "labels.csv") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["circle", "circle", "x"]
    for recording in read_dataset(tmp_path).recordings:
        turning = np.abs(recording.samples[:, 4]) > 50
        labelled = np.zeros(len(turning), bool)
        for span in recording.spans:
            part = slice(round(span.start_ms / 10), round(span.end_ms / 10))
            labelled[part] = True
            assert turning[part].mean() > 0.5
        assert not (turning & ~labelled).any()  # what was refused, undone or paused is left out


# -- the keys, without a terminal ---------------------------------------------------------


def seen(guide, start_s, moves, seconds):
    """Feed guide with so many seconds of a hand that moves at moves (seconds since start)."""
    hand = Hand()
    for at in range(round(100 * start_s), round(100 * (start_s + seconds)), 10):
        for move in moves:
            if move * 100 == at:
                hand._begin_s, hand._strength = move, 1.0
        guide.feed(Block(at, hand.sample((at + np.arange(10)) / 100), np.zeros(10, bool)))


def test_keys():
    guide = Guide(["a", "b"], 1, 100.0, 2.0, 1.0)
    assert _obey(guide, "") and _obey(guide, "u ")  # nothing is there to be taken back, yet
    seen(guide, 0, [1.5], 3)
    assert guide.label == "b" and not guide.bad
    assert _obey(guide, " ") and guide.phase is Phase.PAUSED
    seen(guide, 3, [4], 2)  # what moves now does not count
    assert guide.pending_from(500) == 300 and guide.judged == 1
    assert _obey(guide, " ") and guide.bad == [(300, 500)]
    assert guide.phase is Phase.COUNTDOWN and guide.left_s == 1.0
    seen(guide, 5, [], 1.5)
    assert guide.phase is Phase.GO
    assert _obey(guide, "x\x7f") and guide.label == "a" and guide.taken_back == 1
    assert sorted(guide.bad) == [(70, 300), (300, 500), (570, 650)]
    seen(guide, 6.5, [8], 3)
    assert [take.label for take in guide.good] == ["a"] and guide.judged == 2
    assert not _obey(guide, "q") and not _obey(None, " q") and _obey(None, " u")
