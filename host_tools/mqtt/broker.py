"""A broker of our own for demo, simulation and tests: amqtt on loopback.

It runs in a process of its own, so that it and the simulated sensor do not
share an interpreter, and it ends when the pipe to its standard input closes,
so that nothing is left behind however the caller ends.
"""

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress

_START_TIMEOUT_S = 20
_HOST = "127.0.0.1"
_MQTT_3_1_1 = 4


@contextmanager
def embedded_broker(port: int = 0) -> Iterator[BrokerAddress]:
    """A running broker that lets anyone in, on loopback only.

    port: 0 takes a free one. Raises BeckonError if the port is in use.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.mqtt.broker", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout and process.stderr
    try:
        answer = process.stdout.readline().split()
        if not answer or answer[0] != "listening":
            problem = process.stderr.read().strip().splitlines()
            raise BeckonError(problem[-1] if problem else "the embedded broker did not start")
        yield BrokerAddress(_HOST, int(answer[1]))
    finally:
        process.stdin.close()
        try:
            process.wait(_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def free_port() -> int:
    """A TCP port on loopback that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return probe.getsockname()[1]


async def _serve(port: int) -> None:
    from amqtt.broker import Broker

    logging.disable(logging.CRITICAL)
    _refuse_other_versions()
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                reason = "is in use" if error.errno else "cannot be used"
                raise SystemExit(
                    f"port {port} {reason}; name another, or leave it out to take a free one"
                ) from None
    port = port or free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{_HOST}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    print("listening", port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await broker.shutdown()


def _refuse_other_versions() -> None:
    """amqtt has MQTT 3.1.1 only. It reads the rest of a CONNECT before it looks at the version,
    and then waits without end for what MQTT 5 has elsewhere."""
    from amqtt.mqtt.connect import ConnectPayload

    read = ConnectPayload.from_stream

    async def from_stream(reader: Any, fixed: Any, header: Any) -> Any:
        if header.proto_level != _MQTT_3_1_1:
            return ConnectPayload(client_id="refused")  # amqtt answers with the reason
        return await read(reader, fixed, header)

    ConnectPayload.from_stream = from_stream


if __name__ == "__main__":
    try:
        asyncio.run(_serve(int(sys.argv[1])))
    except KeyboardInterrupt:  # Ctrl-C reaches the whole process group; the caller tells
        sys.exit(130)
