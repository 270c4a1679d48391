"""What a board's retained `state` says of sleep, if its settings save a battery."""

from typing import Any

from host_tools.mqtt.events import printable

_OVERDUE = 1.25  # times what it said: its clock is not exact while it sleeps


def next_contact_s(state: dict[str, Any]) -> int:
    """Seconds from that state until a sleeping board reports again; 0: it is awake."""
    seconds = state.get("next_contact_s")
    if state.get("asleep") is not True or not isinstance(seconds, int) or seconds < 1:
        return 0
    return seconds


def is_overdue(state: dict[str, Any], age_s: float) -> bool:
    """Whether a board that fell asleep so long ago should have reported."""
    return age_s > _OVERDUE * next_contact_s(state) > 0


def power_trouble(state: dict[str, Any]) -> str:
    """Why a board stays awake though its settings let it sleep, and the cure; or ""."""
    said = state.get("power_problem")
    if not isinstance(said, str) or not said:
        return ""
    return f"it does not sleep: {printable(said)}; see docs/battery.md"
