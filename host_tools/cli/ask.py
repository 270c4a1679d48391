"""Send a board a command through the broker and print its answer, one JSON object.

Give a command's arguments as NAME=VALUE. VALUE is JSON, or else plain text.
docs/mqtt.md lists the commands. To change a board's model use `beckon deploy --mqtt`.
Without --broker it asks the broker that you gave to beckon setup. For another one, put user and
password into BECKON_MQTT_USER and BECKON_MQTT_PASSWORD.

examples:
  beckon ask kitchen diag
  beckon ask kitchen set settings='{"threshold_percent": 70}'
  beckon ask kitchen discovery on=false     removes it from Home Assistant
  beckon ask kitchen set settings='{"keepalive_s": 60}' --sign
"""

import json

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.errors import BeckonError


def add_arguments(parser):
    parser.add_argument("device", metavar="DEVICE", help="the board's name")
    parser.add_argument("verb", metavar="COMMAND", help="for instance get, diag, self_test")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE",
                        help="arguments of the command")
    parser.add_argument("--sign", action="store_true",
                        help="sign the command with the update_key that you gave to beckon setup")
    add_broker_arguments(parser)
    parser.add_argument("--timeout", type=_seconds, default=10.0, metavar="S",
                        help="seconds to wait for the answer")


def _seconds(text):
    value = float(text)
    if not 0.1 <= value <= 3600:
        raise ValueError
    return value


def _key(verb, arguments):
    """The update_key to sign this command with."""
    from host_tools.device.settings import default_folder, read_settings

    if verb not in ("set", "restart", "calibrate"):
        raise BeckonError(f"{verb} takes no signature; leave out --sign", status=2)
    if verb == "set" and not isinstance(arguments.get("settings"), dict):
        raise BeckonError("set needs settings='{\"NAME\": VALUE}'", status=2)
    key = read_settings(default_folder())["update_key"]
    if not key:
        raise BeckonError(f"no update_key in {default_folder() / 'secrets.json'}; "
                          "beckon setup makes one")
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
    key = _key(args.verb, arguments) if args.sign else ""
    with RemoteDevice(broker_of(args), args.device, args.timeout) as device:
        if not args.sign:
            answer = device.request(args.verb, **arguments)
        elif args.verb == "set":
            answer = device.change_settings(key, **arguments["settings"])
        else:
            answer = device.request_signed(args.verb, key, **arguments)
    answer.pop("transaction", None)
    print(json.dumps(answer))
    return 0
