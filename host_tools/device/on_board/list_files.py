# Executed on the board by host_tools/device/deploy.py, which sets WHERE before:
# folders to look into, "" is the root. Prints one JSON line.
import binascii
import gc
import hashlib
import json
import os
import sys


def _digest(path, buf):
    sha = hashlib.sha256()
    view = memoryview(buf)
    with open(path, "rb") as file:
        while True:
            n = file.readinto(buf)
            if not n:
                return binascii.hexlify(sha.digest()).decode()
            sha.update(view[:n])


def _chip():
    try:
        from machine import unique_id
    except ImportError:
        return ""
    return binascii.hexlify(unique_id()).decode()


def _ap_key():
    """The password of the access point, as firmware/ops/config.py would find it."""
    key = ""
    for path in ("secrets.json", "config.json"):
        try:
            with open(path) as file:
                key = json.loads(file.read()).get("ap_key", key)
        except (OSError, ValueError, AttributeError):
            pass
    return key if isinstance(key, str) else ""


def _survey(where):
    files = {}
    folders = []
    buf = bytearray(1024)
    for folder in where:
        try:
            entries = list(os.ilistdir(folder or "."))
        except OSError:
            continue  # there is no such folder yet
        folders.append(folder)
        for entry in entries:
            if entry[1] == 0x8000:
                path = folder + "/" + entry[0] if folder else entry[0]
                files[path] = _digest(path, buf)
    flash = os.statvfs(".")
    gc.collect()
    impl = sys.implementation
    return {
        "files": files,
        "folders": folders,
        "version": impl[1][:3],
        "machine": getattr(impl, "_machine", sys.platform),
        "platform": sys.platform,
        "mpy": getattr(impl, "_mpy", 0),
        "block": flash[0],
        "free": flash[0] * flash[3],
        "size": flash[1] * flash[2],
        "chip": _chip(),
        "ap_key": _ap_key(),
        "heap_free": gc.mem_free() if hasattr(gc, "mem_free") else 0,
    }


print("survey " + json.dumps(_survey(WHERE)))  # noqa: F821
