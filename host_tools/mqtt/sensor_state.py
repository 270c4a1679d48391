"""What a board's retained `state` says of its sensor."""

from typing import Any

OK = "ok"
_TROUBLES = {
    "absent": "its sensor does not answer; check VCC, GND, SCL and SDA",
    "failing": "its sensor answers with faults; shorten the wires",
    "wrong": "what answers on its bus is not a known sensor",
}


def sensor_trouble(state: dict[str, Any]) -> str | None:
    """What is wrong with the sensor, and after a semicolon what to do; "" if nothing is.

    None if the board does not say: it does not sample yet, or has an older firmware.
    """
    said = state.get("sensor")
    if not isinstance(said, str) or not said:
        return None
    if said == OK:
        return ""
    return _TROUBLES.get(said, "its sensor does not work; see beckon doctor")
