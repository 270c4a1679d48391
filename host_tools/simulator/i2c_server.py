"""Serves the simulated board's bus transactions to simulated devices.

    server = I2CServer({(0, 0x68): sensor}, request_path, response_path)
    server.start()
    ...
    server.close()

A device has `read(register, n, now_us) -> bytes`, `write(register, data,
now_us)`, `advance(now_us)` and `next_data_ready_us(now_us) -> int or None`;
it raises OSError with an errno of the ESP32 for a fault on the bus. `now_us` is
the time up to which it has lived. Optional:
`int_level(now_us)`, `int_edges` (how often INT became active),
`lines(scl, sda, now_us) -> (scl, sda)` and `spi(data, select, now_us) -> bytes`.
"""
from __future__ import annotations

import os
import select
import stat
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any

from host_tools.simulator import wire

_request = struct.Struct(wire.REQUEST)
_response = struct.Struct(wire.RESPONSE)


class I2CServer(threading.Thread):
    """A thread that answers until `close()`, or until its peer has closed the pipes.

    devices: maps (bus id, address) to a device; (bus id, None) is one on SPI.
    request_path, response_path: named pipes, made when they are missing.
    error: what ended the thread, if it was neither of those two.
    """

    def __init__(
        self,
        devices: Mapping[tuple[int, int | None], Any],
        request_path: str | os.PathLike[str],
        response_path: str | os.PathLike[str],
    ) -> None:
        super().__init__(name="i2c-server", daemon=True)
        self.devices = dict(devices)
        self.lock = threading.Lock()
        """Held during a transaction: take it to look at a device from another thread."""
        self.transactions = 0
        # A board that boots again counts from 0, while the devices stayed powered.
        self._base_us = max((d.now_us for d in self.devices.values()), default=0)
        self.error: Exception | None = None
        self._pointers: dict[tuple[int, int], int] = {}
        self._fds: list[int] = []
        for path in (request_path, response_path):
            if not os.path.exists(path):
                os.mkfifo(path)
            elif not stat.S_ISFIFO(os.stat(path).st_mode):
                raise ValueError(f"{path} is not a named pipe")
        self._request_path = request_path
        self._response_path = response_path
        self._wake_read, self._wake_write = os.pipe()
        self._closing = False

    def close(self) -> None:
        """End the thread and wait for it; harmless when it has ended already."""
        self._closing = True
        try:
            os.write(self._wake_write, b"x")
        except OSError:
            pass
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        try:
            self._serve()
        except Exception as error:  # whatever it was: the host must learn of it
            self.error = error
        finally:
            for fd in (*self._fds, self._wake_read, self._wake_write):
                os.close(fd)
            self._fds.clear()

    def _serve(self) -> None:
        # Opened without waiting, so that close() works before a peer has come.
        requests = os.open(self._request_path, os.O_RDONLY | os.O_NONBLOCK)
        self._fds.append(requests)
        responses = self._open_responses()
        if responses is None:
            return
        os.set_blocking(responses, True)
        poller = select.poll()
        poller.register(requests, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        pending = b""
        while not self._closing:
            events = poller.poll(1000)
            if not any(fd == requests for fd, _ in events):
                continue
            try:
                got = os.read(requests, 65536)
            except BlockingIOError:
                continue
            if not got:
                return  # the peer closed its end
            pending += got
            while len(pending) >= wire.REQUEST_SIZE:
                op, bus, address, register, length, now_us = _request.unpack_from(pending)
                takes_data = op in (wire.OP_WRITE_MEM, wire.OP_WRITE, wire.OP_SPI)
                size = wire.REQUEST_SIZE + (length if takes_data else 0)
                if len(pending) < size:
                    break
                data = pending[wire.REQUEST_SIZE : size]
                pending = pending[size:]
                with self.lock:
                    answer = self._answer(op, bus, address, register, length, now_us, data)
                    self.transactions += 1
                try:
                    os.write(responses, answer)
                except BrokenPipeError:
                    return

    def _open_responses(self) -> int | None:
        while not self._closing:
            try:
                fd = os.open(self._response_path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # ENXIO: nobody reads yet
                time.sleep(0.002)
            else:
                self._fds.append(fd)
                return fd
        return None

    def _answer(
        self, op: int, bus: int, address: int, register: int, length: int, now_us: int, data: bytes
    ) -> bytes:
        now_us += self._base_us
        key = (bus, None) if op == wire.OP_SPI else (bus, address)
        device = self.devices.get(key)
        if op in (wire.OP_NEXT, wire.OP_LINES):  # these concern the bus, not an address
            device = next((d for (b, _), d in self.devices.items() if b == bus), None)
        status, out = 0, b""
        try:
            if device is None:
                if op == wire.OP_LINES:
                    out = bytes((register & 3,))  # nothing pulls the lines down
                elif op != wire.OP_NEXT:
                    status = wire.ENODEV
            else:
                out = self._transact(device, op, key, register, length, now_us, data)
        except OSError as error:
            status = error.errno or wire.ETIMEDOUT
        next_us: int | None = None
        level = edges = 0
        if device is not None:
            next_us = device.next_data_ready_us(now_us)
            level = getattr(device, "int_level", lambda _: 0)(now_us)
            edges = getattr(device, "int_edges", 0) & 0xFF
        ready = wire.NEVER if next_us is None else max(0, next_us - self._base_us)
        return _response.pack(status, len(out), level, edges, ready) + out

    def _transact(self, device, op, key, register, length, now_us, data) -> bytes:
        if op == wire.OP_READ_MEM:
            self._pointers[key] = register
            return device.read(register, length, now_us)
        if op == wire.OP_WRITE_MEM:
            self._pointers[key] = register
            device.write(register, data, now_us)
        elif op == wire.OP_PROBE:
            device.read(0, 0, now_us)
        elif op == wire.OP_READ:
            return device.read(self._pointers.get(key, 0), length, now_us)
        elif op == wire.OP_WRITE:
            if data:
                self._pointers[key] = data[0]
                device.write(data[0], data[1:], now_us)
            else:
                device.read(0, 0, now_us)
        elif op == wire.OP_NEXT:
            device.advance(now_us)
        elif op == wire.OP_LINES:
            scl, sda = device.lines(register & 1, register >> 1 & 1, now_us)
            return bytes((scl | sda << 1,))
        elif op == wire.OP_SPI:
            return device.spi(data, bool(register), now_us)
        else:
            raise ValueError(f"unknown op {op} in a request")
        return b""
