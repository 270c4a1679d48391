"""What the computer's engine is called on a broker, and whether that name is free."""
from __future__ import annotations

import getpass
import hashlib
import json
import queue
import secrets
import time
import uuid

from host_tools.device.settings import check
from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic

_ANSWER_S = 4.0  # for somebody who is online to answer


def host_id() -> str:
    """12 hexadecimal digits, the same for every run of this user on this computer."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        user = ""
    return hashlib.sha256(f"{uuid.getnode():x} {user}".encode()).hexdigest()[:12]


def default_name(kind: str) -> str:
    """kind: "phone" or "host"."""
    return f"{kind}-{host_id()[-6:]}"


def check_name(name: str) -> str:
    """name, if a device may be called so. Raises BeckonError."""
    if not name:
        raise BeckonError("the device needs a name", status=2)
    check("device", name)
    return name


def check_free(broker: BrokerAddress, name: str) -> str:
    """Ask the broker who is online as `name`.

    Raises BeckonError if somebody is and answers. Returns a warning if somebody is marked online
    but does not answer: a broker that restarts keeps that mark without end.
    """
    answer_s = _ANSWER_S
    root = f"beckon/{name}"
    came: queue.Queue[tuple[str, bytes]] = queue.Queue()
    topics = [Topic(f"{root}/status"), Topic(f"{root}/rsp/#")]
    with Connection(broker, "name", topics,
                    lambda topic, payload, retained: came.put((topic, payload))) as connection:
        # The broker hands out what it has retained before it hands on what comes after
        hello = secrets.token_hex(8)
        connection.publish(f"{root}/rsp/hello", hello)
        if not _wait(came, lambda topic, payload: payload == hello.encode(),
                     f"{root}/status", answer_s):
            return ""
        transaction = secrets.token_hex(8)
        connection.publish(f"{root}/cmd/diag", json.dumps({"transaction": transaction}))
        end_s = time.monotonic() + answer_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                topic, payload = came.get(timeout=left_s)
            except queue.Empty:
                break
            if topic == f"{root}/rsp/diag" and transaction.encode() in payload:
                raise BeckonError("{name} is online at {broker} already: choose another name",
                                  name=name, broker=broker)
    return Sentence("{name} is marked online at {broker} but does not answer: taking the name",
                    name=name, broker=broker)


def _wait(came, is_hello, status_topic: str, timeout_s: float) -> bool:
    """Whether the retained status says online."""
    online = False
    end_s = time.monotonic() + timeout_s
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            topic, payload = came.get(timeout=left_s)
        except queue.Empty:
            break
        if topic == status_topic:
            online = payload == b"online"
        elif is_hello(topic, payload):
            break
    return online
