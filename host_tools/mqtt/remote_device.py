"""A board, asked and looked after through the broker: commands, and a new model.

docs/mqtt.md describes what goes over the wire.
"""

import base64
import hashlib
import hmac
import json
import queue
import secrets
import time
import zlib
from collections.abc import Callable
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic
from host_tools.mqtt.power_state import next_contact_s

CHUNK_BYTES = 768
MODEL_BYTES_MAX = 36_000  # with kept examples; as firmware/commands/model_update.py takes it
_ANSWER_TIMEOUT_S = 10.0
_TRIES = 3
_RESTART_TIMEOUT_S = 60.0


class RemoteDevice:
    """device: the board's name. timeout_s: for its answers, not for the broker's.

    A context manager; raises BeckonError throughout.
    """

    def __init__(self, broker: BrokerAddress, device: str, timeout_s: float = _ANSWER_TIMEOUT_S):
        self.device = device
        self.state: dict[str, Any] = {}
        """The newest `state` that came."""
        self._timeout_s = timeout_s
        self._root = f"beckon/{device}/"
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._states: queue.Queue[dict[str, Any]] = queue.Queue()
        topics = [Topic(f"{self._root}rsp/#"), Topic(f"{self._root}state")]
        self._connection = Connection(broker, "ask", topics, self._on_message)

    def __enter__(self) -> "RemoteDevice":
        self._connection.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.__exit__()

    def await_board(self, timeout_s: float) -> dict[str, Any]:
        """Wait until the board has said what it is (again), its `state`."""
        try:
            return self._states.get(timeout=timeout_s)
        except queue.Empty:
            raise NoAnswer("{device} does not come up within {timeout_s:g} s", device=self.device,
                           timeout_s=timeout_s) from None

    def request(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Ask for verb and return its answer."""
        transaction = secrets.token_hex(8)
        payload = json.dumps({**arguments, "transaction": transaction})
        self._connection.publish(f"{self._root}cmd/{verb}", payload)
        until = time.monotonic() + self._timeout_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise self._no_answer() from None
            if answer.get("transaction") != transaction:
                continue  # an answer that came too late for its question
            if str(answer.get("error")).startswith("failed: MemoryError"):
                raise Refused("{device} has too little memory for {verb}; start it again, then "
                              "ask again", device=self.device, verb=verb)
            if "error" in answer:
                raise Refused("{device} refuses {verb}: {error}", device=self.device,
                              verb=verb, error=answer["error"])
            return answer

    def request_signed(
        self, verb: str, key: str, payload: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """Ask for verb with a signature. key: update_key of the board's secrets.json.

        payload: what is signed beside verb, device and nonce; docs/mqtt.md has it for each verb.
        """
        nonce = self.request("nonce")["nonce"]
        while True:
            signature = signed(key, verb, self.device, nonce, payload)
            try:
                return self.request(verb, hmac=signature, **arguments)
            except Refused as fault:
                if "HMAC is wrong" not in str(fault):
                    raise
                before, nonce = nonce, self.request("nonce")["nonce"]
                if nonce == before:  # else another one has spent it meanwhile
                    raise

    def change_settings(self, key: str, **settings: Any) -> dict[str, Any]:
        """Change settings that need a signature; the answer."""
        text = json.dumps(settings)
        return self.request_signed("set", key, text, settings=text)

    def _no_answer(self) -> "NoAnswer":
        seconds = next_contact_s(self.state)
        if seconds:
            return NoAnswer("{device} is asleep to save its battery; move it and ask again, or "
                            "wait up to {seconds} s", device=self.device, seconds=seconds)
        return NoAnswer("{device} does not answer; is it on, and its name spelt so?",
                        device=self.device)

    def send_model(
        self,
        model: bytes,
        key: str,
        on_progress: Callable[[int], None] | None = None,
        wait_s: float = _RESTART_TIMEOUT_S,
    ) -> str:
        """Send a model file, wait until the board runs on it, and return its id.

        key: update_key of the board's secrets.json. on_progress: called with the bytes sent.
        """
        self.upload(model, key, on_progress or (lambda sent: None))
        return self.commit(model, key, wait_s)

    def commit(self, model: bytes, key: str, wait_s: float = _RESTART_TIMEOUT_S) -> str:
        """Have the board use what upload() has brought, wait until it runs on it, and return the
        model's id. Raises Refused, NoAnswer (it may have taken the model all the same), NotBack
        or TakenBack."""
        while not self._states.empty():
            self._states.get()
        digest = hashlib.sha256(model).hexdigest()
        self.request_signed(
            "model", key, f"commit {len(model)} {digest}", step="commit"
        )
        model_id = model[8:12][::-1].hex()
        self._await_state(model_id, wait_s)
        return model_id

    def upload(self, model: bytes, key: str, on_progress: Callable[[int], None]) -> None:
        """Bring all of model to the board, which does not use it yet."""
        failures = 0
        crc = zlib.crc32(model)
        while True:
            try:
                begun = self.request_signed(
                    "model", key, f"begin {len(model)} {crc}",
                    step="begin", size=len(model), crc32=crc,
                )  # fmt: skip
                offset = begun["offset"]
                while offset < len(model):
                    chunk = model[offset : offset + CHUNK_BYTES]
                    offset = self.request(
                        "model",
                        step="chunk",
                        offset=offset,
                        crc32=zlib.crc32(chunk),
                        data=base64.b64encode(chunk).decode(),
                    )["offset"]
                    failures = 0
                    on_progress(offset)
                return
            except NoAnswer:  # begin tells how far it came
                failures += 1
                if failures == _TRIES:
                    raise

    def _await_state(self, model_id: str, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while True:
            try:
                state = self._states.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise NotBack("{device} has taken the model but did not come back within "
                              "{wait_s:g} s", device=self.device, wait_s=wait_s) from None
            if state.get("model") == model_id:
                return
            if state.get("model_taken_back"):
                lines = str(state.get("crash")).strip().splitlines()
                reason = lines[-1] if lines else "it could not be loaded"
                raise TakenBack("{device} went back to its old model: {reason}",
                                device=self.device, reason=reason)

    def _on_message(self, topic: str, content: bytes, retained: bool) -> None:
        try:
            payload = json.loads(content)
        except (ValueError, RecursionError):
            return
        if not isinstance(payload, dict):
            return
        if topic == f"{self._root}state":
            self.state = payload
            if not retained:
                self._states.put(payload)
        else:
            self._answers.put(payload)


class NoAnswer(BeckonError):
    """The board did not answer in time."""


class Refused(BeckonError):
    """The board answered that it does not do this, and why."""


class NotBack(BeckonError):
    """The board has taken a model and was not heard of again in time."""


class TakenBack(BeckonError):
    """The board has returned to the model that it had."""


def signed(key: str, verb: str, device: str, nonce: str, payload: str) -> str:
    """The HMAC of a signed command, in hexadecimal digits."""
    text = f"beckon-{verb}-1 {device} {nonce} {payload}"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
