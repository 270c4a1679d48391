"""Print the gestures that devices report on a broker, as they arrive, until Ctrl-C.

MQTT may deliver an event twice; it is shown once.

examples:
  beckon watch
  beckon watch --broker mqtt://homeassistant.local:1883 --device beckon-kitchen
"""

import json
import sys


def add_arguments(parser):
    parser.add_argument("--broker", default="mqtt://127.0.0.1:1883", metavar="URL",
                        help="mqtt://[user:password@]host:port")
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
    from host_tools.mqtt.address import parse_broker
    from host_tools.mqtt.events import Repeats, event_line, event_title
    from host_tools.mqtt.subscriber import Subscriber

    broker = parse_broker(args.broker)
    repeats = Repeats()
    shown = 0
    with Subscriber(broker, args.device) as subscriber:
        print(f"watching {broker}; Ctrl-C ends", file=sys.stderr)
        if not args.json:
            print(event_title(), flush=True)
        for message in subscriber.messages():
            if message.kind == "status" and not args.json:
                print(f"{'':>10}  {message.device} is {message.payload}", flush=True)
            if message.kind != "event" or not isinstance(message.payload, dict):
                continue
            if repeats.seen(message):
                continue
            if args.json:
                print(json.dumps({"device": message.device, **message.payload}), flush=True)
            else:
                print(event_line(message), flush=True)
            shown += 1
            if shown == args.count:
                return 0
    return 0
