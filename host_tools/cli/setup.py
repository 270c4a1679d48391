"""Ask for Wi-Fi and broker, test them from here, and write the board's settings.

It writes config.json and secrets.json to a folder outside the repository. Only you can
read secrets.json. beckon deploy --settings copies both to a board. The first run also makes
an update_key; with it you can send models through the broker. Press Enter to keep a value.
With --set or --ca it asks nothing.

For TLS name the certificate that vouches for the broker (--ca). It goes into the folder and to
the board, too. The other commands then use TLS with this broker.

examples:
  beckon setup
  beckon setup --set wifi_ssid=home --set broker_host=192.168.1.10 --folder kitchen
  beckon setup --ca ca.crt --set broker_host=homeassistant.local
"""

import getpass
import json
import secrets
import sys
from pathlib import Path

from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError

# name, question, whether the answer stays hidden
_QUESTIONS = (
    ("wifi_ssid", "Wi-Fi network (2.4 GHz)", False),
    ("wifi_key", "Wi-Fi password", True),
    ("broker_host", "MQTT broker, host or address", False),
    ("tls_ca", "TLS: file with the CA's certificate (empty: no TLS; -: no longer)", False),
    ("tls_cert", "your certificate, if the broker wants one (-: no longer)", False),
    ("tls_key", "its key", False),
    ("broker_port", "broker's port", False),
    ("user", "user, if it needs one", False),
    ("password", "password", True),
    ("device", "name of this board (empty: made from its chip)", False),
)
_NEEDED = ("wifi_ssid", "broker_host")
_FILES = ("tls_ca", "tls_cert", "tls_key")


def add_arguments(parser):
    parser.add_argument("--folder", type=Path, metavar="FOLDER",
                        help="where to keep the settings (default: beckon in your configuration "
                             "folder)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="set this and ask nothing; can be repeated. Other users can see it in "
                             "the list of processes, so let it ask you for passwords")
    parser.add_argument("--ca", dest="tls_ca", type=Path, metavar="FILE",
                        help="certificate that vouches for the broker; switches TLS on")
    parser.add_argument("--cert", dest="tls_cert", type=Path, metavar="FILE",
                        help="the board's own certificate, if the broker wants one")
    parser.add_argument("--key", dest="tls_key", type=Path, metavar="FILE",
                        help="the key of --cert")
    parser.add_argument("--no-test", action="store_true", help="write without testing")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(args):
    from host_tools.device.settings import default_folder, read_settings, write_settings

    folder = args.folder or default_folder()
    before = read_settings(folder)
    given = _given(args, before)
    if not given and not sys.stdin.isatty():
        raise BeckonError("there is no terminal to ask on; use --set NAME=VALUE", status=2)
    while True:
        values = given or _ask(before)
        files = _take_files(values)
        _choose_port(values, before)
        if not before["update_key"] and "update_key" not in values:
            values["update_key"] = secrets.token_hex(16)
        faults, notes = ([], []) if args.no_test else _test({**before, **values}, folder, files)
        for fault in faults:
            print(f"beckon setup: {fault}", file=sys.stderr)
        if not faults or given or not _again():
            break
        before = {**before, **values}
    write_settings(folder, values, files)
    if args.json:
        print(json.dumps({"folder": str(folder), "faults": faults, "notes": notes}))
    else:
        for note in notes:
            print(note)
        named = f" {args.folder}" if args.folder else ""
        print(f"settings written to {folder}; copy them: beckon deploy --settings{named}")
    return 1 if faults else 0


def _given(args, before):
    """What the command line sets, files as Path."""
    values = dict(_assigned(text, before) for text in args.set)
    for name in _FILES:
        path = getattr(args, name)
        if path:
            values[name] = path
    return values


def _take_files(values):
    """Name the files in values as they are called in the folder; name -> content of each."""
    from host_tools.device.settings import TLS_FILES, tls_file
    from host_tools.mqtt.address import BrokerAddress, TlsFiles
    from host_tools.mqtt.tls import tls_context

    files = {}
    ca, cert, key = (values[name] if isinstance(values.get(name), Path) else None
                     for name in _FILES)  # fmt: skip
    tls_context(BrokerAddress("", tls=TlsFiles(ca, cert, key)))
    for name in _FILES:
        if isinstance(values.get(name), Path):
            content = tls_file(values[name], name)
            values[name] = TLS_FILES[name][0]
            files[values[name]] = content
    return files


def _choose_port(values, before):
    """TLS has a port of its own; take it unless the port was chosen."""
    was, now = bool(before["tls_ca"]), bool(values.get("tls_ca", before["tls_ca"]))
    usual = {False: 1883, True: 8883}
    if was != now and values.get("broker_port", before["broker_port"]) == usual[was]:
        values["broker_port"] = usual[now]


def _assigned(text, before):
    """(name, value) of NAME=VALUE, with the type that the setting has."""
    from host_tools.device.settings import check

    name, equals, value = text.partition("=")
    if not equals:
        raise BeckonError(f"--set {text}: write NAME=VALUE", status=2)
    return name, _typed(name, value, before, check)


def _typed(name, value, before, check):
    if isinstance(before.get(name), int):
        try:
            value = int(value, 0)
        except ValueError:
            raise BeckonError(f"{name} must be a whole number, not {value!r}", status=2) from None
    check(name, value)
    return value


def _ask(before):
    from host_tools.device.settings import check

    values: dict[str, str | int] = {}
    for name, question, unseen in _QUESTIONS:
        needs = {"password": "user", "tls_cert": "tls_ca", "tls_key": "tls_cert"}.get(name)
        if needs and not values[needs]:
            values[name] = ""
            continue
        if name == "broker_port":
            _choose_port(values, before)
            before = {**before, "broker_port": values.get(name, before[name])}
        values[name] = _answer(name, question, unseen, before, check)
    return values


def _answer(name, question, unseen, before, check):
    old = before[name]
    shown = f" [{'kept' if unseen else old}]" if old else ""
    while True:
        text = (getpass.getpass if unseen else input)(f"{question}{shown}: ")
        text = text if unseen else text.strip()
        if not text:
            if old or name not in _NEEDED:
                return old
            print(f"beckon setup: {question} is needed", file=sys.stderr)
            continue
        if name in _FILES:
            if text == "-":
                return ""
            if Path(text).is_file():
                return Path(text)
            print(f"beckon setup: {text}: no such file", file=sys.stderr)
            continue
        try:
            return _typed(name, text, before, check)
        except BeckonError as error:
            print(f"beckon setup: {error}", file=sys.stderr)


def _again():
    return input("Change the answers? [Y/n] ").strip().lower() not in ("n", "no")


def _test(settings, folder, files):
    """(faults, notes about what works), each a list of lines. files: not in folder yet."""
    from host_tools.doctor.network_check import check_wifi, is_only_here, own_address

    faults, notes = [], []
    for name in _NEEDED:
        if not settings[name]:
            faults.append(f"{name} is not set")
    if settings["wifi_ssid"]:
        with waiting("looking for the Wi-Fi"):
            try:
                found = check_wifi(settings["wifi_ssid"])
                notes.append(f"Wi-Fi {settings['wifi_ssid']}: " + ("in range" if found else
                             "cannot be tested from here; beckon doctor tests it on the board"))
            except BeckonError as error:
                faults.append(str(error))
    host = settings["broker_host"]
    if host:
        if is_only_here(host):
            use = own_address()
            faults.append(f"{host} means this computer itself; a board needs its address in the "
                          f"network{f': {use}' if use else ''}")
        with waiting("connecting to the broker"):
            try:
                notes += _test_broker(settings, folder, files)
            except BeckonError as error:
                faults.append(str(error))
    return faults, notes


def _test_broker(settings, folder, files):
    """Notes. Raises BeckonError."""
    import tempfile

    from host_tools.device.known_broker import address_in, exposure
    from host_tools.device.settings import TLS_FILES, tls_file
    from host_tools.doctor.network_check import check_broker

    with tempfile.TemporaryDirectory(prefix="beckon-setup-") as work:  # for its owner only
        for name in TLS_FILES:
            file = settings[name].lstrip("/")
            if file:
                target = Path(work) / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.get(file) or tls_file(folder / file, name))
        broker = address_in(settings, Path(work))
        check_broker(broker)
    warning = exposure(broker)
    return [f"broker {broker}: accepts the connection", *([warning] if warning else [])]
