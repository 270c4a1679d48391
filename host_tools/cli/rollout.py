"""Give a new model to one, some or a share of your devices, in stages, over MQTT.

A roll-out lies in the store of beckon collect, which must be running: it sees how the devices do.
The model goes to the first device, is watched, then to more. It stops if devices refuse
it, do not come back or take the old model back, restart, lose samples, or if people mark more
gestures as false alarms. `beckon rollout run` carries out what the dashboard starts.

examples:
  beckon rollout start new.mlp --keys keys.json
  beckon rollout start new.mlp --share 20% --stages "1, 10%, 100%" --running 709cb702
  beckon rollout run --keys keys.json
  beckon rollout show 3
  beckon rollout pause 3
"""

import json
import signal
import sys
from dataclasses import asdict, fields
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.json_output import add_json_argument
from host_tools.cli.store_options import add_store_argument, store_of
from host_tools.errors import BeckonError
from host_tools.rollout.rules import Rules

EXTRA = "collect"  # of pyproject.toml
_RULES = {
    "failed_percent": "of the devices tried may fail",
    "restarted_percent": "of the devices may restart unasked, beyond what they did before",
    "lost_percent": "points more samples may be lost than before",
    "false_alarm_percent": "points more gestures may be marked as false alarms than before",
    "back_s": "seconds within which a device must be back with the model",
    "watch_s": "seconds for which each device is watched before the next stage",
    "baseline_h": "hours that count as before",
}


def add_arguments(parser):
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def one(name, summary):
        found = what.add_parser(name, help=summary, description=f"{summary.capitalize()}.",
                                allow_abbrev=False, formatter_class=parser.formatter_class)
        add_store_argument(found)
        return found

    start = one("start", "make a roll-out; with --keys, carry it out and wait for its end")
    start.add_argument("model", type=Path, metavar="FILE", help="the new model")
    start.add_argument("--devices", default="", metavar="A,B,...", help="to these devices alone")
    start.add_argument("--share", default="100%", metavar="N|N%%",
                       help="to so many of all devices, by lot (default: all)")
    start.add_argument("--running", default="", metavar="MODEL",
                       help="only to devices that run this model now")
    start.add_argument("--stages", default="1, 10%, 100%", metavar="N,N%%,...",
                       help='tried by the end of each stage (default: "1, 10%%, 100%%")')
    for field in fields(Rules):
        start.add_argument(f"--{field.name.replace('_', '-')}", type=float, metavar="N",
                           default=field.default, help=_RULES[field.name])
    run_ = one("run", "carry out what the store holds, until Ctrl-C")
    for command in (start, run_):
        command.add_argument("--keys", type=Path, metavar="FILE",
                             help='update keys: {"DEVICE": "key", "*": "of all others"}; run '
                                  "without it: that of beckon setup for every device")
        add_broker_arguments(command, "" if command is run_ else "with --keys: ")
    add_json_argument(one("list", "all roll-outs, the newest first"))
    show = one("show", "one roll-out and each of its devices")
    add_json_argument(show)
    for name, summary in (("pause", "start with no other device"),
                          ("continue", "go on, also after a rule has stopped it"),
                          ("abort", "end it; devices keep the model that they have")):
        one(name, summary).add_argument("number", type=int, metavar="NUMBER")
    show.add_argument("number", type=int, metavar="NUMBER")


def run(args):
    engine = store_of(args)
    try:
        if args.what == "start":
            return _start(args, engine)
        if args.what == "run":
            _carry_out(args, engine, lambda: False)
            return 0
        if args.what == "list":
            return _list(args, engine)
        if args.what == "show":
            return _show(args, engine)
        return _change(args, engine)
    finally:
        engine.dispose()


def _start(args, engine):
    from host_tools.rollout.plan import Wanted, start
    from host_tools.store import rollouts
    from host_tools.store.database import reading

    try:
        content = args.model.read_bytes()
    except OSError as fault:
        raise BeckonError(f"{args.model}: {fault.strerror}", status=2) from None
    rules = Rules.of({name: getattr(args, name) for name in _RULES})
    devices = [name.strip() for name in args.devices.split(",") if name.strip()]
    if args.keys:
        keys, broker = _keys(args), broker_of(args)
    number = start(engine, Wanted(content, devices, args.share, args.running, args.stages, rules))
    print(number)
    if not args.keys:
        print(f"beckon rollout: roll-out {number} begins when beckon rollout run, or a dashboard "
              "with --keys, carries it out", file=sys.stderr)
        return 0

    def found():
        with reading(engine).connect() as connection:
            return rollouts.rollout(connection, number)

    _run(engine, broker, keys, lambda: found().condition not in ("running", "paused"))
    return 0 if found().condition == "done" else 1


def _carry_out(args, engine, until):
    _run(engine, broker_of(args), _keys(args), until)


def _keys(args):
    from host_tools.device.settings import default_folder, read_settings
    from host_tools.rollout.keys import Keys, read_keys

    if args.keys:
        return read_keys(args.keys)
    key = read_settings(default_folder())["update_key"]
    if not key:
        raise BeckonError("no update key: name a file with --keys; a board takes a model only with "
                          "its key")  # fmt: skip
    return Keys({"*": key})


def _run(engine, broker, keys, until):
    from host_tools.rollout.runner import Runner

    runner = Runner(engine, broker, keys, say=_say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: runner.stop())
    runner.run(until)


def _list(args, engine):
    from host_tools.store import rollouts
    from host_tools.store.database import reading

    with reading(engine).connect() as connection:
        every = rollouts.rollouts(connection)
    if args.json:
        print(json.dumps([one._asdict() for one in every], indent=1))
        return 0
    for one in every:
        print(f"{one.id}  {one.model}  {one.condition}, stage {one.stage + 1} of "
              f"{len(one.stages)}{': ' + one.reason if one.reason else ''}")  # fmt: skip
    return 0


def _show(args, engine):
    from host_tools.store import rollouts
    from host_tools.store.database import reading

    with reading(engine).connect() as connection:
        one = rollouts.rollout(connection, args.number)
        if one is None:
            raise BeckonError(f"there is no roll-out {args.number}; beckon rollout list has all")
        targets = rollouts.targets(connection, args.number)
    if args.json:
        print(json.dumps({**one._asdict(), "devices": [asdict(t) for t in targets]}, indent=1))
        return 0
    print(f"model {one.model}: {one.condition}{', ' + one.reason if one.reason else ''}")
    for t in targets:
        print(f"{t.device}  {t.step.replace('_', ' ')}{': ' + t.detail if t.detail else ''}")
    return 0


def _change(args, engine):
    from host_tools.rollout.people import DONE, change

    change(engine, args.number, args.what)
    print(f"roll-out {args.number} {DONE[args.what]}")
    return 0


def _say(line):
    print(f"beckon rollout: {line}", file=sys.stderr, flush=True)
