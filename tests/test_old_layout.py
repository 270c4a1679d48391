"""Files that an older deployment left: its modules lay in the root, without folders."""

import json
import os
import subprocess

import pytest

from host_tools.device import image
from host_tools.device.deploy import MANIFEST, deploy
from host_tools.device.image import unix_arch, write_image
from host_tools.toolchain import micropython_command
from tests.boards import node_board
from tests.test_firmware_heap import in_order

# What lay in the root, and in drivers/, of a board with version 0.1 before the folders.
OLD = """boot_number calibration commands config corrected_ring crash_log discovery dns dns_packet
event event_spool frame_screen hmac_sha256 home_assistant health lazy link link_errors loop_lag
model_update mqtt_client mqtt_inbox mqtt_link packet_pipe pausable publisher raw_stream recognizer
recognizer_task remote ring_buffer sample_clock sampler sensor_check sensor_verbs serial_stream
settings_store sntp sntp_packet spool stream_frame tls_socket trial udp uptime wall_clock wifi
wiring events sensing ops recognition serial_line drivers""".split()
STALE = "raise RuntimeError('a stale file was imported')\n"


@pytest.mark.parametrize("suffix", [".mpy", ".py"])
def test_a_stale_file_in_the_root_shadows_no_module(tmp_path, monkeypatch, suffix):
    flash = tmp_path / "flash"
    write_image(flash, unix_arch())
    for name in OLD:  # also names that today's folders have
        if suffix == ".py":
            (flash / f"{name}.py").write_text(STALE)
        else:
            image._copy({f"{name}.mpy": image._compiled(name, STALE, unix_arch())}, flash)
    script = flash / "imports.py"  # its folder is the first that is looked into
    lines = ["import sys", "class Hardware:", "    I2C = Pin = RTC = WDT = WDT_RESET = None",
             "    WLAN = reset = freq = reset_cause = unique_id = ESPNow = None",
             "for name in ('machine', 'network', 'espnow', 'bluetooth'):",
             "    sys.modules[name] = Hardware",
             *(f"import {module}" for module in in_order()), "print('all imported')"]  # fmt: skip
    script.write_text("\n".join(lines))
    done = subprocess.run(
        [*micropython_command(), str(script)], cwd=flash, capture_output=True, text=True,
        env={**os.environ, "MICROPYPATH": f"{flash / 'lib'}:.frozen"}, timeout=60,
    )  # fmt: skip
    assert done.stdout == "all imported\n", done.stdout + done.stderr


def test_deploy_removes_them(tmp_path):
    """Also a source that would be taken before the byte-code of the same name."""
    flash = tmp_path / "flash"
    old = [f"{name}.mpy" for name in OLD if name not in ("lazy", "link")] + ["lib/microMLP.mpy"]
    with node_board(flash) as board:
        for path in old:
            (flash / path).parent.mkdir(exist_ok=True)
            (flash / path).write_bytes(b"old")
        (flash / "app.py").write_text(STALE)
        (flash / MANIFEST).write_text(json.dumps({"version": "0.1.0", "files": old}))
        board.plug()
        new = {"main.py": b"print('sensor: x')\nprint('linked to', 'here')\n",
               "app.mpy": b"M\x06\x00\x1f",
               "commands/dispatcher.mpy": b"M", "events/event.mpy": b"M"}  # fmt: skip
        report = deploy(board.port, lambda survey: new)
        assert report.removed == sorted([*old, "app.py"])
    left = {p.relative_to(flash).as_posix() for p in flash.rglob("*") if p.is_file()}
    assert left == {*new, MANIFEST}
