"""The command `stream`: raw samples over MQTT for a bounded time, instead of gestures.

They go out on beckon/<device>/raw with QoS 0, some frames of stream_frame.py a message,
as over the serial line. What gets lost is known by the indices.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from link.mqtt_link import LinkDown
from serial_line.stream_frame import FrameWriter

_MOST_S = const(60)
_MESSAGE_BYTES = const(1200)
_FRAME_BYTES = const(224)  # the largest of a FrameWriter
_LOOK_MS = const(40)


class RawStream:
    """app: with link, ring, recognition (a Pausable), recognizer, settings."""

    def __init__(self, app):
        self._app = app
        self._topic = b"beckon/%s/raw" % app.settings.device.encode()
        self._buf = bytearray(_MESSAGE_BYTES)
        self._used = 0
        self._end = 0

    async def command(self, arguments):
        """{"seconds": 10}; the answer comes at once, the samples follow. 0 ends them early."""
        seconds = arguments.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= _MOST_S:
            raise ValueError("seconds must be a whole number from 0 to %d" % _MOST_S)
        if not seconds:
            self._end = ticks_ms()
            return {"seconds": 0}
        imu = self._app.imu
        self._app.recognition.pause()
        self._end = ticks_add(ticks_ms(), seconds * 1000)
        asyncio.create_task(self._stream())
        return {
            "topic": str(self._topic, "utf-8"),
            "seconds": seconds,
            "accel_lsb_per_g": imu.accel_lsb_per_g,
            "gyro_lsb_per_10_dps": imu.gyro_lsb_per_10_dps,
            "period_us": imu.period_us,
        }

    async def _stream(self):
        app = self._app
        writer = FrameWriter(self._take)
        try:
            while ticks_diff(self._end, ticks_ms()) > 0:
                await asyncio.sleep_ms(_LOOK_MS)
                writer.samples(app.ring)
                if self._used > _MESSAGE_BYTES - 2 * _FRAME_BYTES:
                    await self._send()
            await self._send()
        except LinkDown:
            pass  # who listens is gone, too
        finally:
            app.recognizer.reset()
            app.recognition.resume()

    def _take(self, data):
        end = self._used + len(data)
        if end <= _MESSAGE_BYTES:  # else it is lost, and the next index tells
            self._buf[self._used : end] = data
            self._used = end

    async def _send(self):
        if self._used:
            data = bytes(memoryview(self._buf)[: self._used])
            self._used = 0
            await self._app.link.publish(self._topic, data, qos=0)
