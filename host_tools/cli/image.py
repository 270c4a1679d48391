"""Write the firmware as it lies on a board into a folder, ready to be copied there.

main.py, all other modules byte-compiled for the chip, umqtt.simple, and a model.
Settings (config.json) are yours to add.

example:
  beckon image build/board --chip esp32 --model my.mlp
  mpremote cp -r build/board/. :
"""

import shutil
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL

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
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="FILE",
                        help="becomes model.mlp")


def run(args):
    from host_tools.device.image import write_image
    from host_tools.model.format import read_model

    read_model(args.model)  # nothing is written for a model that the board would refuse
    if args.folder.exists() and not args.folder.is_dir():
        raise BeckonError(f"{args.folder} is a file; name a folder")
    args.folder.mkdir(parents=True, exist_ok=True)
    write_image(args.folder, _CHIPS[args.chip])
    shutil.copyfile(args.model, args.folder / "model.mlp")
    files = [path for path in args.folder.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1024:.0f} KiB "
          f"-> {args.folder}")
    return 0
