"""Examine a board part by part, and say what to do about each fault.

Port, MicroPython, memory, firmware, sensor, its rate, noise and self-test, recording, Wi-Fi,
broker, clock: a line for each, ok, warning or fault. The board's program is stopped meanwhile
and restarted. Lay the board still, for the sensor's self-test.
Exit status 1 if there is a fault.

examples:
  beckon doctor
  beckon doctor /dev/ttyUSB0 --json
"""

import dataclasses
import json
import sys


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object a line: part, state, text, cure")


def run(args):
    import contextlib

    from host_tools.cli.progress import waiting
    from host_tools.device.doctor import examine
    from host_tools.device.findings import FAULT, WARNING

    counts = {FAULT: 0, WARNING: 0}
    findings = examine(args.port)
    while True:
        with waiting("examining") if sys.stderr.isatty() else contextlib.nullcontext():
            finding = next(findings, None)
        if finding is None:
            break
        counts[finding.state] = counts.get(finding.state, 0) + 1
        if args.json:
            print(json.dumps(dataclasses.asdict(finding)), flush=True)
        else:
            print(finding, flush=True)
    if not args.json:
        print(", ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items()
                        if what in (FAULT, WARNING)), file=sys.stderr)  # fmt: skip
    return 1 if counts[FAULT] else 0
