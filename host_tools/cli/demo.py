"""Show a gesture's whole way without hardware: sensor, firmware, broker, screen.

A synthetic hand (data/demo) moves the simulated MPU6500. The firmware, on a real
MicroPython, reads its FIFO, recognises the gestures and publishes them over MQTT.
This command prints what the broker delivers. Exit status: 0 if each gesture came
exactly once and nothing else came, else 1.

example:
  beckon demo --speed 5
"""

import statistics
import sys
from contextlib import ExitStack

from host_tools.cli.broker_options import add_tls_arguments, broker_of
from host_tools.cli.progress import progress, waiting
from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.wording import counted


def add_arguments(parser):
    parser.add_argument("--broker", metavar="URL",
                        help="use this broker, mqtt://host:port, or mqtts:// for TLS, instead of "
                             "starting one")
    add_tls_arguments(parser, "with --broker: ")
    parser.add_argument("--port", type=int, default=0, metavar="N",
                        help="port of the broker that it starts, to watch from elsewhere; 0: any "
                             "free port")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N", help="times real time")


def run(args):
    from host_tools.dataset.folder import read_dataset
    from host_tools.simulator.simulate import simulate
    from host_tools.toolchain import micropython_command, umqtt_folder

    if not 0.01 <= args.speed <= 1000:
        raise BeckonError(f"--speed {args.speed:g}: name a number from 0.01 to 1000", status=2)
    if not 0 <= args.port <= 65535:
        raise BeckonError(f"--port {args.port}: name a number from 0 to 65535", status=2)
    recording = read_dataset(DEMO).recordings[0]
    assert recording.path
    table = _Table([(span.start_ms, span.end_ms, span.label) for span in recording.spans])
    with ExitStack() as stack:
        broker = _broker(args, stack)
        micropython_command()  # what must be fetched is fetched before the table begins
        umqtt_folder()
        gestures = counted(len(table.spans), "gesture")
        print(f"{recording.seconds:.0f} s of movement, {gestures}, through the "
              f"firmware to {broker}\n")
        print(f"{'time':>9}  {'gesture':<12}{'confidence':>10}    latency")
        step = stack.enter_context(progress("playing", total=round(recording.seconds)))
        shown = 0

        def on_progress(played_s, length_s):
            nonlocal shown
            step("", int(played_s) - shown)
            shown = int(played_s)

        outcome = simulate(recording.path, DEFAULT_MODEL, broker, speed=args.speed,
                           on_event=table.show, on_progress=on_progress)
    return table.conclude(outcome.counters)


def _broker(args, stack):
    """The broker that was named, or one that lives as long as the stack."""
    from host_tools.mqtt.broker import embedded_broker

    if args.broker:
        return broker_of(args)
    with waiting("starting a broker"):
        return stack.enter_context(embedded_broker(args.port))


class _Table:
    """Events as they arrive, each judged against spans: (start_ms, end_ms, label)."""

    def __init__(self, spans):
        self.spans = spans
        self._heard = []

    def show(self, payload):
        """Print one event's line."""
        from host_tools.evaluation.matching import match_events
        from host_tools.mqtt.events import number, printable

        self._heard.append((payload["t_ms"], payload["event_type"]))
        verdict = match_events(self.spans, self._heard)[-1]
        if verdict.latency_ms is None:
            latency = f"wrong: {verdict.kind}"
        else:
            latency = _against_end(verdict.latency_ms)
        print(f"{payload['t_ms'] / 1000:7.2f} s  {printable(payload['event_type']):<12}"
              f"{number(payload['confidence']):>8} %    {latency}", flush=True)

    def conclude(self, counters):
        """Print what came of it all; 0 if each gesture came once and nothing else, else 1."""
        from host_tools.evaluation.matching import HIT, match_events, missed

        verdicts = match_events(self.spans, self._heard)
        lacking = [self.spans[i] for i in missed(self.spans, verdicts)]
        hits = [v.latency_ms for v in verdicts if v.kind == HIT and v.latency_ms is not None]
        wrong = len(verdicts) - len(hits)
        median = f" (median {_against_end(statistics.median(hits))})" if hits else ""
        print(f"\n{len(hits)} of {len(self.spans)} gestures recognised{median}, {wrong} wrong "
              f"events; {counters['samples']} samples, {counters['samples_lost']} lost.")
        for start_ms, _, label in lacking:
            print(f"beckon demo: the {label} at {start_ms / 1000:.1f} s did not come",
                  file=sys.stderr)
        return 0 if not lacking and not wrong else 1


def _against_end(latency_ms):
    """The latency against the gesture's end; many gestures are clear before the hand rests."""
    side = "after" if latency_ms >= 0 else "before"
    return f"{abs(latency_ms):.0f} ms {side} its end"
