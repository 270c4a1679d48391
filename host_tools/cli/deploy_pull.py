"""`beckon deploy --pull`: what a board has learned itself, brought to the computer."""

import json
import re

from host_tools.cli.broker_options import broker_of
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.wording import counted

_PORT = re.compile(r"/|^COM\d+$|://")


def pull(args):
    """Fetch model and repetitions into args.out, over the serial line, or from the device
    args.pull through the broker; the exit status."""
    from host_tools.recording.pulled import keep, over_serial
    from host_tools.recording.writer import check_folder

    device, port = args.pull, args.port
    if _PORT.search(device):  # beckon deploy --pull /dev/ttyUSB0
        device, port = "", device
    if args.mqtt or args.model or (device and port):
        raise BeckonError("--pull takes the name of a device or a port, and no --mqtt or --model",
                          status=2)
    check_folder(args.out)
    if device:
        learned = _through_broker(args, device)
    else:
        with progress("pulling") as step:
            learned = over_serial(port, step)
    kept = keep(learned, args.out, args.out)
    device = learned.device
    if args.json:
        print(json.dumps({"device": device, "model": kept.model_id, "path": str(kept.path),
                          "recordings": [str(p) for p in kept.recordings],
                          "unkept": kept.unkept}))
        return 0
    print(f"{kept.path}: model {kept.model_id} of {device}, {', '.join(kept.labels)}")
    if not kept.gestures:
        print(f"{device} has learned no gesture since that model was deployed")
    for label in kept.unkept:
        print(f"no recording of {label}: the board's flash had no room for its samples")
    if kept.recordings:
        print(f"{counted(len(kept.recordings), 'recording')} in {args.out}; next: beckon train "
              f"{args.out} with your other recordings")
    return 0


def _through_broker(args, name):
    from host_tools.device.settings import default_folder, update_key
    from host_tools.mqtt.remote_device import RemoteDevice
    from host_tools.recording.pulled import through_broker

    given = args.settings if args.settings else default_folder()
    key = update_key(given)
    with RemoteDevice(broker_of(args, folder=given), name) as device, \
            progress("pulling") as step:  # fmt: skip
        return through_broker(device, key,
                              lambda file, done, size: step(f"{file} {done} of {size} bytes", 0))
