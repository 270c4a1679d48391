"""Makes the parts and joins them. Used once, then dropped, as its code would stay in the heap.

So nothing made here may refer to a function of this module. Imports stand where their
parts are made, and the collector runs in between, so that what stays is packed densely.
"""

import gc
import os

from machine import WDT, WDT_RESET, Pin, reset_cause, unique_id
from micropython import const

import app as _program
from ops.lazy import forget

_RING_FRAMES = const(128)  # more than a second at 100 Hz, for a loop that is held up
_CALIBRATION = "calibration.json"
_CRASHES = const(3)  # so many in a row, and the board comes up without its sensing part


def wire(app):
    """Fill in the parts of an App. Raises SettingsError."""
    crashes = _look_back(app)
    app.settings_trial = _trial("config.json")
    app.settings = _load_settings(app)
    gc.collect()
    app.model_trial = _trial(app.settings.model)
    if crashes >= _CRASHES:
        app.safe = "%d crashes in a row" % crashes
    else:
        _load_model(app)
    gc.collect()
    connect(app)
    if app.engine:
        sense(app)


def _load_settings(app):
    from ops import config

    try:
        try:
            return config.load(chip_id=unique_id())
        except ValueError:
            if not (app.settings_trial and app.settings_trial.revert()):
                raise
            return config.load(chip_id=unique_id())
    except ValueError as fault:
        raise _program.SettingsError(str(fault))
    finally:
        forget("ops.config")  # read once; its tables would stay in the heap


def _look_back(app):
    """How many crashes in a row came before this boot."""
    by_watchdog = reset_cause() == WDT_RESET
    if not by_watchdog and not _program.exists(_program.CRASH_FILE):
        return 0
    crashes = _program.crash_log()
    crashes.boot(by_watchdog)
    app.crash = crashes.text
    return crashes.in_a_row


def _load_model(app):
    from microMLP_engine import Engine

    path = app.settings.model
    try:
        try:
            app.engine = Engine.load(path)
        except (ValueError, OSError, MemoryError):
            if not (app.model_trial and app.model_trial.revert()):
                raise
            app.engine = Engine.load(path)
    except (ValueError, OSError, MemoryError) as fault:
        app.safe = "%s: %s" % (path, fault)
        print("beckon:", app.safe)
    forget("microMLP_loader")


def connect(app):
    from ops.health import Health
    from ops.loop_lag import LoopLag
    from link.mqtt_link import Link
    from events.publisher import OFFLINE, Publisher, topic
    from ops.wall_clock import WallClock
    from link.wifi import Wifi

    settings = app.settings
    app.wifi = wifi = Wifi(settings)
    app.wall = WallClock()
    app.lag = LoopLag()
    app.parts = [app.lag, app.wall]
    app.resolver = resolve = None
    if not settings.broker_host.replace(".", "").isdigit():
        from link.dns import Resolver

        app.resolver = Resolver(wifi.name_server, settings.name_server)
        app.parts.append(app.resolver)
        resolve = app.resolver.resolve
    will = (topic(settings.device, "status"), OFFLINE)
    wrap = None
    if settings.tls_ca:
        from machine import RTC
        from link.tls_socket import Tls

        wrap = Tls(settings, app.wall, RTC().datetime).wrap
    app.link = Link(settings, will, wifi, resolve, wrap)
    app.link.subscribe(topic(settings.device, "cmd/#"), app.on_command)
    app.discovery = None
    if settings.ha_discovery:
        from events.discovery import Discovery

        app.discovery = Discovery(app)
    from ops.boot_number import next_boot

    app.publisher = Publisher(
        app.link,
        settings.device,
        next_boot(),
        app.describe,
        app.parts,
        app.wall,
        _program.open_spool,
        _is_spooled(),
    )
    app.health = Health(WDT, reset_cause(), _program.record_crash, app.on_healthy)
    app.parts.append(app.health)
    app.health.watch("link", app.link_turns, 30_000)
    forget("ops.boot_number")
    gc.collect()


def sense(app):
    from sensing.ring_buffer import RingBuffer

    settings = app.settings
    engine = app.engine
    app.ring = RingBuffer(_RING_FRAMES)
    gc.collect()
    from drivers.i2c_bus import I2CBus
    from drivers.mpu6500 import MPU6500
    from sensing.sampler import Sampler

    app.imu = imu = MPU6500(
        I2CBus(settings.i2c_id, settings.i2c_scl, settings.i2c_sda, settings.i2c_hz),
        settings.imu_address,
        accel_g=engine.accel_g,
        gyro_dps=engine.gyro_dps,
        rate_hz=engine.rate_hz,
    )
    ring = app.ring
    if _program.exists(_CALIBRATION):
        from sensing.calibrated_ring import corrected

        ring = corrected(ring, imu, _CALIBRATION)
    pin = settings.imu_int_pin
    app.sampler = Sampler(imu, ring, 0, Pin(pin, Pin.IN) if pin >= 0 else None)
    from ops.pausable import Pausable
    from recognition.recognizer import Recognizer

    app.recognizer = Recognizer(engine)
    app.apply_settings()
    app.sampling = Pausable(app.sampler.run)
    app.recognition = Pausable(app.recognize)
    app.publisher.sense(app.sampler, engine.model_id)
    app.parts.append(app.sampler)
    app.parts.append(app.recognizer)
    # A sensor that is gone is looked for and counted: that is progress, too.
    app.health.watch("sampling", app.samples, 10_000)
    app.health.watch("recognition", app.recognised, 10_000)
    gc.collect()


def _trial(path):
    """The Trial of a file, if one is on; this boot is counted."""
    if not _program.exists(path + ".try"):
        return None
    from ops.rollback import Trial

    trial = Trial(path)
    trial.boot()
    return trial


def _is_spooled():
    try:
        return bool(os.listdir("spool"))
    except OSError:
        return False
