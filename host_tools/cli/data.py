"""Show recordings, check them, and convert between formats.

examples:
  beckon data show data/gestures --out look.html       signals, counts, findings
  beckon data check data/gestures                      findings only, on the terminal
  beckon data errors data/gestures                     labels that are probably wrong
  beckon data augment data/gestures --out kinds.html   each augmentation, before and after
  beckon data import exports/ --dry-run                what other files hold
  beckon data import exports/ --out my-gestures        a data set made from them
  beckon data cut my-gestures                          long spans of a repeated gesture to takes
  beckon data fetch wisdm-watch --out wisdm            a public set, with licence and hash
  beckon data background EVERYDAY --out life.npz       a generator of everyday movement
  beckon data export data/gestures --format edge-impulse --hmac-key key.txt --out upload
"""

import argparse
import importlib

# Each action is a file of this folder with add_parser(actions), which declares its options
# and sets perform=function(args) -> status.
_ACTIONS = (
    "show", "check", "errors", "augment", "import", "cut", "fetch", "background", "export",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in _ACTIONS:
        importlib.import_module(f"host_tools.cli.data_{name}").add_parser(actions)


def run(args: argparse.Namespace) -> int:
    return args.perform(args)
