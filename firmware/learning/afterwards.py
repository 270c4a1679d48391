"""What is done with a gesture after it was learned: taken back, or read from elsewhere."""

import binascii
import os

from learning.record import id_of, learned, path_of, tidy
from micropython import const

from ops.rollback import Rollback

_PIECE = const(768)


def undo(path, model_id, check):
    """Put the model from before in the place of `path`; {"model": its id}.

    It has proved itself before, so it goes on no trial. check: raises ValueError for anyone who
    must not. Raises ValueError.
    """
    about = learned(model_id)
    if not about:
        raise ValueError("nothing is there that could be undone")
    if id_of(path + ".old") != about["before"]:
        raise ValueError("the model from before %r is not kept any more" % about["label"])
    check()
    rollback = Rollback(path)
    if rollback.is_on():
        rollback.revert()
    else:
        os.rename(path + ".old", path)
    tidy(path)
    return {"model": about["before"]}


def _is_id(text):
    if not isinstance(text, str) or len(text) != 8:
        return False
    return all("0" <= character <= "9" or "a" <= character <= "f" for character in text)


def read(path, arguments, check):
    """A piece of a file: the model, or what is known of a gesture's repetitions (`about`), or
    their samples. `model`: the id of the one that it led to, if not that of the model in use.

    check: called with what must be signed. Raises ValueError.
    """
    kind = {"model": "", "about": "json", "samples": "raw"}.get(arguments.get("file"))
    offset = arguments.get("offset")
    if kind is None or isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise ValueError("file must be model, about or samples, and offset a whole number")
    text = "read %s %d" % (arguments["file"], offset)
    model_id = arguments.get("model")
    if model_id is None:
        model_id = id_of(path)
    elif not _is_id(model_id):
        raise ValueError("model must be the id of a model, 8 hexadecimal digits")
    else:
        text += " " + model_id
    check(text)
    try:
        with open(path_of(model_id, kind) if kind else path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(min(offset, size))
            data = file.read(_PIECE)
    except OSError:
        raise ValueError("the board has kept none")
    return {"size": size, "data": str(binascii.b2a_base64(data)[:-1], "utf-8")}
