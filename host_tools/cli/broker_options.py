"""The options by which commands name a broker, and the broker that they give."""

import sys
from pathlib import Path


def add_broker_arguments(parser, only=""):
    """only: when the options count, such as "with --mqtt: "."""
    parser.add_argument("--broker", default="", metavar="URL",
                        help=f"{only}mqtt://host:port, or mqtts://host:port for TLS; by default "
                             "the one of beckon setup, else this computer's")
    add_tls_arguments(parser, only)


def add_tls_arguments(parser, only=""):
    parser.add_argument("--ca", type=Path, metavar="FILE",
                        help=f"{only}certificate that vouches for the broker (TLS)")
    parser.add_argument("--cert", type=Path, metavar="FILE",
                        help=f"{only}your own certificate, if the broker wants one")
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"{only}the key of --cert")


def broker_of(args, url=None, folder=None):
    """The BrokerAddress of args. Warns on stderr if it can be overheard. Raises BeckonError.

    url: instead of args.broker. folder: of the settings.
    """
    url = args.broker if url is None else url
    from host_tools.device.known_broker import exposure, known_broker
    from host_tools.mqtt.address import TlsFiles

    broker = known_broker(url, TlsFiles(args.ca, args.cert, args.key), folder)
    if not url:
        print(f"broker: {broker}, {_origin(folder)}", file=sys.stderr)
    warning = exposure(broker)
    if warning:
        print(f"warning: {warning}", file=sys.stderr)
    return broker


def _origin(folder):
    """Where the broker of a command that names none comes from."""
    from host_tools.device.known_broker import settings_broker
    from host_tools.device.settings import default_folder

    folder = folder or default_folder()
    if settings_broker(folder):
        return f"from {folder} (beckon setup)"
    return "on this computer; beckon setup or --broker names another"
