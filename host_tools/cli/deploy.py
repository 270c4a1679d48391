"""Copy firmware, model and settings to a board, only what changed, and check that it runs.

The firmware is byte-compiled for the board's chip. The board verifies every file by
SHA-256 before it uses it. If a deployment is interrupted, simply repeat it. Settings and
secrets are copied only with --settings. A board that has no password for its access point gets
one. Then the label is printed: the Wi-Fi name and the password that a phone needs. With --mqtt
it sends only a model, through the broker, to a board that has the same update_key.

examples:
  beckon deploy
  beckon deploy /dev/ttyUSB0 --model my.mlp --settings
  beckon deploy --mqtt beckon-kitchen --model my.mlp --broker mqtt://homeassistant.local
"""

import dataclasses
import json
import sys
from pathlib import Path

from host_tools.cli.broker_options import add_broker_arguments, broker_of
from host_tools.cli.json_output import add_json_argument
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL
from host_tools.wording import counted


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--model", type=Path, metavar="FILE",
                        help="becomes model.mlp; without it the board keeps its model, and a "
                             "board without one gets the default model")
    parser.add_argument("--settings", nargs="?", type=Path, const=Path(), metavar="FOLDER",
                        help="also copy config.json, secrets.json and the files for TLS that they "
                             "name, from FOLDER or from where beckon setup wrote them")
    parser.add_argument("--mqtt", metavar="DEVICE",
                        help="send --model to this device through the broker instead")
    parser.add_argument("--pull", nargs="?", const="", metavar="DEVICE",
                        help="fetch what the board has learned itself: its model, and the "
                             "repetitions as recordings; over its serial port, or through the "
                             "broker from DEVICE")
    parser.add_argument("--out", type=Path, default=Path("learned"), metavar="FOLDER",
                        help="with --pull: data folder that gets them (default: learned)")
    parser.add_argument("--label", action="store_true",
                        help="print the label of the access point again")
    add_broker_arguments(parser, "with --mqtt: ")
    add_json_argument(parser)


def run(args):
    if args.pull is not None:
        from host_tools.cli.deploy_pull import pull

        return pull(args)
    if args.mqtt:
        return _over_mqtt(args)
    from host_tools.device.deploy import deploy, firmware_files
    from host_tools.device.label import label_for
    from host_tools.device.ports import find_port
    from host_tools.device.pretend import is_pretend

    if args.port and args.port.endswith(".mlp"):
        raise BeckonError(f"{args.port} is a model, not a port; write --model {args.port}", 2)
    model = _model(args.model) if args.model else None
    settings = _settings(args)
    port = find_port(args.port)
    label = None

    def extra(survey):
        nonlocal label
        files = dict(settings)
        if not is_pretend(port):  # nothing of it is in the air
            label, secret = label_for(survey, settings)
            files.update(secret)
        if model is not None:
            files["model.mlp"] = model
        elif "model.mlp" not in survey.files:
            files["model.mlp"] = DEFAULT_MODEL.read_bytes()
        return files

    with _steps() as on_step:
        try:
            report = deploy(port, firmware_files, extra, on_step=on_step)
        except BeckonError:
            if label and label.is_new:
                print("beckon deploy: the access point has a new password; see it with "
                      "beckon deploy --label", file=sys.stderr)
            raise
    shown = label if label and (label.is_new or args.label) else None
    if args.json:
        access_point = shown and {"ssid": shown.ssid, "key": shown.key, "uri": shown.uri}
        print(json.dumps({**dataclasses.asdict(report), "access_point": access_point}))
    else:
        print(f"{report.machine}, MicroPython {report.version}, on {report.port}")
        print(f"{counted(len(report.copied), 'file')} copied "
              f"({report.bytes_copied / 1024:.0f} KiB), {report.unchanged} unchanged, "
              f"{len(report.removed)} removed")
        print(report.sign)
        if report.sensor:
            print(report.sensor)
        if shown:
            shown.write(sys.stdout)
    if args.label and not shown:
        print("beckon deploy: the board has no access point; beckon deploy --settings gives it "
              "one", file=sys.stderr)
    if report.warning:
        print(report.warning, file=sys.stderr)
    return 0


def _model(path):
    from host_tools.model.golden import read_model

    read_model(path)  # send nothing that the board would refuse
    return path.read_bytes()


def _settings(args):
    from host_tools.device.settings import (
        check_together,
        default_folder,
        read_settings,
        settings_files,
    )
    from host_tools.model.golden import read_model

    if args.settings is None:
        return {}
    folder = args.settings if args.settings != Path() else default_folder()
    files = settings_files(folder)
    if args.model:
        check_together(read_settings(folder), read_model(args.model))
    return files


def _steps():
    """A context manager that gives on_step(what, done, total) and shows it."""
    from contextlib import contextmanager

    @contextmanager
    def shown():
        with progress("deploying", total=100) as step:
            at = 0

            def on_step(what, done, total):
                nonlocal at
                percent = int(100 * done / total) if total else at
                step(what, max(0, percent - at))
                at = max(at, percent)

            yield on_step

    return shown()


def _over_mqtt(args):
    from host_tools.device.settings import default_folder, read_settings
    from host_tools.mqtt.remote_device import RemoteDevice
    from host_tools.mqtt.sensor_state import sensor_trouble

    if args.port:
        raise BeckonError("name a port or --mqtt, not both", status=2)
    if not args.model:
        raise BeckonError("--mqtt sends a model: name it with --model", status=2)
    model = _model(args.model)
    given = args.settings if args.settings not in (None, Path()) else default_folder()
    settings = read_settings(given)
    key = settings["update_key"]
    if not key:
        raise BeckonError(f"no update_key in {given / 'secrets.json'}: a board accepts a model "
                          "only with it; beckon setup makes one")
    if not args.broker and not settings["broker_host"]:
        raise BeckonError("name the broker with --broker", status=2)
    broker = broker_of(args, folder=given)
    with RemoteDevice(broker, args.mqtt) as device, progress("sending", total=len(model)) as step:
        sent = 0

        def on_progress(n):
            nonlocal sent
            step("", n - sent)
            sent = n

        model_id = device.send_model(model, key, on_progress)
        trouble = sensor_trouble(device.state)
    if args.json:
        print(json.dumps({"device": args.mqtt, "model": model_id, "bytes_copied": len(model)}))
    else:
        print(f"{args.mqtt} runs on model {model_id}")
    if trouble:
        print(f"beckon deploy: {args.mqtt} has {trouble}", file=sys.stderr)
        return 1
    return 0
