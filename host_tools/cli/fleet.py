"""Play many devices on a broker, to load what stands behind it.

`beckon fleet simulate` connects N devices from one process: last will, status, state, events with
the firmware's own code, diagnostics, outages, restarts, wrong clocks. At the end it says what the
broker has acknowledged.

examples:
  beckon fleet simulate --devices 1000 --rate 500 --seconds 60
  beckon fleet simulate --devices 100 --rate 50 --outages 30 --restarts 10 --clock-errors 0.1
"""

import json
import sys
from dataclasses import asdict

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.json_output import add_json_argument
from host_tools.errors import BeckonError

EXTRA = "collect"  # of pyproject.toml


def add_arguments(parser):
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    one = what.add_parser("simulate", help="the traffic of many devices", allow_abbrev=False,
                          description="The traffic of many devices, from one process.",
                          formatter_class=parser.formatter_class)  # fmt: skip
    add_broker_arguments(one)
    one.add_argument("--devices", type=int, required=True, metavar="N")
    one.add_argument("--rate", type=float, default=10.0, metavar="N",
                     help="events per second, of all devices together")
    one.add_argument("--seconds", type=float, default=60.0, metavar="N", help="how long")
    one.add_argument("--burst", type=int, default=1, metavar="N",
                     help="events that a device makes in a row")
    one.add_argument("--outages", type=float, default=0.0, metavar="N",
                     help="links that break, per minute")
    one.add_argument("--restarts", type=float, default=0.0, metavar="N",
                     help="devices that restart, per minute")
    one.add_argument("--clock-errors", type=float, default=0.0, metavar="SHARE",
                     help="share of devices without a clock or with a wrong one, 0 to 1")
    one.add_argument("--update-key", default="", metavar="TEXT",
                     help="take new models that this key has signed (default: take none)")
    one.add_argument("--bad", type=float, default=0.0, metavar="SHARE",
                     help="share of devices that a new model does not suit, 0 to 1: they "
                          "refuse it, vanish, roll back, restart or lose samples, in turn")
    one.add_argument("--prefix", default="sim", metavar="TEXT", help="of the devices' names")
    one.add_argument("--seed", type=int, default=1, metavar="N")
    add_json_argument(one)


def run(args):
    from host_tools.cli.progress import progress
    from host_tools.fleet.simulate import Plan, simulate

    if not 1 <= args.devices <= 60_000 or args.rate < 0 or args.seconds < 0 or args.burst < 1:
        raise BeckonError("--devices is 1 to 60000, --burst at least 1, and no time or rate is "
                          "below 0", status=2)  # fmt: skip
    if len(args.prefix) > 24 or not args.prefix.replace("-", "").replace("_", "").isalnum():
        raise BeckonError(f"--prefix {args.prefix!r}: write at most 24 letters, digits, _ and -",
                          status=2)  # fmt: skip
    plan = Plan(args.devices, args.rate, args.seconds, args.burst, args.outages, args.restarts,
                min(1.0, max(0.0, args.clock_errors)), prefix=args.prefix, seed=args.seed,
                update_key=args.update_key, ways=_ways(args.bad))  # fmt: skip
    with progress("simulating", None) as step:
        totals = simulate(broker_of(args), plan, lambda t: step(
            f"{t.online} online, {t.made} events, {t.acked_events} acknowledged", advance=0))
    figures = {**asdict(totals), "acked": totals.acked_events, "starts": len(totals.acked)}
    if args.json:
        print(json.dumps(figures, indent=1))
    else:
        print(f"{totals.made} events made, {totals.acked_events} acknowledged by the broker, "
              f"{totals.repeats} sent twice, {totals.connects} connections, {totals.outages} "
              f"outages, {totals.restarts} restarts")  # fmt: skip
    for reason, count in totals.faults.items():
        print(f"beckon fleet: {count} times: {reason}", file=sys.stderr)
    return 0 if totals.made == totals.acked_events + totals.dropped else 1


def _ways(bad):
    from host_tools.fleet.update import WAYS

    def way(number):
        """Every so many, so that it is known which: of 0.1 the devices 9, 19, 29, ..."""
        before, now = int(number * bad), int((number + 1) * bad)
        return WAYS[1 + before % (len(WAYS) - 1)] if now > before else "good"

    return way
