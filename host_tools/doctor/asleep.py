"""Whether a board that does not answer sleeps: its last retained `state` tells."""

import queue
from pathlib import Path
from typing import Any

from host_tools.device.known_broker import known_broker
from host_tools.device.settings import default_folder, read_settings
from host_tools.doctor.diagnosis import FAULT, Finding
from host_tools.errors import BeckonError
from host_tools.mqtt.connection import Connection, Topic
from host_tools.mqtt.events import printable
from host_tools.mqtt.power_state import next_contact_s
from host_tools.mqtt.subscriber import decoded

_CONNECT_S = 3.0
_RETAINED_S = 1.0  # retained messages come at once


def sleeping_boards(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Device -> `state` of the boards that sleep, as the broker of the settings in folder knows
    them: the board of these settings, or each one if they name none. Empty if nobody can say.
    """
    folder = folder or default_folder()
    try:
        settings = read_settings(folder)
        if not settings["broker_host"]:
            return {}
        found: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()

        def take(topic: str, payload: bytes, retained: bool) -> None:
            state = decoded(payload)
            if isinstance(state, dict):
                found.put((topic.split("/")[1], state))

        name = settings["device"] or "+"
        topics = [Topic(f"beckon/{name}/state", crowded=name == "+")]
        asleep = {}
        with Connection(known_broker(folder=folder), "doctor", topics, take,
                        timeout_s=_CONNECT_S):  # fmt: skip
            try:
                while True:
                    device, state = found.get(timeout=_RETAINED_S)
                    if next_contact_s(state):
                        asleep[device] = state
            except queue.Empty:
                return asleep
    except BeckonError:
        return {}


def finding(part: str, boards: dict[str, dict[str, Any]]) -> Finding:
    """What doctor says in place of "does not answer". boards: as from sleeping_boards()."""
    names = " and ".join(sorted(printable(name) for name in boards))
    if len(boards) == 1:
        (state,) = boards.values()
        text = (f"{names} sleeps to save its battery; it reports within "
                f"{next_contact_s(state)} s")
    else:
        text = f"{names} sleep to save their batteries, and this may be one of them"
    return Finding(part, FAULT, text, "move the board and ask again at once, before it is still "
                                      "for light_sleep_s; or press its reset button")
