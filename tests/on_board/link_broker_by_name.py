"""MicroPython side of test_link_names.py."""

import asyncio

from link_rig import count, linked, log, say, settings

from link.dns import Resolver
from link.mqtt_link import Link


async def main():
    resolver = Resolver(None, settings().name_server)
    link = Link(settings(broker_host="broker.example"), resolve=resolver.resolve, log=log)
    asyncio.create_task(link.run())
    await linked(link)
    say(**count(link, resolver))


asyncio.run(main())
