"""The board's program: the tasks of the parts that board.py makes, crashes, restarts."""

import asyncio
import gc
import sys
import time

from machine import reset, reset_cause

from board import SettingsError
from ops.lazy import forget

VERSION = "0.1.0"

# Collecting early packs what stays to the heap's low end and so keeps large free pieces whole.
_COLLECT_BYTES = 16384
_GOODBYE_MS = 5000
_BEFORE_RESET_S = 3  # time to read the fault on the serial line
_LINK_MS = 180_000  # settings on trial: so long without a link, and it restarts


class App:
    """Runs `board`, the Parts that board.py makes."""

    def __init__(self):
        gc.threshold(_COLLECT_BYTES)
        self._verbs = None
        import board

        self.board = board.build(self._describe, _record_crash, self._on_healthy)
        del board
        forget("board", "ops.files")
        parts = self.board
        parts.link.subscribe(b"beckon/%s/cmd/#" % parts.settings.device.encode(), self._on_command)
        if parts.sensing:
            parts.health.watch("recognition", self._recognized, 10_000)
            self._apply_settings()
        gc.collect()

    async def run(self):
        """For ever."""
        board = self.board
        tasks = [
            board.health.run(),
            board.lag.run(),
            board.link.run(),
            board.publisher.run(),
        ]
        if board.settings_rollback:
            tasks.append(self._try_settings())
        if board.sensing:
            tasks.append(board.sensing.sampling.run())
            tasks.append(board.sensing.recognition.run())
        if board.discovery:
            tasks.append(board.discovery.run(VERSION))
        if board.settings.time_server:
            from link.sntp import keep_time

            tasks.append(keep_time(board.wall, board.settings, board.wifi, board.resolver))
        await asyncio.gather(*tasks)

    async def restart(self):
        """Say goodbye and reset the board."""
        await self.board.publisher.close(_GOODBYE_MS)
        reset()

    def _recognized(self):
        """Grows while the recogniser keeps up with what is sampled."""
        sensing = self.board.sensing
        return sensing.recognizer.windows if len(sensing.ring) else self.board.health.looks

    def _apply_settings(self):
        """Let settings act that need no restart."""
        sensing = self.board.sensing
        if sensing:
            sensing.recognizer.threshold_percent = self.board.settings.threshold_percent

    def _on_command(self, topic, payload, retained):
        if not self._verbs:
            gc.collect()
            from commands.verbs import Verbs

            board = self.board
            self._verbs = Verbs(
                board.link,
                board.settings,
                board.publisher,
                board.sensing,
                board.safe,
                VERSION,
                self.restart,
                self._apply_settings,
            )
            board.parts.append(self._verbs.commands)
            asyncio.create_task(self._verbs.commands.run())
        self._verbs.commands.enqueue(topic, payload, retained)

    def _on_healthy(self):
        board = self.board
        if board.model_rollback:
            board.model_rollback.confirm()
        if board.crash:
            crash_log().healthy()

    async def _try_settings(self):
        """New settings are good once there is a link; without one the old ones come back."""
        try:
            await asyncio.wait_for_ms(self.board.link.ready.wait(), _LINK_MS)
            self.board.settings_rollback.confirm()
        except asyncio.TimeoutError:
            await self.restart()  # the trial counts its boots

    def _describe(self):
        """What runs here, for the retained `state`."""
        board = self.board
        state = {
            "firmware": VERSION,
            "micropython": "%d.%d.%d" % sys.implementation[1][:3],
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


def crash_log():
    from ops.crash_log import CrashLog

    return CrashLog()


def _record_crash(fault):
    crash_log().record(fault)


def main():
    app = None
    try:
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
