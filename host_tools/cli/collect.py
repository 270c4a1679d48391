"""Store every gesture, state and diagnosis that devices publish, until Ctrl-C.

The broker keeps what is not stored yet, so neither a crash nor a database that stands still loses
an event, and each is stored once. Messages that cannot be right are counted and kept aside.

Several collectors share the load: give each the same --share and another --name. For user and
password of the broker see beckon watch --help.

examples:
  beckon collect
  beckon collect --store postgresql://beckon@db.local/beckon --share museum --name one
"""

import signal
import socket
import sys
import threading
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.store_options import add_store_argument, store_of
from host_tools.errors import BeckonError

EXTRA = "collect"  # of pyproject.toml
_REPORT_S = 60


def add_arguments(parser):
    add_broker_arguments(parser)
    add_store_argument(parser)
    parser.add_argument("--name", default=socket.gethostname(),
                        help="of this collector, by which the broker knows what it has had")
    parser.add_argument("--share", default="", metavar="GROUP",
                        help="share the events with the other collectors of this group")
    parser.add_argument("--actions", type=Path, metavar="FILE",
                        help="carry out this actions.toml, see beckon act")
    parser.add_argument("--keep-days", type=_days, default=365, metavar="N",
                        help="keep events so long; 0: forever")
    parser.add_argument("--keep-diag-days", type=_days, default=30, metavar="N",
                        help="keep diagnostics so long; 0: forever")
    parser.add_argument("--keep-sums-days", type=_days, default=0, metavar="N",
                        help="keep the sums by hour and day so long; 0: forever (default: 0)")
    parser.add_argument("--quarantine", type=_days, default=10_000, metavar="N",
                        help="keep so many wrong messages for a look")


def _days(text):
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def run(args):
    from host_tools.collect.collector import Collector, Options
    from host_tools.store.retention import Keep

    for option, value in (("--name", args.name), ("--share", args.share)):
        if set(value) & set("/+#") or (option == "--name" and not 0 < len(value) <= 64):
            raise BeckonError(f"{option} {value!r} cannot be used: write letters, digits, . _ -",
                              status=2)  # fmt: skip
    broker = broker_of(args)
    options = Options(
        args.name, args.share, Keep(args.keep_days, args.keep_diag_days, args.keep_sums_days),
        args.quarantine,
    )  # fmt: skip
    engine = store_of(args)
    collector = Collector(broker, engine, options, say=_say)
    actions = _actions(args, broker, engine, collector)
    signal.signal(signal.SIGTERM, lambda number, frame: collector.stop())
    signal.signal(signal.SIGINT, lambda number, frame: collector.stop())
    reports = threading.Event()
    thread = threading.Thread(target=_report, args=(collector.counts, reports), daemon=True)
    thread.start()
    try:
        collector.run(ready=lambda: _say(f"collecting from {broker}; Ctrl-C ends"))
    finally:
        reports.set()
        if actions:
            actions.close()
        engine.dispose()
    _say(_summary(collector.counts))
    return 0


def _actions(args, broker, engine, collector):
    if not args.actions:
        return None
    from host_tools.actions.runner import Runner
    from host_tools.actions.settings import read_actions

    runner = Runner(read_actions(args.actions), engine, broker, say=_say)
    collector.on_events = runner.take
    return runner


def _report(counts, ended):
    shown = ""
    while not ended.wait(_REPORT_S):
        line = _summary(counts)
        if line != shown:
            shown = line
            _say(line)


def _summary(counts):
    why = " (beckon store info says why)" if counts.quarantined else ""
    return (f"{counts.stored} events stored, {counts.repeated} repeats dropped, "
            f"{counts.quarantined} messages kept aside{why}; 95 % stored within "
            f"{counts.stored_ms_p95()} ms")


def _say(line):
    print(f"beckon collect: {line}", file=sys.stderr, flush=True)
