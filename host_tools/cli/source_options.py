"""Where samples come from: the options of the commands that take live ones, and the source."""

from pathlib import Path

from host_tools.cli.broker_options import add_tls_arguments, broker_of
from host_tools.cli.phone_options import add_phone_arguments
from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError


def add_source_arguments(parser, of_model=False, tls=True):
    """of_model: the model names rate and ranges, see use_model(). tls: add --ca and its like."""
    if not of_model:
        parser.add_argument("--rate", type=float, default=100.0, metavar="HZ",
                            help="samples per second; above 100 a faster baud rate is used")
        parser.add_argument("--accel-g", type=int, default=8, choices=(2, 4, 8, 16),
                            help="range of the accelerometer")
        parser.add_argument("--gyro-dps", type=int, default=1000, choices=(250, 500, 1000, 2000),
                            help="range of the gyroscope")
    parser.add_argument("--from", dest="source", default="board",
                        metavar="board|csv|broker|phone|sensorlogger|URL|FILE",
                        help="where the samples come from")
    parser.add_argument("--device", metavar="NAME", help="with --from broker: which board")
    if tls:
        add_tls_arguments(parser, "with --from mqtts://HOST: ")
    add_phone_arguments(parser, "with --from phone or sensorlogger: ")
    parser.add_argument("--accel-unit", default="", metavar="UNIT",
                        help="with --from csv: the unit of the acceleration, m/s2, g, mg or "
                        "counts:N for N counts per g (default: measured)")
    parser.add_argument("--gyro-unit", default="", metavar="UNIT",
                        help="with --from csv: the unit of the turn rates, dps, rad/s, mdps or "
                        "counts:N for N counts per deg/s (default: measured)")
    parser.add_argument("--baud", type=int, metavar="N", help="another baud rate")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N",
                        help="with --from FILE: times real time, 0 as fast as possible")


def use_model(args, front_end):
    """Let a board measure as the model wants it."""
    args.rate, args.accel_g = float(front_end.rate_hz), front_end.accel_g
    args.gyro_dps = front_end.gyro_dps


def check_rate(args):
    """Raises BeckonError for a rate that no board has."""
    if not 10 <= args.rate <= 500:
        raise BeckonError(f"--rate {args.rate:g}: name a number from 10 to 500", 2)


def open_source(args):
    """The source of --from, for `with`. Raises BeckonError."""
    from host_tools.device.ports import find_port
    from host_tools.recording.board_source import BoardSource
    from host_tools.recording.forwarder_source import ForwarderSource
    from host_tools.recording.replay_source import ReplaySource

    if args.source != "csv" and (args.accel_unit or args.gyro_unit):
        raise BeckonError("--accel-unit and --gyro-unit are for --from csv alone", status=2)
    if args.source == "csv":
        return _Opening(ForwarderSource(find_port(args.port), args.accel_unit, args.baud or 115200,
                                        args.gyro_unit),
                        "measuring rate and units: hold the sensor still")
    if args.source == "broker" or args.source.startswith(("mqtt://", "mqtts://")):
        from host_tools.recording.broker_source import BrokerSource

        if not args.device:
            raise BeckonError("name the board with --device", status=2)
        url = "" if args.source == "broker" else args.source
        return _Opening(BrokerSource(broker_of(args, url), args.device),
                        "asking the board for samples")
    phone = _phone(args)
    if phone:
        return phone
    if args.source != "board":
        path = Path(args.source)
        if not path.is_file():
            raise BeckonError(f"--from {args.source}: no such file; write board, csv, "
                              "broker, mqtts://HOST, phone, phyphox://HOST, "
                              "sensorserver://HOST, sensorlogger, or the name of a recording",
                              status=2)
        return ReplaySource(path, args.speed)
    return _Opening(BoardSource(find_port(args.port), args.rate, args.accel_g, args.gyro_dps,
                                args.baud), "starting the board's sensor")


def _phone(args):
    """The source, if it is a phone; else None."""
    kind, _, rest = args.source.partition("://")
    if args.source == "phone":
        from host_tools.cli.phone_options import PhoneOpening

        return PhoneOpening(args)
    if kind in ("phyphox", "sensorserver") and rest:
        from host_tools.recording.phone.phyphox import PhyphoxSource
        from host_tools.recording.phone.sensor_server import SensorServerSource

        if kind == "phyphox":
            return _Opening(PhyphoxSource(f"http://{rest}"),
                            "measuring the phone's rate: lay it on its back")
        return _Opening(SensorServerSource(f"ws://{rest}"), "measuring the phone's rate")
    if kind == "sensorlogger":
        from host_tools.cli.phone_options import sensor_logger_server
        from host_tools.recording.phone.sensor_logger import SensorLoggerSource

        port = rest.removeprefix(":") or "8739"
        if not port.isdigit() or not 0 <= int(port) < 65536:
            raise BeckonError(f"--from {args.source}: write sensorlogger, or "
                              "sensorlogger://:PORT", status=2)
        return _Opening(SensorLoggerSource(sensor_logger_server(args, int(port))),
                        "waiting for Sensor Logger")
    return None


class _Opening:
    """A source whose opening takes its time."""

    def __init__(self, source, what):
        self._source = source
        self._what = what

    def __enter__(self):
        with waiting(self._what):
            return self._source.__enter__()

    def __exit__(self, *exception):
        self._source.__exit__(*exception)
