"""What is done with a gesture after it was learned: taken back, or read from elsewhere."""

import binascii

from learning.record import SAMPLES, learned
from micropython import const

from ops.files import LEARNED, exists, remove
from ops.rollback import Rollback

_PIECE = const(768)


def undo(path, model_id, check, needs):
    """Put the model from before in the place of `path`, on trial; {"model": its id}.

    check: raises ValueError for who may not. needs: see Rollback. Raises ValueError.
    """
    about = learned(model_id)
    if not about or not exists(path + ".old"):
        raise ValueError("nothing is there that could be undone")
    with open(path + ".old", "rb") as file:
        head = file.read(12)
    if "%02x%02x%02x%02x" % (head[11], head[10], head[9], head[8]) != about["before"]:
        raise ValueError("the model from before is not there any more")
    check()
    rollback = Rollback(path)
    if rollback.is_on():
        rollback.revert()
    else:
        with open(path + ".old", "rb") as reader, open(path + ".learn", "wb") as writer:
            data = reader.read(256)
            while data:
                writer.write(data)
                data = reader.read(256)
        rollback.replace(path + ".learn", needs)
    remove(LEARNED)
    remove(SAMPLES)
    return {"model": about["before"]}


def read(path, arguments, check):
    """A piece of a file: the model, what is known of the repetitions, their samples.

    check: called with what must be signed. Raises ValueError.
    """
    files = {"model": path, "about": LEARNED, "samples": SAMPLES}
    name = files.get(arguments.get("file"))  # type: ignore[call-overload]
    offset = arguments.get("offset")
    if not name or isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise ValueError("file must be model, about or samples, and offset a whole number")
    check("read %s %d" % (arguments["file"], offset))
    if not exists(name):
        raise ValueError("the board has kept none")
    with open(name, "rb") as file:
        size = file.seek(0, 2)
        file.seek(min(offset, size))
        data = file.read(_PIECE)
    return {"size": size, "data": str(binascii.b2a_base64(data)[:-1], "utf-8")}
