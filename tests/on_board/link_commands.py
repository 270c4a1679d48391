"""MicroPython side of test_link_commands.py."""

import asyncio
import gc

from link_rig import DEVICE, count, linked, log, say, settings

from commands.dispatcher import Commands
from commands.settings_store import SettingsStore
from commands.signature import Signature
from events.publisher import topic
from link.mqtt_link import Link
from ops import config
from ops.rollback import Rollback


async def main():
    made = config.load(("config.json",))
    made.broker_host, made.broker_port = "127.0.0.1", settings().broker_port
    made.device = made.client_id = DEVICE
    made.wifi_ssid, made.wifi_key = "net", "secret"
    link = Link(made, log=log)
    commands = Commands(link, DEVICE, log)
    link.subscribe(topic(DEVICE, "cmd/#"), commands.enqueue)

    def apply():
        say(applied=made.threshold_percent)

    signature = Signature(DEVICE, settings().update_key)
    changes = []

    def limit():
        changes.append(1)
        if len(changes) > 3:
            raise ValueError("too many changes")

    store = SettingsStore(
        made, Rollback("config.json"), signature, apply, lambda: "s", limit, None
    )

    async def nonce(arguments):
        return {"nonce": signature.nonce()}

    async def fail(arguments):
        {}["missing"]

    async def diag(arguments):
        gc.collect()
        return {"diag": count(link, commands), "heap": gc.mem_alloc()}

    async def large(arguments):
        return {"text": "x" * 2000}

    async def after(arguments):
        async def then():
            say(after=True)

        return {"after": then}

    for verb, handler in (
        ("fail", fail),
        ("diag", diag),
        ("large", large),
        ("after", after),
        ("get", store.get),
        ("nonce", nonce),
        ("set", store.set),
    ):
        commands.add(verb, handler)
    asyncio.create_task(link.run())
    asyncio.create_task(commands.run())
    await linked(link)
    say(ready=True)
    await asyncio.sleep(600)


asyncio.run(main())
