"""Where the files lie that the commands read besides code.

In a checkout they are at its top. A wheel holds them in host_tools/share, in the same
order (see pyproject.toml).
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHARE = _PACKAGE / "share"
REPOSITORY = _SHARE if _SHARE.is_dir() else _PACKAGE.parent
IS_CHECKOUT = REPOSITORY != _SHARE
FIRMWARE = REPOSITORY / "firmware"
DATA = REPOSITORY / "data"
DOCS = REPOSITORY / "docs"
BENCH = REPOSITORY / "bench"
DEFAULT_MODEL = DATA / "model.mlp"
DEMO = DATA / "demo"
BACKGROUND = DATA / "background.npz"  # everyday movement, see host_tools/augment/background.py
