"""Carry out one action: publish, request, or run a program. Returns what happened, in a line.

Values of an event come from strangers. They are one argument of a program, never an option; one
part of an address; one level of a topic.
"""

import os
import re
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from host_tools.actions.settings import Action, Command, Http, Mqtt, filled
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection
from host_tools.store.messages import Event

_OUTPUT = 200  # characters that are kept of what a program prints
_PUBLISH_S = 5.0
_WAIT_S = 0.5  # before the first retry; then twice as long each time


class Failed(Exception):
    """The action was not carried out; the text is the reason, without secrets."""


class Performer:
    """Thread-safe. close() ends what it has opened."""

    def __init__(self, broker: BrokerAddress | None, environment: Mapping[str, str] = os.environ):
        self._broker = broker
        self._environment = environment
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._http: Any = None
        self._closing = threading.Event()

    def perform(self, action: Action, event: Event) -> str:
        """Raises Failed."""
        does, fields = action.does, fields_of(event)
        if isinstance(does, Mqtt):
            return self._publish(does, fields)
        if isinstance(does, Http):
            return self._request(does, fields)
        return self._run(does, fields)

    def close(self) -> None:
        self._closing.set()
        if self._connection:
            self._connection.__exit__()
        if self._http:
            self._http.close()

    def _publish(self, does: Mqtt, fields: dict[str, str]) -> str:
        levels = {name: re.sub(r"[/+#\0]", "_", value) for name, value in fields.items()}
        topic = filled(does.topic, levels, self._environment)
        connection = self._connected()
        if not connection.is_up:
            raise Failed("the broker is away")
        connection.publish(topic, filled(does.payload, fields, self._environment),
                           retain=does.retain, wait_s=_PUBLISH_S)  # fmt: skip
        return "published"

    def _connected(self) -> Connection:
        from host_tools.errors import BeckonError

        with self._lock:
            if self._connection is None:
                if self._broker is None:
                    raise Failed("there is not a broker to publish to")
                connection = Connection(self._broker, "act")
                try:
                    connection.__enter__()
                except BeckonError as fault:
                    raise Failed(str(fault)) from None
                self._connection = connection
            return self._connection

    def _request(self, does: Http, fields: dict[str, str]) -> str:
        import httpx

        with self._lock:
            if self._http is None:
                self._http = httpx.Client(follow_redirects=False)
        parts = {name: quote(value, safe="") for name, value in fields.items()}
        url = filled(does.url, parts, self._environment)
        headers = {name: re.sub(r"[\r\n\0]", " ", filled(value, fields, self._environment))
                   for name, value in does.headers.items()}  # fmt: skip
        options: dict[str, Any] = {}
        if does.json is not None:
            options["json"] = _filled_json(does.json, fields, self._environment)
        elif does.body:
            options["content"] = filled(does.body, fields, self._environment).encode()
        reason = ""
        for attempt in range(does.retries + 1):
            if attempt and self._closing.wait(_WAIT_S * 2 ** (attempt - 1)):
                break
            try:
                answer = self._http.request(does.method, url, headers=headers,
                                            timeout=does.timeout_s, **options)  # fmt: skip
            except httpx.TimeoutException:
                reason = f"no answer in {does.timeout_s:g} s"
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, UnicodeError) as fault:
                reason = type(fault).__name__  # its text can hold the address, and so a secret
            else:
                if answer.is_success:
                    return f"status {answer.status_code}"
                reason = f"status {answer.status_code}"
                if answer.status_code != 429 and answer.status_code < 500:
                    break
        raise Failed(reason)

    def _run(self, does: Command, fields: dict[str, str]) -> str:
        arguments = [does.run[0]]
        for template in does.run[1:]:
            argument = filled(template, fields, self._environment)
            if argument.startswith("-") and not template.startswith("-"):
                raise Failed("a value of the event would be an option of the program")
            arguments.append(argument.replace("\0", ""))
        try:
            done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=does.timeout_s,
                                  start_new_session=True)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"not done in {does.timeout_s:g} s: ended") from None
        except OSError as error:
            raise Failed(f"{does.run[0]}: {error.strerror}") from None
        said = " ".join(done.stdout.decode("utf-8", "replace").split())[-_OUTPUT:]
        if done.returncode:
            raise Failed(f"exit status {done.returncode}{': ' if said else ''}{said}")
        return said or "exit status 0"


def fields_of(event: Event) -> dict[str, str]:
    moment = datetime.fromtimestamp(event.at_ms / 1000, UTC)
    return {"device": event.device, "gesture": event.gesture, "model": event.model,
            "confidence": str(event.confidence), "boot": str(event.boot), "seq": str(event.seq),
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}  # fmt: skip


def _filled_json(value: Any, fields: Mapping[str, str], environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, fields, environment)
    if isinstance(value, dict):
        return {key: _filled_json(item, fields, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_json(item, fields, environment) for item in value]
    return value
