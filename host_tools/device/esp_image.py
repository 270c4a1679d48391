"""What is in a MicroPython image for an ESP32: which chip, whole or not. Pure.

The file holds bootloader, partition table and application, as they lie in flash from the
chip's boot offset on. Formats: ESP-IDF Programming Guide, "App Image Format" and "Partition
Tables"; the chip ids are those of ESP-IDF's esp_app_format.h.
"""

import hashlib
import struct
from dataclasses import dataclass

from host_tools.errors import BeckonError

_MAGIC = 0xE9
_HEADER = struct.Struct("<BBBBIB3sHB2s2s4sB")  # 24 bytes, the last one: SHA-256 appended
_CHECKSUM_SEED = 0xEF
_TABLE_AT = 0x8000
_ENTRY = struct.Struct("<2sBBII16sI")
_ENTRY_MAGIC = b"\xaa\x50"
_APP = 0
_DATA = 1
_MOST_SEGMENTS = 16


@dataclass(frozen=True)
class Chip:
    """name: as esptool's --chip wants it; board: as micropython.org calls it; offset: where
    the boot ROM looks for the bootloader."""

    name: str
    title: str
    board: str
    chip_id: int
    offset: int


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("esp32", "ESP32", "ESP32_GENERIC", 0, 0x1000),
        Chip("esp32s2", "ESP32-S2", "ESP32_GENERIC_S2", 2, 0x1000),
        Chip("esp32s3", "ESP32-S3", "ESP32_GENERIC_S3", 9, 0),
        Chip("esp32c3", "ESP32-C3", "ESP32_GENERIC_C3", 5, 0),
        Chip("esp32c6", "ESP32-C6", "ESP32_GENERIC_C6", 13, 0),
    )
}


def check_image(name: str, data: bytes, chip: Chip) -> None:
    """Raises BeckonError that begins with name unless data is a sound MicroPython image for chip.

    Sound: the checksums and SHA-256 of bootloader and application are right, the partition
    table has an application and a file system.
    """
    if len(data) < 0x10000 or data[0] != _MAGIC:
        kind = "a UF2 file, take the .bin" if data[:4] == b"UF2\n" else "no ESP32 image"
        raise BeckonError(f"{name} is {kind}")
    found = image_chip(data)
    if found is not chip:
        of = found.title if found else f"a chip with id {struct.unpack_from('<H', data, 12)[0]}"
        raise BeckonError(f"{name} is for {of}, the board has an {chip.title}; take the image "
                          f"{chip.board}")
    _check_part(name, "bootloader", data, 0)
    apps = [start for kind, start, _ in partitions(name, data, chip) if kind == _APP]
    if not apps:
        raise BeckonError(f"{name} has no application in its partition table")
    app = apps[0] - chip.offset
    _check_part(name, "application", data, app)
    if b"MicroPython" not in data[app:]:
        raise BeckonError(f"{name} is another program's image, not MicroPython's")
    labels = [label for kind, _, label in partitions(name, data, chip) if kind == _DATA]
    if not {"vfs", "ffat"} & set(labels):
        raise BeckonError(f"{name} has no partition for files; take {chip.board}")


def image_chip(data: bytes) -> Chip | None:
    """The chip that an image is for, None if it is none of CHIPS."""
    (chip_id,) = struct.unpack_from("<H", data, 12)
    return next((chip for chip in CHIPS.values() if chip.chip_id == chip_id), None)


def partitions(name: str, data: bytes, chip: Chip) -> list[tuple[int, int, str]]:
    """(type, offset in flash, label) of each entry. Raises BeckonError if there is no table."""
    found = []
    at = _TABLE_AT - chip.offset
    while data[at : at + 2] == _ENTRY_MAGIC and at + _ENTRY.size <= len(data):
        _, kind, _, offset, _, label, _ = _ENTRY.unpack_from(data, at)
        found.append((kind, offset, label.rstrip(b"\0").decode(errors="replace")))
        at += _ENTRY.size
    if not found:
        raise BeckonError(f"{name} has no partition table: it is an update, not a whole image; "
                          f"take {chip.board}-...bin")
    return found


def _check_part(name: str, what: str, data: bytes, at: int) -> None:
    """The image of a bootloader or an application that begins at `at`."""
    damaged = BeckonError(f"{name} is damaged ({what}); fetch it again")
    try:
        header = _HEADER.unpack_from(data, at)
        segments, hashed = header[1], header[-1]
        if header[0] != _MAGIC or not 0 < segments <= _MOST_SEGMENTS:
            raise damaged
        end = at + _HEADER.size
        checksum = _CHECKSUM_SEED
        for _ in range(segments):
            _, size = struct.unpack_from("<II", data, end)
            end += 8
            if end + size > len(data):
                raise damaged
            for byte in data[end : end + size]:
                checksum ^= byte
            end += size
        end += 16 - (end - at) % 16  # padded so that the checksum is the last of 16 bytes
        if data[end - 1] != checksum:
            raise damaged
        if hashed == 1 and data[end : end + 32] != hashlib.sha256(data[at:end]).digest():
            raise damaged
    except (struct.error, IndexError):
        raise damaged from None
