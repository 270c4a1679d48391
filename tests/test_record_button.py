"""record --button: presses on the board start and end takes."""

import json
import threading

import numpy as np

from host_tools.cli.app import main
from host_tools.recording.blocks import Block
from host_tools.recording.guide import Guide, Phase
from host_tools.simulator.pretend.board import PretendBoard
from tests.waiting import until

RATE = 100.0


def rest(start_s, end_s, moves=()):
    """A hand at rest that moves in moves, seconds from the source's start."""
    t = np.arange(round(start_s * RATE), round(end_s * RATE)) / RATE
    values = np.zeros((len(t), 6))
    values[:, 2] = 9.81
    for begin, end in moves:
        inside = (t >= begin) & (t < end)
        values[inside, 0] = 8 * np.sin(2 * np.pi * 3 * (t[inside] - begin))
    return Block(round(start_s * RATE), values, np.zeros(len(t), bool))


def test_a_take_lies_between_two_presses():
    guide = Guide(["wave"], 2, RATE, seconds=5.0, by_button=True)
    guide.feed(rest(0, 2))
    assert guide.phase is Phase.REST and guide.left == 2
    guide.press()
    guide.feed(rest(2, 5, [(1.9, 2.1), (3, 3.6)]))  # the finger shakes the board, too
    assert guide.phase is Phase.GO
    guide.press()
    (take,) = guide.good
    assert 290 <= take.start <= 310 and 355 <= take.stop <= 375
    assert guide.phase is Phase.REST and not guide.refused
    guide.press()
    guide.press()
    assert guide.refused and "too soon" in guide.message and len(guide.good) == 1
    guide.press()
    guide.feed(rest(5, 12))  # forgotten: the longest take ends it
    assert guide.refused and "no movement" in guide.message and guide.phase is Phase.REST
    assert (175, 225) in guide.bad and (475, 525) in guide.bad


def test_the_boards_button_makes_takes(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BECKON_BOARDS", str(tmp_path / "boards"))
    with PretendBoard(ready=True, speed=6, auto=False) as board:
        asked = threading.Event()

        def press():
            until(lambda: board._asked == "guided")
            for _ in range(2):
                board.order("button circle")
                until(lambda: not board._plan)
                asked.wait(0.5)

        finger = threading.Thread(target=press, daemon=True)
        finger.start()
        assert main(["record", "--button", "--labels", "circle", "--takes", "2", "--out",
                     str(tmp_path / "mine"), "--json"]) == 0  # fmt: skip
        finger.join(30)
    done = json.loads(capsys.readouterr().out)
    assert (done["takes"], done["refused"]) == (2, 0)


def test_a_button_is_for_guided_takes(tmp_path, capsys):
    assert main(["record", "--button", "--free", "--out", str(tmp_path)]) == 2
    assert "leave out --free" in capsys.readouterr().err
