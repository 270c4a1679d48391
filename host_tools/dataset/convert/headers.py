"""What a column is, by its name: "Acceleration x (m/s^2)", "gyro_x_dps", "seconds_elapsed".

    columns = read_header(["Time (s)", "ax_g", "ay_g", "az_g"])
    columns[0]            Column(kind="time", axis="", unit="s")

Kinds: time, accel, linear (without gravity), gravity, gyro, label, subject, take, counter,
axis (x, y or z alone: the file's name says of what), and "" for all else.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

_TIME_UNITS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
    "us": "us", "µs": "us", "μs": "us", "usec": "us", "micros": "us", "microsecond": "us",
    "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanosecond": "ns", "nanoseconds": "ns",
}  # fmt: skip
_ACCEL_UNITS = {
    "m/s2": "m/s2", "m/s^2": "m/s2", "m/s²": "m/s2", "m/s/s": "m/s2", "m/s**2": "m/s2",
    "ms-2": "m/s2", "m.s-2": "m/s2", "m·s-2": "m/s2", "ms^-2": "m/s2", "ms⁻²": "m/s2",
    "m s^-2": "m/s2", "m s-2": "m/s2", "m/sec2": "m/s2", "m/sec^2": "m/s2", "mps2": "m/s2",
    "ms2": "m/s2", "m/ss": "m/s2",
    "g": "g", "gs": "g", "g's": "g", "gee": "g",
    "mg": "mg", "milli-g": "mg", "millig": "mg",
}  # fmt: skip
_GYRO_UNITS = {
    "dps": "dps", "deg/s": "dps", "°/s": "dps", "º/s": "dps", "deg/sec": "dps",
    "degrees/s": "dps", "degree/s": "dps", "degrees/sec": "dps", "degrees per second": "dps",
    "degs": "dps", "deg s^-1": "dps", "deg/second": "dps",
    "rad/s": "rad/s", "rads/s": "rad/s", "rad/sec": "rad/s", "radians/s": "rad/s",
    "radian/s": "rad/s", "rads": "rad/s", "radps": "rad/s", "rad s^-1": "rad/s",
    "rad/second": "rad/s", "radians per second": "rad/s",
    "mdps": "mdps", "mdeg/s": "mdps",
}  # fmt: skip
_COUNTS = {"raw": "counts", "lsb": "counts", "count": "counts", "counts": "counts",
           "adc": "counts", "digits": "counts"}
_UNITS = {"time": _TIME_UNITS, "accel": _ACCEL_UNITS | _COUNTS, "linear": _ACCEL_UNITS | _COUNTS,
          "gravity": _ACCEL_UNITS | _COUNTS, "gyro": _GYRO_UNITS | _COUNTS,
          "axis": _ACCEL_UNITS | _GYRO_UNITS | _COUNTS}

_A = "acc(?:el(?:ero(?:meter)?|eration)?)?|acceleration|accl"
_PATTERNS = (
    ("linear", re.compile(rf"^(?:motion)?(?:linear|lin|user)_?(?:{_A})(?:ometer)?_?([xyz])$")),
    ("linear", re.compile(rf"^(?:{_A})_?(?:linear|user)_?([xyz])$")),
    ("linear", re.compile(rf"^([xyz])_?(?:linear|user)_?(?:{_A})$")),
    ("gravity", re.compile(r"^(?:motion_?)?(?:gravity|grav|grv)_?([xyz])$")),
    ("accel", re.compile(rf"^(?:raw|total|imu|sensor|mpu)?_?(?:a|{_A}|accelerometer_?acceleration)"
                         r"(?:_?raw|_?including_?gravity|_?calibrated|_?uncalibrated)?"
                         r"_?([xyz])(?:_?axis)?$")),
    ("accel", re.compile(rf"^([xyz])_?(?:axis)?_?(?:{_A})$")),
    ("gforce", re.compile(r"^g_?f(?:orce)?_?([xyz])$")),
    ("gyro", re.compile(r"^(?:raw|imu|sensor|mpu)?_?(?:g|gy|gyr|gyro|gyroscope|rot|rotation|w|"
                        r"omega|gyro_?rotation|(?:motion_?)?rotation_?rate|angular_?(?:velocity|rate)|"
                        r"ang_?vel|turn_?rate)(?:_?raw|_?calibrated|_?uncalibrated)?"
                        r"_?([xyz])(?:_?axis)?$")),
    ("gyro", re.compile(r"^([xyz])_?(?:axis)?_?(?:gyr|gyro|gyroscope|rotation|"
                        r"angular_?velocity)$")),
    ("axis", re.compile(r"^([xyz])(?:_?axis|_?value)?$")),
)  # fmt: skip
_TIME = re.compile(
    r"^(?:t|ts|time|date_?time|time_?stamps?|elapsed|elapsed_?time|time_?elapsed|"
    r"time_?since_?start|uptime|clock|epoch|unix_?time|logging_?time|sample_?time|"
    r"(?:accelerometer|motion|gyro|sensor)?_?timestamp(?:_?since_?(?:reboot|1970))?|"
    r"(?:seconds|ms|millis|us|ns|nanos)_?elapsed|seconds|millis|milliseconds|ms|micros|"
    r"microseconds|us|nanos|nanoseconds|ns|time_?of_?day|date)$")
_OTHERS = (
    ("label", re.compile(r"^(?:label|labels|class|class_?name|gesture|gesture_?name|target|"
                         r"activity|activity_?name|movement)$")),
    ("subject", re.compile(r"^(?:subject|subject_?id|person|user|user_?id|participant|"
                           r"participant_?id|volunteer)$")),
    ("take", re.compile(r"^(?:id|take|take_?id|sample_?id|recording|recording_?id|session|"
                        r"session_?id|trial|repetition|rep|series|series_?id|sequence_?id|"
                        r"group|group_?id|gesture_?id|measurement_?number|file|file_?name)$")),
    ("counter", re.compile(r"^(?:n|i|no|nr|idx|index|counter|count|sample|sample_?(?:no|nr|num|"
                           r"number|index)|frame|row|line|seq|sequence|step|unnamed_?0|)$")),
)  # fmt: skip
_NAMED_UNITS = re.compile(r"(?:^|_)(seconds|millis|milliseconds|ms|micros|microseconds|us|nanos|"
                          r"nanoseconds|ns|s)(?:_|$)")


@dataclass(frozen=True)
class Column:
    """unit: as host_tools.units spells it, "counts" for raw ones, "" if the name has none."""

    kind: str
    axis: str = ""
    unit: str = ""


def read_header(names: list[str]) -> list[Column]:
    return [read_name(name) for name in names]


def read_name(name: str) -> Column:
    """One column. The unit is what stands in brackets, behind "in", or at the end."""
    base, unit = _in_brackets(name)
    squeezed = _squeeze(base)
    if found := _kind(squeezed, unit):
        return found
    if not unit:
        parts = squeezed.split("_")
        for count in (1, 2):
            if len(parts) > count:
                end = parts[-count:]
                for joined in ("/".join(end), "".join(end)):
                    found = _kind("_".join(parts[:-count]), joined)
                    if found and found.unit:
                        return found
        inside = re.match(r"^(.*)_(mps2|ms2|g|mg|dps|mdps|rads)_([xyz])$", squeezed)
        if inside and (found := _kind(f"{inside[1]}_{inside[3]}", inside[2])):
            return found
    return Column("")


def _in_brackets(name: str) -> tuple[str, str]:
    text = name.strip().lower()
    if m := re.match(r"^(.*?)\s*[(\[{]\s*([^)\]}]*?)\s*[)\]}]\s*$", text):
        return m[1], m[2]
    if m := re.match(r"^(.*?)\s+in\s+(\S+)\s*$", text):
        return m[1], m[2]
    return text, ""


def _squeeze(base: str) -> str:
    """"accX", "Acc X", "acc.x" -> "accx", "acc_x", "acc_x"."""
    return re.sub(r"[\s_.\-:/]+", "_", base.strip()).strip("_")


def _kind(squeezed: str, unit: str) -> Column | None:
    for kind, pattern in _PATTERNS:
        if m := pattern.match(squeezed):
            if kind == "gforce":
                return Column("accel", m[1], "g")
            return Column(kind, m[1], _unit(kind, unit))
    if _TIME.match(squeezed):
        named = _NAMED_UNITS.search(squeezed)
        return Column("time", "", _unit("time", unit) or (_TIME_UNITS[named[1]] if named else ""))
    for kind, pattern in _OTHERS:
        if pattern.match(squeezed):
            return Column(kind)
    return None


def _unit(kind: str, text: str) -> str:
    return _UNITS[kind].get(text.strip().lower(), "")


def unit_named(text: str, kind: str) -> str:
    """The unit that a text names for a kind of column, "" if it is none of them."""
    return _unit(kind, text)
