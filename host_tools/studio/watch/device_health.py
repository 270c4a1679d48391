"""A device's health in words, from its counters, with cures. Pure."""
from __future__ import annotations

from dataclasses import dataclass

from host_tools.mqtt.events import printable
from host_tools.mqtt.sensor_state import sensor_trouble
from host_tools.studio.frame.durations import duration
from host_tools.studio.watch.session import Device
from host_tools.wording import counted

GOOD, WARN, BAD, PLAIN = "good", "warn", "bad", "plain"


@dataclass(frozen=True)
class Sign:
    """One line of a device's health. level: GOOD, WARN, BAD or PLAIN (no judgement)."""

    name: str
    value: str
    level: str = PLAIN
    advice: str = ""


def signs(device: Device, expected_model: str = "") -> list[Sign]:
    """The device's signs, in a fixed order.

    expected_model: id of the project's newest model; "" if there is none.
    """
    out = [_link(device)]
    trouble = sensor_trouble(device.state)
    if trouble:
        text, _, cure = trouble.removeprefix("no sensor: ").rpartition("; ")
        out.append(Sign("Sensor", text, BAD, cure))
    elif trouble == "":
        out.append(Sign("Sensor", "works", GOOD))
    crash = device.state.get("crash")
    if device.text("safe_mode"):
        out.append(Sign("Safe mode", device.text("safe_mode"), BAD,
                        "it crashed three times in a row: deploy again, or deploy another model"))
    if isinstance(crash, str) and crash.strip():
        out.append(Sign("Last crash", printable(crash.strip().splitlines()[-1]), BAD,
                        "beckon doctor shows the whole traceback"))
    model = device.text("model")
    if model:
        if device.state.get("model_taken_back") is True:
            out.append(Sign("Model", model, WARN, "the new model failed; it uses the old one"))
        elif expected_model and model != expected_model:
            out.append(Sign("Model", model, WARN,
                            f"the project's newest is {expected_model}: deploy it"))
        else:
            same = expected_model and model == expected_model
            out.append(Sign("Model", model, GOOD if same else PLAIN,
                            "the project's newest" if same else ""))
    return out + _counted(device)


def _link(device: Device) -> Sign:
    if device.online is None:
        return Sign("Link", "unknown", PLAIN, "it has not reported yet")
    if device.online:
        return Sign("Link", "online", GOOD)
    return Sign("Link", "offline", BAD, "does it have power, and is its Wi-Fi in range?")


def _counted(device: Device) -> list[Sign]:
    out = []
    count = device.count
    lost, samples = count("samples_lost"), count("samples")
    if lost is not None:
        of = f" of {samples:,}" if samples is not None else ""
        out.append(Sign("Samples lost", f"{lost:,}{of}", WARN if lost else GOOD,
                        "no window spans a gap; see beckon doctor" if lost else ""))
    saturated = count("samples_saturated")
    if saturated:
        out.append(Sign("Beyond range", f"{saturated:,} samples", WARN,
                        "record and train with a wider range"))
    dropped = count("events_dropped")
    if dropped:
        out.append(Sign("Events dropped", str(dropped), BAD, "the broker was away for too long"))
    if device.missing:
        out.append(Sign("Events missing", str(device.missing), WARN,
                        "by their numbers; the broker or the board lost them"))
    waiting = (count("events_queued") or 0) + (count("spool_waiting") or 0)
    if waiting:
        out.append(Sign("Events waiting", str(waiting), WARN, "they go out when the link is back"))
    rssi = count("rssi_dbm")
    if rssi is not None:
        weak = rssi < -75
        out.append(Sign("Wi-Fi", f"{rssi} dBm".replace("-", "−"), WARN if weak else GOOD,
                        "weak: move the board or the access point" if weak else ""))
    drops = count("link_drops")
    if drops is not None:
        out.append(Sign("Link lost", counted(drops, "time"), PLAIN))
    late = count("lag_ms_max")
    if late is not None:
        out.append(Sign("Loop late at most", f"{late} ms", WARN if late > 500 else GOOD))
    heap = count("heap_free")
    if heap is not None:
        out.append(Sign("Memory free", f"{heap // 1024} KiB", WARN if heap < 8192 else GOOD))
    uptime = count("uptime_ms")
    if uptime is not None:
        out.append(Sign("Running for", duration(uptime / 1000)))
    return out
