"""Composition root: from settings and model to the parts, each with what it uses.

Used once at the start, then dropped from the heap. So nothing made here may refer to a
function of this module. Imports stand where their parts are made, and the collector
runs in between, so that what stays is packed densely.
"""

import gc
import os

from machine import WDT, WDT_RESET, Pin, reset_cause, unique_id
from micropython import const

from ops.files import CALIBRATION, CONFIG, CRASH, LEARNED, PORTAL, SPOOL, exists, remove
from ops.lazy import forget

_RING_FRAMES = const(128)  # more than a second at 100 Hz, for a loop that is held up
_CRASHES = const(3)  # so many in a row, and the board comes up without its sensing part


class SettingsError(Exception):
    """Settings with which nothing can run; only a hand at the serial line can mend them."""


class Parts:
    """What build() made. Its attribute `sensing` holds, but in safe mode, another one: the
    way from the sensor to the event.

    Of all: crash, the last crash's text, or "". safe: why there is no sensing part, or "".
    settings_rollback, model_rollback: Rollback of a file that is on trial, or None. parts:
    those with counters(into). runs: functions of what the settings add, each gives a coroutine
    that never ends. learned: what `state` says of a gesture that was learned here, or None.
    again: what to learn now, see learning/record.py, or None.

    Of `sensing`: engine, imu, ring, sampler, recognizer; sampling and recognition, the
    Pausable tasks; calibration, a line of text.
    """

    feedback = None  # the Output, if there is one


def build(describe, on_stall, on_healthy):
    """Make all Parts. describe: see Publisher; on_stall, on_healthy: see Health.

    Raises SettingsError. It does not return where the access point is asked for.
    """
    board = Parts()
    board.runs = []
    crashes = _look_back(board)
    board.settings_rollback = _rollback(CONFIG)
    board.settings = settings = _load_settings(board.settings_rollback)
    if settings.ap_key and (remove(PORTAL) or not (settings.wifi_ssid or settings.radio)):
        from portal.portal import run

        run(settings)  # and starts the board again
    gc.collect()
    board.model_rollback = _rollback(settings.model)
    engine = None
    if crashes >= _CRASHES:
        board.safe = "%d crashes in a row" % crashes
    else:
        engine = _load_model(board)
    gc.collect()
    if settings.radio and not settings.wifi_ssid:
        from radio.alone import stand_alone

        stand_alone(board, describe)
    else:
        _connect(board)
        _report(board, describe, engine)
    _supervise(board, on_stall, on_healthy)
    if settings.radio:  # Bluetooth wants its memory before the heap grows
        from radio.start import start

        start(board, engine)
    board.sensing = _sense(board, engine) if engine else None
    if settings.feedback_pin >= 0:
        from feedback.output import add

        add(board)
    board.saver = board.learned = board.again = None
    if engine and exists(LEARNED):
        from learning.record import asked, state_of

        board.learned = state_of(engine.model_id)
        board.again = asked(settings.model)
        forget("learning.record")
    if settings.power != "always_on" and not board.again:  # both would not fit into memory
        from power.saver import Saver

        board.saver = Saver(board)
    return board


def _look_back(board):
    """How many crashes in a row came before this boot."""
    board.crash = board.safe = ""
    by_watchdog = reset_cause() == WDT_RESET
    if not by_watchdog and not exists(CRASH):
        return 0
    from ops.crash_log import CrashLog

    crashes = CrashLog()
    crashes.boot(by_watchdog)
    board.crash = crashes.text
    return crashes.in_a_row


def _rollback(path):
    """The Rollback of a file, if it is on trial; this boot is counted."""
    if not exists(path + ".try"):
        return None
    from ops.rollback import Rollback

    rollback = Rollback(path)
    rollback.boot()
    return rollback


def _load_settings(rollback):
    try:
        try:
            return _checked_settings()
        except ValueError:
            if not (rollback and rollback.revert()):
                raise
            return _checked_settings()
    except ValueError as fault:
        raise SettingsError(str(fault))
    finally:
        forget("ops.config")  # read once; its tables would stay in the heap


def _checked_settings():
    from ops import config

    settings = config.load(chip_id=unique_id())
    if settings.rules or settings.feedback_pin >= 0:
        from options.together import check_parts

        check_parts(lambda name: getattr(settings, name))
    return settings


def _load_model(board):
    """The Engine, or None; board.safe then says why."""
    from microMLP_engine import Engine

    path = board.settings.model
    rollback = board.model_rollback
    try:
        try:
            return Engine.load(path)
        except (ValueError, OSError, MemoryError):
            if not (rollback and rollback.revert()):
                raise
            return Engine.load(path)
    except (ValueError, OSError, MemoryError) as fault:
        board.safe = "%s: %s" % (path, fault)
        print("beckon:", board.safe)
    finally:
        forget("microMLP_loader")


def _connect(board):
    """Wi-Fi, names, time of day, and the link."""
    from events.publisher import OFFLINE, topic
    from link.mqtt_link import Link
    from link.wifi import Wifi
    from ops.loop_lag import LoopLag
    from ops.wall_clock import WallClock

    settings = board.settings
    board.wifi = wifi = Wifi(settings)
    board.wall = WallClock()
    board.lag = LoopLag()
    board.parts = [board.lag, board.wall]
    board.resolver = resolve = None
    if not settings.broker_host.replace(".", "").isdigit():
        from link.dns import Resolver

        board.resolver = Resolver(wifi.name_server, settings.name_server)
        board.parts.append(board.resolver)
        resolve = board.resolver.resolve
    will = (topic(settings.device, "status"), OFFLINE)
    wrap = None
    if settings.tls_ca:
        from machine import RTC

        from link.tls_socket import Tls

        wrap = Tls(settings, board.wall, RTC().datetime).wrap
    board.link = Link(settings, will, wifi, resolve, wrap)


def _report(board, describe, engine):
    """The publisher, and what announces the board to Home Assistant."""
    from events.publisher import Publisher, open_log
    from ops.boot_number import next_boot

    settings = board.settings
    board.discovery = None
    if settings.ha_discovery:
        from events.discovery import Discovery

        board.discovery = Discovery(board.link, settings, engine)
    board.publisher = Publisher(
        board.link,
        settings.device,
        next_boot(),
        describe,
        board.parts,
        board.wall,
        open_log,
        _is_logged(),
    )
    board.publisher.house = board.discovery
    forget("ops.boot_number")
    gc.collect()


def _is_logged():
    """Whether events of an earlier boot wait in flash."""
    try:
        return bool(os.listdir(SPOOL))
    except OSError:
        return False


def _supervise(board, on_stall, on_healthy):
    from ops.health import Health

    board.health = Health(WDT, reset_cause(), on_stall, on_healthy)
    board.parts.append(board.health)
    board.health.watch("link", board.link.progress, 30_000)


def _sense(board, engine):
    """The way of the samples. Raises ValueError for pins that cannot be."""
    from sensing.ring_buffer import RingBuffer

    settings = board.settings
    sensing = Parts()
    sensing.engine = engine
    sensing.ring = ring = RingBuffer(_RING_FRAMES)
    gc.collect()
    from drivers.i2c_bus import I2CBus
    from drivers.mpu6500 import MPU6500
    from sensing.sampler import Sampler

    sensing.imu = imu = MPU6500(
        I2CBus(settings.i2c_id, settings.i2c_scl, settings.i2c_sda, settings.i2c_hz),
        settings.imu_address,
        accel_g=engine.accel_g,
        gyro_dps=engine.gyro_dps,
        rate_hz=engine.rate_hz,
    )
    to_ring = ring
    sensing.calibration = "none"
    if exists(CALIBRATION):
        from sensing.calibrated_ring import calibrated

        to_ring, sensing.calibration = calibrated(ring, imu, CALIBRATION)
    pin = settings.imu_int_pin
    sensing.sampler = sampler = Sampler(imu, to_ring, 0, Pin(pin, Pin.IN) if pin >= 0 else None)
    from ops.pausable import Pausable
    from recognition.recognizer import Recognizer
    from recognition.task import recognize

    recognizer = Recognizer(engine)
    if settings.rules:
        from feedback.ruled_recognizer import RuledRecognizer

        recognizer = RuledRecognizer(engine, settings.rules)
    sensing.recognizer = recognizer
    publisher = board.publisher
    sensing.sampling = Pausable(sampler.run)
    sensing.recognition = Pausable(
        recognize, sampler, ring, recognizer, publisher, engine.labels
    )
    publisher.sense(sampler, engine.model_id)
    board.parts.append(sampler)
    board.parts.append(recognizer)
    sensing.windows = None
    if settings.keep_windows:
        from capture.event_windows import EventWindows

        sensing.windows = EventWindows(
            ring, imu, min(engine.window, _RING_FRAMES), settings.keep_windows, publisher.boot
        )
        publisher.outputs.append(sensing.windows)
    gc.collect()
    return sensing
