"""Host side of the link tests: MicroPython processes, a broker by script, mosquitto."""

import contextlib
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

import paho.mqtt.client as paho

from host_tools.mqtt.broker import free_port
from host_tools.toolchain import micropython_command, mosquitto_command, umqtt_folder
from tests.waiting import TIMEOUT_S, until

TESTS = Path(__file__).parents[1]
REPOSITORY = TESTS.parent


class Board:
    """A MicroPython process that runs a script with tests/on_board/link_rig.py at hand.

    script: the name of a file in tests/on_board, or text of a few lines.

    Lines of JSON that it prints are read with `next`; other output is an error.
    """

    def __init__(self, script, heap="512K", umqtt=None, cwd=None, **settings):
        folders = [REPOSITORY / "firmware", REPOSITORY / "firmware" / "lib", TESTS / "on_board",
                   umqtt or umqtt_folder()]
        if script.endswith(".py"):
            path, self._file = str(TESTS / "on_board" / script), ""
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
                file.write("import asyncio\nfrom link_rig import *\n" + script)
            path = self._file = file.name
        self.process = subprocess.Popen(
            [*micropython_command(), "-X", f"heapsize={heap}", path,
             *(f"{name}={json.dumps(value)}" for name, value in settings.items())],
            env={**os.environ, "MICROPYPATH": ":".join([*map(str, folders), ".frozen"])},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=cwd,
        )
        self.logs = []
        self._watchdog = threading.Timer(TIMEOUT_S, self.process.kill)
        self._watchdog.start()

    def next(self):
        """The next object that the script says; what it logs is kept in `logs`."""
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                raise AssertionError(line + self.process.stdout.read()) from None
            if "log" not in said:
                return said
            self.logs.append(said["log"])
        raise AssertionError(f"the script ended, {self.process.wait()}; {self.logs}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._watchdog.cancel()
        self.kill()
        self.process.stdout.close()
        if self._file:
            os.unlink(self._file)


class Peer:
    """The broker's end of one connection: packets as (first byte, rest)."""

    def __init__(self, connection):
        connection.settimeout(TIMEOUT_S / 2)
        self.socket = connection
        self._stream = connection.makefile("rb")

    def packet(self):
        """The next packet; None at the end of the connection."""
        try:
            first = self._stream.read(1)
            if not first:
                return None
            size = shift = 0
            while True:
                byte = self._stream.read(1)[0]
                size |= (byte & 127) << shift
                shift += 7
                if not byte & 128:
                    return first[0], self._stream.read(size)
        except ConnectionError:
            return None

    def send(self, data):
        self.socket.sendall(data)

    def accept(self):
        """Answer CONNECT and SUBSCRIBE; return CONNECT's body."""
        kind, body = self.packet()
        assert kind == 0x10
        self.send(b"\x20\x02\0\0")
        return body

    def acknowledge(self, kind, body):
        """What a good broker answers to this packet."""
        if kind >> 4 == 8:
            self.send(b"\x90\x03" + body[:2] + b"\x01")
        elif kind == 0xC0:
            self.send(b"\xd0\0")
        elif kind & 0xF6 == 0x32:
            self.send(b"\x40\x02" + publication(kind, body)[2])

    def serve(self, until):
        """Be a good broker until `until(kind, body)`; return that packet, unanswered."""
        while True:
            packet = self.packet()
            assert packet, "the board closed the connection"
            if until(*packet):
                return packet
            self.acknowledge(*packet)

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):  # else the makefile() keeps it open
            self.socket.shutdown(socket.SHUT_RDWR) if not reset else None
        self._stream.close()
        self.socket.close()


class FakeBroker:
    """Accepts connections on loopback, one at a time; the test plays the broker."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(TIMEOUT_S / 2)
        self.port = self._server.getsockname()[1]
        self._peers = []

    def peer(self):
        peer = Peer(self._server.accept()[0])
        self._peers.append(peer)
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *args):
        for peer in self._peers:
            peer.close()
        self._server.close()


def publication(kind, body):
    """(topic, payload, packet id as bytes) of a PUBLISH."""
    size = int.from_bytes(body[:2], "big")
    topic = body[2 : 2 + size]
    packet_id = body[2 + size : 4 + size] if kind & 6 else b""
    return topic, body[2 + size + len(packet_id) :], packet_id


def is_event(kind, body):
    return kind >> 4 == 3 and publication(kind, body)[0].endswith(b"/event")


def packet(first, body):
    """A packet with its remaining length in front."""
    size, header = len(body), bytearray([first])
    while True:
        size, digit = divmod(size, 128)
        header.append(digit | 128 if size else digit)
        if not size:
            return bytes(header) + body


def publish(topic, payload, qos=0, packet_id=1, retain=0):
    """A PUBLISH as a broker sends it."""
    body = len(topic).to_bytes(2, "big") + topic
    if qos:
        body += packet_id.to_bytes(2, "big")
    return packet(0x30 | qos << 1 | retain, body + payload)


class Mosquitto:
    """A real mosquitto on a free loopback port, with a configuration of the test's own."""

    def __init__(self, folder, port=0, *lines):
        self.port = port or free_port()
        self._config = Path(folder) / f"mosquitto-{self.port}.conf"
        text = [f"listener {self.port} 127.0.0.1", *(lines or ("allow_anonymous true",))]
        text.append("set_tcp_nodelay true")
        if os.geteuid() == 0:  # else it changes to an account that may not exist
            text.append("user root")
        self._config.write_text("\n".join(text) + "\n")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [*mosquitto_command(), "-c", str(self._config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()


def wait_for_port(port):
    def listens():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True

    until(listens, f"something that listens on port {port}")


class Subscriber:
    """What a broker delivers on beckon/#, as (topic, payload, retained)."""

    def __init__(self, port, pattern="beckon/#"):
        self._came = threading.Condition()
        self.messages = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = self._take
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *args: subscribed.set()
        self.client.on_connect = lambda client, *args: client.subscribe(pattern, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(TIMEOUT_S / 2)

    def _take(self, client, data, message):
        with self._came:
            self.messages.append((message.topic, message.payload, bool(message.retain)))
            self._came.notify_all()

    def wait(self, what, timeout_s=TIMEOUT_S / 2):
        """Wait until `what(messages)` holds, and return its value."""
        with self._came:
            value = self._came.wait_for(lambda: what(self.messages), timeout_s)
        assert value, self.messages[-5:]
        return value

    def catch_up(self, topic):
        """Wait for all that others have published before; topic: one of those subscribed to."""
        mark = secrets.token_hex(8).encode()
        self.client.publish(topic, mark, 1)
        self.wait(lambda messages: any(payload == mark for _, payload, _ in messages))
        with self._came:
            self.messages = [message for message in self.messages if message[1] != mark]

    def payloads(self, ending):
        with self._came:
            return [payload for topic, payload, _ in self.messages if topic.endswith(ending)]

    def events(self):
        return [json.loads(payload) for payload in self.payloads("/event")]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.client.disconnect()
        self.client.loop_stop()
