"""Which columns of a table are what, and in which units."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.dataset.convert.headers import Column, read_header
from host_tools.dataset.convert.options import Options
from host_tools.dataset.convert.tables import Table, number
from host_tools.dataset.recording import AXES
from host_tools.errors import BeckonError

_SENSORS = (
    ("linear", re.compile(r"linear|user", re.I)),
    ("gravity", re.compile(r"gravity", re.I)),
    ("gyro", re.compile(r"gyr|rotation|angular", re.I)),
    ("other", re.compile(r"magnet|orient|baro|pressure|light|location|proximity|mag_|_mag", re.I)),
)
_PREFIX = {"accel": "a", "linear": "l", "gravity": "v", "gyro": "g"}
_WISDM = 6  # user, activity, timestamp, x, y, z


@dataclass
class Layout:
    """at: column by our name (t_ms, ax .. gz, label, subject). ids: of takes and counters.

    gravity: columns to be added to ax ay az, which are then without it. accel, gyro: units;
    *_named: by header or option. form: what the table was taken for.
    """

    at: dict[str, int]
    ids: list[int] = field(default_factory=list)
    gravity: list[int] = field(default_factory=list)
    time_unit: str = ""
    time_name: str = ""
    accel: str = "m/s2"
    gyro: str = "dps"
    accel_named: bool = False
    gyro_named: bool = False
    linear: bool = False
    form: str = "CSV"

    @property
    def axes(self) -> list[str]:
        return [a for a in AXES if a in self.at]


def sensor_of(name: str) -> str:
    """What a file named like this holds: accel, linear, gravity, gyro or other."""
    return next((kind for kind, pattern in _SENSORS if pattern.search(name)), "accel")


def find_layout(table: Table, options: Options, sensor: str = "") -> Layout:
    """sensor: what columns x, y, z are of, "" to go by the file's name; "gyro" accepts a file of
    turn rates alone. Raises BeckonError.
    """
    path = table.path
    if not table.header:
        return _without_header(table, options)
    columns = read_header(table.header)
    layout = Layout({})
    named = _given(path, table.header, options, layout)
    gyro_alone = sensor == "gyro"
    sensor = sensor or sensor_of(path.name)
    by_kind: dict[str, int] = {}
    for i, column in enumerate(columns):
        if i in named:
            continue
        _place(column, i, table.header[i], sensor, layout, by_kind)
    _choose_acceleration(layout, by_kind)
    _check_axes(path, table.header, layout, gyro_alone)
    _units(path, table.header, columns, layout, options)
    return layout


def _given(path: Path, header: list[str], options: Options, layout: Layout) -> set[int]:
    used = set()
    for ours, theirs in options.columns:
        if not theirs:
            layout.at[ours] = -1  # "there is none"
            continue
        if theirs not in header:
            raise BeckonError("{path}: has no column {theirs!r}, only {header}", status=2,
                              path=path, theirs=theirs, header=_listed(header))
        i = header.index(theirs)
        used.add(i)
        if ours == "take":
            layout.ids.append(i)
        else:
            layout.at[ours] = i
        if ours == "t_ms":
            layout.time_unit, layout.time_name = read_header([theirs])[0].unit, theirs
    return used


def _place(column: Column, i: int, name: str, sensor: str, layout: Layout,
           by_kind: dict[str, int]) -> None:
    kind = column.kind
    if kind == "axis":
        kind = {"rad/s": "gyro", "dps": "gyro", "mdps": "gyro"}.get(column.unit, sensor)
    if kind in _PREFIX:
        by_kind.setdefault(_PREFIX[kind] + column.axis, i)
    elif kind == "time":
        # A number with a unit is worth more than one without, or than a text
        if "t_ms" not in layout.at or (column.unit and not layout.time_unit
                                       and layout.time_name and layout.at["t_ms"] >= 0):
            layout.at["t_ms"], layout.time_unit, layout.time_name = i, column.unit, name
    elif kind in ("label", "subject"):
        layout.at.setdefault(kind, i)
    elif kind in ("take", "counter"):
        layout.ids.append(i)


def _choose_acceleration(layout: Layout, by_kind: dict[str, int]) -> None:
    """Acceleration with gravity if it is there, else the sum of both parts, else without."""
    whole = all(f"a{x}" in by_kind or f"a{x}" in layout.at for x in "xyz")
    linear = all(f"l{x}" in by_kind for x in "xyz")
    if not whole and linear and not any(f"a{x}" in layout.at for x in "xyz"):
        for x in "xyz":
            layout.at[f"a{x}"] = by_kind[f"l{x}"]
        if all(f"v{x}" in by_kind for x in "xyz"):
            layout.gravity = [by_kind[f"v{x}"] for x in "xyz"]
        layout.linear = True
    for axis in AXES:
        if axis in by_kind:
            layout.at.setdefault(axis, by_kind[axis])
    layout.at = {name: i for name, i in layout.at.items() if i >= 0}


def _check_axes(path: Path, header: list[str], layout: Layout, gyro_alone: bool) -> None:
    accel = [a for a in AXES[:3] if a in layout.at]
    gyro = [a for a in AXES[3:] if a in layout.at]
    if gyro_alone and not accel and len(gyro) == 3:
        return
    if len(accel) < 3:
        lacking = next(a for a in AXES[:3] if a not in layout.at)
        if len(gyro) == 3 and not accel:
            raise BeckonError("{path}: holds turn rates alone; put the file of the acceleration "
                              "beside it and name the folder", status=2, path=path)
        raise BeckonError("{path}: cannot tell which column is {lacking} among {header}; say so "
                          "with --columns {lacking}=NAME", status=2, path=path, lacking=lacking,
                          header=_listed(header))
    if 0 < len(gyro) < 3:
        raise BeckonError("{path}: does not have all of gx, gy, gz; name them with --columns",
                          status=2, path=path)


def _listed(header: list[str]) -> str:
    return ", ".join(header)[:200]


def _units(path: Path, header: list[str], columns: list[Column], layout: Layout,
           options: Options) -> None:
    for axes, option, usual, quantity in (
        (AXES[:3], options.accel, "m/s2", "accel"), (AXES[3:], options.gyro, "dps", "gyro")
    ):
        places = [layout.at[a] for a in axes if a in layout.at]
        if not places:
            continue
        units = {columns[i].unit for i in places}
        if quantity == "accel" and layout.gravity:
            units |= {columns[i].unit for i in layout.gravity}
        if len(units) > 1:
            raise BeckonError("{path}: the columns {columns} are in different units; name one with "
                              "--columns", status=2, path=path,
                              columns=', '.join(header[i] for i in places))
        unit = units.pop()
        if unit == "counts" and not (option or "").startswith("counts"):
            scale = "16384 for the range 2 g" if quantity == "accel" else "131 for 250 deg/s"
            raise BeckonError(
                "{path}: the column {column!r} holds raw counts; name the counts per {unit}: "
                "--{quantity}-unit counts:N ({scale})", status=2, path=path,
                column=header[places[0]], unit="g" if quantity == "accel" else "deg/s",
                quantity=quantity, scale=scale)
        if unit not in ("", "counts") and option and option != unit:
            raise BeckonError("{path}: the column {header!r} is in {unit}, --{quantity}-unit says "
                              "{option}: leave the option out", status=2, path=path,
                              header=header[places[0]], unit=unit, quantity=quantity,
                              option=option)
        named = bool(option) or unit not in ("", "counts")
        chosen = option or (unit if unit != "counts" else "") or usual
        if quantity == "accel":
            layout.accel, layout.accel_named = chosen, named
        else:
            layout.gyro, layout.gyro_named = chosen, named


def _without_header(table: Table, options: Options) -> Layout:
    layout = Layout({}, accel=options.accel or "m/s2", gyro=options.gyro or "dps",
                    accel_named=bool(options.accel), gyro_named=bool(options.gyro))
    path = table.path
    if not table.rows:
        raise BeckonError("{path}: holds 0 samples", path=path)
    first = table.rows[0][1]
    if options.columns:
        for ours, theirs in options.columns:
            if theirs and not (theirs.isdigit() and 1 <= int(theirs) <= len(first)):
                raise BeckonError("{path}: has no header; name columns by their number, 1 to "
                                  "{count}: --columns {ours}=1", status=2, path=path,
                                  count=len(first), ours=ours)
            if theirs and ours == "take":
                layout.ids.append(int(theirs) - 1)
            elif theirs:
                layout.at[ours] = int(theirs) - 1
        _check_axes(path, [str(i + 1) for i in range(len(first))], layout, False)
        return layout
    if len(first) == _WISDM and not _numeric(first[1]) and all(_numeric(first[i]) for i in
                                                              (0, 2, 3, 4, 5)):
        return _wisdm(table, layout)
    width = len(first)
    while width and not first[width - 1]:
        width -= 1
    if width in (4, 7) and not table.header:
        layout.at = dict(zip(("t_ms", *AXES), range(width), strict=False))
    elif width in (3, 6):
        layout.at = dict(zip(AXES, range(width), strict=False))
    else:
        raise BeckonError("{path}: has no header, and {width} columns; name them by their number, "
                          "such as --columns t_ms=1,ax=2,ay=3,az=4", status=2, path=path,
                          width=width)
    names = [name for name, i in sorted(layout.at.items(), key=lambda item: item[1])]
    table.notices.append(f"{path.name}: has no header; taken for {','.join(names)}")
    return layout


def _numeric(text: str) -> bool:
    return number(text) is not None


def _wisdm(table: Table, layout: Layout) -> Layout:
    """"33,Jogging,49105962326000,-0.69,12.68,0.50;": WISDM's raw files, of watches, too."""
    gyro = sensor_of(table.path.name) == "gyro"
    names = ("gx", "gy", "gz") if gyro else ("ax", "ay", "az")
    layout.at = {"subject": 0, "label": 1, "t_ms": 2}
    layout.at |= dict(zip(names, (3, 4, 5), strict=True))
    layout.ids = [0, 1]
    layout.form, layout.gyro, layout.time_unit = "WISDM", layout.gyro, "ns"
    if not layout.gyro_named:
        layout.gyro, layout.gyro_named = "rad/s", True  # as its description says
    if not layout.accel_named:
        layout.accel, layout.accel_named = "m/s2", True
    return layout
