"""beckon deploy --pull over the serial port, with the real mpremote, on a simulated board."""

import json
import shutil

import pytest

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.device.image import unix_arch, write_image
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL
from tests.boards import sensor_board

ABOUT = {"label": "wave", "takes": 1, "unusable": [], "spans": [[50, 100]], "bad": [], "gaps": [],
         "samples": 300, "rate_hz": 100, "period_us": 10000, "accel_lsb_per_g": 8192,
         "gyro_lsb_per_10_dps": 1310, "source": "button", "unix_ms": 0}  # fmt: skip


@pytest.fixture
def flash(tmp_path):
    """Of a board whose model came from two gestures, the first of them without samples."""
    flash = tmp_path / "flash"
    write_image(flash, unix_arch())
    shutil.copyfile(DEFAULT_MODEL, flash / "model.mlp")
    (flash / "config.json").write_text('{"device": "glove"}')  # no broker, no Wi-Fi
    learned = flash / "learned"
    learned.mkdir()
    model = read_model(DEFAULT_MODEL).model_id
    for own, before, label, samples in ((model, "00000002", "wave", 300),
                                        ("00000002", "00000001", "nod", 0)):  # fmt: skip
        (learned / f"{own}.json").write_text(json.dumps(
            {**ABOUT, "model": own, "before": before, "label": label, "samples": samples}))
    (learned / f"{model}.raw").write_bytes(bytes(300 * 12))
    return flash


def test_what_a_board_has_learned_comes_over_the_serial_port(flash, tmp_path, capsys):
    out = tmp_path / "mine"
    with sensor_board(flash) as board:
        assert main(["deploy", board.port, "--pull", "--out", str(out), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        boots = board.boots
        assert main(["deploy", "--pull", board.port, "--out", str(out)]) == 0  # said otherwise
        said = capsys.readouterr().out
        assert board.boots > boots > 1  # it runs again
        (flash / "model.mlp").unlink()
        assert main(["deploy", "--pull", board.port, "--out", str(out)]) == 1
        assert "has no model.mlp; beckon deploy brings one" in capsys.readouterr().err
    model = read_model(DEFAULT_MODEL)
    assert (found["device"], found["model"], found["unkept"]) == ("glove", model.model_id, ["nod"])
    assert read_model(found["path"]).model_id == model.model_id
    assert "no recording of nod: the board's flash had no room for its samples" in said
    spans = [s for r in read_dataset(str(out)).recordings for s in r.spans]
    assert {(s.label, s.end_ms - s.start_ms) for s in spans} == {("wave", 500)}


def test_a_port_and_a_device_at_once_are_refused(tmp_path, capsys):
    assert main(["deploy", "/dev/ttyX", "--pull", "glove", "--out", str(tmp_path)]) == 2
    assert "the name of a device or a port" in capsys.readouterr().err
