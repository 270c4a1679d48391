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

_ROOM = const(1300)  # words of heap: computing and commands take them
_PARTS = const(3100)  # words: what recording takes, and a rest that no other task may miss
_SENSOR_LOOKS = const(200)  # 0.1 s apart
_SHOWN_S = const(60)  # why it was refused, before a restart that lets the board sleep again
_ENOSPC = const(28)  # MicroPython's errno lacks it
# What needs the sensor, would restart the board, or puts files on trial meanwhile.
_REFUSED = ("calibrate", "model", "restart", "self_test", "set", "stream")
_KEPT = ("learning.learner", "learning.button", "learning.settle")


class Learner:
    """board: Parts. commands: Commands. restart: awaited when a model has changed. needs: what
    works now, see Rollback. finished: called when nothing is being learned, so that this module
    can go."""

    TAKES = 5

    def __init__(self, board, commands, restart, needs, finished):
        self.board = board
        self._verbs = commands.verbs
        self._handlers = {}  # of the verbs that are refused meanwhile
        self.path = board.settings.model
        self.restart = restart
        self._needs = needs
        self._finished = finished
        self.task = None
        self._label = ""
        self._fresh = False  # whether the board has restarted for this

    async def command(self, arguments, signature):
        """Carry out one step. Raises ValueError with the reason of a refusal."""
        from learning.steps import step

        try:
            return step(self, arguments, signature)
        finally:
            step = None
            forget("learning.steps", "learning.afterwards")
            if not self.task:
                self._finished()

    def button(self):
        """The button was held: learn the gesture that the settings name."""
        if not self.task:  # else what `state` says of that one must stay
            self._begin(self.board.settings.learn_label, self.TAKES, "button")

    async def go_on(self, asked):
        """After a restart for the sake of memory: learn what was asked for before it."""
        for _ in range(_SENSOR_LOOKS):
            if self._needs():
                break
            await asyncio.sleep_ms(100)
        self._fresh = True
        if not self.task:
            self._begin(*asked)

    def _begin(self, label, takes, source):
        try:
            self.check(label, takes)
            self.start(label, takes, source)
        except (ValueError, MemoryError) as fault:
            self._say("refused", label, str(fault) or "too little memory to learn")
            self._end()

    def _end(self):
        """Nothing was learned. Where the restart left out what saves power, another one follows."""
        self._finished()
        if self._fresh and not self.board.saver and self.board.settings.power != "always_on":
            asyncio.create_task(self._save_again())

    async def _save_again(self):
        await asyncio.sleep(_SHOWN_S)
        while self.board.sensing.recognition.paused:
            await asyncio.sleep(1)
        await self.restart()

    def check_idle(self):
        """Raises ValueError while something is being learned."""
        if self.task:
            raise ValueError("busy with learning %r; stop that, or ask again later" % self._label)

    def check(self, label, takes):
        """Raises ValueError if this cannot be learned now."""
        self.check_idle()
        from learning.starting import check

        try:
            check(self.board, self.path, label, takes)
        finally:
            check = None
            forget("learning.starting")

    def start(self, label, takes, source):
        self.board.sensing.recognition.pause()
        self._label = label
        for verb in _REFUSED:
            self._handlers[verb] = self._verbs[verb]
            self._verbs[verb] = self._refuse
        self.task = asyncio.create_task(self._run(label, takes, source))

    async def _refuse(self, arguments):
        self.check_idle()
        raise ValueError("busy with what was learned; ask again later")

    async def _run(self, label, takes, source):
        sensing = self.board.sensing
        reason = ""
        good, unusable = 0, []
        recording = examples = found = None
        restarts = heard = False
        try:
            await settle()
            _tidy(self.path)
            _need(_PARTS)
            from learning.starting import prepare

            examples, recording = await prepare(
                self.board, self.path, label, takes, uptime_ms,
                lambda good, unusable: self._say("repetitions", label, "", good, takes, unusable),
            )  # fmt: skip
            prepare = None
            forget("learning.starting")
            await settle()
            _need(_ROOM)  # else computing would fail, and the repetitions be lost
            self._say("repetitions", label, "", 0, takes)
            await self._played()
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

            await make(self.board, self.path, label, found, self._needs)
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
        self.task = examples = recording = found = make = None
        _forget_parts()
        if reason:
            _tidy(self.path)
        if restarts and _ask_again(label, takes, source):
            self._say("restarting", label, "", 0, takes)
            await self.restart()
            return
        if not reason:  # all stays refused and paused, so that nothing comes between
            await self._played()
            await self.restart()
            return
        self._say("refused", label, reason, good, takes, unusable)
        print("not learned:", reason)
        self._verbs.update(self._handlers)
        sensing.recognizer.reset()
        sensing.recognition.resume()
        self._end()

    def _say(self, phase, label, reason="", good=0, takes=0, unusable=()):
        before = self.board.learned
        self.board.learned = now = {
            "phase": phase,
            "label": label,
            "reason": reason,
            "good": good,
            "takes": takes,
            "unusable": list(unusable),
        }
        self.board.publisher.state_changed()
        if self.board.feedback:
            try:
                from learning.signs import sign

                self.board.feedback.play(sign(before, now))
                sign = None
            except MemoryError:
                pass  # `state` has it
            forget("learning.signs")

    async def _played(self):
        """Wait until the feedback pin has said it, and leave out what that shook."""
        if self.board.feedback:
            from learning.signs import empty, over

            await over(self.board.feedback)
            empty(self.board.sensing.ring)
            over = empty = None
            forget("learning.signs")


def _need(words):
    gc.collect()
    if gc.mem_free() < words * (8 if sys.maxsize >> 31 else 4):
        raise MemoryError


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
    for name in list(sys.modules):
        if name.startswith("learning.") and name not in _KEPT:
            forget(name)
    gc.collect()
