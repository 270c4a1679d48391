"""The settings of Bluetooth and ESP-NOW while `beckon setup` asks for them."""

from collections.abc import Mapping
from typing import Any

from host_tools.device.settings import check_together


def is_alone(settings: Mapping[str, Any]) -> bool:
    """Whether the board is meant to be without Wi-Fi."""
    return bool(settings["radio"]) and not settings["wifi_ssid"]


# In the order of the questions: the setting, and what fits until it is answered.
_LATER = {
    "radio_buttons": "",
    "radio_keys": "wave=a",
    "radio_peers": "02:00:00:00:00:01",
    "radio_key": "00" * 16,
}


def check_answer(name: str, settings: Mapping[str, Any]) -> None:
    """Check settings as far as they are answered up to name. Raises BeckonError."""
    names = ["radio", *_LATER]
    later = names[names.index(name) + 1 :]
    check_together({**settings, **{one: _LATER[one] for one in later}})
