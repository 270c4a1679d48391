"""MicroPython side of test_link_names.py."""

import asyncio

from link_rig import Lag, count, say, settings

from link.dns import Resolver


async def look_up(server):
    resolver = Resolver(None, server)
    told = {}
    for name in ("address", "again"):
        try:
            told[name] = await resolver.address("broker.example", name == "again")
        except OSError:
            told[name] = "none"
    told.update(count(resolver))
    return told


async def main():
    lag = Lag()
    servers = settings().name_servers
    say(told=await asyncio.gather(*[look_up(server) for server in servers]), **count(lag))


asyncio.run(main())
