"""Write the firmware into a folder, as a board holds it, ready to be copied.

The folder gets main.py, all other modules byte-compiled for the chip, umqtt.simple, and
a model. Add your own settings (config.json).

example:
  beckon image build/board --chip esp32 --model my.mlp
  mpremote cp -r build/board/. :
"""

import json
import shutil
from pathlib import Path

from host_tools.cli.json_output import add_json_argument
from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL
from host_tools.wording import counted

_CHIPS = {
    "esp32": "xtensawin",
    "esp32s2": "xtensawin",
    "esp32s3": "xtensawin",
    "esp32c3": "rv32imc",
    "esp32c6": "rv32imc",
}


def add_arguments(parser):
    parser.add_argument("folder", type=Path, help="folder to make or to fill")
    parser.add_argument("--chip", choices=sorted(_CHIPS), default="esp32", help="the board's chip")
    parser.add_argument("--model", type=Path, metavar="FILE",
                        help="becomes model.mlp; without it the default model")
    add_json_argument(parser)


def run(args):
    from host_tools.device.image import write_image
    from host_tools.model.golden import read_model

    model = args.model or DEFAULT_MODEL
    read_model(model)  # write nothing for a model that the board would refuse
    if args.folder.exists() and not args.folder.is_dir():
        raise BeckonError(f"{args.folder} is a file; name a folder")
    args.folder.mkdir(parents=True, exist_ok=True)
    write_image(args.folder, _CHIPS[args.chip])
    shutil.copyfile(model, args.folder / "model.mlp")
    files = [path for path in args.folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if args.json:
        print(json.dumps({"folder": str(args.folder), "chip": args.chip, "files": len(files),
                          "bytes": size}))  # fmt: skip
    else:
        print(f"{counted(len(files), 'file')}, {size / 1024:.0f} KiB -> {args.folder}")
    return 0
