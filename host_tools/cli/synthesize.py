"""Make data sets of synthetic gestures: circle, x and y, drawn by imaginary people.

The same seed gives the same samples.

examples, which made the folders under data/:
  beckon synthesize data/gestures --people 10 --each 5 --seed 1
  beckon synthesize data/demo --people 1 --each 3 --seed 101 --pause 0.9
"""

from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.wording import counted


def add_arguments(parser):
    parser.add_argument("folder", type=Path, help="data-set folder to make")
    parser.add_argument("--people", type=int, default=8, metavar="N",
                        help="people, one recording each")
    parser.add_argument("--each", type=int, default=6, metavar="N",
                        help="how often each person makes each gesture")
    parser.add_argument("--seed", type=int, default=1, metavar="N",
                        help="seed of all random choices")
    parser.add_argument("--pause", type=float, default=1.6, metavar="S",
                        help="seconds from one gesture to the next, on average")
    parser.add_argument("--force", action="store_true", help="replace existing files")


def run(args):
    from host_tools.simulator.synthesis.generate import generate, write_folder

    for name, value in (("--people", args.people), ("--each", args.each)):
        if not 1 <= value <= 1000:
            raise BeckonError(f"{name} {value}: name a number from 1 to 1000", status=2)
    if args.seed < 0:
        raise BeckonError(f"--seed {args.seed}: name a number from 0 on", status=2)
    if (args.folder / "labels.csv").exists() and not args.force:
        raise BeckonError(f"{args.folder} holds a data set; name another folder, or use --force")
    if not 0.2 <= args.pause <= 60:
        raise BeckonError(f"--pause {args.pause:g}: name seconds from 0.2 to 60", status=2)
    takes = generate(args.seed, args.people, args.each, args.pause)
    write_folder(takes, args.folder)
    spans = sum(len(take.spans) for take in takes)
    seconds = sum(len(take.values) for take in takes) / 100
    print(f"{counted(len(takes), 'recording')}, {counted(spans, 'gesture')}, "
          f"{seconds / 60:.1f} minutes -> {args.folder}")
    return 0
