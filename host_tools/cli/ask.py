"""Send a board a command through the broker and print its answer, one JSON object.

Give a command's arguments as NAME=VALUE. VALUE is JSON, or else plain text.
docs/mqtt.md lists the commands. To change a board's model use `beckon deploy --mqtt`.
Without --broker it asks the broker that you gave to beckon setup. For another one, put user and
password into BECKON_MQTT_USER and BECKON_MQTT_PASSWORD.

examples:
  beckon ask kitchen diag
  beckon ask kitchen set settings='{"threshold_percent": 70}'
  beckon ask kitchen set settings='{"keepalive_s": 60}' --sign
  beckon ask kitchen discovery on=false     removes it from Home Assistant
"""

import json
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.errors import BeckonError

_SIGNED = ("set", "restart", "calibrate")


def add_arguments(parser):
    parser.add_argument("device", metavar="DEVICE", help="the board's name")
    parser.add_argument("verb", metavar="COMMAND", help="for instance get, diag, self_test")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE",
                        help="arguments of the command")
    parser.add_argument("--sign", nargs="?", type=Path, const=Path(), metavar="FOLDER",
                        help="sign with the update_key in FOLDER, or where beckon setup keeps it; "
                             "needed for most settings, see docs/security.md")
    add_broker_arguments(parser)
    parser.add_argument("--timeout", type=_seconds, default=10.0, metavar="S",
                        help="seconds to wait for the answer")


def _seconds(text):
    value = float(text)
    if not 0.1 <= value <= 3600:
        raise ValueError
    return value


def _key(folder, verb, arguments):
    """The update_key. Raises BeckonError."""
    from host_tools.device.settings import default_folder, read_settings

    if verb not in _SIGNED:
        raise BeckonError(f"--sign is for {', '.join(_SIGNED)}: {verb} takes no signature",
                          status=2)
    if verb == "set" and not isinstance(arguments.get("settings"), dict):
        raise BeckonError("write settings='{\"NAME\": VALUE}'", status=2)
    folder = folder or default_folder()
    key = read_settings(folder)["update_key"]
    if not key:
        raise BeckonError(f"no update_key in {folder / 'secrets.json'}; beckon setup makes one, "
                          "and beckon deploy --settings gives it to the board")
    return key


def run(args):
    from host_tools.mqtt.remote_device import RemoteDevice

    for part, name in ((args.device, "DEVICE"), (args.verb, "COMMAND")):
        if not part or any(character in "/+#\0" for character in part):
            raise BeckonError(f"{part!r} cannot be a {name}; leave out / + and #", status=2)
    arguments = {}
    for text in args.arguments:
        name, sign, value = text.partition("=")
        if not sign or not name or name in ("transaction", "verb", "self"):
            raise BeckonError(f"{text!r}: write NAME=VALUE, for instance on=false", status=2)
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    folder = args.sign if args.sign != Path() else None
    key = _key(folder, args.verb, arguments) if args.sign is not None else ""
    with RemoteDevice(broker_of(args, folder=folder), args.device, args.timeout) as device:
        if args.verb == "set" and key:
            answer = device.change_settings(key, **arguments["settings"])
        elif key:
            answer = device.request_signed(args.verb, key, **arguments)
        else:
            answer = device.request(args.verb, **arguments)
    answer.pop("transaction", None)
    print(json.dumps(answer))
    return 0
