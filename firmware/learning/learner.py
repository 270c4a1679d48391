"""The command `learn`, and what a held button does: a gesture from a few repetitions.

    {"step": "start", "label": "wave", "takes": 5, "hmac": ".."}
    {"step": "stop", "hmac": ".."}  {"step": "undo", "hmac": ".."}
    {"step": "status"}
    {"step": "read", "file": "model", "offset": 0, "hmac": ".."} -> {"size": 9000, "data": "base64"}

The HMAC of `start` is over "start LABEL TAKES", that of `read` over "read FILE OFFSET", that of
the others over their step. How far it
is shows in `state`, as `learning`. docs/learning.md describes it.
"""

import asyncio
import gc
import json
import os

from micropython import const

from ops.files import LEARNED, remove
from ops.lazy import forget
from ops.rollback import Rollback
from ops.uptime import uptime_ms

_LEAST = const(3)  # repetitions
_MOST = const(9)
_BUTTON = const(5)
_LABEL_BYTES = const(32)
_SPARE_BYTES = const(49152)  # of flash: the model twice, and what littlefs needs
_SAMPLES_BYTES = const(73728)


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
            label, takes = arguments.get("label"), arguments.get("takes", _BUTTON)
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
                raise ValueError("busy with learning %r" % self._board.learned["label"])
            model = self._board.sensing.engine.model_id
            result = undo(self._path, model, lambda: signature.check("learn", "undo", hmac),
                          self._needs())  # fmt: skip
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
        label = self._board.settings.learn_label
        try:
            self._check(label, _BUTTON)
            self._start(label, _BUTTON, "button")
        except ValueError as fault:
            self._say("refused", label, str(fault))
            if not self._task:
                self._finished()

    def _check(self, label, takes):
        """Raises ValueError if this cannot be learned now."""
        if isinstance(takes, bool) or not isinstance(takes, int) or not _LEAST <= takes <= _MOST:
            raise ValueError("takes must be %d to %d, not %r" % (_LEAST, _MOST, takes))
        _check_label(label)
        if self._task:
            raise ValueError("busy with learning %r" % self._board.learned["label"])
        engine = self._board.sensing.engine
        if label == engine.labels[engine.idle]:
            raise ValueError("%r is the model's name for no gesture" % label)
        if label in engine.labels and engine.labels.index(label) >= len(engine.shares):
            raise ValueError("%r is a rule's name; choose another" % label)  # feedback/rules.py
        if Rollback(self._path).is_on():
            raise ValueError("%s is on trial; ask again in a minute" % self._path)
        free = _free_bytes()
        if free < _SPARE_BYTES:
            raise ValueError("%d bytes of flash are free, %d are needed" % (free, _SPARE_BYTES))

    def _start(self, label, takes, source):
        """Raises ValueError."""
        try:
            gc.collect()
            prepared = self._prepare(label, takes)
        except MemoryError:
            gc.collect()
            raise ValueError("too little memory to learn: %d bytes are free" % gc.mem_free())
        self._board.sensing.recognition.pause()
        self._say("repetitions", label, "", 0, takes)
        self._task = asyncio.create_task(self._run(label, source, *prepared))

    def _prepare(self, label, takes):
        """(model, examples, recording): all that takes memory, before anybody makes a gesture."""
        sensing = self._board.sensing
        from learning.examples import Examples
        from learning.model_file import ModelFile

        model = ModelFile(self._path)
        if not sensing.engine.decision or not model.measures:
            raise ValueError("the model does not measure movement; train it again")
        if label not in sensing.engine.labels:
            from learning.model_writer import check_room

            check_room(model, label)
            forget("learning.model_writer")
            check_room = None
        gc.collect()
        examples = Examples(model.width, model.kept, takes)
        model.examples(examples.put)
        gc.collect()
        from learning.recording import Recording

        keeps = _free_bytes() >= _SPARE_BYTES + _SAMPLES_BYTES
        recording = Recording(
            sensing, examples, model.shift, model.layers, takes, keeps,
            lambda good, unusable: self._say("repetitions", label, "", good, takes, unusable),
            uptime_ms,
        )  # fmt: skip
        return model, examples, recording

    async def _run(self, label, source, model, examples, recording):
        sensing = self._board.sensing
        reason = ""
        out = self._path + ".learn"
        good, takes, unusable = 0, recording.takes, recording.unusable
        try:
            try:
                await recording.record()
            finally:
                good = recording.good
            self._say("computing", label, "", good, takes, unusable)
            good, known, about = recording.result()
            recording = None
            forget("learning.recording", "learning.repetitions")
            gc.collect()
            about["source"] = source
            await self._compute(label, model, examples, good, known, about, out)
            with open(LEARNED, "w") as file:
                json.dump(about, file)
            Rollback(self._path).replace(out, self._needs())
            self._say("learned", label, "", good, takes, unusable)
        except ValueError as fault:
            reason = str(fault)
        except OSError as fault:
            reason = "flash failed: %s" % fault
        except MemoryError:
            reason = "too little memory to learn"
        except asyncio.CancelledError:
            reason = "stopped"
        self._task = model = examples = recording = None
        forget("learning.recording", "learning.repetitions", "learning.row", "learning.computing")
        forget("learning.examples", "learning.model_file", "learning.model_writer")
        gc.collect()
        if reason:
            remove(out)
            self._say("refused", label, reason, good, takes, unusable)
            print("not learned:", reason)
            self._finished()
        sensing.recognizer.reset()
        sensing.recognition.resume()
        if not reason:
            await self._restart()

    async def _compute(self, label, model, examples, good, known, about, out):
        """Write the new model to `out`, and into `about` what is to be known of it."""
        engine = self._board.sensing.engine
        from learning.computing import golden_score, learned_row, loads
        from learning.examples import OWN

        weights, bias = await learned_row(engine, model, examples, good, known, label)
        own = [examples.own(k, i) for k in range(good) for i in range(0, OWN, 2)]
        examples = None
        golden = await golden_score(engine, model, weights, bias)
        index = engine.labels.index(label) if label in engine.labels else -1
        forget("learning.row")
        gc.collect()
        from learning.model_writer import write

        about["model"] = write(model, out, label, index, weights, bias, golden, own)
        own = None
        loads(out)
        self._note(label, about)

    def _note(self, label, about):
        """Add what the computer needs to make a recording of the samples."""
        board = self._board
        engine, imu = board.sensing.engine, board.sensing.imu
        about["before"] = engine.model_id
        about["label"] = label
        about["rate_hz"] = engine.rate_hz
        about["accel_g"] = engine.accel_g
        about["gyro_dps"] = engine.gyro_dps
        about["period_us"] = imu.period_us
        about["accel_lsb_per_g"] = imu.accel_lsb_per_g
        about["gyro_lsb_per_10_dps"] = imu.gyro_lsb_per_10_dps
        about["unix_ms"] = board.wall.unix_ms(uptime_ms()) if board.wall else 0

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


def _check_label(label):
    if not isinstance(label, str) or not label or len(label.encode()) > _LABEL_BYTES:
        raise ValueError("label must be a text of 1 to %d bytes" % _LABEL_BYTES)
    for character in label:
        good = character.isalpha() or character.isdigit() or character in "_- ."
        if not good and ord(character) < 128:
            raise ValueError("label %r holds %r; use letters, digits, _ and -" % (label, character))
    if label.strip() != label or label[0] == ".":
        raise ValueError("label %r cannot be; use letters, digits, _ and -" % label)


def _free_bytes():
    flash = os.statvfs(".")
    return flash[0] * flash[3]
