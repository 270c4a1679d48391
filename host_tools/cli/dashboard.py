"""Show the store of beckon collect in your browser: gestures, devices, what was lost.

Listens on this computer alone; the printed address is good for one browser. With --host others
can reach it: everybody logs in then, and the connection needs TLS.

examples:
  beckon dashboard
  beckon dashboard --store postgresql://reader@db.local/beckon --no-browser
  beckon dashboard --keys keys.json --broker mqtt://broker.local
  beckon dashboard --add-person anna
  beckon dashboard --host 0.0.0.0 --cert dashboard.crt --key dashboard.key
"""

import contextlib
import getpass
import sys
import threading
import webbrowser
from pathlib import Path

from host_tools.cli.broker_options import broker_of
from host_tools.cli.page_port import page_port
from host_tools.cli.store_options import add_store_argument, store_of
from host_tools.errors import BeckonError

EXTRA = "collect"  # of pyproject.toml


def add_arguments(parser):
    add_store_argument(parser)
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS",
                        help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=page_port, metavar="N",
                        help="0: any free port (default: 8738, or any if that one is taken)")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="certificate for TLS, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key, PEM")
    parser.add_argument("--proxy", action="store_true",
                        help="a proxy in front has TLS; everybody logs in")
    parser.add_argument("--keys", type=Path, metavar="FILE",
                        help="carry out roll-outs with these update keys, see beckon rollout "
                             "run --help")
    parser.add_argument("--broker", default="", metavar="URL",
                        help="with --keys: as for beckon rollout")
    parser.add_argument("--broker-ca", type=Path, metavar="FILE",
                        help="with --keys: certificate that vouches for the broker (TLS)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--add-person", metavar="NAME",
                        help="let this person log in, or change the password; asks for it, or "
                             "reads it from standard input")


def run(args):
    from host_tools.dashboard.app import DEFAULT_PORT, Address, listen, serve

    engine = store_of(args)
    if args.add_person is not None:
        return _add(engine, args.add_person)
    for file in filter(None, (args.cert, args.key)):
        if not file.is_file():
            raise BeckonError(f"{file}: there is not such a file", status=2)
    address = Address(args.host, DEFAULT_PORT if args.port is None else args.port, args.cert,
                      args.key, args.proxy)  # fmt: skip

    def ready(url):
        print(url, flush=True)
        print("Ctrl-C ends", file=sys.stderr)
        if not args.no_browser:
            webbrowser.open(url)

    try:
        with (
            listen(address, args.port is not None) as listener,
            _runner(args, engine) if args.keys else contextlib.nullcontext(),
        ):
            serve(engine, address, listener, ready)
    finally:
        engine.dispose()
    return 0


@contextlib.contextmanager
def _runner(args, engine):
    """Carry out roll-outs beside the pages."""
    from types import SimpleNamespace

    from host_tools.rollout.keys import read_keys
    from host_tools.rollout.runner import Runner

    broker = broker_of(SimpleNamespace(broker=args.broker, ca=args.broker_ca, cert=None, key=None))
    runner = Runner(engine, broker, read_keys(args.keys), say=_say)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join()


def _say(line):
    print(f"beckon dashboard: {line}", file=sys.stderr, flush=True)


def _add(engine, name):
    from host_tools.dashboard.login import People

    if sys.stdin.isatty():
        password = getpass.getpass(f"password of {name}: ")
        if getpass.getpass("again: ") != password:
            raise BeckonError("the two differ: nothing is changed")
    else:
        password = sys.stdin.readline().rstrip("\n")
    People(engine).set_password(name, password)
    print(f"{name} can log in")
    return 0
