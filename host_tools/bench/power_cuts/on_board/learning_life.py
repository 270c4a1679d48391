"""MicroPython side: one life of a board that learns gestures, from power-on on.

    micropython learning_life.py MODEL IMAGE OUT STEP...

IMAGE is the flash's content, made from the model file MODEL if it is not there; OUT gets what it
has in the end. A STEP is

    boot            what a start does with a trial
    confirm         the trial is over
    learn:LABEL     a gesture, as firmware/learning/learner.py writes it
    undo
    cut:N           the power goes with the Nth writing operation from here on
    fill:N          a file of yours leaves N blocks free

After each but the last two it says in a line of JSON what there is. The samples and the weights
are made up from the label.
"""

import binascii
import hashlib
import json
import os
import random
import sys
from array import array

import vfs
from flash import Flash, PowerCut
from learning.afterwards import undo
from learning.model_file import ModelFile
from learning.model_writer import write
from learning.record import commit, id_of, learned, path_of, tidy
from learning.samples import Samples

from ops.rollback import Rollback

PATH = "model.mlp"
_BLOCKS = 64
_SAMPLES = 400
_MANY = 4000  # of the gesture "long"


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def digest(data):
    return data and str(binascii.hexlify(hashlib.sha256(data).digest()), "utf-8")


def count_of(label):
    return _MANY if label == "long" else _SAMPLES


def row_of(label, i):
    return array("h", [len(label) * 100 + i, ord(label[0]), i * 3, 0, 0, i & 1])


def samples_of(label):
    return b"".join([bytes(row_of(label, i)) for i in range(count_of(label))])


def learn(label):
    """What Learner._run writes, in its order."""
    tidy(PATH)
    store = Samples(True)
    for i in range(count_of(label)):
        store.add(row_of(label, i))
    store.close()
    file = ModelFile(PATH)
    weights = bytes([128 + (i * len(label)) % 50 for i in range(file.width)])
    about = {"label": label, "takes": 3, "unusable": [], "samples": store.count,
             "before": id_of(PATH)}  # fmt: skip
    own = [bytes(file.row_bytes) for _ in range(6)]
    try:
        about["model"] = write(file, PATH + ".learn", label, -1, weights, 70, 80, own)
        commit(PATH, about, "s")
    except OSError as fault:
        tidy(PATH)
        return "refused: %s" % fault
    return "learned"


def look(said):
    """Says what there is: model, gesture, and whether all is whole."""
    model_id = id_of(PATH)
    about = learned(model_id)
    whole = True
    if about and about["samples"]:
        whole = read(path_of(model_id, "raw")) == samples_of(about["label"])
    kept = []
    try:
        ModelFile(PATH).examples(lambda packed, label: kept.append(label), lambda piece: None)
    except ValueError as fault:
        kept = str(fault)
    files = {}
    for folder in (".", "learned"):
        try:
            for entry in os.ilistdir(folder):
                if entry[1] == 0x8000 and entry[0] != "mine":
                    path = folder + "/" + entry[0]
                    files[path] = digest(read(path))
        except OSError:
            pass  # nothing was learned yet
    print(json.dumps({
        "said": said, "model": model_id, "sha256": digest(read(PATH)), "whole": whole,
        "label": about and about["label"], "samples": about and about["samples"],
        "classes": ModelFile(PATH).classes, "kept": len(kept), "files": files,
        "trial": Rollback(PATH).is_on(),
    }))  # fmt: skip


def fill(flash, blocks):
    """Leave so many blocks free."""
    with open("mine", "wb") as file:
        while os.statvfs("/f")[3] > blocks:
            file.write(b"x" * Flash.SIZE)
            file.flush()


def step(word, flash):
    word, _, argument = word.partition(":")
    if word == "boot":
        if Rollback(PATH).is_on():
            Rollback(PATH).boot()
        return "up"
    if word == "confirm":
        Rollback(PATH).confirm()
        return "confirmed"
    if word == "learn":
        return learn(argument)
    if word == "undo":
        try:
            return undo(PATH, id_of(PATH), lambda: None)["model"]
        except ValueError as fault:
            return "refused: %s" % fault
    if word == "cut":
        random.seed(int(argument))
        flash._left = int(argument)
    elif word == "fill":
        fill(flash, int(argument))
    return None


def live(model, image, out, steps):
    def save(memory):
        with open(out, "wb") as file:
            file.write(memory)

    memory = read(image)
    new = memory is None
    memory = bytearray(b"\xff" * (_BLOCKS * Flash.SIZE)) if new else bytearray(memory)
    flash = Flash(memory, 1 << 30, save)
    content = read(model)
    if new:
        vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/f")
    os.chdir("/f")
    if new:
        with open(PATH, "wb") as file:
            file.write(content)
    try:
        for word in steps:
            before = flash._left
            said = step(word, flash)
            if said is not None:
                left = flash._left
                look("%s, %d writes" % (said, before - left))
        save(memory)
    except PowerCut:
        print(json.dumps({"said": "cut"}))


live(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
