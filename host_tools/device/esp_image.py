"""What is in a MicroPython image for an ESP32: which chip, whole or not.

The file holds bootloader, partition table and application, as they lie in flash from the
chip's boot offset on. esptool knows the chips and reads bootloader and application; the
partition table's format is in the ESP-IDF Programming Guide, "Partition Tables".
"""

import struct
from dataclasses import dataclass

from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS
from esptool.util import FatalError

from host_tools.device.esptool_log import listening
from host_tools.errors import BeckonError

_MAGIC = 0xE9
_CHIP_ID_AT = 12  # in the header of an image, 16 bits
_TABLE_AT = 0x8000
_ENTRY = struct.Struct("<2sBBII16sI")
_ENTRY_MAGIC = b"\xaa\x50"
_APP = 0
_DATA = 1


@dataclass(frozen=True)
class Chip:
    """A chip for which micropython.org has an image. name: as esptool's CHIP_DEFS calls it;
    board: as micropython.org does; offset: where the boot ROM looks for the bootloader."""

    name: str
    board: str

    @property
    def title(self) -> str:
        return CHIP_DEFS[self.name].CHIP_NAME

    @property
    def chip_id(self) -> int:
        return CHIP_DEFS[self.name].IMAGE_CHIP_ID

    @property
    def offset(self) -> int:
        return CHIP_DEFS[self.name].BOOTLOADER_FLASH_OFFSET


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("esp32", "ESP32_GENERIC"),
        Chip("esp32s2", "ESP32_GENERIC_S2"),
        Chip("esp32s3", "ESP32_GENERIC_S3"),
        Chip("esp32c3", "ESP32_GENERIC_C3"),
        Chip("esp32c6", "ESP32_GENERIC_C6"),
    )
}


def check_image(name: str, data: bytes, chip: Chip) -> None:
    """Raises BeckonError that begins with name unless data is a sound MicroPython image for chip.

    Sound: the checksums and SHA-256 of bootloader and application are right, the partition
    table has an application and a file system.
    """
    if len(data) < 0x10000 or data[0] != _MAGIC:
        kind = "a UF2 file, take the .bin" if data[:4] == b"UF2\n" else "not an ESP32 image"
        raise BeckonError(f"{name} is {kind}")
    found = image_chip(data)
    if found is not chip:
        of = found.title if found else f"a chip with id {_chip_id(data)}"
        raise BeckonError(f"{name} is for {of}, the board has an {chip.title}; take the image "
                          f"{chip.board}")
    _check_part(name, "bootloader", data, chip)
    apps = [start for kind, start, _ in partitions(name, data, chip) if kind == _APP]
    if not apps:
        raise BeckonError(f"{name} has no application in its partition table")
    app = apps[0] - chip.offset
    _check_part(name, "application", data[app:], chip)
    if b"MicroPython" not in data[app:]:
        raise BeckonError(f"{name} is another program's image, not MicroPython's")
    labels = [label for kind, _, label in partitions(name, data, chip) if kind == _DATA]
    if not {"vfs", "ffat"} & set(labels):
        raise BeckonError(f"{name} has no partition for files; take {chip.board}")


def image_chip(data: bytes) -> Chip | None:
    """The chip that an image is for, None if it is none of CHIPS."""
    return next((chip for chip in CHIPS.values() if chip.chip_id == _chip_id(data)), None)


def _chip_id(data: bytes) -> int:
    return struct.unpack_from("<H", data, _CHIP_ID_AT)[0]


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


def _check_part(name: str, what: str, data: bytes, chip: Chip) -> None:
    """data: a bootloader or an application, and whatever comes after it in the file."""
    try:
        with listening():
            part = LoadFirmwareImage(chip.name, data)
            sound = part.checksum == part.calculate_checksum() and (
                not part.append_digest or part.stored_digest == part.calc_digest
            )
    # It raises what reading happens to meet
    except (FatalError, RuntimeError, struct.error, IndexError, TypeError, ValueError):
        sound = False
    if not sound:
        raise BeckonError(f"{name} is damaged ({what}); fetch it again")
