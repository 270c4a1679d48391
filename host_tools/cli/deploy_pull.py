"""`beckon deploy --pull`: what a board has learned itself, brought to the computer."""

import json
from pathlib import Path

from host_tools.cli.broker_options import broker_of
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.wording import counted


def pull(args):
    """Fetch model and repetitions of the device args.pull into args.out; the exit status."""
    from host_tools.device.settings import default_folder, read_settings
    from host_tools.files import write_atomically
    from host_tools.model.codec import decode
    from host_tools.mqtt.remote_device import RemoteDevice
    from host_tools.recording.learned import write_learned
    from host_tools.recording.writer import check_folder

    if args.port or args.mqtt or args.model:
        raise BeckonError("--pull takes no port, --mqtt or --model", status=2)
    given = args.settings if args.settings not in (None, Path()) else default_folder()
    key = read_settings(given)["update_key"]
    if not key:
        raise BeckonError("no update_key in {path}: a board shows what it has learned only with it",
                          path=given / "secrets.json")
    check_folder(args.out)
    with RemoteDevice(broker_of(args, folder=given), args.pull) as device, \
            progress("pulling") as step:  # fmt: skip
        about, model = (_read(device, key, name, step) for name in ("about", "model"))
        kept = json.loads(about).get("samples")
        samples = _read(device, key, "samples", step) if kept else b""
    found = decode(model)
    path = args.out / f"{args.pull}_{found.model_id}.mlp"
    recordings = write_learned(args.out, args.pull, about, samples) if kept else []
    write_atomically(path, model)
    if args.json:
        print(json.dumps({"device": args.pull, "model": found.model_id, "path": str(path),
                          "recordings": [str(p) for p in recordings]}))
    else:
        print(f"{path}: model {found.model_id} of {args.pull}, {', '.join(found.labels)}")
        print(f"{counted(len(recordings), 'recording')} in {args.out}; next: beckon train "
              f"{args.out} with your other recordings")
    return 0


def _read(device, key, name, step):
    from host_tools.mqtt.learning import read_file

    return read_file(device, key, name, lambda done, size: step(f"{name} {done} of {size} bytes", 0))
