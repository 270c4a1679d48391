"""The board's Bluetooth LE: one advertisement, one GATT server, the connections.

Events of the stack come in a thread of its own with a small C stack. So the handler only
notes them, and run() does the work.
"""

import asyncio
from time import ticks_ms

import bluetooth
from micropython import const
from radio.bthome import advertisement, element

_CONNECT = const(1)
_DISCONNECT = const(2)
_WRITE = const(3)
_ENCRYPTION = const(28)
_GET_SECRET = const(29)
_SET_SECRET = const(30)

_UUID16 = const(0x03)  # types of AD elements: all services of 16 bits, and of 128
_UUID128 = const(0x07)
_APPEARANCE = const(0x19)
_JUST_WORKS = const(3)  # neither display nor keys

_TICK_MS = const(20)
_URGENT_US = const(100_000)  # between two advertisements: the least that all controllers allow
_CALM_US = const(1_000_000)
_OPEN_US = const(250_000)  # while somebody may connect
_RETRY_MS = const(2000)  # after the stack has refused to advertise
_CONNECTIONS = const(3)  # MicroPython's NimBLE takes 4: the last one stays free for a moment
_WRITES = const(8)  # that wait


class Stack:
    """name: what others see. beacon: Beacon, gatt: Gatt, hid: Hid with bonds: Bonds, or None
    for what is not wanted."""

    def __init__(self, name, beacon=None, gatt=None, hid=None, bonds=None):
        self._name = name
        self._beacon = beacon
        self._gatt = gatt
        self._hid = hid
        self._bonds = bonds
        self._ble = bluetooth.BLE()
        self._connected = []
        self._notes = []  # of the handler, for run()
        self._joins = self._lost = self._faults = self._turns = 0
        self._is_due = True  # whether to advertise again
        self.is_up = False
        """Whether the stack advertises what it should."""

    def start(self):
        """Switch Bluetooth on. Raises OSError, MemoryError."""
        ble = self._ble
        ble.active(True)
        ble.config(gap_name=self._name)
        if self._hid:
            ble.config(bond=True, mitm=False, le_secure=True, io=_JUST_WORKS)
        ble.irq(self._handle)
        uuid = bluetooth.UUID
        services = []
        if self._gatt:
            services.append(self._gatt.definition(uuid))
        if self._hid:
            services.extend(self._hid.definitions(uuid))
        if services:
            handles = list(ble.gatts_register_services(services))
            if self._gatt:
                self._gatt.bind(ble, handles.pop(0))
            if self._hid:
                self._hid.bind(ble, handles)

    def parts(self):
        """The outputs, those with post()."""
        return [one for one in (self._beacon, self._gatt, self._hid) if one]

    async def run(self):
        """Do what is due, forever."""
        while True:
            self._turns += 1
            now = ticks_ms()
            while self._notes:
                self._note(*self._notes.pop(0))
            if self._gatt:
                self._gatt.step()
            if self._hid:
                self._hid.step(now)
                if self._bonds.changed:
                    self._save()
            try:
                if self._beacon and self._beacon.step(now):
                    self._is_due = True
                if self._is_due:
                    self._advertise()
            except OSError:
                self._faults += 1
                self.is_up = False
                await asyncio.sleep_ms(_RETRY_MS)
            await asyncio.sleep_ms(_TICK_MS)

    def progress(self):
        return self._turns

    def counters(self, into):
        into["ble_connects"] = self._joins
        into["ble_connected"] = len(self._connected)
        into["ble_lost"] = self._lost
        into["ble_faults"] = self._faults
        for part in self.parts():
            part.counters(into)

    def _handle(self, event, data):
        """Called by the stack; what data holds is its own, and gone afterwards."""
        if event == _GET_SECRET:
            kind, index, key = data
            return self._bonds.get(kind, index, key and bytes(key)) if self._bonds else None
        if event == _SET_SECRET:
            kind, key, value = data
            value = None if value is None else bytes(value)
            return bool(self._bonds and self._bonds.put(kind, bytes(key), value))
        if event == _WRITE:
            connection, handle = data
            if len(self._notes) >= _WRITES:  # connections must not be lost for it
                self._lost += 1
                return None
            value = self._ble.gatts_read(handle)
            self._notes.append((event, connection, handle, value))
        elif event == _ENCRYPTION:
            self._notes.append((event, data[0], data[1], None))
        elif event == _CONNECT or event == _DISCONNECT:
            self._notes.append((event, data[0], 0, None))
        return None

    def _note(self, event, connection, handle, value):
        if event == _CONNECT:
            self._joins += 1
            self._connected.append(connection)
            self._is_due = True  # the controller stops when somebody connects
        elif event == _DISCONNECT:
            if connection in self._connected:
                self._connected.remove(connection)
            self._is_due = True
            if self._gatt:
                self._gatt.left(connection)
            if self._hid:
                self._hid.left(connection)
        elif event == _ENCRYPTION:
            if self._hid and handle:
                self._hid.encrypted(connection)
        elif not (self._gatt and self._gatt.written(connection, handle, value)):
            self._lost += 1

    def _advertise(self):
        """Raises OSError."""
        elements = []
        if self._beacon:
            elements.append(self._beacon.element)
        if self._hid:
            from radio.hid import APPEARANCE, SERVICE

            elements.append(element(_UUID16, SERVICE))
            elements.append(element(_APPEARANCE, APPEARANCE))
        if self._gatt:
            from radio.gatt import uuid_text

            elements.append(element(_UUID128, bytes(bluetooth.UUID(uuid_text(0)))))  # type: ignore  # a UUID has the buffer protocol
        data, response = advertisement(elements, self._name)
        serves = bool(self._gatt or self._hid) and len(self._connected) < _CONNECTIONS
        interval_us = _CALM_US
        if self._beacon and self._beacon.is_urgent():
            interval_us = _URGENT_US
        elif serves:
            interval_us = _OPEN_US
        self._ble.gap_advertise(None)  # else data of before may be sent on
        if serves or self._beacon:
            self._ble.gap_advertise(interval_us, data, resp_data=response, connectable=serves)
        self._is_due = False
        self.is_up = True

    def _save(self):
        try:
            self._bonds.save()
        except OSError:
            self._faults += 1
