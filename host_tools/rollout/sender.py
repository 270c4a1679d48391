"""Send a model to one device of a roll-out. Each step is in the store before it is taken."""

import time

from sqlalchemy import Engine

from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import NoAnswer, NotBack, Refused, RemoteDevice, TakenBack
from host_tools.rollout.keys import Keys
from host_tools.store import rollouts
from host_tools.store.database import reading
from host_tools.store.rollouts import Rollout, Target

TRIES = 5
RETRY_MS = 10_000  # for each try so far


def send(engine: Engine, broker: BrokerAddress, keys: Keys, rollout: Rollout, target: Target,
         content: bytes, back_s: float) -> None:  # fmt: skip
    """Leave the device on trial with the model, or say in the store why it is not."""

    def keep(step: str, detail: str = "", **values: int) -> None:
        rollouts.set_target(engine, rollout.id, target.device_id, step=step, detail=detail,
                            at_ms=time.time_ns() // 10**6, **values)  # fmt: skip

    key = keys.of(target.device)
    if not key:
        keep("refused", Sentence("no update key for this device in the runner's file of keys"))
        return
    try:
        with RemoteDevice(broker, target.device) as device:
            device.upload(content, key, lambda sent: None)
            with reading(engine).connect() as connection:
                now = rollouts.rollout(connection, rollout.id)
            if now is None or now.condition != "running":  # stopped while this was on the way
                keep("waiting")
                return
            keep("trial", since_ms=time.time_ns() // 10**6)  # from here on it may have taken it
            try:
                device.commit(content, key, back_s)
            except Refused as fault:
                keep("refused", _reason(fault, target))
            except (NotBack, TakenBack, NoAnswer):
                pass  # steps.judge() decides, by what the collector hears
    except Refused as fault:
        keep("refused", _reason(fault, target))
    except NoAnswer as fault:
        over = target.tries + 1 >= TRIES
        keep("unreachable" if over else "waiting", str(fault), tries=target.tries + 1)
    except BeckonError as fault:  # the broker
        keep("waiting", str(fault))


def _reason(fault: Refused, target: Target) -> str:
    return str(fault).removeprefix(f"{target.device} refuses model: ")
