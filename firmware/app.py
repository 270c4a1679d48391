"""Wires the parts and starts the tasks; no logic of its own.

Imports stand where their parts are made, the parts with large buffers first:
once all the code is loaded the heap has no large hole left for them.
"""

import asyncio
import gc
import os
import sys
import time

from machine import I2C, WDT, WDT_RESET, Pin, reset, reset_cause, unique_id

VERSION = "0.1.0"

_RING_FRAMES = 128  # more than a second at 100 Hz, for a loop that is held up
# Collecting early packs what stays to the heap's low end and so keeps large holes whole.
_COLLECT_BYTES = 16384
_GOODBYE_MS = 5000
_BEFORE_RESET_S = 3  # time to read the fault on the serial line
_CRASH_FILE = "crash.txt"
_LINK_MS = 180_000  # settings on trial: so long without a link, and it restarts
_CRASHES = 3  # so many in a row, and the board comes up without its sensing part


class SettingsError(Exception):
    """Settings with which nothing can run; only a hand at the serial line can mend them."""


class App:
    """Everything that runs on the board.

    `engine`, `sampler` and `recognizer` are None in safe mode; `safe` then says why.
    """

    def __init__(self):
        gc.threshold(_COLLECT_BYTES)
        self.crash = ""  # what the last crash was, until this run has been healthy
        crashes = self._look_back()
        self.settings_trial = _trial("config.json")
        self.settings = self._load_settings()
        gc.collect()
        self.engine = self.sampler = self.recognizer = None
        self.safe = ""
        self.model_trial = _trial(self.settings.model)
        self.remote = None
        if crashes >= _CRASHES:
            self.safe = "%d crashes in a row" % crashes
        else:
            self._load_model()
        gc.collect()
        self._connect()
        if self.engine:
            self._sense()

    def _load_settings(self):
        import config

        try:
            try:
                return config.load(chip_id=unique_id())
            except ValueError:
                if not (self.settings_trial and self.settings_trial.revert()):
                    raise
                return config.load(chip_id=unique_id())
        except ValueError as fault:
            raise SettingsError(str(fault))
        finally:
            del sys.modules["config"]  # read once; its tables would stay in the heap

    def _look_back(self):
        """How many crashes in a row came before this boot."""
        by_watchdog = reset_cause() == WDT_RESET
        if not by_watchdog and not _exists(_CRASH_FILE):
            return 0
        crashes = _crash_log()
        crashes.boot(by_watchdog)
        self.crash = crashes.text
        return crashes.in_a_row

    def _load_model(self):
        from microMLP import Engine

        path = self.settings.model
        try:
            try:
                self.engine = Engine.load(path)
            except (ValueError, OSError, MemoryError):
                if not (self.model_trial and self.model_trial.revert()):
                    raise
                self.engine = Engine.load(path)
        except (ValueError, OSError, MemoryError) as fault:
            self.safe = "%s: %s" % (path, fault)
            print("beckon:", self.safe)

    def _connect(self):
        from health import Health
        from loop_lag import LoopLag
        from mqtt_link import Link
        from publisher import OFFLINE, Publisher, topic
        from wall_clock import WallClock
        from wifi import Wifi

        settings = self.settings
        self.wifi = wifi = Wifi(settings)
        self.wall = WallClock()
        self.lag = LoopLag()
        self.parts = [self.lag, self.wall]
        self.resolver = resolve = None
        if settings.time_server or not settings.broker_host.replace(".", "").isdigit():
            from dns import Resolver

            self.resolver = Resolver(wifi.name_server, settings.name_server)
            self.parts.append(self.resolver)
            resolve = self.resolver.resolve
        will = (topic(settings.device, "status"), OFFLINE)
        wrap = None
        if settings.tls_ca:
            from machine import RTC
            from tls_socket import Tls

            wrap = Tls(settings, self.wall, RTC().datetime).wrap
        self.link = Link(settings, will, wifi, resolve, wrap)
        self.link.subscribe(topic(settings.device, "cmd/#"), self._command)
        from boot_number import next_boot

        self.publisher = Publisher(
            self.link,
            settings.device,
            next_boot(),
            self.describe,
            self.parts,
            self.wall,
            _spool,
            _is_spooled(),
        )
        self.health = Health(WDT, _record_crash, self._healthy)
        self.health.watch("link", lambda: self.link.turns, 30_000)
        gc.collect()

    def _sense(self):
        from health import total
        from ring_buffer import RingBuffer

        settings = self.settings
        engine = self.engine
        self.ring = RingBuffer(_RING_FRAMES)
        gc.collect()
        from drivers.mpu6500 import MPU6500
        from sampler import Sampler

        bus = I2C(
            settings.i2c_id,
            scl=Pin(settings.i2c_scl),
            sda=Pin(settings.i2c_sda),
            freq=settings.i2c_hz,
        )
        imu = MPU6500(
            bus,
            settings.imu_address,
            accel_g=engine.accel_g,
            gyro_dps=engine.gyro_dps,
            rate_hz=engine.rate_hz,
        )
        self.sampler = Sampler(imu, self.ring)
        from recognizer import Recognizer

        self.recognizer = Recognizer(engine)
        self.publisher.sense(self.sampler, engine.model_id)
        self.parts.append(self.sampler)
        self.parts.append(self.recognizer)
        # A sensor that is gone is looked for and counted: that is progress, too.
        self.health.watch("sampling", lambda: total(self.sampler), 10_000)
        self.health.watch("recognition", self._recognised, 10_000)
        gc.collect()

    def _command(self, topic, payload, retained):
        if not self.remote:
            gc.collect()
            from remote import Remote

            self.remote = Remote(self)
            asyncio.create_task(self.remote.run())
        self.remote.commands.take(topic, payload, retained)

    def _healthy(self):
        if self.model_trial:
            self.model_trial.confirm()
        if self.crash:
            _crash_log().healthy()

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

    def _recognised(self):
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
                    "debounce": engine.debounce,
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
            from recognizer_task import recognize

            sampler, recognizer, labels = self.sampler, self.recognizer, self.engine.labels
            tasks.append(sampler.run())
            tasks.append(recognize(sampler, self.ring, recognizer, self.publisher, labels))
        if self.settings.time_server:
            from sntp import keep_time

            server = self.settings.time_server
            tasks.append(keep_time(self.wall, server, self.resolver, self.wifi.is_up))
        await asyncio.gather(*tasks)


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _crash_log():
    from crash_log import CrashLog

    return CrashLog(_CRASH_FILE)


def _record_crash(fault):
    _crash_log().record(fault)


def _trial(path):
    """The Trial of a file, if one is on; this boot is counted."""
    if not _exists(path + ".try"):
        return None
    from trial import Trial

    trial = Trial(path)
    trial.boot()
    return trial


def _spool():
    from spool import Spool

    return Spool()


def _is_spooled():
    try:
        return bool(os.listdir("spool"))
    except OSError:
        return False


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
        gc.collect()
        _record_crash(fault)
        time.sleep(_BEFORE_RESET_S)
        reset()
