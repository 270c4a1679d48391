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
    from host_tools.files import write_atomically
    from host_tools.model.codec import decode
    from host_tools.recording.learned import write_learned
    from host_tools.recording.writer import check_folder

    device, port = args.pull, args.port
    if _PORT.search(device):  # beckon deploy --pull /dev/ttyUSB0
        device, port = "", device
    if args.mqtt or args.model or (device and port):
        raise BeckonError("--pull takes the name of a device or a port, and no --mqtt or --model",
                          status=2)
    check_folder(args.out)
    device, model, gestures = _through_broker(args, device) if device else _over_serial(port)
    found = decode(model)
    recordings = []
    unkept = []
    for about, samples in reversed(gestures):
        if samples:
            recordings += write_learned(args.out, device, about, samples)
        else:
            unkept.append(json.loads(about)["label"])
    path = args.out / f"{device}_{found.model_id}.mlp"
    write_atomically(path, model)
    if args.json:
        print(json.dumps({"device": device, "model": found.model_id, "path": str(path),
                          "recordings": [str(p) for p in recordings], "unkept": unkept}))
        return 0
    print(f"{path}: model {found.model_id} of {device}, {', '.join(found.labels)}")
    if not gestures:
        print(f"{device} has learned no gesture since that model was deployed")
    for label in unkept:
        print(f"no recording of {label}: the board's flash had no room for its samples")
    if recordings:
        print(f"{counted(len(recordings), 'recording')} in {args.out}; next: beckon train "
              f"{args.out} with your other recordings")
    return 0


def _over_serial(port):
    """(device, model, [(about, samples) of each gesture, the last one first])."""
    from host_tools.device.ports import find_port
    from host_tools.device.pull import pull_files
    from host_tools.model.codec import decode
    from host_tools.recording.learned import led_to

    with progress("pulling") as step:
        pulled = pull_files(find_port(port), step)
    files = pulled.files
    gestures = led_to(decode(pulled.model).model_id, lambda model: files.get(f"{model}.json"),
                      lambda model: files.get(f"{model}.raw", b""))  # fmt: skip
    return pulled.device, pulled.model, gestures


def _through_broker(args, name):
    """The same of the device `name`."""
    from host_tools.device.settings import default_folder, read_settings
    from host_tools.model.codec import decode
    from host_tools.mqtt.learning import read_file
    from host_tools.mqtt.remote_device import RemoteDevice
    from host_tools.recording.learned import led_to

    given = args.settings if args.settings else default_folder()
    key = read_settings(given)["update_key"]
    if not key:
        raise BeckonError("no update_key in {path}: a board shows what it has learned only with "
                          "it; or fetch it over USB, with beckon deploy --pull alone",
                          path=given / "secrets.json")
    with RemoteDevice(broker_of(args, folder=given), name) as device, \
            progress("pulling") as step:  # fmt: skip

        def read(file, model=""):
            def show(done, size):
                step(f"{file} {done} of {size} bytes", 0)

            return read_file(device, key, file, model, show)

        model = read("model") or b""
        gestures = led_to(decode(model).model_id, lambda model: read("about", model),
                          lambda model: read("samples", model) or b"")  # fmt: skip
    return name, model, gestures
