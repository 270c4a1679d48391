"""Recordings whose sensors lie in files of their own, joined by time.

As phones write them: Sensor Logger (Accelerometer.csv, Gravity.csv, Gyroscope.csv,
TotalAcceleration.csv), phyphox (Accelerometer.csv, Gyroscope.csv) and loggers that put the
sensor into the name (walk1_accel.csv, walk1_gyro.csv). The turn rates are interpolated at
the times of the acceleration.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from host_tools.dataset.convert.labelling import Labelling
from host_tools.dataset.convert.layout import find_layout, sensor_of
from host_tools.dataset.convert.options import Options, Piece
from host_tools.dataset.convert.samples import Series, read_series, source_of, to_pieces
from host_tools.dataset.convert.tables import Table, read_table
from host_tools.errors import BeckonError

_WORDS = re.compile(
    r"[ _\-]*(total[ _]?acceleration|linear[ _]?acceler(?:ation|ometer)|user[ _]?acceleration|"
    r"acceler(?:ation|ometer)|accel|acc|gravity|gyroscope|gyro|gyr|rotation[ _]?rate|"
    r"angular[ _]?velocity|magnetometer|magnetic[ _]?field|orientation|barometer|pressure|location)"
    r"[ _\-]*(?:\((?:with|without|incl|excl)[^)]*\))?[ _\-]*(uncalibrated)?", re.I)
_WORD_EDGE = re.compile(r"[A-Za-z]")
_GAP_MS = 60.0  # no turn rate for longer: what was between is lost


@dataclass
class Group:
    """The files of one recording by sensor; path is that of the acceleration, or the only one."""

    path: Path
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def single(self) -> bool:
        return not self.files

    @property
    def labelled(self) -> Path:
        """What is named after the recording: the file, or the folder of its sensors' files."""
        return self.path if self.single else _labelled(self.path)


def group_files(files: list[Path]) -> list[Group]:
    """Which files belong together; a file of another sensor alone is left out."""
    by_key: dict[tuple[Path, str], dict[str, Path]] = {}
    singles = []
    for path in files:
        key, sensor = _key_of(path)
        if sensor:
            by_key.setdefault((path.parent, key), {})[sensor] = path
        else:
            singles.append(path)
    groups = [Group(path) for path in singles]
    for found in by_key.values():
        used = {s: p for s, p in found.items() if s in ("total", "accel", "linear", "gravity",
                                                        "gyro", "accel-raw", "gyro-raw")}
        main = next((used[s] for s in ("total", "accel", "linear", "accel-raw") if s in used), None)
        if main is None:
            groups += [Group(p) for p in used.values()]
        elif len(used) == 1:
            groups.append(Group(main))
        else:
            groups.append(Group(main, used))
    return sorted(groups, key=lambda group: group.path)


def _key_of(path: Path) -> tuple[str, str]:
    """The name without the sensor, and the sensor: "" if the name has none."""
    stem = path.name.split(".")[0]
    for m in _WORDS.finditer(stem):
        word = m[1].lower()
        before, after = stem[: m.start(1)], stem[m.end(1) :]
        if len(word) <= 5 and (_letter(before[-1:]) or _letter(after[:1])):
            continue  # "accident", "gyros": not a sensor
        key = (stem[: m.start()] + "\0" + stem[m.end() :]).lower()
        sensor = "total" if word.startswith("total") else sensor_of(word)
        if m[2] and sensor in ("accel", "gyro"):
            sensor += "-raw"
        if "without" in m[0].lower() and sensor == "accel":
            sensor = "linear"
        return key, sensor
    return stem.lower(), ""


def _letter(text: str) -> bool:
    return bool(_WORD_EDGE.match(text))


def read_group(
    group: Group, options: Options, labelling: Labelling
) -> tuple[list[Piece], list[str]]:
    """One recording from the files of its sensors, cut into takes."""
    files = group.files
    main = group.path
    tables = {sensor: read_table(path) for sensor, path in files.items()}
    logger = _is_sensor_logger(tables)
    form = "Sensor Logger" if logger else "files of sensors"
    series, layout = _read(tables[_sensor_at(files, main)], options)
    source = source_of(layout, series, form)
    if layout.linear or (logger and "total" not in files):
        _add_gravity(series, files, tables, options)
    gyro = files.get("gyro") or files.get("gyro-raw")
    if "gx" not in layout.at and gyro is not None:
        turn, turn_layout = _read(tables[_sensor_at(files, gyro)], options, "gyro")
        if "ax" in turn_layout.at and "gx" not in turn_layout.at:
            raise BeckonError("{gyro}: holds no turn rates, whatever its name says", gyro=gyro)
        if "ax" in turn_layout.at:  # a file of both, with a gyroscope's name
            turn.values = turn.values[:, 3:]
        series = _join(main, series, gyro, turn)
        gyro_source = source_of(turn_layout, turn, form)
        source = replace(source, gyro=gyro_source.gyro, gyro_assumed=gyro_source.gyro_assumed)
    by_column = labelling.by_column(main, series.labels is not None)
    return to_pieces(main, series, source, options, group.labelled.name,
                     None if by_column else lambda name, row: labelling.label(group.labelled),
                     labelling.subject(main))


def _read(table: Table, options: Options, sensor: str = ""):
    layout = find_layout(table, options, sensor)
    return read_series(table, layout, options), layout


def _sensor_at(files: dict[str, Path], path: Path) -> str:
    return next(s for s, p in files.items() if p == path)


def _is_sensor_logger(tables: dict[str, Table]) -> bool:
    """Its Accelerometer.csv is without gravity, as nobody else's."""
    return any("seconds_elapsed" in t.header for t in tables.values())


def _labelled(path: Path) -> Path:
    """The path whose name may hold the label: the folder's, if the file is named by its sensor."""
    key, _ = _key_of(path)
    rest = key.replace("\0", "").strip(" _-")
    return path.with_name(rest) if rest else path.parent


def _add_gravity(series: Series, files: dict[str, Path], tables: dict[str, Table],
                 options: Options) -> None:
    """Acceleration without gravity and gravity, both of one clock, make what a sensor measures."""
    if "gravity" not in files:
        return
    gravity, _ = _read(tables["gravity"], options, "accel")
    t = series.t_ms + (series.origin_ms - gravity.origin_ms)
    down = np.stack([np.interp(t, gravity.t_ms, column) for column in gravity.values[:, :3].T], 1)
    series.values[:, :3] += down
    series.notices.append(f"{files['gravity'].name}: added to the acceleration, which is without")


def _join(main: Path, accel: Series, path: Path, gyro: Series) -> Series:
    """accel with the turn rates of its own moments; what lies outside them is cut off."""
    t = accel.t_ms + (accel.origin_ms - gyro.origin_ms)
    if np.any(np.diff(gyro.t_ms) < 0) or np.any(np.diff(accel.t_ms) < 0):
        raise BeckonError("{path}: time goes back in it or in {main}, so the two cannot be joined",
                          path=path, main=main.name)
    after = np.searchsorted(gyro.t_ms, t)
    inside = (t >= gyro.t_ms[0]) & (t <= gyro.t_ms[-1])
    if inside.sum() < 2:
        raise BeckonError("{path}: shares no time with {main}; are they of one recording?",
                          path=path, main=main.name)
    after = np.clip(after, 1, len(gyro.t_ms) - 1)
    usual = float(np.median(np.diff(gyro.t_ms)))
    bridged = gyro.t_ms[after] - gyro.t_ms[after - 1] > max(_GAP_MS, 3 * usual)
    keep = np.flatnonzero(inside & ~bridged)
    if len(keep) < 2:
        raise BeckonError("{path}: shares no time with {main}; are they of one recording?",
                          path=path, main=main.name)
    rates = np.stack([np.interp(t[keep], gyro.t_ms, column) for column in gyro.values.T], axis=1)
    cut = len(t) - len(keep)
    notices = [*accel.notices, *gyro.notices]
    if cut > 0.05 * len(t):
        notices.append(f"{main.name}: {cut} samples have no turn rate of their time in {path.name} "
                       "and are left out")
    kept = keep.tolist()
    return Series(
        accel.t_ms[keep], np.hstack([accel.values[keep][:, :3], rates]), accel.lines[keep],
        sorted({int(np.searchsorted(keep, s)) for s in accel.starts} - {0, len(keep)}),
        None if accel.labels is None else [accel.labels[i] for i in kept],
        None if accel.subjects is None else [accel.subjects[i] for i in kept],
        accel.time, accel.origin_ms, notices,
    )
