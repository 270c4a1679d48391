"""beckon board: the commands find it, and its hand makes what is asked for, with mistakes too."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset.folder import read_dataset
from host_tools.device import pretend
from host_tools.device.ports import find_port
from host_tools.errors import BeckonError
from host_tools.recording.board_source import BoardSource
from host_tools.recording.row import cut_row
from host_tools.recording.session import Session
from host_tools.simulator.pretend.board import MISTAKES, ORDERS, PretendBoard, practice_port
from host_tools.simulator.pretend.hand import Hand
from host_tools.simulator.pretend.shapes import KNOWN, Shapes
from host_tools.units import GRAVITY
from tests.test_flash import image
from tests.waiting import until

SPEED = 8


@pytest.fixture(autouse=True)
def own_list(monkeypatch, tmp_path):
    """Boards of other tests are not found."""
    monkeypatch.setenv("BECKON_BOARDS", str(tmp_path / "boards"))


@contextmanager
def ready_board(said, **options):
    with PretendBoard(ready=True, speed=SPEED, say=said.append, **options) as board:
        yield board


def record(folder, *more):
    return main(["record", "--labels", "circle,left,shake", "--takes", "2", "--countdown", "1",
                 "--out", str(folder), "--json", *more])  # fmt: skip


def test_the_hand_makes_the_asked_gestures_and_mistakes_on_request(tmp_path, capsys):
    said = []
    with ready_board(said, auto=False) as board:
        assert find_port(None) == board.port and pretend.is_pretend(board.port)
        assert practice_port() == board.port
        assert record(tmp_path / "good") == 0
        good = json.loads(capsys.readouterr().out)
        assert (good["takes"], good["refused"], good["lost"]) == (6, 0, 0)
        asked = [line.partition(": ")[2] for line in said if line.startswith("GO")]
        assert asked == ["circle", "circle", "left", "left", "shake", "shake"]

        for mistake in ("still", "clip", "lost", "wrong"):
            assert MISTAKES[mistake] in board.order(mistake)
        assert record(tmp_path / "bad", "--accel-g", "4") == 0
        err = capsys.readouterr().err
        for reason in ("no movement", "beyond the sensor's range", "got lost on the way"):
            assert err.count(reason) == 1, reason
        assert "GO: circle, but the hand makes" in " / ".join(said)

        spans = read_dataset(tmp_path / "good").recordings[0].spans
        assert [span.label for span in spans if span.label != "none"] == asked
        # Everyday movement, and wires.
        assert main(["record", "--free", "--labels", "none", "--seconds", "6", "--out",
                     str(tmp_path / "good"), "--json"]) == 0  # fmt: skip
        assert "a free recording begins" in said
        (free,) = [r for r in read_dataset(tmp_path / "good").recordings
                   if {span.label for span in r.spans} == {"none"}]  # fmt: skip
        assert np.ptp(free.samples[:, :3], axis=0).max() > 0.5
        # Takes in a row, as Studio records them
        with BoardSource(board.port) as source:
            session = Session(source, repeated="left")
            while session.seconds < 12:
                assert session.step()
            takes = cut_row(session.blocks, source.rate_hz)
            session.close()
        assert len(takes) >= 4, takes
        board.order("pull")
        capsys.readouterr()
        assert record(tmp_path / "pulled") == 1
        assert "check its wires" in capsys.readouterr().err
        board.order("push")
        board.order("unplug")
        with pytest.raises(BeckonError, match="practise on a pretend one"):
            find_port(None)
        board.order("plug")
        assert find_port(None) == board.port
    assert pretend.pretend_ports() == []


def test_a_new_board_is_flashed_and_says_what_it_lacks(tmp_path, capsys):
    pytest.importorskip("esptool")
    path = tmp_path / "micropython.bin"
    path.write_bytes(image())
    with PretendBoard(speed=SPEED) as board:
        (board._flash / "left.txt").write_text("over")
        assert main(["flash", board.port, "--image", str(path), "--yes"]) == 0
        assert not list(board._flash.iterdir())  # erased
        capsys.readouterr()
        assert record(tmp_path / "none") == 1
        assert "has no Beckon firmware" in capsys.readouterr().err


def test_the_command_prints_its_port_and_obeys(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools", "board", "--ready", "--broker-port", "-1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        out, err = process.communicate("circle\nlay\nhelp\n?!\nq\n", timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "A pretend board is on" in out and "the hand makes circle" in out
    assert "the board lies on a table" in out and all(f"  {word} " in out for word in ORDERS)
    assert "beckon deploy" not in out or "--settings practice" in out
    assert "'?!' is not the name of a gesture" in err


def felt(hand, first_s, last_s):
    t_s = np.arange(first_s, last_s, 0.01)
    return np.concatenate([hand.sample(part) for part in np.array_split(t_s, 20)])


def test_the_hand_rests_moves_and_can_be_mounted_wrongly():
    hand = Hand(1)
    still = felt(hand, 0, 2)
    assert np.linalg.norm(still[:, :3], axis=1) == pytest.approx(GRAVITY, abs=1.0)
    hand.perform("right")
    assert hand.idle_s < 0
    moved = felt(hand, 2, 4)
    assert np.abs(moved[:, 0] - still[:, 0].mean()).max() > 5 and hand.idle_s > 0
    assert np.abs(moved[:, 0]).max() > 2 * np.abs(moved[:, 1]).max()
    hand.turned = True
    hand.perform("right")
    turned = felt(hand, 4, 6)
    assert np.abs(turned[:, 1]).max() > 2 * np.abs(turned[:, 0]).max()
    hand.turned, hand.in_g = False, True
    assert np.linalg.norm(felt(hand, 6, 8)[:, :3], axis=1).mean() == pytest.approx(1, abs=0.1)
    hand.in_g, hand.lying = False, True
    assert np.ptp(felt(hand, 8, 9), axis=0).max() < 1e-6


def test_names_get_movements_of_their_own():
    shape_of = Shapes()
    names = ["circle", "Zauber", "shake", "foo", "bar"]
    chosen = [shape_of(name) for name in names]
    assert len(set(chosen)) == 5 and chosen == [shape_of(name) for name in names]
    assert chosen[0] == KNOWN["circle"] and chosen[2] == "shake"


def test_gestures_come_now_and_then_when_nobody_records():
    said = []
    with ready_board(said):
        until(lambda: [line for line in said if line.startswith("the hand makes")], 30)
