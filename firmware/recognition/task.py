"""The task around the recogniser."""

import asyncio

from recognition.recognizer import EMPTY, NO_EVENT


async def recognize(sampler, ring, recognizer, publisher, labels):
    """The task: hand each event to the publisher, forever. Waits for new frames only."""
    while True:
        await sampler.ready.wait()
        sampler.ready.clear()
        event = NO_EVENT
        while event != EMPTY:
            event = recognizer.step(ring)
            if event >= 0:
                publisher.post(
                    labels[event],
                    recognizer.confidence,
                    recognizer.index,
                    recognizer.label_confidence,
                )
            await asyncio.sleep_ms(0)  # others may run between two bounded pieces of work
