"""Put MicroPython on a board. This erases everything on the board, after asking you.

Finds the board and its chip (ESP32, S2, S3, C3, C6) and takes the image for it: the one
that --image names, or one kept from before, or one from micropython.org. It checks the
image's SHA-256 and the checksums inside before it erases anything. Afterwards it reads
the flash back and compares.

examples:
  beckon flash
  beckon flash /dev/ttyUSB0 --image ESP32_GENERIC-20260406-v1.28.0.bin
"""

import json
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument
from host_tools.cli.program import program
from host_tools.cli.progress import progress, waiting
from host_tools.errors import BeckonError

EXTRA = "flash"  # of pyproject.toml: esptool


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--image", type=Path, metavar="FILE", help="a .bin of MicroPython")
    parser.add_argument("--sha256", metavar="HEX", help="the hash that the whole image must have")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_json_argument(parser)


def run(args):
    from host_tools.device import flash
    from host_tools.device.ports import find_port

    if not args.yes and not sys.stdin.isatty():
        raise BeckonError("there is no terminal to ask on; --yes erases without asking", status=2)
    if args.image and not args.image.is_file():
        raise BeckonError(f"--image {args.image}: no such file", status=2)
    port = find_port(args.port)
    with waiting(f"asking the chip on {port} for its type"):
        found = flash.identify(port)
    with waiting("getting the image"):
        image = flash.image_for(found.chip, args.image, args.sha256)
    if not image.compared:
        print(f"beckon flash: {image.path.name} has SHA-256 {image.sha256}, and none is known to "
              "compare it with; give one that you trust with --sha256", file=sys.stderr)
    if not args.yes and not _agreed(port, found, image):
        print("nothing was changed", file=sys.stderr)
        return 1
    with progress("flashing", total=100) as step:
        at = 0

        def on_step(what, percent):
            nonlocal at
            step(what, max(0, int(percent) - at))
            at = max(at, int(percent))

        flash.write(port, found.chip, image.path, on_step)
    with waiting("waiting for MicroPython"):
        version = flash.wait_for_micropython(port)
    if args.json:
        print(json.dumps({"port": port, "chip": found.chip.name, "flash": found.flash,
                          "image": str(image.path), "sha256": image.sha256,
                          "sha256_compared": image.compared, "micropython": version}))  # fmt: skip
    else:
        print(f"MicroPython {version} runs on the {found.chip.title} on {port}; next: "
              f"{program()} deploy {port}")
    return 0


def _agreed(port, found, image):
    question = (f"{port}: {found.chip.title}, {found.flash} of flash. Erase EVERYTHING on it and "
                f"write {image.path.name}? [yes/no] ")
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:
        return False
