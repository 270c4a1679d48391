"""MicroPython side of test_link_tls.py."""

import asyncio

from link_rig import Lag, count, linked, log, say, settings

try:
    import tls  # noqa: F401
except ImportError:
    say(no_tls=True)
from link.mqtt_link import Link
from link.tls_socket import Tls
from ops.uptime import uptime_ms
from ops.wall_clock import WallClock


async def main():
    made = settings()
    wall = WallClock()
    rtc = []
    wrap = Tls(made, wall, rtc.append).wrap
    if made.clock_at_2000:
        from link import tls_socket

        class Time:
            def gmtime(self):
                return (2025 if rtc else 2000,)

        tls_socket.time = Time()
    link = Link(made, wrap=wrap, log=log)
    came = []
    link.subscribe(b"a/#", lambda topic, payload, retained: came.append(len(payload)))
    lag = Lag()
    asyncio.create_task(link.run())
    await asyncio.sleep_ms(600)
    if made.clock_at_2000:
        say(linked=link.ready.is_set(), rtc=rtc)
        wall.set(1735689600000, uptime_ms())
    try:
        await linked(link, made.patience_ms)
    except asyncio.TimeoutError:
        say(linked=False, **count(link))
    before = count(lag)
    for i in range(50):
        await link.publish(b"a/b", b"x" * i * 20)
    say(linked=True, came=came, rtc=rtc, handshake_lag_us=before["lag_us_max"], **count(link, lag))
    await link.close(1000)


asyncio.run(main())
