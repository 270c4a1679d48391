"""Teach a board one gesture by some repetitions, without a computer's training.

The board records the repetitions itself, learns them in some seconds and restarts with
the changed model. Keep still, make the gesture, keep still for a second, and again. A new
label adds a gesture, a known one learns more of it. --undo takes the last one back. The board
needs the update_key of secrets.json, as for a new model. `beckon deploy --pull` brings what was
learned to the computer; docs/learning.md says how well it works.

examples:
  beckon learn kitchen wave
  beckon learn kitchen --undo
"""

import json
import sys
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.json_output import add_json_argument
from host_tools.errors import BeckonError


def add_arguments(parser):
    parser.add_argument("device", metavar="DEVICE", help="the board's name")
    parser.add_argument("label", nargs="?", metavar="LABEL", help="the gesture")
    parser.add_argument("--takes", type=int, default=5, metavar="N",
                        help="repetitions, 3 to 9")
    parser.add_argument("--undo", action="store_true",
                        help="take back what the board learned last")
    parser.add_argument("--settings", type=Path, metavar="FOLDER",
                        help="folder of the secrets.json with the update_key, if not where beckon "
                             "setup keeps it")
    add_broker_arguments(parser)
    add_json_argument(parser)


def run(args):
    from host_tools.device.settings import default_folder, update_key
    from host_tools.mqtt.learning import TAKES_LEAST, TAKES_MOST, learn, undo
    from host_tools.mqtt.remote_device import RemoteDevice

    if bool(args.label) == args.undo:
        raise BeckonError("name a LABEL to learn, or --undo, not both", status=2)
    if not TAKES_LEAST <= args.takes <= TAKES_MOST:
        raise BeckonError(f"--takes {args.takes}: must be {TAKES_LEAST} to {TAKES_MOST}", status=2)
    folder = args.settings or default_folder()
    key = update_key(folder)
    with RemoteDevice(broker_of(args, folder=folder), args.device) as device:
        if args.undo:
            model = undo(device, key)
            result = {"device": args.device, "model": model}
            line = f"{args.device} is back on model {model}"
        else:
            learning = learn(device, key, args.label, args.takes, _shown())
            model = device.state.get("model", "")
            result = {"device": args.device, "model": model, **learning}
            line = (f"{args.device} has learned {args.label} from {learning['good']} repetitions, "
                    f"model {model}; next: beckon deploy --pull {args.device}, or undo it with "
                    "beckon learn --undo")
    print(json.dumps(result) if args.json else line)
    return 0


def _shown():
    """show(learning) for host_tools.mqtt.learning.learn: a line for each thing that is new."""
    from host_tools.mqtt.learning_words import doing, progress_of

    said = set()

    def say(line):
        if line not in said:
            said.add(line)
            print(line, file=sys.stderr)

    def show(learning):
        progress = progress_of({"learning": learning})
        if progress is None:
            return
        for line in progress.unusable:
            say(line)
        if progress.under_way:
            say(doing(progress))
        if progress.phase == "repetitions" and progress.good:
            say(f"{progress.good} of {progress.takes}")

    return show
