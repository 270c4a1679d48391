"""Publish, send a request or run a program when a gesture comes, as an actions.toml says.

Listens on the broker until Ctrl-C; beckon collect --actions does the same beside storing. With
--dry-run it does nothing but print what would have happened in the last days.

examples:
  beckon act actions.toml
  beckon act actions.toml --dry-run --days 7
"""

import sys
import time
from collections import Counter
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.store_options import add_store_argument, store_of

EXTRA = "collect"  # of pyproject.toml
_DAY_MS = 86_400_000


def add_arguments(parser):
    parser.add_argument("actions", type=Path, metavar="FILE", help="such as actions.toml")
    add_broker_arguments(parser)
    add_store_argument(parser)
    parser.add_argument("--dry-run", action="store_true",
                        help="only print what would have happened, from the store's events")
    parser.add_argument("--days", type=float, default=7.0, metavar="N",
                        help="with --dry-run: of the last N days")
    parser.add_argument("--no-store", action="store_true", help="do not keep the results")


def run(args):
    from host_tools.actions.settings import read_actions

    actions = read_actions(args.actions)
    if args.dry_run:
        return _dry_run(actions, store_of(args, migrate=False), args.days)
    broker = broker_of(args)
    engine = None if args.no_store else store_of(args)
    return _listen(actions, broker, engine)


def _dry_run(actions, engine, days):
    from host_tools.actions.rules import Rules
    from host_tools.mqtt.events import printable
    from host_tools.store.history import events_between
    from host_tools.wording import counted

    rules, events = Rules(actions), 0
    counts: Counter[str] = Counter()
    now_ms = time.time_ns() // 10**6
    for event in events_between(engine, int(now_ms - days * _DAY_MS), now_ms + _DAY_MS):
        events += 1
        for action in rules.due(event, event.received_ms):
            counts[action.name] += 1
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at_ms / 1000))
            print(f"{when}  {action.name:<24} {printable(event.device):<24} "
                  f"{printable(event.gesture):<16} {event.confidence:3} %")  # fmt: skip
    print(f"{counted(events, 'event')} in the last {days:g} days", file=sys.stderr)
    for action in actions.actions:
        print(f"{action.name}: {counted(counts[action.name], 'time')}", file=sys.stderr)
    return 0


def _listen(actions, broker, engine):
    from host_tools.actions.runner import Runner
    from host_tools.collect.intake import judge
    from host_tools.mqtt.connection import Connection, Topic
    from host_tools.mqtt.events import Arrivals
    from host_tools.mqtt.subscriber import Message
    from host_tools.store.messages import Event

    runner = Runner(actions, engine, broker, say=_say)
    arrivals = Arrivals()

    def take(topic, payload, retained):
        made = judge(topic, payload, retained, time.time_ns() // 10**6)
        if isinstance(made, Event):
            message = Message(made.device, "event", made._asdict(), False, 0.0)
            if not arrivals.take(message).repeat:
                runner.take([made])

    try:
        with Connection(broker, "act", [Topic("beckon/+/event")], take):
            _say(f"listening on {broker}; Ctrl-C ends")
            while True:
                time.sleep(3600)
    finally:
        runner.close()


def _say(line):
    from host_tools.mqtt.events import printable

    for start in range(0, len(line), 60):  # printable() takes 60 characters
        print(("beckon act: " if not start else "") + printable(line[start : start + 60]),
              end="", file=sys.stderr)  # fmt: skip
    print(file=sys.stderr, flush=True)
