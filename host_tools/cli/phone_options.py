"""What commands do with a phone: the options, the question before a port is opened, the code."""

import contextlib
import sys
import time

from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError

_WAIT_S = 600.0


def add_phone_arguments(parser, only=""):
    """only: when the options count, such as "with --phone: "."""
    parser.add_argument("--phone-address", default="", metavar="IP",
                        help=f"{only}this computer's address in the phone's network (default: the "
                             "one that other connections use)")
    parser.add_argument("--yes", action="store_true",
                        help=f"{only}open the port without asking")


def phone_server(args):
    """The phone page's server of these options, not yet entered. Asks first. Raises
    BeckonError."""
    from host_tools.studio.phone.server import DEFAULT_PORT, PhoneServer

    address = _address(args)
    ask_to_open(args, f"one page for one phone at https://{address}:{DEFAULT_PORT}",
                "It answers nobody but the phone that scans the code.")
    server = PhoneServer(address)
    print(f"open to the local network: {server.origin}, one page for one phone; its certificate "
          f"is new, so the phone's browser warns (SHA-256 {server.certificate.fingerprint})",
          file=sys.stderr)
    return server


def sensor_logger_server(args, port):
    """The server that Sensor Logger pushes to, not yet started. Asks first. Raises BeckonError."""
    from host_tools.recording.phone.sensor_logger import SensorLoggerServer

    address = _address(args)
    ask_to_open(args, f"http://{address}:{port} (without encryption)",
                "It takes measurements under one secret address, and answers nothing else.")
    server = SensorLoggerServer(address, port)
    print(f"Sensor Logger, settings, HTTP push, Push URL: {server.url}\n"
          "Lay the phone on its back and start a recording in the app.", file=sys.stderr)
    return server


def _address(args):
    from host_tools.recording.phone.local_address import check_address, local_address

    return check_address(args.phone_address) if args.phone_address else local_address()


def ask_to_open(args, what, who):
    """Ask before a port is opened to the network. Raises BeckonError unless the answer is yes."""
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise BeckonError(f"this opens {what} to the local network: agree with --yes", 2)
    print(f"This opens {what} to everyone in your local network, until the command ends.\n{who}",
          file=sys.stderr)
    print("Open it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BeckonError("not opened")


class PhoneOpening:
    """For `with`: the server, the code on the terminal, and the source once a phone sends."""

    def __init__(self, args):
        self._args = args
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        from host_tools.recording.phone.page_source import PageSource

        with contextlib.ExitStack() as stack:
            server = stack.enter_context(phone_server(self._args))
            print_code(server.address)
            with waiting("waiting for the phone: scan the code, accept the certificate, press "
                         "Start"):
                _wait(server.link)
            with waiting("measuring the phone's rate"):
                source = stack.enter_context(PageSource(server.link))
            self._stack = stack.pop_all()
        return source

    def __exit__(self, *exception):
        self._stack.close()


def _wait(link):
    end_s = time.monotonic() + _WAIT_S
    while link.view().state not in ("sending", "slow"):
        if time.monotonic() > end_s:
            raise BeckonError(f"no phone in {_WAIT_S / 60:g} minutes: is it in the same network?")
        time.sleep(0.1)


def print_code(address):
    """The address as a QR code on a terminal, and as text."""
    import segno

    if sys.stderr.isatty():
        segno.make(address, error="l").terminal(sys.stderr, compact=True)
    print(f"scan this with the phone, or open it there: {address}", file=sys.stderr)
