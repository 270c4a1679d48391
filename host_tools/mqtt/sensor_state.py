"""What a board's retained `state` says of its sensor."""

from typing import Any

from host_tools.mqtt.events import printable

OK = "ok"
_CURES = {
    "nothing answers": "check VCC, GND, SCL and SDA",
    "it sends no samples": "shorten the wires, or turn its power off and on",
}


def sensor_trouble(state: dict[str, Any]) -> str | None:
    """"no sensor: WHY", and after a semicolon what to do; "" if the sensor works.

    None if the board does not say: it does not sample yet, or has an older firmware.
    """
    said = state.get("sensor")
    if not isinstance(said, str) or not said:
        return None
    if said == OK:
        return ""
    cure = next((cure for start, cure in _CURES.items() if said.startswith(start)),
                "see beckon doctor")  # fmt: skip
    return f"no sensor: {printable(said)}; {cure}"
