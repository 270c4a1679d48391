"""Live data on their way to the browser: whole, in order, bounded. A recording as it is sent."""

import asyncio
import json
import struct
import threading

import numpy as np
import pytest

from host_tools.dataset import Recording
from host_tools.studio.signal import live_feed as feeds
from host_tools.studio.signal.live_feed import Feed, Feeds

AXES = ("ax", "ay", "az")


def rows(first, n):
    """n samples whose first value is their index."""
    return np.column_stack([np.arange(first, first + n), np.zeros((n, 2))])


def unpack(message):
    pushed_ms, first, zero = struct.unpack_from("<dII", message)
    frames = np.frombuffer(message, "<f4", offset=16).reshape(-1, 3)
    assert zero == 0 and pushed_ms > 1e12
    return first, frames


async def collected(feed, act):
    """Everything that one viewer gets while act() runs, until the feed closes."""
    viewer = feed.attach()
    act()
    feed.close()
    return [m async for m in viewer.messages()], viewer


def collect(feed, act):
    return asyncio.run(collected(feed, act))


def test_neighbours_travel_together():
    feed = Feed("x", 100, AXES)

    def act():
        for k in range(10):
            feed.push(rows(5 * k, 5))

    (message,), viewer = collect(feed, act)
    first, frames = unpack(message)
    assert first == 0 and frames[:, 0].tolist() == list(range(50)) and viewer.dropped == 0
    assert feed.sent == 50


def test_a_gap_is_a_gap():
    feed = Feed("x", 100, AXES)

    def act():
        feed.push(rows(0, 5))
        feed.push(rows(8, 5), lost=3)
        feed.push(rows(0, 0))  # nothing came
        feed.push(rows(13, 2))

    messages, _ = collect(feed, act)
    assert [(unpack(m)[0], len(unpack(m)[1])) for m in messages] == [(0, 5), (8, 7)]


def test_flags_keep_their_place():
    feed = Feed("x", 100, AXES)

    def act():
        feed.push(rows(0, 2))
        feed.mark(15, "circle <b>", "hit")
        feed.push(rows(2, 2))

    one, flag, two = collect(feed, act)[0]
    assert json.loads(flag) == {"t_ms": 15, "text": "circle <b>", "kind": "hit"}
    assert unpack(one)[0] == 0 and unpack(two)[0] == 2


def test_a_slow_browser_loses_its_oldest_and_holds_up_nobody():
    feed = Feed("x", 100, AXES)

    def act():
        for k in range(1000):
            feed.push(rows(k, 1))

    messages, viewer = collect(feed, act)
    assert viewer.dropped > 500
    first, frames = unpack(messages[-1])
    assert first + len(frames) == 1000 and len(frames) < feeds._QUEUE


def test_the_caller_may_use_its_array_again():
    feed = Feed("x", 100, AXES)
    buffer = rows(0, 4)

    def act():
        feed.push(buffer)
        buffer[:] = -1

    (message,), _ = collect(feed, act)
    assert unpack(message)[1][:, 0].tolist() == [0, 1, 2, 3]


def test_it_is_pushed_from_another_thread_while_somebody_looks():
    feed = Feed("x", 100, AXES)

    async def look():
        viewer = feed.attach()
        thread = threading.Thread(target=lambda: [feed.push(rows(k, 1)) for k in range(200)]
                                  and feed.close())
        thread.start()
        seen = []
        async for message in viewer.messages():
            seen += unpack(message)[1][:, 0].tolist()
        thread.join()
        feed.detach(viewer)
        return seen

    assert asyncio.run(look()) == list(range(200))


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 6)])
def test_samples_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="samples have shape"):
        Feed("x", 100, AXES).push(np.zeros(shape))


def test_a_feed_of_the_same_name_takes_the_place():
    every = Feeds()
    old = every.open("record", 100, AXES)
    new = every.open("record", 50, AXES)
    assert every.get("record") is new and collect(old, lambda: None)[0] == []
    every.close("record")
    every.close("record")
    assert every.get("record") is None
    for name in ("", "a/b", "..", "a b"):
        with pytest.raises(ValueError, match="letters, digits"):
            every.open(name, 100, AXES)


def test_a_recording_travels_as_planes():
    pytest.importorskip("nicegui", reason="the extra studio is not installed")
    from host_tools.studio.frame.routes import packed

    samples = np.arange(12, dtype="f4").reshape(4, 3)
    data = packed(Recording("é", samples, 50.0, (), 20.0, ((1, 2),)))
    length = int.from_bytes(data[:4], "little")
    assert length % 4 == 0  # the browser's float arrays begin at multiples of four
    head = json.loads(data[4 : 4 + length])
    assert head == {"name": "é", "rate_hz": 50.0, "start_ms": 20.0, "samples": 4,
                    "axes": ["ax", "ay", "az"], "gaps": [[1, 2]]}
    planes = np.frombuffer(data, "<f4", offset=4 + length).reshape(3, 4)
    assert np.array_equal(planes.T, samples)
