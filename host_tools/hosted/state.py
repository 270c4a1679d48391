"""What the computer's engine says of itself: the board's `state`, and its announcement."""
from __future__ import annotations

import json
import platform
from typing import Any

from host_tools.hosted.naming import host_id
from host_tools.model.decision import settings_of
from host_tools.model.format import Model
from host_tools.toolchain import on_cpython
from host_tools.version import version

TRIGGER_AGE_S = 5  # as the board's setting trigger_age_s


def state_of(model: Model, source: str, boot: int, sensor: str = "ok",
             rules: tuple[str, ...] = ()) -> dict[str, Any]:
    """The retained `state`: as docs/schemas/state.schema.json says, as the firmware's app.py
    fills it. source: what the samples come from. rules: labels of rule gestures."""
    fe, decision = model.front_end, model.decision
    return {
        "firmware": version(), "micropython": f"CPython {platform.python_version()}",
        "boot": boot, "chip": host_id(), "reset_cause": 1, "crash": "", "safe_mode": "",
        "model_taken_back": False, "settings_taken_back": False, "sensor": sensor,
        "calibration": "none", "model": model.model_id, "labels": [*model.labels, *rules],
        "rate_hz": fe.rate_hz, "accel_g": fe.accel_g, "gyro_dps": fe.gyro_dps,
        "window": fe.window, "hop": fe.hop,
        "debounce": list(settings_of(decision)[:-1] if decision else model.debounce),
        "threshold_percent": decision.threshold_percent if decision else model.debounce[0],
        "source": source,
    }  # fmt: skip


def announcement(device: str, labels: list[str], idle: int) -> tuple[str, bytes]:
    """Topic and payload that announce the device to Home Assistant: the firmware's own, without
    what needs commands that a computer does not take, and without a radio."""
    on_cpython.install()
    from events import home_assistant  # type: ignore[import-not-found]

    message = home_assistant.announcement(device, version(), labels, idle, TRIGGER_AGE_S)
    message["cmps"] = {
        name: part for name, part in message["cmps"]()
        if "cmd_t" not in part and name not in _NOT_HERE
    }
    message["dev"]["mdl"] = "Gesture engine on a computer"
    return home_assistant.topic(device).decode(), json.dumps(message).encode()


_NOT_HERE = ("rssi_dbm", "heap_free", "lag_ms_p99", "calibration")
