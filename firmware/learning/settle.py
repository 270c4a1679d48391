"""Free what is gone before the next part of learning is loaded."""

import asyncio
import gc


async def settle():
    """Nothing of it may be left on the stack, which the collector looks at: so wait first."""
    await asyncio.sleep_ms(0)
    gc.collect()
