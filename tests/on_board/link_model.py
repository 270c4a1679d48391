"""MicroPython side of test_link_model.py."""

import asyncio

from link_rig import DEVICE, linked, log, say, settings

from commands.dispatcher import Commands
from commands.model_update import ModelUpdate
from commands.signature import Signature
from events.publisher import topic
from link.mqtt_link import Link
from microMLP_engine import Engine
from ops.rollback import Rollback


async def main():
    made = settings()
    link = Link(made, log=log)
    commands = Commands(link, DEVICE, log)
    link.subscribe(topic(DEVICE, "cmd/#"), commands.enqueue)

    async def restart():
        say(restart=Engine.load("model.mlp").model_id)

    signature = Signature(DEVICE, made.update_key)

    async def nonce(arguments):
        return {"nonce": signature.nonce()}

    update = ModelUpdate(signature, Rollback("model.mlp"), lambda: "s", Engine.load, restart)
    commands.add("model", update.command)
    commands.add("nonce", nonce)
    asyncio.create_task(link.run())
    asyncio.create_task(commands.run())
    await linked(link)
    say(ready=True)
    await asyncio.sleep(600)


asyncio.run(main())
