"""The stand-ins for `bluetooth` and `espnow` refuse what an ESP32 refuses, with its numbers."""

import shutil

from host_tools.simulator.unix_board import STANDINS
from tests.test_standins import run

_PROGRAM = """
def fault(function, *args, **options):
    try:
        function(*args, **options)
        return "done"
    except Exception as error:
        return "%s %s" % (type(error).__name__, error.args[:1])

import bluetooth
ble = bluetooth.BLE()
print("same", ble is bluetooth.BLE())
print("inactive", fault(ble.gap_advertise, 100000, b""), fault(ble.config, "mac"))
ble.active(True)
print("config", fault(ble.config, "what"), fault(ble.config, what=1))
print("uuid", fault(bluetooth.UUID, 65536), bytes(bluetooth.UUID(0x1812)))
print("large", fault(ble.gap_advertise, 100000, bytes(32)))
uuid = bluetooth.UUID("b0e50000-6f1d-4c58-9a37-2d8f31c7e64a")
((handle, other),) = ble.gatts_register_services(((uuid, ((uuid, 2), (uuid, 8))),))
ble.gap_advertise(100000, b"abc")
print("running", fault(ble.gatts_register_services, ()))
print("handle", fault(ble.gatts_write, 999, b""), fault(ble.gatts_read, 999))
print("nobody", fault(ble.gatts_notify, 1, handle, b""), ble.gap_disconnect(1))

import espnow, network
now = espnow.ESPNow()
mac = b"\\x24\\x0a\\xc4\\x00\\x00\\x02"
print("off", fault(now.send, mac, b"x"), fault(now.any), fault(now.add_peer, mac))
now.active(True)
print("values", fault(now.set_pmk, b"short"), fault(now.add_peer, mac, b"short"),
      fault(now.add_peer, b"mac"), fault(now.send, mac, bytes(251)))
print("no wifi", fault(now.send, mac, b"x"))
wlan = network.WLAN(network.WLAN.IF_STA)
wlan.active(True)
print("no peer", fault(now.send, mac, b"x"))
now.add_peer(mac, bytes(16))
print("twice", fault(now.add_peer, mac))
for i in range(5):
    now.add_peer(bytes((2, 0, 0, 0, 0, i)), bytes(16))
print("six keys", fault(now.add_peer, bytes(6), bytes(16)))
for i in range(14):
    now.add_peer(bytes((2, 0, 0, 0, 1, i)))
print("twenty", fault(now.add_peer, bytes(6)))
print("sent", now.send(mac, b"x", False), now.recv(0), now.any())
print("channel", fault(wlan.config, channel=14), fault(wlan.config, channel=6))
wlan.config(pm=wlan.PM_NONE)
print("not reached: the IDF aborts")
"""


def test_they_refuse_what_an_esp32_refuses(tmp_path):
    standins = tmp_path / "standins"
    shutil.copytree(STANDINS, standins)  # they write beside themselves
    status, lines = run(tmp_path, _PROGRAM, standins=standins)
    said = dict(line.split(" ", 1) for line in lines)
    assert said["same"] == "True"
    assert said["inactive"] == "OSError (19,) OSError (19,)"
    assert said["config"] == ("ValueError ('unknown config param',) "
                              "ValueError ('unknown config param',)")  # fmt: skip
    assert said["uuid"] == "ValueError ('invalid UUID',) b'\\x12\\x18'"
    assert said["large"] == "OSError (5,)" and said["running"] == "OSError (22,)"
    assert said["handle"] == "OSError (22,) OSError (22,)"
    assert said["nobody"] == "OSError (128,) False"
    assert said["off"] == "OSError (-12389,) OSError (-12389,) OSError (-12389,)"
    assert said["values"].count("ValueError") == 4
    assert said["no"] == "peer OSError (-12393,)"  # the last of two lines
    assert "no wifi OSError (-12396,)" in lines
    assert said["twice"] == "OSError (-12395,)" and said["twenty"] == "OSError (-12392,)"
    assert said["six"] == "keys OSError (-12392,)"
    assert said["sent"] == "True (None, None) False"
    assert said["channel"].endswith("done") and "OSError" in said["channel"]
    assert status == 42 and lines[-1].startswith("Error! Should enable WiFi modem sleep"), lines
