# Executed on the board by host_tools/device/deploy.py, which sets before:
#   STAGE   folder with the new files
#   MOVES   [name in STAGE, path, SHA-256] of each; main.py is the last
#   REMOVE  paths that must go
#   HOLD    name in STAGE under which main.py waits meanwhile, or "" if it is replaced
# A loss of power between any two steps leaves a board that starts with what it had, or
# one without main.py, which waits at its REPL for the next deploy.
import binascii
import hashlib
import os


def _digest(path):
    sha = hashlib.sha256()
    buf = bytearray(1024)
    view = memoryview(buf)
    with open(path, "rb") as file:
        while True:
            n = file.readinto(buf)
            if not n:
                return binascii.hexlify(sha.digest()).decode()
            sha.update(view[:n])


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it is not there


def _make_folder(path):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it is there
        at = path.find("/", at + 1)


def _settle(stage, moves, remove, hold):
    for name, path, sha in moves:
        if name != hold and _digest(stage + "/" + name) != sha:
            _remove(stage + "/" + name)
            print("damaged " + path)
            return
    if hold:
        os.rename("main.py", stage + "/" + hold)
    else:
        _remove("main.py")
    for path in remove:
        _remove(path)
    for name, path, _ in moves:
        _make_folder(path)
        os.rename(stage + "/" + name, path)
    for entry in list(os.ilistdir(stage)):
        _remove(stage + "/" + entry[0])
    os.rmdir(stage)
    if hasattr(os, "sync"):
        os.sync()
    print("settled")


_settle(STAGE, MOVES, REMOVE, HOLD)  # noqa: F821
