"""What is known of a gesture that this board has learned."""

import json

from ops.files import LEARNED

SAMPLES = "learned.raw"


def learned(model_id):
    """The dict in learned.json if it is about this model, else None."""
    try:
        with open(LEARNED) as file:
            about = json.load(file)
        return about if about["model"] == model_id else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def state_of(model_id):
    """What `state` says of it after a restart, or None."""
    about = learned(model_id)
    return about and {
        "phase": "in use",
        "label": about["label"],
        "reason": "",
        "good": about["takes"],
        "takes": about["takes"],
        "unusable": about["unusable"],
    }
