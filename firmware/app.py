"""The board's program: its parts, which board.py makes, and its tasks."""

import asyncio
import gc
import os
import sys
import time

from machine import reset, reset_cause

from ops.lazy import forget

VERSION = "0.1.0"

# Collecting early packs what stays to the heap's low end and so keeps large holes whole.
_COLLECT_BYTES = 16384
_GOODBYE_MS = 5000
_BEFORE_RESET_S = 3  # time to read the fault on the serial line
CRASH_FILE = "crash.txt"
_LINK_MS = 180_000  # settings on trial: so long without a link, and it restarts


class SettingsError(Exception):
    """Settings with which nothing can run; only a hand at the serial line can mend them."""


class App:
    """Everything that runs on the board.

    `engine`, `imu`, `sampler` and `recognizer` are None in safe mode; `safe` says why.
    """

    VERSION = VERSION

    def __init__(self):
        gc.threshold(_COLLECT_BYTES)
        self.engine = self.imu = self.sampler = self.recognizer = self.remote = None
        self.safe = ""
        self.crash = ""  # what the last crash was, until this run has been healthy
        import board

        board.wire(self)
        del board
        forget("board")
        gc.collect()

    def link_turns(self):
        return self.link.turns

    def samples(self):
        """Grows while the sampler works; looking for a sensor that is gone is work, too."""
        from ops.health import total

        return total(self.sampler)

    def recognize(self):
        from recognition.task import recognize

        labels = self.engine.labels
        return recognize(self.sampler, self.ring, self.recognizer, self.publisher, labels)

    def apply_settings(self):
        """Let settings act that need no restart."""
        percent = self.settings.threshold_percent
        if self.recognizer:
            self.recognizer.threshold_percent = percent

    def on_command(self, topic, payload, retained):
        if not self.remote:
            gc.collect()
            from commands.verbs import Remote

            self.remote = Remote(self)
            asyncio.create_task(self.remote.run())
        self.remote.commands.take(topic, payload, retained)

    def on_healthy(self):
        if self.model_trial:
            self.model_trial.confirm()
        if self.crash:
            crash_log().healthy()

    async def _try_settings(self):
        """New settings are good once there is a link; without one the old ones come back."""
        try:
            await asyncio.wait_for_ms(self.link.ready.wait(), _LINK_MS)
            self.settings_trial.confirm()
        except asyncio.TimeoutError:
            await self.restart()  # the trial counts its boots

    async def restart(self):
        """Say goodbye and start anew."""
        await self.publisher.close(_GOODBYE_MS)
        reset()

    def recognised(self):
        """Grows while the recogniser keeps up with what is sampled."""
        return self.recognizer.windows if len(self.ring) else self.health.looks

    def describe(self):
        """What runs here, for the retained `state`."""
        state = {
            "firmware": VERSION,
            "micropython": "%d.%d.%d" % sys.implementation[1][:3],
            "reset_cause": reset_cause(),
            "crash": self.crash,
            "safe_mode": self.safe,
            "model_taken_back": bool(self.model_trial and self.model_trial.reverted),
            "settings_taken_back": bool(self.settings_trial and self.settings_trial.reverted),
        }
        engine = self.engine
        if engine:
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
                    "threshold_percent": self.recognizer.threshold_percent,
                }
            )
        return state

    async def run(self):
        tasks = [
            self.health.run(),
            self.lag.run(),
            self.link.run(),
            self.publisher.run(),
        ]
        if self.settings_trial:
            tasks.append(self._try_settings())
        if self.engine:
            tasks.append(self.sampling.run())
            tasks.append(self.recognition.run())
        if self.discovery:
            tasks.append(self.discovery.run())
        if self.settings.time_server:
            from link.sntp import keep_time

            tasks.append(keep_time(self.wall, self.settings, self.wifi, self.resolver))
        await asyncio.gather(*tasks)


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def crash_log():
    from ops.crash_log import CrashLog

    return CrashLog(CRASH_FILE)


def record_crash(fault):
    crash_log().record(fault)


def open_spool():
    from events.event_log import EventSpool
    from events.record_log import Spool

    return EventSpool(Spool())


def main():
    app = None
    try:
        app = App()
        asyncio.run(app.run())
    except KeyboardInterrupt:
        if app:
            app.health.relax()
            unsent = asyncio.run(app.publisher.close(_GOODBYE_MS))
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
            record_crash(fault)
        except MemoryError:
            pass  # then the reset alone must do
        time.sleep(_BEFORE_RESET_S)
        reset()
