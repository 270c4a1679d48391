# Executed on the board by host_tools/doctor/doctor.py, which then calls these functions one
# by one. Each returns a dict; what it cannot do, it raises.
import gc
import json
import time


def settings():
    import machine

    from ops import config

    found = config.load(chip_id=machine.unique_id())
    values = {name: getattr(found, name) for name in config.SETTINGS}
    for name in ("wifi_key", "password", "update_key", "ap_key", "radio_key"):
        values[name] = bool(values.get(name))
    values["chip"] = found.chip
    return values


def model():
    from microMLP_engine import Engine
    from ops import config

    gc.collect()
    free = gc.mem_free()
    engine = Engine.load(config.load().model)
    gc.collect()
    return {"id": engine.model_id, "labels": engine.labels, "rate_hz": engine.rate_hz,
            "heap": free - gc.mem_free()}  # fmt: skip


def _bus():
    from ops import config
    from drivers.i2c_bus import I2CBus

    s = config.load()
    return I2CBus(s.i2c_id, s.i2c_scl, s.i2c_sda, min(s.i2c_hz, 400_000)), s


def scan():
    bus, s = _bus()
    freed = bus.recover()
    return {"found": bus.scan(), "freed": freed, "scl": s.i2c_scl, "sda": s.i2c_sda,
            "address": s.imu_address}  # fmt: skip


def sensor():
    """Prints its findings itself, one JSON object per line."""
    from sensing import checkup

    bus, s = _bus()
    checkup.main(bus, s.imu_address)


def wifi(timeout_s):
    import network

    from ops import config

    s = config.load()
    wlan = network.WLAN(network.WLAN.IF_STA)
    wlan.active(True)
    if not wlan.isconnected():
        wlan.disconnect()
        wlan.connect(s.wifi_ssid, s.wifi_key or None)
        for _ in range(10 * timeout_s):
            if wlan.isconnected():
                break
            time.sleep_ms(100)
    state = {"up": wlan.isconnected(), "status": wlan.status(), "ssid": s.wifi_ssid}
    if state["up"]:
        state["address"] = wlan.ifconfig()[0]
        state["rssi_dbm"] = wlan.status("rssi")
    else:
        wlan.disconnect()
    return state


def broker(timeout_s):
    import socket

    from ops import config
    from link.link_errors import explain

    s = config.load()
    line = socket.socket()
    stream = None
    try:
        try:
            address = socket.getaddrinfo(s.broker_host, s.broker_port, 0, socket.SOCK_STREAM)[0][-1]
        except OSError:
            return {"up": False, "why": "no such host as %s is known" % s.broker_host}
        if hasattr(line, "settimeout"):
            line.settimeout(timeout_s)
        line.connect(address)
        # The login follows when TLS has proved the broker, or at once where there is no TLS.
        stream = _secured(line, s) if s.tls_ca else line
        stream.write(_connect_packet(s))
        answer = stream.read(4) or b""
    except _Unfit as error:
        return {"up": False, "why": error.args[0]}
    except (OSError, ValueError) as error:
        return {"up": False, "why": explain(error, s.broker_host)}
    finally:
        if stream:
            stream.close()
        line.close()
    if len(answer) != 4 or answer[0] != 0x20 or not 2 <= answer[1] <= 60:
        return {"up": False, "why": "what answers is not an MQTT broker"}
    if answer[3]:
        why = {1: "the broker does not speak MQTT 3.1.1", 4: "the broker refuses user or password",
               5: "the broker refuses this user", 0x84: "the broker speaks MQTT 5 only"}
        return {"up": False, "why": why.get(answer[3], "the broker refuses, code %d" % answer[3])}
    return {"up": True, "why": ""}


class _Unfit(Exception):
    """What TLS needs is not on the board; with a line that says so."""


def _secured(line, s):
    """The TLS socket on line, by the firmware's own rules. Raises _Unfit, OSError, ValueError."""
    import os

    from link.tls_socket import Tls

    for path in (s.tls_ca, s.tls_cert, s.tls_key):
        try:
            if path:
                os.stat(path)
        except OSError:
            raise _Unfit("%s is not on the board" % path)
    if time.gmtime()[0] < 2025:
        try:
            clock()
        except Exception:
            pass
        if time.gmtime()[0] < 2025:
            raise _Unfit("the time of day is not known yet, so no certificate can be checked")
    return Tls(s, None, None).wrap(line)


def _connect_packet(s):
    """CONNECT of MQTT 3.1.1, with a client id that is not the firmware's."""
    fields = [(s.client_id + "-doctor").encode()]
    flags = 2
    if s.user:
        flags |= 0xC0
        fields += [s.user.encode(), s.password.encode()]
    body = b"\x00\x04MQTT\x04" + bytes((flags, 0, 20))
    for field in fields:
        body += bytes((len(field) >> 8, len(field) & 255)) + field
    n = len(body)
    length = bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7))
    return b"\x10" + length + body


def clock():
    import ntptime

    from ops import config

    server = config.load().time_server
    if not server:
        return {"server": ""}
    ntptime.host = server
    ntptime.timeout = 3
    ntptime.settime()
    return {"server": server, "utc": list(time.gmtime()[:6])}


def report(what):
    gc.collect()
    print("report " + json.dumps(what))
