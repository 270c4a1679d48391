"""What is known of the gestures that this board has learned. Pure.

    learned/MODEL.json      of the gesture that led to the model with this id
    learned/MODEL.raw       its samples, if flash had room for them
    learned/new.*           what is being learned
    learned/again.json      what is to be learned after a restart

Only the model's own rename decides which one counts. So a loss of power leaves either model
with what belongs to it, and files that tidy() removes.
"""

import json
import os

from micropython import const

from ops.files import LEARNED, remove
from ops.rollback import Rollback

_ID = const(8)  # bytes of a model in front of its id
NEW = "new"
_AGAIN = "again"


def path_of(model_id, kind):
    """The file of a model; kind: "json" or "raw"."""
    return "%s/%s.%s" % (LEARNED, model_id, kind)


def id_of(path):
    """The id of the model in a file, or ""."""
    try:
        with open(path, "rb") as file:
            head = file.read(_ID + 4)[_ID:]
    except OSError:
        return ""
    return "".join(["%02x" % byte for byte in reversed(head)])


def learned(model_id):
    """What is known of the gesture that led to this model, a dict, or None."""
    try:
        with open(path_of(model_id, "json")) as file:
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


def ask_again(label, takes, source):
    """Have the next start learn this gesture. Raises OSError."""
    make_folder()
    with open(path_of(_AGAIN, "json"), "w") as file:
        json.dump([label, takes, source], file)


def asked(path):
    """What ask_again() got, once; or None. What a learning left that was cut off goes."""
    try:
        with open(path_of(_AGAIN, "json")) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
    finally:
        tidy(path)  # it belongs to no model, so it goes, too


def tidy(path):
    """Remove what a learning left that came to no end, and what belongs to no model that led to
    the one in `path`."""
    remove(path + ".learn")
    keep = []
    model_id = id_of(path)
    while model_id and model_id not in keep:
        keep.append(model_id)
        about = learned(model_id)
        model_id = about["before"] if about else ""
    try:
        names = os.listdir(LEARNED)
    except OSError:
        return
    for name in names:
        if name.split(".")[0] not in keep:
            remove(LEARNED + "/" + name)


def commit(path, about, needs):
    """Put the model PATH.learn in the place of `path`, on trial, with what is known of it.

    needs: see Rollback. Raises OSError; tidy() then leaves all as it was.
    """
    model_id = about["model"]
    make_folder()
    if about["samples"]:
        os.rename(path_of(NEW, "raw"), path_of(model_id, "raw"))
    with open(path_of(NEW, "json"), "w") as file:
        json.dump(about, file)
    os.rename(path_of(NEW, "json"), path_of(model_id, "json"))
    Rollback(path).replace(path + ".learn", needs)


def make_folder():
    try:
        os.mkdir(LEARNED)
    except OSError:
        pass  # it is there
