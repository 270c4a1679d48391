"""The boot ROM of an ESP32 and esptool's flasher stub, as their serial protocol shows them.

    python -m host_tools.simulator.boot_rom FOLDER CHIP [FAULT]

It speaks on stdin and stdout and keeps the flash in FOLDER/flash. What is not SLIP (a
Ctrl-C of somebody who wants MicroPython) ends it with status 0. The protocol: "Serial
Protocol" of esptool's documentation. FAULT: "locked" (secure download mode), "bad flash" (a
bit that cannot be written), "dies" (it is unplugged while it is written).
"""

import hashlib
import struct
import sys
import zlib
from pathlib import Path

from host_tools.simulator.unix_board import RESET_STATUS

CHIPS = {  # the magic number in the ROM, or the id in the security info; SPI_W0_REG
    "esp32": (0x00F01D83, None, 0x3FF42080),
    "esp32c3": (None, 5, 0x60002058),
    "esp32h2": (None, 16, 0x60003058),
}
FLASH_ID = 0x1640C8  # GigaDevice, 4 MB
MAGIC_REGISTER = 0x40001000
(FLASH_DEFL_BEGIN, FLASH_DEFL_DATA, FLASH_DEFL_END, MEM_BEGIN, MEM_END, MEM_DATA, SYNC, WRITE_REG,
 READ_REG, SPI_SET_PARAMS, SPI_ATTACH, CHANGE_BAUD, MD5, SECURITY_INFO, ERASE_FLASH) = (
    0x10, 0x11, 0x12, 5, 6, 7, 8, 9, 10, 11, 13, 15, 0x13, 0x14, 0xD0)  # fmt: skip
UNSUPPORTED = b"\x01\x05"
DONE = b"\0\0"
SYNC_FRAME = b"\xc0\x00\x08\x24\x00"
"""How the first request begins with which esptool looks for a boot ROM."""


class Rom:
    """folder: what it keeps there is the file `flash`, and `log` with the requests' codes."""

    def __init__(self, folder: Path, chip: str, fault: str = ""):
        self._folder = folder
        self._magic, self._chip_id, self._w0 = CHIPS[chip]
        self._fault = fault
        self._flash = folder / "flash"
        self._unpacker = zlib.decompressobj()
        self._image = bytearray()
        self._offset = self._size = 0
        self._stub = False

    def run(self) -> int:
        """Answer until something else than a request comes; the exit status."""
        frame: bytearray | None = None
        while True:
            byte = sys.stdin.buffer.read(1)
            if not byte or (frame is None and byte != b"\xc0"):
                return 0
            if byte != b"\xc0":
                frame += byte  # type: ignore[operator]
            elif frame:
                request = bytes(frame).replace(b"\xdb\xdc", b"\xc0")
                self._answer(request.replace(b"\xdb\xdd", b"\xdb"))
                frame = None
            else:
                frame = bytearray()

    def _answer(self, request: bytes) -> None:
        direction, op, size = struct.unpack_from("<BBH", request)
        assert direction == 0 and len(request) == 8 + size
        with open(self._folder / "log", "a", encoding="utf-8") as log:
            log.write(f"{op:#x} ")
        value, data = self._carry_out(op, request[8:])
        data += b"" if self._stub else b"\0\0"
        response = struct.pack("<BBHI", 1, op, len(data), value) + data
        for _ in range(8 if op == SYNC else 1):
            self._send(response)
        if op == MEM_END:
            self._stub = True
            self._send(b"OHAI")

    def _carry_out(self, op: int, data: bytes) -> tuple[int, bytes]:
        """The response's value, and its data with the status."""
        if op == SYNC:
            return 0x20120707, DONE
        if op == READ_REG:
            (address,) = struct.unpack("<I", data)
            known = {MAGIC_REGISTER: self._magic or 0, self._w0: FLASH_ID}
            return known.get(address, 0), DONE
        if op == SECURITY_INFO:
            if self._chip_id is None:
                return 0, UNSUPPORTED
            flags = 4 if self._fault == "locked" else 0
            return 0, struct.pack("<IB7sII", flags, 0, bytes(7), self._chip_id, 0) + DONE
        if op == ERASE_FLASH:
            self._flash.write_bytes(b"\xff" * (4 << 20))
        elif op == FLASH_DEFL_BEGIN:
            self._size, _, _, self._offset = struct.unpack_from("<4I", data)
            self._unpacker, self._image = zlib.decompressobj(), bytearray()
        elif op == FLASH_DEFL_DATA:
            if self._fault == "dies":
                raise SystemExit(RESET_STATUS)
            (size,) = struct.unpack_from("<I", data)
            self._image += self._unpacker.decompress(data[16 : 16 + size])
            self._write()
        elif op == MD5:
            at, size = struct.unpack_from("<2I", data)
            return 0, hashlib.md5(self._flash.read_bytes()[at : at + size]).digest() + DONE
        elif op not in (WRITE_REG, SPI_SET_PARAMS, SPI_ATTACH, MEM_BEGIN, MEM_DATA, MEM_END,
                        CHANGE_BAUD, FLASH_DEFL_END):
            return 0, UNSUPPORTED
        return 0, DONE

    def _write(self) -> None:
        image = bytearray(self._image)
        if self._fault == "bad flash":
            image[100] ^= 1
        flash = bytearray(self._flash.read_bytes())
        flash[self._offset : self._offset + len(image)] = image
        self._flash.write_bytes(flash)

    def _send(self, data: bytes) -> None:
        escaped = data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        sys.stdout.buffer.write(b"\xc0" + escaped + b"\xc0")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(Rom(Path(sys.argv[1]), *sys.argv[2:]).run())
