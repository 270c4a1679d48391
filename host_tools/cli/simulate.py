"""Play a recording to the firmware on a simulated board; print what the broker delivers.

Prints one JSON line per event: the payload, plus received_ms (counted like t_ms, from the
recording's first sample). Without --broker it starts a broker for this run.

example:
  beckon simulate --recording data/demo/recordings/p101-1.csv.gz --speed 10 --out events.jsonl
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from host_tools.cli.broker_options import add_tls_arguments, broker_of
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from host_tools.paths import DEFAULT_MODEL
from host_tools.wording import counted


def add_arguments(parser):
    parser.add_argument("--recording", required=True, type=Path, metavar="FILE",
                        help="CSV or CSV.gz: t_ms,ax,ay,az,gx,gy,gz in m/s^2 and deg/s")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="FILE",
                        help="model file for the board")
    parser.add_argument("--broker", metavar="URL",
                        help="mqtt://host:port, or mqtts:// for TLS, of a running broker")
    add_tls_arguments(parser, "with --broker: ")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N",
                        help="times real time; a computer that is too slow takes longer")
    parser.add_argument("--rules", default="", metavar="TEXT",
                        help="the board's setting rules: rule gestures beside the model")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="write the JSON lines here instead of to standard output")


def run(args):
    from host_tools.device.settings import check_together
    from host_tools.mqtt.broker import embedded_broker
    from host_tools.simulator.simulate import simulate

    if not 0.01 <= args.speed <= 1000:
        raise BeckonError(f"--speed {args.speed:g}: name a number from 0.01 to 1000", status=2)
    check_together({"rules": args.rules})
    if args.out and not args.out.parent.is_dir():
        raise BeckonError(f"--out {args.out}: there is no folder {args.out.parent}; make it first")
    with ExitStack() as stack:
        if args.broker:
            broker = broker_of(args)
        else:
            broker = stack.enter_context(embedded_broker())
        step = stack.enter_context(progress("playing", total=100))
        shown = 0

        def on_progress(played_s, length_s):
            nonlocal shown
            percent = int(100 * played_s / length_s)
            step(f"{played_s:.0f} of {length_s:.0f} s", percent - shown)
            shown = percent

        outcome = simulate(args.recording, args.model, broker, speed=args.speed,
                           settings={"rules": args.rules}, on_progress=on_progress)
    lines = "".join(json.dumps(event) + "\n" for event in outcome.events)
    if args.out:
        write_atomically(args.out, lines.encode())
    else:
        sys.stdout.write(lines)
    counters = outcome.counters
    print(
        f"{counted(len(outcome.events), 'event')}, {counted(counters['samples'], 'sample')}, "
        f"{counters['samples_lost']} lost, {outcome.speed:.1f} times real time",
        file=sys.stderr,
    )
    return 0
