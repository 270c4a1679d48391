"""MicroPython side: one life of a board, from power-on to the loss of power.

    micropython life.py IMAGE SEED NEXT

IMAGE is the flash's content, NEXT the first number not used yet. Says, a line each:
`found 3 4 5 ...` what waits in the spool after power-on, `damaged N`, then `append N`
or `pop N` before and `done` after each step.
"""

import random
import sys

import vfs
from flash import Flash, PowerCut

from events.record_log import RecordLog

_BLOCKS = 48


def record(number):
    return b"%d " % number + b"." * (20 + number % 90)


def spool():
    return RecordLog("/f/spool", segment_bytes=1024, segments=16)


def waiting():
    """All that waits, without taking it: what pop() keeps in RAM ends with this RecordLog."""
    found = []
    reader = spool()
    reader._unlink = lambda number: None
    while True:
        data = reader.peek()
        if data is None:
            break
        number = int(data.split(b" ")[0])
        found.append(number if data == record(number) else -1)
        reader.pop()
    return found, reader.damaged


def live(image, seed, number):
    random.seed(seed)

    def save(memory):
        with open(image, "wb") as file:
            file.write(memory)

    try:
        with open(image, "rb") as file:
            memory = bytearray(file.read())
        new = False
    except OSError:
        memory = bytearray(b"\xff" * (_BLOCKS * Flash.SIZE))
        new = True
    flash = Flash(memory, 1 << 30 if new else 1 + random.getrandbits(7), save)
    if new:
        vfs.VfsLfs2.mkfs(flash)
        flash._left = 1 + random.getrandbits(7)
    vfs.mount(vfs.VfsLfs2(flash), "/f")
    try:
        found, damaged = waiting()
        print("found", *found)
        print("damaged", damaged)
        use(spool(), found, number)
    except PowerCut:
        pass


def use(here, found, number):
    while True:
        if found and (len(found) > 40 or random.getrandbits(2) == 0):
            print("pop", found.pop(0))
            here.peek()
            here.pop()
        else:
            print("append", number)
            here.append(record(number))
            found.append(number)
            number += 1
        print("done")


live(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
