"""The board's program: the tasks of the parts that board.py makes, crashes, restarts."""

import asyncio
import gc
import sys
import time
from time import ticks_add, ticks_diff, ticks_ms

from machine import freq, reset, reset_cause
from micropython import const

from board import SettingsError
from ops.lazy import forget

VERSION = "0.1.0"

# Collecting early packs what stays to the heap's low end and so keeps large free pieces whole.
_COLLECT_BYTES = const(16384)
_GOODBYE_MS = const(5000)
_BEFORE_RESET_S = const(3)  # time to read the fault on the serial line
_FREQ_HZ = const(240_000_000)  # an ESP32 starts with 160 MHz
_TRIAL_MS = const(180_000)  # settings on trial: if not all works by then, it restarts
_LOOK_MS = const(1000)
_SAFE_S = const(3600)  # in safe mode after crashes; then it tries again


class App:
    """Runs `board`, the Parts that board.py makes."""

    def __init__(self):
        gc.threshold(_COLLECT_BYTES)
        self._commands = self._learn = None
        import board

        self.board = board.build(self._describe, _record_crash, self._on_healthy)
        del board
        forget("board", "ops.files")
        parts = self.board
        parts.link.subscribe(b"beckon/%s/cmd/#" % parts.settings.device.encode(), self._on_command)
        self._problem = "ok"
        if parts.sensing:
            parts.health.watch("sampling", self._sampled, 10_000)
            parts.health.watch("recognition", self._recognized, 10_000)
            parts.sensing.recognizer.threshold_percent = parts.settings.threshold_percent
            if parts.settings.learn_label:
                from learning.button import add

                add(parts, self._learner)
            if parts.again:
                parts.runs.append(lambda: self._learner().go_on(parts.again))
        gc.collect()

    async def run(self):
        """For ever. What ends a task ends the program: it must not live on without a part."""
        asyncio.get_event_loop().set_exception_handler(_fail)
        board = self.board
        tasks = [
            board.health.run(),
            board.lag.run(),
            board.link.run(),
            board.publisher.run(),
        ]
        for run in board.runs:
            tasks.append(run())
        if board.settings_rollback and not board.settings_rollback.reverted:
            tasks.append(self._try_settings())
        if board.sensing:
            tasks.append(board.sensing.sampling.run())
            tasks.append(board.sensing.recognition.run())
            tasks.append(self._watch_sensor())
        if board.discovery:
            tasks.append(board.discovery.run(VERSION, board.publisher.publish_diag))
        if board.settings.time_server:
            from link.sntp import keep_time

            tasks.append(keep_time(board.wall, board.settings, board.wifi, board.resolver))
        if board.settings.ap_key and board.settings.take_button_pin >= 0:
            from portal.recall import watch_button

            tasks.append(watch_button(board.settings.take_button_pin, self.restart))
        await asyncio.gather(*tasks)

    async def restart(self):
        """Say goodbye and reset the board."""
        await self.board.publisher.close(_GOODBYE_MS)
        reset()

    def _sampled(self):
        """Grows while the sampler works. To look for a sensor that is gone is work, too, and
        so is a pause that somebody wanted."""
        sampling = self.board.sensing.sampling
        return self.board.health.looks if sampling.paused else self.board.sensing.sampler.progress()

    def _recognized(self):
        """Grows while the recogniser keeps up with what is sampled."""
        sensing = self.board.sensing
        if len(sensing.ring) and not sensing.recognition.paused:
            return sensing.recognizer.windows
        return self.board.health.looks

    async def _watch_sensor(self):
        """Say when no samples come, and when they come (again)."""
        sensing = self.board.sensing
        doubts = 0
        shown = ""
        while True:
            await asyncio.sleep_ms(_LOOK_MS)
            problem = sensing.sampler.problem()
            # The first samples after a pause take some time.
            doubts = doubts + 1 if problem and not sensing.sampling.paused else 0
            if doubts > 2:
                line = "no sensor: " + problem
                self._problem = problem
            elif not problem and sensing.recognizer.windows:
                line = "sensor: %s" % sensing.imu
                self._problem = "ok"
            else:
                continue
            if line != shown:
                if shown or self._problem != "ok":
                    self.board.publisher.state_changed()
                shown = line
                print(line)

    def _works(self):
        """A letter for each part that works now: what a trial must not lose."""
        sensing = self.board.sensing
        return "s" if sensing and sensing.recognizer.windows and self._problem == "ok" else ""

    def _apply_settings(self):
        """Let settings act that need no restart."""
        board = self.board
        if board.sensing:
            board.sensing.recognizer.threshold_percent = board.settings.threshold_percent
        if board.discovery:
            board.discovery.renew()
        board.publisher.state_changed()

    def _calibration_failed(self, line):
        self.board.sensing.calibration = line
        self.board.publisher.state_changed()

    def _on_command(self, topic, payload, retained):
        if self.board.saver:
            self.board.saver.stay()
        self._load_commands().enqueue(topic, payload, retained)

    def _load_commands(self):
        if not self._commands:
            gc.collect()
            from commands.verbs import Verbs

            board = self.board
            self._commands = commands = Verbs(
                board.link,
                board.settings,
                board.publisher,
                board.sensing,
                board.safe,
                VERSION,
                self.restart,
                self._apply_settings,
                self._works,
                self._calibration_failed,
                self._learner,
                board.feedback,
            ).commands
            board.parts.append(commands)
            asyncio.create_task(commands.run())
        return self._commands

    def _learner(self):
        if not self._learn:
            commands = self._load_commands()  # while it learns no memory is left for that
            from learning.learner import Learner

            self._learn = Learner(
                self.board, commands, self.restart, self._works, self._learner_done
            )
        return self._learn

    def _learner_done(self):
        self._learn = None
        forget("learning.learner", "learning.afterwards", "learning.record")

    def _on_healthy(self):
        board = self.board
        if board.model_rollback and not board.model_rollback.reverted:
            asyncio.create_task(self._try_model())
        if board.crash:
            crash_log().healthy()
            if board.safe:
                asyncio.create_task(self._try_again())

    async def _try_again(self):
        """What made it crash may be over, and nobody near who could restart it."""
        await asyncio.sleep(_SAFE_S)
        await self.restart()

    async def _try_model(self):
        """A new model is good once all works again, after a minute or whenever."""
        while not self._is_as_before(self.board.model_rollback):
            await asyncio.sleep_ms(_LOOK_MS)
        self.board.model_rollback.confirm()

    def _is_as_before(self, rollback):
        """Whether all works that worked before the trial of a file."""
        works = self._works()
        return all(part in works for part in rollback.needs)

    async def _try_settings(self):
        """New settings are good once all works again; if not in time, the old ones come back."""
        board = self.board
        rollback = board.settings_rollback
        until = ticks_add(ticks_ms(), _TRIAL_MS)
        while not (board.publisher.is_known() and self._is_as_before(rollback)):
            if rollback.needs and board.safe:
                rollback.fail()  # the model that they name does not load: it never will
                await self.restart()
            if ticks_diff(until, ticks_ms()) < 0:
                await self.restart()  # the trial counts its boots
            await asyncio.sleep_ms(_LOOK_MS)
        rollback.confirm()

    def _describe(self):
        """What runs here, for the retained `state`."""
        board = self.board
        state = {
            "firmware": VERSION,
            "micropython": "%d.%d.%d" % sys.implementation[1][:3],
            "boot": board.publisher.boot,
            "chip": board.settings.chip,
            "reset_cause": reset_cause(),
            "crash": board.crash,
            "safe_mode": board.safe,
            "model_taken_back": bool(board.model_rollback and board.model_rollback.reverted),
            "settings_taken_back": bool(
                board.settings_rollback and board.settings_rollback.reverted
            ),
        }
        if board.sensing:
            engine = board.sensing.engine
            state["sensor"] = self._problem
            state["calibration"] = board.sensing.calibration
            state["learning"] = board.learned
            state.update(
                {
                    "model": engine.model_id,
                    "labels": engine.labels,
                    "rate_hz": engine.rate_hz,
                    "accel_g": engine.accel_g,
                    "gyro_dps": engine.gyro_dps,
                    "window": engine.window,
                    "hop": engine.hop,
                    "debounce": engine.decision[:-1] if engine.decision else engine.debounce,
                    "threshold_percent": board.sensing.recognizer.threshold_percent,
                }
            )
        return state


def _fail(loop, context):
    raise context["exception"]


def crash_log():
    from ops.crash_log import CrashLog

    return CrashLog()


def _record_crash(fault):
    crash_log().record(fault)


def main():
    app = None
    try:
        try:
            freq(_FREQ_HZ)
        except ValueError:
            pass  # an ESP32-C3 has 160 MHz at most
        app = App()
        asyncio.run(app.run())
    except KeyboardInterrupt:
        if app:
            app.board.health.relax()
            unsent = asyncio.run(app.board.publisher.close(_GOODBYE_MS))
            print("beckon: stopped, %d events not sent" % unsent)
    except SettingsError as fault:
        print("beckon:", fault)
    except Exception as fault:
        # A part that fails unforeseen must not leave a board that only looks alive.
        sys.print_exception(fault)
        app = None
        asyncio.new_event_loop()  # the old one holds all that ran
        gc.collect()
        try:
            _record_crash(fault)
        except MemoryError:
            pass  # then the reset alone must do
        time.sleep(_BEFORE_RESET_S)
        reset()
