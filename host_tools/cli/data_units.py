"""What `beckon data import` and `export` share: options about units, columns and signatures."""

from pathlib import Path

from host_tools.errors import BeckonError


def add_units(sub) -> None:
    from host_tools.units import ACCEL_UNITS, GYRO_UNITS, TIME_UNITS

    sub.add_argument("--accel", default="m/s2", choices=ACCEL_UNITS, help="unit in those files")
    sub.add_argument("--gyro", default="dps", choices=GYRO_UNITS, help="unit in those files")
    sub.add_argument("--time", default="ms", choices=TIME_UNITS, help="unit of the times")
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
    return Options(accel=args.accel, gyro=args.gyro, time=args.time,
                   columns=parse_columns(args.columns), hmac_key=key, **more)
