"""Ask for Wi-Fi and broker, test them from here, and write the board's settings.

It writes config.json and secrets.json to a folder outside the repository. Only you can
read secrets.json. beckon deploy --settings copies both to a board. The first run also makes
an update_key; with it you can send models through the broker. Press Enter to keep a value, - to
clear it. With --set or --ca it asks nothing.

Files that a board would refuse are mended: what is good in them stays, and the old file is kept
beside the new one.

Events can go over Bluetooth LE or ESP-NOW, too, or instead: docs/bluetooth.md. For a board
without Wi-Fi answer - when it asks for the network.

For TLS name the certificate that vouches for the broker (--ca). It goes into the folder and to
the board, too. The other commands then use TLS with this broker.

examples:
  beckon setup
  beckon setup --set wifi_ssid=home --set broker_host=192.168.1.10 --folder kitchen
  beckon setup --ca ca.crt --set broker_host=homeassistant.local
"""

import getpass
import json
import os
import secrets
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument
from host_tools.cli.program import program
from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError

# name, question, whether the answer stays hidden
_QUESTIONS = (
    ("wifi_ssid", "Wi-Fi network (2.4 GHz)", False),  # - for a board without, see _NEEDED
    ("wifi_key", "Wi-Fi password (empty: an open network)", True),
    ("broker_host", "MQTT broker, host or address", False),
    ("tls_ca", "TLS: file with the CA's certificate (empty: no TLS)", False),
    ("tls_cert", "your certificate, if the broker wants one", False),
    ("tls_key", "its key", False),
    ("broker_port", "broker's port", False),
    ("user", "user, if it needs one", False),
    ("password", "password", True),
    ("device", "name of this board (empty: made from its chip)", False),
    ("radio", "Bluetooth or ESP-NOW for the events: any of bthome gatt hid, or espnow, or gateway "
              "(empty: neither)", False),
    ("radio_buttons", "gestures as BTHome buttons, such as wave=press (empty: one button each)",
     False),
    ("radio_keys", "gestures as keys, such as wave=right, shake=ctrl+z", False),
    ("radio_peers", "address of the board at the other end (a gateway: of its senders)", False),
    ("radio_key", "key of the radio, 32 hexadecimal digits (empty: BTHome in clear)", True),
)  # fmt: skip
# The role of the radio without which a question is not asked.
_OF_ROLE = {"radio_buttons": ("bthome",), "radio_keys": ("hid",),
            "radio_peers": ("espnow", "gateway"), "radio_key": ("bthome", "espnow", "gateway")}
_OF_WIFI = ("wifi_key", "broker_host", "tls_ca", "tls_cert", "tls_key", "broker_port", "user",
            "password")  # fmt: skip
_WPA_LEAST = 8  # characters of a WPA passphrase, IEEE 802.11i; only WEP has shorter ones
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
    add_json_argument(parser)


def run(args):
    from host_tools.device.settings import (
        check_together,
        default_folder,
        defaults,
        stored_settings,
        write_settings,
    )

    folder = args.folder or default_folder()
    stored = stored_settings(folder)
    for fault in stored.faults:
        print(f"beckon setup: {fault}", file=sys.stderr)
    known = {**defaults(), **stored.values}
    given = _given(args, known)
    if not given and not sys.stdin.isatty():
        raise BeckonError("there is no terminal to ask on; use --set NAME=VALUE", status=2)
    answers = {}
    if not known["update_key"]:
        answers["update_key"] = secrets.token_hex(16)
    while True:
        answers.update(given or _ask({**known, **answers}, folder))
        values, files = _take_files(answers, known, folder)
        _choose_port(values, known)
        check_together({**known, **values})
        faults, notes = ([], []) if args.no_test else _test({**known, **values}, folder, files)
        for fault in faults:
            print(f"beckon setup: {fault}", file=sys.stderr)
        if not faults or given or not _again():
            break
    kept = write_settings(folder, values, files)
    for path in kept:
        print(f"beckon setup: what was there before is in {path}", file=sys.stderr)
    if args.json:
        print(json.dumps({"folder": str(folder), "faults": faults, "notes": notes,
                          "kept": [str(path) for path in kept]}))  # fmt: skip
    else:
        for note in notes:
            print(note)
        named = f" {args.folder}" if args.folder else ""
        print(f"settings written to {folder}; copy them: {program()} deploy "
              f"--settings{named}")
    return 1 if faults else 0


def _given(args, before):
    """What the command line sets, files as Path."""
    values = dict(_assigned(text, before) for text in args.set)
    for name in _FILES:
        path = getattr(args, name)
        if path:
            values[name] = path
    return values


def _take_files(answers, known, folder):
    """(answers with files named as they are called in the folder, name -> content of each).

    known: all settings as they were. Raises BeckonError unless certificate and key go together.
    """
    from host_tools.device.settings import TLS_FILES, tls_file

    values, files = dict(answers), {}
    paths = {name: value for name, value in answers.items() if isinstance(value, Path)}
    if paths:
        _check_files({**known, **answers}, folder)
    for name, path in paths.items():
        values[name] = TLS_FILES[name][0]
        files[values[name]] = tls_file(path, name)
    return values, files


def _check_files(settings, folder):
    """Raises BeckonError unless the files for TLS, Paths or names in folder, go together."""
    from host_tools.device.settings import tls_path
    from host_tools.mqtt.address import BrokerAddress, TlsFiles
    from host_tools.mqtt.tls import tls_context

    paths: dict[str, Path | None] = {}
    for name in _FILES:
        value = settings[name]
        is_new = isinstance(value, Path) or not value
        paths[name] = (value or None) if is_new else tls_path(folder, name, value)
    files = TlsFiles(paths["tls_ca"], paths["tls_cert"], paths["tls_key"])
    tls_context(BrokerAddress("", tls=files))


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


def _ask(before, folder):
    """What is answered to the questions: name -> value, files as Path. Raises BeckonError."""
    print("Enter keeps what is in brackets; - clears it.", file=sys.stderr)
    values: dict[str, str | int | Path] = {}
    for name, question, unseen in _QUESTIONS:
        now = {**before, **values}
        if name in _OF_WIFI and not now["wifi_ssid"]:
            continue
        if name in _OF_ROLE and not any(role in now["radio"] for role in _OF_ROLE[name]):
            continue
        needs = {"password": "user", "tls_cert": "tls_ca", "tls_key": "tls_cert"}.get(name)
        if needs and not {**before, **values}[needs]:
            if before[needs] or name in _FILES:  # cleared just now; or a name for nothing
                values[name] = ""
            continue
        if name == "broker_port":
            _choose_port(values, before)
            before = {**before, "broker_port": values.get(name, before[name])}
        values[name] = _answer(name, question, unseen, {**before, **values}, folder)
    return values


def _answer(name, question, unseen, before, folder):
    """A value for the setting that the board takes."""
    from host_tools.device.radio_settings import check_answer
    from host_tools.device.settings import check

    old = before[name]
    shown = f" [{'kept' if unseen else old}]" if old else ""
    refused = None
    while True:
        text = _read_line(f"{question}{shown}: ", unseen)
        try:
            if not text:
                value = old
            elif text == "-" and not isinstance(old, int):
                value = ""
            elif name in _FILES:
                value = Path(os.path.expanduser(text))
            else:
                value = _typed(name, text, before, check)
            if name in _FILES and value:
                _check_answered(name, value, before, folder)
            if name == "wifi_key" and 0 < len(value) < _WPA_LEAST and value not in (old, refused):
                refused = value
                raise BeckonError(f"a Wi-Fi password has {_WPA_LEAST} characters or more, this "
                                  f"one has {len(value)}; enter it again, the same one if your "
                                  "network is that old")
            if name == "radio_key" and not value and "bthome" not in before["radio"]:
                value = secrets.token_hex(16)
                print("beckon setup: a key was made; copy radio_key from "
                      f"{folder / 'secrets.json'} to the settings of the other board",
                      file=sys.stderr)  # fmt: skip
            if name.startswith("radio"):
                check_answer(name, {**before, name: value})
            if value or name not in _NEEDED or (name == "wifi_ssid" and text == "-"):
                return value
            none = "; - for a board without Wi-Fi" if name == "wifi_ssid" else ""
            print(f"beckon setup: {question} is needed{none}", file=sys.stderr)
        except BeckonError as error:
            text = str(error)
            if name in _FILES:  # the cure names an option
                text = f"{text.partition(';')[0]}; enter another path, or - for none"
            print(f"beckon setup: {text}", file=sys.stderr)


def _check_answered(name, value, before, folder):
    """Raises BeckonError unless value can be the file for name, beside those answered before."""
    from host_tools.device.settings import tls_file, tls_path

    tls_file(value if isinstance(value, Path) else tls_path(folder, name, value), name)
    answered = dict.fromkeys(_FILES, "")
    if name == "tls_ca":
        answered["tls_ca"] = value
    elif name == "tls_key":
        answered = {**before, "tls_key": value}
    _check_files(answered, folder)


def _read_line(prompt, unseen):
    """Raises BeckonError at the end of the input, and for Ctrl-C."""
    try:
        text = getpass.getpass(prompt) if unseen else input(prompt).strip()
    except EOFError:
        print(file=sys.stderr)
        raise BeckonError("the input ended before all was answered; nothing was written") from None
    except KeyboardInterrupt:
        print(file=sys.stderr)
        raise BeckonError("stopped; nothing was written", status=130) from None
    return text


def _again():
    return _read_line("Change the answers? [Y/n] ", False).lower() not in ("n", "no")


def _test(settings, folder, files):
    """(faults, notes about what works), each a list of lines. files: not in folder yet."""
    from host_tools.device.pretend import pretend_ports
    from host_tools.device.radio_settings import is_alone
    from host_tools.doctor.network_check import check_wifi, is_only_here, own_address

    faults: list[str] = []
    notes: list[str] = []
    if is_alone(settings):
        notes.append(f"no Wi-Fi: events go out by {settings['radio']} alone, and nothing can be "
                     "tested from here")
        return faults, notes
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
        if is_only_here(host) and pretend_ports():
            notes.append(f"{host} means this computer itself: the pretend board reaches it, a real "
                         "board does not")
        elif is_only_here(host):
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
    from host_tools.device.settings import TLS_FILES, tls_file, tls_path
    from host_tools.doctor.network_check import check_broker

    with tempfile.TemporaryDirectory(prefix="beckon-setup-") as work:  # for its owner only
        here = dict(settings)
        for name, (file, _) in TLS_FILES.items():
            if settings[name]:
                content = files.get(settings[name])
                path = tls_path(folder, name, settings[name])
                (Path(work) / file).write_bytes(content or tls_file(path, name))
                here[name] = file
        broker = address_in(here, Path(work))
        check_broker(broker)
    warning = exposure(broker)
    return [f"broker {broker}: accepts the connection", *([warning] if warning else [])]
