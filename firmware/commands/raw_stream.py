"""The command `stream`: raw samples over MQTT for a bounded time, instead of gestures.

They go out on beckon/<device>/raw with QoS 0, some frames of stream_frame.py a message,
as over the serial line. The indices show what was lost.
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
    """link: Link. device: its name. imu, ring: where samples come from.

    recognition: Pausable, paused meanwhile, as the ring has one reader. reset: called
    before it goes on.
    """

    def __init__(self, link, device, imu, ring, recognition, reset):
        self._link = link
        self._imu = imu
        self._ring = ring
        self._recognition = recognition
        self._reset = reset
        self._topic = b"beckon/%s/raw" % device.encode()
        self._buf = bytearray(_MESSAGE_BYTES)
        self._used = 0
        self._end = None  # ticks_ms, while a stream runs

    async def command(self, arguments):
        """{"seconds": 10}; the answer comes at once, the samples follow.

        0 ends them early; when its answer comes, the sensor is free for the next command.
        """
        seconds = arguments.get("seconds")
        if type(seconds) is not int or not 0 <= seconds <= _MOST_S:  # a bool is an int, too
            raise ValueError("seconds must be a whole number from 0 to %d" % _MOST_S)
        if not seconds:
            while self._end is not None:  # for as long as a message takes
                self._end = ticks_ms()
                await asyncio.sleep_ms(_LOOK_MS)
            return {"seconds": 0}
        imu = self._imu
        self._recognition.pause()
        self._end = ticks_add(ticks_ms(), seconds * 1000)
        asyncio.create_task(self._stream())
        return {
            "topic": self._topic.decode(),
            "seconds": seconds,
            "accel_lsb_per_g": imu.accel_lsb_per_g,
            "gyro_lsb_per_10_dps": imu.gyro_lsb_per_10_dps,
            "period_us": imu.period_us,
        }

    async def _stream(self):
        writer = FrameWriter(self._collect)
        try:
            while ticks_diff(self._end, ticks_ms()) > 0:
                await asyncio.sleep_ms(_LOOK_MS)
                writer.samples(self._ring)
                if self._used > _MESSAGE_BYTES - 2 * _FRAME_BYTES:
                    await self._send()
            await self._send()
        except (LinkDown, MemoryError):
            pass  # the listener is gone, too, or misses the end
        finally:
            self._end = None
            self._reset()
            self._recognition.resume()

    def _collect(self, data):
        end = self._used + len(data)
        if end <= _MESSAGE_BYTES:  # else it is lost, which the next index shows
            self._buf[self._used : end] = data
            self._used = end

    async def _send(self):
        if self._used:
            data = self._buf[: self._used]
            self._used = 0
            await self._link.publish(self._topic, data, qos=0)
