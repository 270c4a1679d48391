"""A device's health in words, from its counters, with cures. Pure."""
from __future__ import annotations

from dataclasses import dataclass

from host_tools.mqtt.events import printable
from host_tools.mqtt.power_state import next_contact_s, power_trouble
from host_tools.mqtt.sensor_state import sensor_trouble
from host_tools.studio.frame.durations import duration
from host_tools.studio.frame.language import number, tr, tr_n
from host_tools.studio.watch.session import Device

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
        out.append(Sign(tr("Sensor"), text, BAD, cure))
    elif trouble == "":
        out.append(Sign(tr("Sensor"), tr("works"), GOOD))
    if power_trouble(device.state):
        text, _, cure = power_trouble(device.state).rpartition("; ")
        out.append(Sign(tr("Battery"), text, WARN, cure))
    crash = device.state.get("crash")
    if device.text("safe_mode"):
        out.append(Sign(tr("Safe mode"), device.text("safe_mode"), BAD,
                        tr("it crashed three times in a row: deploy again, or deploy another "
                           "model")))
    if isinstance(crash, str) and crash.strip():
        out.append(Sign(tr("Last crash"), printable(crash.strip().splitlines()[-1]), BAD,
                        tr("beckon doctor shows the whole traceback")))
    model = device.text("model")
    if model:
        if device.state.get("model_taken_back") is True:
            out.append(Sign(tr("Model"), model, WARN,
                            tr("the new model failed; it uses the old one")))
        elif expected_model and model != expected_model:
            out.append(Sign(tr("Model"), model, WARN,
                            tr("the project's newest is {model}: deploy it", model=expected_model)))
        else:
            same = expected_model and model == expected_model
            out.append(Sign(tr("Model"), model, GOOD if same else PLAIN,
                            tr("the project's newest") if same else ""))
    return out + _counted(device)


def _link(device: Device) -> Sign:
    if device.online is None:
        return Sign(tr("Link"), tr("unknown"), PLAIN, tr("it has not reported yet"))
    asleep_s = next_contact_s(device.state)
    if device.online and asleep_s:
        return Sign(tr("Link"), tr("asleep"), GOOD,
                    tr("it reports when it is moved, or within {time}", time=duration(asleep_s)))
    if device.online:
        return Sign(tr("Link"), tr("online"), GOOD)
    return Sign(tr("Link"), tr("offline"), BAD,
                tr("does it have power, and is its Wi-Fi in range?"))


def _counted(device: Device) -> list[Sign]:
    out = []
    count = device.count
    lost, samples = count("samples_lost"), count("samples")
    if lost is not None:
        of = tr(" of {n:,}", n=samples) if samples is not None else ""
        out.append(Sign(tr("Samples lost"), f"{number(lost)}{of}", WARN if lost else GOOD,
                        tr("no window spans a gap; see beckon doctor") if lost else ""))
    saturated = count("samples_saturated")
    if saturated:
        out.append(Sign(tr("Beyond range"), tr_n("{n:,} sample", "{n:,} samples", saturated), WARN,
                        tr("record and train with a wider range")))
    dropped = count("events_dropped")
    if dropped:
        out.append(Sign(tr("Events dropped"), str(dropped), BAD,
                        tr("the broker was away for too long")))
    if device.missing:
        out.append(Sign(tr("Events missing"), str(device.missing), WARN,
                        tr("by their numbers; the broker or the board lost them")))
    waiting = (count("events_queued") or 0) + (count("spool_waiting") or 0)
    if waiting:
        out.append(Sign(tr("Events waiting"), str(waiting), WARN,
                        tr("they go out when the link is back")))
    rssi = count("rssi_dbm")
    if rssi is not None:
        weak = rssi < -75
        out.append(Sign("Wi-Fi", f"{rssi} dBm".replace("-", "−"), WARN if weak else GOOD,
                        tr("weak: move the board or the access point") if weak else ""))
    drops = count("link_drops")
    if drops is not None:
        out.append(Sign(tr("Link lost"), tr_n("{n} time", "{n} times", drops), PLAIN))
    late = count("lag_ms_max")
    if late is not None:
        out.append(Sign(tr("Loop late at most"), f"{number(late)} ms",
                        WARN if late > 500 else GOOD))
    heap = count("heap_free")
    if heap is not None:
        out.append(Sign(tr("Memory free"), f"{heap // 1024} KiB", WARN if heap < 8192 else GOOD))
    uptime = count("uptime_ms")
    if uptime is not None:
        out.append(Sign(tr("Running for"), duration(uptime / 1000)))
    return out
