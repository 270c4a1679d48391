"""A pretend board: everything of a real one but the wires, on a serial port.

    with PretendBoard(ready=True) as board:
        print(board.port)               # for any command, or for mpremote
        board.order("circle")           # the hand makes a gesture
        board.order("pull")             # somebody pulls the sensor's wire

Commands that record tell the hand what they ask for (device/pretend.py), so it makes the asked
gesture at GO. Orders come from there and from order() alike; ORDERS lists them.
"""

import random
import shutil
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from host_tools.device.image import unix_arch, write_image
from host_tools.device.pretend import hand_address, listed
from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.pretend.chip import Chip, ChipBoard
from host_tools.simulator.pretend.hand import Hand
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.serial_board import SensorProcess

_IMU: tuple[int, int | None] = (0, 0x68)
_EVERY_S = 6.0  # between gestures that nobody asked for, and
_QUIET_S = 10.0  # so long after the last word from the host
_TICK_S = 0.1
_FOREVER_US = 1 << 60
_NEVER_S = 1e9
_BOOT = 0  # the GPIO of its button
_LOSE_AFTER_S = 0.5  # after GO
_LOSE_BYTES = 400
_ABANDONED_S = 60.0  # a guided recording that asks for nothing so long is over

MISTAKES = {
    "wrong": "make another gesture than the next one asked for",
    "still": "do not move at the next GO",
    "clip": "make the next gesture too strong for the sensor's range",
    "lost": "lose samples in the next take",
}
ORDERS = {
    **MISTAKES,
    "turn": "mount the sensor a quarter turn round, or back: wrong axes",
    "unit": "have the sensor measure g instead of m/s², or back: wrong unit",
    "pull": "pull the sensor's wire",
    "push": "put the sensor's wire back",
    "unplug": "unplug the board",
    "plug": "plug the board in again",
    "lay": "lay the board on a table",
    "take": "take it into the hand again",
    "button": "with a gesture's name: press the button, make it, press again",
    "auto": "make gestures now and then, or stop that",
}


class PretendBoard:
    """A context manager; `port` is its serial port.

    ready: the firmware and the default model are on it; else it is as from the shop, with
    MicroPython alone. speed: board time over real time; above 1 a computer that is too slow
    makes it slower instead of losing samples. auto: whether the hand makes gestures when nobody
    records. seed: of the hand. say: called with a line about what the hand does.
    """

    def __init__(
        self,
        *,
        ready: bool = False,
        speed: float = 1.01,
        auto: bool = True,
        seed: int = 0,
        say: Callable[[str], None] = lambda line: None,
    ):
        if not 0.1 <= speed <= 100:
            raise BeckonError(f"speed {speed:g}: name a number from 0.1 to 100", status=2)
        self.hand = Hand(seed)
        self.sensor = SimulatedMPU6500(self.hand, seed=seed)
        self._folder = Path(tempfile.mkdtemp(prefix="beckon-pretend-"))
        self._flash = self._folder / "flash"
        self._ready = ready
        self._say = say
        self._speed = speed
        self._random = random.Random(seed)
        self._names = ["circle", "x", "y"]
        self._mistakes: deque[str] = deque()
        self._asked = ""  # what is recorded now: "", "guided", "free LABEL", "row LABEL"
        self._auto = auto
        self._plan: list[tuple[float, Callable[[], None]]] = []
        """What the hand does next, by its time, one thing in each round."""
        self._asked_s = 0.0
        self._lose_at_s = _NEVER_S
        self._next_s = 0.0
        self._heard = 0
        self._quiet_since = time.monotonic()
        self._stack = ExitStack()
        self._closing = threading.Event()

    def __enter__(self) -> "PretendBoard":
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _start(self) -> None:
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._flash.mkdir()
        if self._ready:
            write_image(self._flash, unix_arch())
            shutil.copyfile(DEFAULT_MODEL, self._flash / "model.mlp")
            (self._flash / "config.json").write_text('{"take_button_pin": 0}', encoding="utf-8")
        program = self._program = SensorProcess(self._flash, {_IMU: self.sensor}, speed=self._speed)
        self._board = ChipBoard(Chip(self._flash, program))
        self._stack.enter_context(self._board)
        self.port = self._board.port
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._stack.callback(self._line.close)
        self._line.settimeout(_TICK_S)
        self._line.bind(str(hand_address(self.port)))
        self._stack.enter_context(listed(self.port))
        thread = threading.Thread(target=self._run, name="pretend-board", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 5)
        self._stack.callback(self._closing.set)

    def close(self) -> None:
        self._stack.close()

    @property
    def plugged(self) -> bool:
        return self._board.plugged

    def order(self, text: str) -> str:
        """Do what ORDERS says of text, or make the gesture of that name; what was done.

        Raises BeckonError for a name that no gesture can have.
        """
        word, _, rest = text.strip().partition(" ")
        if word in MISTAKES:
            self._mistakes.append(word)
            return f"at the next GO: {MISTAKES[word]}"
        if word == "button" and rest:
            return self._take_by_button(rest)
        act: Any = getattr(self, f"_order_{word}", None) if word in ORDERS else None
        if act:
            return str(act())
        if word in ("go", "guided", "free", "row", "end"):
            return self._recorder(word, rest)
        name = text.strip()
        if not name or not name.replace("-", "").replace("_", "").replace(" ", "").isalnum():
            raise BeckonError(f"{text!r} is not the name of a gesture; write one such as circle, "
                              f"or one of {', '.join(ORDERS)}", status=2)  # fmt: skip
        self.hand.perform(name)
        return f"the hand makes {name}"

    def _order_turn(self) -> str:
        self.hand.turned = not self.hand.turned
        return f"the sensor is {'a quarter turn round' if self.hand.turned else 'straight again'}"

    def _order_unit(self) -> str:
        self.hand.in_g = not self.hand.in_g
        return f"the sensor measures {'g' if self.hand.in_g else 'm/s²'}"

    def _order_pull(self) -> str:
        self.sensor.inject(Fault("no_answer", self.sensor.now_us, _FOREVER_US))
        return "the sensor's wire is out"

    def _order_push(self) -> str:
        self.sensor.faults.no_answer_until_us = 0
        return "the sensor's wire is in"

    def _order_unplug(self) -> str:
        self._board.unplug()
        return "the board is unplugged"

    def _order_plug(self) -> str:
        self._board.plug()
        return f"the board is on {self.port}"

    def _order_lay(self) -> str:
        self.hand.lying = True
        return "the board lies on a table"

    def _order_take(self) -> str:
        self.hand.lying = False
        return "the board is in the hand again"

    def _order_auto(self) -> str:
        self._auto = not self._auto
        return f"gestures now and then: {'yes' if self._auto else 'no'}"

    def _recorder(self, word: str, rest: str) -> str:
        """What a command that records asks for."""
        if word == "end" and not self._asked:
            return ""
        if word != "go":
            self._asked = "" if word == "end" else f"{word} {rest}".strip()
            self._asked_s = self.hand.now_s
            return {"guided": "a guided recording begins", "free": "a free recording begins",
                    "row": f"takes in a row begin: {rest}",
                    "end": "the recording is over"}[word]  # fmt: skip
        mistake = self._mistakes.popleft() if self._mistakes else ""
        left, _, name = rest.partition(" ")
        at_s = self.sensor.played_s + float(left)
        self._asked = "guided"
        self._asked_s = at_s
        self._remember(name)
        if mistake == "still":
            return f"GO: {name}, but the hand stays still"
        made = name
        if mistake == "wrong":
            made = self._random.choice([n for n in self._names if n != name] or ["shake"])
        if mistake == "lost":
            self._lose_at_s = at_s + _LOSE_AFTER_S
        self.hand.perform(made, mistake == "clip", at_s)
        but = {"wrong": f", but the hand makes {made}", "clip": ", but much too strong",
               "lost": ", but samples are lost"}.get(mistake, "")  # fmt: skip
        return f"GO: {name}{but}"

    def _order_button(self) -> str:
        self._plan += self._press_at(self.hand.now_s)
        return "the button is pressed"

    def _take_by_button(self, name: str) -> str:
        start_s = self.hand.now_s
        gesture = (start_s + 0.8, lambda: self.hand.perform(name))
        self._plan += [*self._press_at(start_s), gesture, *self._press_at(start_s + 3.5)]
        return f"the button is pressed, the hand makes {name}, the button is pressed"

    def _press_at(self, at_s: float) -> list[tuple[float, Callable[[], None]]]:
        """What the finger does from at_s on."""
        hold = self._program.hold_button
        return [(at_s, lambda: hold(_BOOT, True)), (at_s + 0.2, lambda: hold(_BOOT, False))]

    def _remember(self, name: str) -> None:
        """From now on it also makes the gestures that were asked for last."""
        if name not in self._names:
            self._names = [*self._names, name][-3:]

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                text = self._line.recv(256).decode(errors="replace")
                done = self.order(text)
                if done:
                    self._say(done)
            except TimeoutError:
                pass
            except (OSError, ValueError, BeckonError):
                continue
            self._be_alive()

    def _be_alive(self) -> None:
        """Move as it fits what is recorded, or now and then."""
        heard = self._board.received
        if heard != self._heard:
            self._heard, self._quiet_since = heard, time.monotonic()
        now_s = self.hand.now_s
        if self._plan and self._plan[0][0] <= now_s:
            self._plan.pop(0)[1]()
        if now_s > self._lose_at_s:
            self._lose_at_s = _NEVER_S
            self._board.lose_bytes = _LOSE_BYTES
        if self._asked == "guided" and now_s > self._asked_s + _ABANDONED_S:
            self._asked = ""
        if now_s < self._next_s or self._asked == "guided":
            return
        if self.hand.lying or self.hand.idle_s < 0.5:
            return
        kind, _, label = self._asked.partition(" ")
        if kind == "row":
            self._next_s = now_s + self._random.uniform(0.2, 0.5)
            self.hand.perform(label)
        elif kind == "free":
            self._next_s = now_s + self._random.uniform(0.8, 2.5)
            if label in ("none", "idle") or (not label and self._random.random() < 0.5):
                self.hand.fidget()
            else:
                self.hand.perform(label or self._random.choice(self._names))
        elif self._auto and time.monotonic() - self._quiet_since > _QUIET_S / self._speed:
            self._next_s = now_s + _EVERY_S * self._random.uniform(0.8, 1.3)
            name = self._random.choice(self._names)
            self.hand.perform(name)
            self._say(f"the hand makes {name}")


_kept: list[PretendBoard] = []


def practice_port() -> str:
    """The port of a pretend board that is ready to record. One is started, unless one runs, and
    ends with this program. Takes a second or two. Raises BeckonError where none can run."""
    from host_tools.device.pretend import pretend_ports

    running = pretend_ports()
    if running:
        return running[0]
    import atexit

    board = PretendBoard(ready=True).__enter__()
    _kept.append(board)
    atexit.register(board.close)
    return board.port
