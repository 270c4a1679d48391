"""Where the repository's own files lie."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FIRMWARE = REPOSITORY / "firmware"
DATA = REPOSITORY / "data"
DEFAULT_MODEL = DATA / "model.mlp"
DEMO = DATA / "demo"
BACKGROUND = DATA / "background.npz"  # everyday movement, see host_tools/augment/background.py
