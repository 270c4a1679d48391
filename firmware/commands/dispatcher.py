"""Commands over MQTT: beckon/<device>/cmd/<verb>, answered on rsp/<verb>.

A command is a JSON object with `transaction`, a text or number that no other one
has had, and whatever its verb takes. Its answer holds the same `transaction` and
either `ok` (true) with the result, or `error` with a line that says why not.
"""

import asyncio
import json

from micropython import const

from link.mqtt_link import LinkDown

_WAITING = const(4)  # commands that wait their turn
_REMEMBERED = const(16)  # transactions
_MOST_BRACKETS = const(40)
_TOO_LARGE = "the answer is too large; ask for less"


class Commands:
    """link: Link. device: its name. log: called with a line about what should not be."""

    def __init__(self, link, device, log=print):
        self._link = link
        self._prefix = b"beckon/%s/" % device.encode()
        self._log = log
        self.verbs = {}
        """verb: handler, see add()"""
        self._waiting = []
        self._came = asyncio.Event()
        self._done = [None] * _REMEMBERED
        self._next = 0
        self.taken = self.refused = self.faults = self.dropped = 0

    def add(self, verb, handler):
        """`await handler(arguments)` gives the result as a dict, or None.

        It raises ValueError, one line, for what it refuses, OSError for what fails.
        """
        self.verbs[verb] = handler

    def enqueue(self, topic, payload, retained):
        """Handler of what comes on cmd/#. A full queue drops it and counts."""
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
            return
        self._waiting.append((topic[len(self._prefix) + 4 :], payload, retained))
        self._came.set()

    async def run(self):
        """Carry out commands forever, one after the other."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                verb, payload, retained = self._waiting.pop(0)
                await self._answer(verb, payload, retained)

    def counters(self, into):
        into["commands"] = self.taken
        into["commands_refused"] = self.refused
        into["commands_dropped"] = self.dropped
        into["command_faults"] = self.faults

    async def _answer(self, verb, payload, retained):
        self.taken += 1
        transaction = None
        after = None
        try:
            if retained:
                raise ValueError("a retained command is not carried out; publish it without retain")
            arguments = parsed(payload)
            transaction = arguments.get("transaction")
            handler = self._accept(verb, transaction)
            result = await handler(arguments) or {}
            after = result.pop("after", None)
            result["ok"] = True
        except ValueError as error:
            self.refused += 1
            result = {"error": str(error)}
        except LinkDown:
            return  # the asker gets no answer, and asks again
        except Exception as error:  # a fault in one verb must not end the others
            self.faults += 1
            self._log("command %s: %r" % (verb, error))
            result = {"error": "failed: %r" % error}
        result["transaction"] = transaction
        await self._respond(verb, transaction, result)
        if after:
            await after()

    def _accept(self, verb, transaction):
        """The handler of verb. Raises ValueError."""
        if isinstance(transaction, bool) or not isinstance(transaction, (int, str)):
            raise ValueError("transaction must be a text or a whole number")
        if isinstance(transaction, str) and len(transaction) > 64:
            raise ValueError("transaction may have 64 characters")
        if transaction in self._done:
            raise ValueError("this transaction was carried out before")
        try:
            handler = self.verbs.get(str(verb, "utf-8"))
        except UnicodeError:
            handler = None
        if not handler:
            raise ValueError("no such command; there are %s" % ", ".join(sorted(self.verbs)))
        self._done[self._next] = transaction  # type: ignore[call-overload]
        self._next = (self._next + 1) % _REMEMBERED
        return handler

    async def _respond(self, verb, transaction, result):
        topic = self._prefix + b"rsp/" + clean(verb)
        try:
            try:
                await self._link.publish(topic, json.dumps(result).encode())
            except ValueError:
                result = {"transaction": transaction, "error": _TOO_LARGE}
                await self._link.publish(topic, json.dumps(result).encode())
        except LinkDown:
            pass


def parsed(payload):
    """The JSON object in payload, bytes. Raises ValueError."""
    if payload.count(b"[") + payload.count(b"{") > _MOST_BRACKETS:
        raise ValueError("nested too deep")
    if payload.rstrip()[-1:] != b"}":  # MicroPython takes a text that breaks off for a whole one
        raise ValueError("not a JSON object")
    try:
        arguments = json.loads(str(payload, "utf-8"))
    except (ValueError, MemoryError):  # UnicodeError is a ValueError
        raise ValueError("not JSON")
    if not isinstance(arguments, dict):
        raise ValueError("not a JSON object")
    return arguments


def clean(verb):
    """verb as it may stand in a topic that is published (MQTT 1.5.3, 4.7)."""
    verb = verb[:32]
    for byte in verb:
        if not (48 <= byte <= 57 or 97 <= byte <= 122 or byte == 95):
            return b"unknown"
    return verb or b"unknown"
