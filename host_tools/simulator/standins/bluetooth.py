"""Stand-in for `bluetooth`: the stack of an ESP32 (NimBLE) without a radio.

What is sent goes to the file bluetooth.out beside the stand-ins, what a central does comes
from bluetooth.in; host_tools/simulator/radio.py writes and reads them, and says what their lines
mean. Errors are those of extmod/nimble/modbluetooth_nimble.c, with an ESP32's numbers.
"""

import sys

import board_clock as clock
from micropython import const

_EIO = const(5)
_ENOMEM = const(12)
_ENODEV = const(19)  # not active
_EINVAL = const(22)
_ENOTCONN = const(128)

_CONNECT = const(1)
_DISCONNECT = const(2)
_WRITE = const(3)
_ENCRYPTION = const(28)
_GET_SECRET = const(29)
_SET_SECRET = const(30)

_CONNECTIONS = const(4)  # CONFIG_BT_NIMBLE_MAX_CONNECTIONS
_PDU = const(31)
_DEFAULT_SIZE = const(20)  # bytes of a value that nobody enlarged
_LOOK_US = const(5000)

_CONFIG = ("addr_mode", "bond", "gap_name", "io", "le_secure", "mitm", "mtu", "rxbuf")
_before = clock.idle
_due_us = 0


class UUID:
    def __init__(self, value):
        if isinstance(value, int):
            if not 0 <= value <= 0xFFFF:
                raise ValueError("invalid UUID")
            self._bytes = bytes((value & 0xFF, value >> 8))
        else:
            digits = value.replace("-", "") if isinstance(value, str) else ""
            if len(digits) != 32:
                raise ValueError("invalid UUID")
            self._bytes = bytes(int(digits[i : i + 2], 16) for i in range(30, -2, -2))

    def __iter__(self):
        return iter(self._bytes)

    def __eq__(self, other):
        return bytes(self) == bytes(other)


class _Ble:
    def __init__(self):
        self._active = False
        self._settings = {"gap_name": "MPY ESP32"}
        self._handler = None
        self._values = {}  # handle: [value, largest size, handles are those of characteristics]
        self._connections = []
        self._subscribed = []  # (connection, handle)
        self._adv = self._resp = b""
        self._connectable = False
        self._is_on = False
        self._notify_faults = 0

    def active(self, x=None):
        if x is not None:
            self._active = bool(x)
            if not x:
                self._connections.clear()
                self._is_on = False
        return self._active

    def _need_active(self):
        if not self._active:
            raise OSError(_ENODEV)

    def config(self, *args, **options):
        if args:
            if options or len(args) != 1:
                raise TypeError("can't specify pos and kw args")
            if args[0] == "mac":
                self._need_active()
                return 0, b"\x24\x0a\xc4\x00\x00\x03"
            if args[0] not in ("gap_name", "mtu", "rxbuf", "addr_mode"):
                raise ValueError("unknown config param")
            return self._settings.get(args[0], 0)
        for name, value in options.items():
            if name not in _CONFIG:
                raise ValueError("unknown config param")
            self._settings[name] = value
        _say("config", ",".join(sorted("%s=%s" % one for one in options.items())))

    def irq(self, handler):
        self._handler = handler

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        self._need_active()
        if interval_us is None:
            self._is_on = False
            _say("stop")
            return
        for data in (adv_data, resp_data):
            if data is not None and len(data) > _PDU:
                raise OSError(_EIO)
        if connectable and len(self._connections) >= _CONNECTIONS:
            raise OSError(_ENOMEM)
        self._adv = self._adv if adv_data is None else bytes(adv_data)
        self._resp = self._resp if resp_data is None else bytes(resp_data)
        self._connectable = connectable
        self._is_on = True
        _say("adv", interval_us, int(connectable), _hex(self._adv), _hex(self._resp))

    def gatts_register_services(self, services):
        self._need_active()
        if self._is_on:
            raise OSError(_EINVAL)
        self._values.clear()
        handle = 16
        found = []
        for uuid, characteristics in services:
            handles = []
            _say("service", _hex(bytes(uuid)))
            handle += 1
            for characteristic in characteristics:
                handle += 2
                handles.append(handle)
                self._values[handle] = [b"", _DEFAULT_SIZE]
                _say("characteristic", handle, _hex(bytes(characteristic[0])), characteristic[1])
                for descriptor in characteristic[2] if len(characteristic) > 2 else ():
                    handle += 1
                    handles.append(handle)
                    self._values[handle] = [b"", _DEFAULT_SIZE]
                    _say("descriptor", handle, _hex(bytes(descriptor[0])), descriptor[1])
                handle += 1  # where a client subscribes
            found.append(tuple(handles))
        return tuple(found)

    def _value(self, handle):
        self._need_active()
        if handle not in self._values:
            raise OSError(_EINVAL)
        return self._values[handle]

    def gatts_read(self, handle):
        return self._value(handle)[0]

    def gatts_write(self, handle, data, send_update=False):
        entry = self._value(handle)
        entry[0] = bytes(data)
        entry[1] = max(entry[1], len(data))
        _say("value", handle, _hex(entry[0]))
        if send_update:
            for connection, subscribed in self._subscribed:
                if subscribed == handle:
                    _say("notify", connection, handle, _hex(entry[0]))

    def gatts_notify(self, connection, handle, data=None):
        self._need_active()
        if connection not in self._connections:
            raise OSError(_ENOTCONN)
        if self._notify_faults:
            self._notify_faults -= 1
            raise OSError(_ENOMEM)
        value = self._value(handle)[0] if data is None else bytes(data)
        _say("notify", connection, handle, _hex(value))

    def gatts_set_buffer(self, handle, size, append=False):
        self._value(handle)[1] = size

    def gap_disconnect(self, connection):
        if connection not in self._connections:
            return False
        self._leave(connection)
        return True

    def _leave(self, connection):
        self._connections.remove(connection)
        self._subscribed = [one for one in self._subscribed if one[0] != connection]
        self._event(_DISCONNECT, (connection, 0, memoryview(bytes(6))))

    def _event(self, event, data):
        return self._handler(event, data) if self._handler else None

    def _do(self, word, *rest):
        """What a central does."""
        if word == "connect":
            connection = int(rest[0])
            if not (self._is_on and self._connectable) or connection in self._connections:
                _say("refused", connection)
                return
            self._is_on = False  # a connection ends the advertising
            self._connections.append(connection)
            self._event(_CONNECT, (connection, 0, memoryview(_bytes(rest[1]))))
        elif word == "disconnect":
            if int(rest[0]) in self._connections:
                self._leave(int(rest[0]))
        elif word == "subscribe":
            self._subscribed.append((int(rest[0]), int(rest[1])))
        elif word == "write":
            handle = int(rest[1])
            if handle in self._values:  # more than the value has room for is cut off
                entry = self._values[handle]
                entry[0] = _bytes(rest[2])[: entry[1]]
                self._event(_WRITE, (int(rest[0]), handle))
        elif word == "encrypt":
            self._event(_ENCRYPTION, (int(rest[0]), True, False, True, 16))
        elif word == "set_secret":
            value = None if rest[2] == "none" else memoryview(_bytes(rest[2]))
            done = self._event(_SET_SECRET, (int(rest[0]), memoryview(_bytes(rest[1])), value))
            _say("stored", int(bool(done)))
        elif word == "get_secret":
            key = None if rest[2] == "none" else memoryview(_bytes(rest[2]))
            value = self._event(_GET_SECRET, (int(rest[0]), int(rest[1]), key))
            _say("secret", "none" if value is None else _hex(value))
        elif word == "notify_faults":
            self._notify_faults = int(rest[0])


_ble = _Ble()


def BLE():
    return _ble


def _hex(data):
    return "".join("%02x" % byte for byte in data) or "-"


def _bytes(text):
    return b"" if text == "-" else bytes(int(text[i : i + 2], 16) for i in range(0, len(text), 2))


def _say(*words):
    _out.write("%d %s\n" % (clock.now_us() // 1000, " ".join(str(word) for word in words)))
    _out.flush()


def _look():
    """Do what has come since the last look."""
    global _due_us
    _before()
    now_us = clock.now_us()
    if now_us < _due_us:
        return
    _due_us = now_us + _LOOK_US
    while True:
        line = _in.readline()
        if not line:
            return
        _ble._do(*line.split())


_out = open(sys.argv[1] + "/bluetooth.out", "a")
open(sys.argv[1] + "/bluetooth.in", "a").close()
_in = open(sys.argv[1] + "/bluetooth.in")
while _in.readline():  # what came before this boot is over
    pass
clock.idle = _look
