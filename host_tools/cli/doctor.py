"""Examine a board part by part and suggest a cure for each fault.

Prints a line (ok, warning or fault) for port, MicroPython, memory, firmware, sensor, its
rate, noise and self-test, recording, Wi-Fi, broker and clock. It stops the board's program
and restarts it at the end. Lay the board still for the sensor's self-test.
Exit status: 1 if there is a fault, else 0.

examples:
  beckon doctor
  beckon doctor /dev/ttyUSB0 --json
"""

import dataclasses
import json
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--folder", type=Path, metavar="FOLDER",
                        help="the board's settings, which name the broker that knows whether it "
                             "sleeps (default: where beckon setup keeps them)")
    add_json_argument(parser)


def run(args):
    from host_tools.cli.progress import progress
    from host_tools.device.pretend import lying_still
    from host_tools.doctor.diagnosis import FAULT, WARNING
    from host_tools.doctor.doctor import examine

    counts = {FAULT: 0, WARNING: 0}
    findings = []
    with progress("examining") as step, lying_still(args.port):
        for finding in examine(args.port, args.folder):
            counts[finding.state] = counts.get(finding.state, 0) + 1
            findings.append(dataclasses.asdict(finding))
            if not args.json:
                print(finding, flush=True)
            step(finding.part)
    if args.json:
        print(json.dumps({"findings": findings, "faults": counts[FAULT],
                          "warnings": counts[WARNING]}))  # fmt: skip
    else:
        print(", ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items()
                        if what in (FAULT, WARNING)), file=sys.stderr)  # fmt: skip
    return 1 if counts[FAULT] else 0
