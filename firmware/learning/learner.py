"""The command `learn`, and what a held button does: a gesture from a few repetitions.

    {"step": "start", "label": "wave", "takes": 5, "hmac": ".."}
    {"step": "stop", "hmac": ".."}  {"step": "undo", "hmac": ".."}
    {"step": "status"}
    {"step": "read", "file": "model", "offset": 0, "hmac": ".."} -> {"size": 9000, "data": "base64"}

The HMAC of `start` is over "start LABEL TAKES", that of `read` over "read FILE OFFSET", that of
the others over their step. `read` may name the `model` that a gesture led to. How far it is shows
in `state`, as `learning`. docs/learning.md describes it.

What is needed lies in modules that are loaded one after the other, as memory is short. If there is
too little before anybody has made a repetition, the board restarts, which packs its heap and drops
what came with commands, and learns then.
"""

import asyncio
import gc
import sys

from micropython import const

from learning.settle import settle
from ops.lazy import forget
from ops.uptime import uptime_ms

_TAKES = const(5)
_ROOM = const(1300)  # words of heap: computing and commands take them
_SENSOR_MS = const(20_000)
_ENOSPC = const(28)  # MicroPython's errno lacks it


class Learner:
    """board: Parts. restart: awaited when a model has changed. needs: what works now, see
    Rollback. finished: called when nothing is being learned, so that this module can go."""

    def __init__(self, board, restart, needs, finished):
        self._board = board
        self._path = board.settings.model
        self._restart = restart
        self._needs = needs
        self._finished = finished
        self._task = None
        self._label = ""
        self._fresh = False  # whether the board has restarted for this

    async def command(self, arguments, signature):
        """Carry out one step. Raises ValueError with the reason of a refusal."""
        try:
            return self._step(arguments, signature)
        finally:
            if not self._task:
                self._finished()

    def _step(self, arguments, signature):
        step = arguments.get("step")
        hmac = arguments.get("hmac")
        if step == "start":
            label, takes = arguments.get("label"), arguments.get("takes", _TAKES)
            self._check(label, takes)
            signature.check("learn", "start %s %d" % (label, takes), hmac)
            self._start(label, takes, "command")
            return {"takes": takes}
        if step == "stop":
            signature.check("learn", "stop", hmac)
            if not self._task:
                raise ValueError("nothing is being learned")
            self._task.cancel()
            return None
        if step == "undo":
            from learning.afterwards import undo

            if self._task:
                raise ValueError("busy with learning %r" % self._label)
            model = self._board.sensing.engine.model_id
            result = undo(self._path, model, lambda: signature.check("learn", "undo", hmac))
            result["after"] = self._restart
            return result
        if step == "status":
            return {"learning": self._board.learned}
        if step == "read":
            from learning.afterwards import read

            return read(self._path, arguments, lambda text: signature.check("learn", text, hmac))
        raise ValueError("step must be start, stop, undo, status or read")

    def button(self):
        """The button was held: learn the gesture that the settings name."""
        if not self._task:  # else what `state` says of that one must stay
            self._begin(self._board.settings.learn_label, _TAKES, "button")

    async def go_on(self, asked):
        """After a restart for the sake of memory: learn what was asked for before it."""
        label, takes, source = asked
        self._fresh = True
        since = uptime_ms()
        while not self._needs() and uptime_ms() - since < _SENSOR_MS:
            await asyncio.sleep_ms(100)
        if not self._task:
            self._begin(label, takes, source)

    def _begin(self, label, takes, source):
        try:
            self._check(label, takes)
            self._start(label, takes, source)
        except ValueError as fault:
            self._say("refused", label, str(fault))
            self._finished()

    def _check(self, label, takes):
        """Raises ValueError if this cannot be learned now."""
        if self._task:
            raise ValueError("busy with learning %r" % self._label)
        from learning.starting import check

        try:
            check(self._board, self._path, label, takes)
        finally:
            check = None
            forget("learning.starting")

    def _start(self, label, takes, source):
        self._board.sensing.recognition.pause()
        self._label = label
        self._task = asyncio.create_task(self._run(label, takes, source))

    async def _run(self, label, takes, source):
        sensing = self._board.sensing
        reason = ""
        good, unusable = 0, []
        recording = examples = found = None
        restarts = heard = False
        try:
            await settle()
            _tidy(self._path)
            from learning.starting import prepare

            examples, recording = await prepare(
                self._board, self._path, label, takes, uptime_ms,
                lambda good, unusable: self._say("repetitions", label, "", good, takes, unusable),
            )  # fmt: skip
            prepare = None
            forget("learning.starting")
            await settle()
            if gc.mem_free() < _ROOM * (8 if sys.maxsize >> 31 else 4):
                raise MemoryError  # computing would fail, and the repetitions be lost
            self._say("repetitions", label, "", 0, takes)
            heard = True
            try:
                await recording.record()
            finally:
                good, unusable = recording.good, recording.unusable
            self._say("computing", label, "", good, takes, unusable)
            good, known, about = recording.result()
            recording = None
            forget("learning.recording", "learning.repetitions", "learning.samples")
            await settle()
            about["source"] = source
            found = [examples, good, known, about]
            examples = known = about = None
            from learning.making import make

            await make(self._board, self._path, label, found, self._needs)
            self._say("learned", label, "", good, takes, unusable)
        except ValueError as fault:
            reason = str(fault)
        except OSError as fault:
            if fault.args and fault.args[0] == _ENOSPC:
                reason = "flash is full; remove files of your own, then learn it again"
            else:
                reason = "flash failed: %s" % fault
        except MemoryError:
            reason = "too little memory to learn"
            restarts = not (self._fresh or heard)
        except asyncio.CancelledError:
            reason = "stopped"
        self._task = examples = recording = found = make = None
        _forget_parts()
        if reason:
            _tidy(self._path)
        if restarts and _ask_again(label, takes, source):
            self._say("restarting", label, "", 0, takes)
            await self._restart()
            return
        if reason:
            self._say("refused", label, reason, good, takes, unusable)
            print("not learned:", reason)
            self._finished()
        sensing.recognizer.reset()
        sensing.recognition.resume()
        if not reason:
            await self._restart()

    def _say(self, phase, label, reason="", good=0, takes=0, unusable=()):
        self._board.learned = {
            "phase": phase,
            "label": label,
            "reason": reason,
            "good": good,
            "takes": takes,
            "unusable": list(unusable),
        }
        self._board.publisher.state_changed()


def _tidy(path):
    from learning.record import tidy

    tidy(path)
    forget("learning.record")


def _ask_again(label, takes, source):
    from learning.record import ask_again

    try:
        ask_again(label, takes, source)
    except OSError:
        return False
    return True


def _forget_parts():
    forget("learning.starting", "learning.recording", "learning.repetitions", "learning.row")
    forget("learning.computing", "learning.examples", "learning.making", "learning.model_file")
    forget("learning.model_writer", "learning.record", "learning.samples")
    gc.collect()
