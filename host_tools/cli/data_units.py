"""What `beckon data import` and `export` share: options about units, columns and signatures."""

from pathlib import Path

from host_tools.errors import BeckonError


def add_units(sub, assumed: bool) -> None:
    """assumed: the default units are those of the files, or assumed; else they are written."""
    from host_tools.units import ACCEL_UNITS, GYRO_UNITS, TIME_UNITS

    usual = "what the file says" if assumed else "{}"
    sub.add_argument("--accel-unit", "--accel", dest="accel", metavar="UNIT",
                     help=f"{', '.join(ACCEL_UNITS)}, or counts:N for N counts per g "
                          f"(default: {usual.format('m/s2')})")
    sub.add_argument("--gyro-unit", "--gyro", dest="gyro", metavar="UNIT",
                     help=f"{', '.join(GYRO_UNITS)}, or counts:N for N counts per deg/s "
                          f"(default: {usual.format('dps')})")
    sub.add_argument("--time-unit", "--time", dest="time", choices=TIME_UNITS,
                     help=f"unit of the times (default: {usual.format('ms')})")
    sub.add_argument("--columns", default="", metavar="OURS=THEIRS,...",
                     help="for CSV: the file's names for t_ms ax ay az gx gy gz label")
    sub.add_argument("--hmac-key", type=Path, metavar="FILE",
                     help="file with the key of the Edge Impulse project, for signatures")


def options_of(args, **more):
    from host_tools.dataset.convert import Options
    from host_tools.dataset.convert.options import parse_columns

    key = args.hmac_key.read_bytes().strip() if args.hmac_key else None
    if key == b"":
        raise BeckonError(f"--hmac-key {args.hmac_key}: the file is empty", 2)
    options = Options(accel=args.accel, gyro=args.gyro, time=args.time,
                      columns=parse_columns(args.columns), hmac_key=key, **more)
    options.scale(6)  # a unit that is not known is refused before anything is read
    return options
