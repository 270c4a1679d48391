"""Run a model on this computer, on live samples, and publish its events as a board does.

With a phone as the sensor you can try the whole product before you have a board: the events have
the topics, payloads and numbers of a board's, so beckon watch, the dashboard, beckon act and Home
Assistant treat both alike.

--from is the source: board, csv, phone, sensorlogger, phyphox://HOST:PORT,
sensorserver://HOST:PORT, broker or mqtts://HOST (raw samples of a board), or a FILE, played as if
it were live (docs/phone.md). While the broker is away, the newest 1,000 events wait, and go out in
order when it is back. Ctrl-C ends.

examples:
  beckon run --from phone --model gesture.mlp
  beckon run --from data/demo/recordings/p101-1.csv.gz --no-broker
  beckon run /dev/ttyUSB0 --from csv --model gesture.mlp --broker mqtt://192.168.0.7
"""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.source_options import add_source_arguments, open_source, use_model
from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL
from host_tools.wording import counted

_READ_S = 0.1
_PHONES = ("phone", "phyphox", "sensorserver", "sensorlogger")


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="FILE",
                        help="model file")
    add_source_arguments(parser, of_model=True, tls=False)
    add_broker_arguments(parser)
    parser.add_argument("--no-broker", action="store_true", help="only print the events")
    parser.add_argument("--name", default="", metavar="NAME",
                        help="the device's name on the broker (default: phone- or host- and six "
                             "digits of this computer's own)")
    parser.add_argument("--rules", default="", metavar="TEXT",
                        help="rule gestures beside the model, such as tap,shake=2000 "
                             "(docs/feedback.md)")
    parser.add_argument("--home-assistant", action="store_true",
                        help="announce the device to Home Assistant")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after this time")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N events")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object per line and event")


def run(args):
    from host_tools.evaluation.rule_events import rules_of
    from host_tools.hosted.device import HostDevice
    from host_tools.hosted.naming import check_name, default_name
    from host_tools.model.golden import read_model

    for option, value in (("--seconds", args.seconds), ("--count", args.count)):
        if value is not None and not value > 0:
            raise BeckonError(f"{option} {value:g}: name a number above 0", status=2)
    if args.no_broker and (args.broker or args.name or args.home_assistant):
        raise BeckonError("--no-broker goes without --broker, --name and --home-assistant",
                          status=2)
    kind = args.source.partition("://")[0]
    what = "phone" if kind in _PHONES else kind if kind in ("board", "csv") else (
        "broker" if kind in ("broker", "mqtt", "mqtts") else "file")
    name = check_name(args.name or default_name("phone" if what == "phone" else "host"))
    model = read_model(args.model)
    use_model(args, model.front_end)
    if what == "broker" and args.device == name:
        raise BeckonError(f"--name {name} is the board that sends the samples: choose another "
                          "name", status=2)
    fe = model.front_end
    rules = tuple(rules_of(args.rules, fe.rate_hz, fe.accel_g).names)
    broker = None if args.no_broker else broker_of(args)
    with ExitStack() as stack:
        device = None
        if broker:
            device = HostDevice(broker, name, model, what, rules=rules,
                                home_assistant=args.home_assistant)
            stack.enter_context(device)
            if device.warning:
                print(f"warning: {device.warning}", file=sys.stderr)
            print(f"sending events as {name} to {broker}; Ctrl-C ends", file=sys.stderr)
        source = stack.enter_context(open_source(args))
        for line in (source.found, source.warning):
            if line:
                print(f"beckon run: {line}", file=sys.stderr)
        heard = _listen(args, model, source, device)
    print(_summary(heard, device), file=sys.stderr)
    return 1 if device and device.unsent else 0


def _listen(args, model, source, device):
    """Print and send events until the end; return the Runner, which counted."""
    from host_tools.hosted.runner import Runner
    from host_tools.mqtt.events import event_title
    from host_tools.recording.blocks import Finished

    runner = Runner(model, source, args.rules)
    if not args.json:
        print(event_title(), flush=True)
    began_s = time.monotonic()
    fault = ""
    shown = 0
    try:
        while args.seconds is None or time.monotonic() - began_s < args.seconds:
            try:
                found, samples, lost = runner.step(_READ_S)
            except Finished:
                break
            if device:
                if samples:
                    device.heard(samples, lost)
                fault = _say_fault(device.view().fault, fault)
            for event, captured_s in found:
                _show(args, model, event, captured_s, shown, device)
                shown += 1
                if shown == args.count:
                    return runner
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return runner


def _say_fault(fault, before):
    if fault != before:
        print(f"beckon run: {fault or 'the broker is back'}", file=sys.stderr)
    return fault


def _show(args, model, event, captured_s, number, device):
    from host_tools.mqtt.events import event_line
    from host_tools.mqtt.subscriber import Message

    now_s = time.monotonic()
    if device:
        number = device.post(event.label, event.confidence, event.label_confidence, event.t_ms,
                             captured_s)  # fmt: skip
    payload = {"event_type": event.label, "confidence": event.confidence,
               "label_confidence": event.label_confidence, "seq": number,
               "t_ms": round(event.t_ms), "time": None,
               "latency_ms": round(1000 * (now_s - captured_s)), "model": model.model_id}
    name = device.name if device else "-"
    if args.json:
        print(json.dumps({**payload, "device": name}), flush=True)
    else:
        print(event_line(Message(name, "event", payload, False, now_s)), flush=True)


def _summary(runner, device):
    parts = [counted(runner.events, "event"), counted(runner.samples, "sample"),
             f"{runner.lost} lost"]
    if device:
        view = device.view()
        parts.append(f"{view.delivered} delivered")
        if view.dropped:
            parts.append(f"{view.dropped} dropped, since the broker was away for too long")
        if device.unsent:
            parts.append(f"{device.unsent} not sent, since the broker is away")
    return ", ".join(parts)
