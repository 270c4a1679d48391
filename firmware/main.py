"""Wires the parts and starts the tasks; no logic of its own.

Imports stand where their parts are made, the parts with large buffers first:
once all the code is loaded the heap has no large hole left for them.
"""

import asyncio
import gc
import sys
import time

from machine import I2C, Pin, reset, unique_id

VERSION = "0.1.0"

_RING_FRAMES = 128  # more than a second at 100 Hz, for a loop that is held up
_GOODBYE_MS = 5000
_BEFORE_RESET_S = 3  # time to read the fault on the serial line


class App:
    """Everything that runs on the board."""

    def __init__(self):
        import config

        self.settings = settings = config.load(chip_id=unique_id())
        del sys.modules["config"], config  # read once; its tables would stay in the heap
        gc.collect()
        from microMLP import Engine

        self.engine = engine = Engine.load(settings.model)
        gc.collect()
        from dns import Resolver
        from mqtt_link import Link
        from publisher import OFFLINE, Publisher, topic
        from wall_clock import WallClock
        from wifi import Wifi

        self.wifi = wifi = Wifi(settings)
        self.resolver = Resolver(wifi.name_server)
        self.wall = WallClock()
        will = (topic(settings.device, "status"), OFFLINE)
        self.link = Link(settings, will, wifi, self.resolver.resolve)
        gc.collect()
        from ring_buffer import RingBuffer

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
        from boot_number import next_boot

        self.publisher = Publisher(
            self.link,
            self.sampler,
            settings.device,
            next_boot(),
            engine.model_id,
            self.describe,
            [self.sampler, self.recognizer, self.resolver, self.wall],
            self.wall,
            _spool(),
        )
        gc.collect()

    def describe(self):
        """What runs here, for the retained `state`."""
        engine = self.engine
        return {
            "firmware": VERSION,
            "micropython": "%d.%d.%d" % sys.implementation[1][:3],
            "model": engine.model_id,
            "labels": engine.labels,
            "rate_hz": engine.rate_hz,
            "accel_g": engine.accel_g,
            "gyro_dps": engine.gyro_dps,
            "window": engine.window,
            "hop": engine.hop,
            "debounce": engine.debounce,
        }

    async def run(self):
        from recognizer_task import recognize

        tasks = [
            self.sampler.run(),
            recognize(self.sampler, self.ring, self.recognizer, self.publisher, self.engine.labels),
            self.link.run(),
            self.publisher.run(),
        ]
        if self.settings.time_server:
            from sntp import keep_time

            server = self.settings.time_server
            tasks.append(keep_time(self.wall, server, self.resolver, self.wifi.is_up))
        await asyncio.gather(*tasks)


def _spool():
    from spool import Spool

    try:
        return Spool()
    except OSError as fault:  # a flash that fails must not keep gestures from being told
        print("beckon: events wait in RAM only,", fault)
        return None


def main():
    try:
        app = App()
    except (ValueError, OSError) as fault:  # settings or model: a reset would not mend them
        print("beckon:", fault)
        return
    try:
        asyncio.run(app.run())
    except KeyboardInterrupt:
        unsent = asyncio.run(app.publisher.close(_GOODBYE_MS))
        print("beckon: stopped, %d events not sent" % unsent)
    except Exception as fault:
        # A part that fails unforeseen must not leave a board that only looks alive.
        sys.print_exception(fault)
        time.sleep(_BEFORE_RESET_S)
        reset()


main()
