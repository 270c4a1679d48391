"""Print the gestures that devices report on a broker, as they arrive, until Ctrl-C.

MQTT may deliver an event twice; it is shown once. Events that come while the broker restarts
are shown afterwards. If events are lost, a line on stderr says which.

Without --broker it watches the broker that you gave to beckon setup. For another one, put user
and password into BECKON_MQTT_USER and BECKON_MQTT_PASSWORD: other users of this computer can
read an address with a password in the list of processes.

examples:
  beckon watch
  beckon watch --broker mqtts://homeassistant.local --ca ca.crt --device beckon-kitchen
"""

import json
import sys

from host_tools.cli.broker_options import add_broker_arguments, broker_of

_KINDS = ("event", "status", "state")


def add_arguments(parser):
    add_broker_arguments(parser)
    parser.add_argument("--device", default="+", metavar="NAME", help="only this device; +: all")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object per line: the payload, plus device")
    parser.add_argument("--count", type=_at_least_one, metavar="N", help="stop after N events")


def _at_least_one(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def run(args):
    from host_tools.mqtt.events import event_title
    from host_tools.mqtt.subscriber import Subscriber

    broker = broker_of(args)
    kinds = _KINDS[:1] if args.json else _KINDS
    printer = _Printer(args.json)
    with Subscriber(broker, args.device, kinds, on_link=_say_link) as subscriber:
        print(f"watching {broker}; Ctrl-C ends", file=sys.stderr)
        if not args.json:
            print(event_title(), flush=True)
        for message in subscriber.messages():
            printer.show(message)
            if printer.shown == args.count:
                return 0
    return 0


def _say_link(up, kept):
    if not up:
        text = "the broker is away; trying again"
    elif kept:
        text = "the broker is back"
    else:
        text = "the broker is back but kept nothing meanwhile: events may be missing"
    print(f"beckon watch: {text}", file=sys.stderr)


class _Printer:
    """shown: how many events."""

    def __init__(self, as_json):
        from host_tools.mqtt.events import Arrivals

        self.shown = 0
        self._json = as_json
        self._arrivals = Arrivals()
        self._troubles = {}
        self._awake = {}  # device: why it does not sleep

    def show(self, message):
        from host_tools.mqtt.events import printable

        if message.kind == "status" and not self._json:
            print(f"{'':>10}  {printable(message.device)} is {printable(message.payload)}",
                  flush=True)  # fmt: skip
        elif message.kind == "state" and isinstance(message.payload, dict):
            self._state(message)
        elif message.kind == "event" and isinstance(message.payload, dict):
            self._event(message)

    def _state(self, message):
        from host_tools.mqtt.events import printable
        from host_tools.mqtt.power_state import power_trouble
        from host_tools.mqtt.sensor_state import sensor_trouble

        awake = power_trouble(message.payload)
        if awake and self._awake.get(message.device) != awake:
            print(f"{'':>10}  {printable(message.device)}: {awake}", flush=True)
        self._awake[message.device] = awake
        trouble = sensor_trouble(message.payload)
        before = self._troubles.get(message.device, "")
        if trouble is not None and trouble != before:
            self._troubles[message.device] = trouble
            text = trouble or "its sensor is back"
            print(f"{'':>10}  {printable(message.device)}: {text}", flush=True)

    def _event(self, message):
        from host_tools.mqtt.events import event_line, gap_line

        arrival = self._arrivals.take(message)
        if arrival.missing:
            print(f"beckon watch: {gap_line(message, arrival.missing)}", file=sys.stderr)
        if arrival.repeat:
            return
        if self._json:
            print(json.dumps({**message.payload, "device": message.device}), flush=True)
        else:
            print(event_line(message), flush=True)
        self.shown += 1
