"""beckon data fetch: from a file made as UCI publishes it, and without internet."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
import requests

from host_tools.cli.app import main
from host_tools.dataset import read_dataset


def watch_file(subject, activities, seconds=12.0, *, offset_ns=0, scale=1.0, gap=False):
    lines = []
    t0 = 252_207_918_580_802 + offset_ns
    for k, code in enumerate(activities):
        for i in range(round(20 * seconds)):
            if gap and 100 <= i < 140:
                continue
            t = t0 + k * 200_000_000_000 + i * 49_500_000
            v = scale * np.sin(i / 10)
            lines.append(f"{subject},{code},{t},{v:.6f},{scale * 0.5:.6f},{9.7 * scale:.6f};")
        lines.append(lines[-1])  # equal times occur in it
    return "\n".join(lines) + "\n"


@pytest.fixture
def published(tmp_path):
    """The zip in the zip, with the members that are read and some that are not."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("wisdm-dataset/activity_key.txt", "walking = A\n")
        for subject in (1600, 1601):
            accel = watch_file(subject, "AS", gap=subject == 1601)
            gyro = watch_file(subject, "AS", offset_ns=3_000_000, scale=0.3)
            for sensor, text in (("accel", accel), ("gyro", gyro)):
                name = f"wisdm-dataset/raw/watch/{sensor}/data_{subject}_{sensor}_watch.txt"
                z.writestr(name, text)
        z.writestr("wisdm-dataset/raw/phone/accel/data_1600_accel_phone.txt", "not read")
    path = tmp_path / "wisdm.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("WISDM-dataset-description.pdf", b"%PDF")
        z.writestr("wisdm-dataset.zip", inner.getvalue())
    return path


def test_from_a_file(published, tmp_path, capsys):
    out = tmp_path / "wisdm"
    assert main(["data", "fetch", "wisdm-watch", "--from", str(published), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert hashlib.sha256(published.read_bytes()).hexdigest() in said
    assert "licence CC BY 4.0: G. Weiss" in said and "keep this one" in said
    data = read_dataset(out)
    assert data.labels == ["folding", "walking"] and data.subjects == ["1600", "1601"]
    assert len(data.recordings) == 6 and data.axes == 6  # 1601's have a gap of 2 s each
    whole = next(r for r in data.recordings if r.name == "1600_walking")
    assert whole.rate_hz == 20 and whole.seconds == pytest.approx(11.9, abs=0.2)
    assert np.median(whole.samples[:, 2]) == pytest.approx(9.7, abs=0.01)
    assert np.median(whole.samples[:, 5]) == pytest.approx(np.degrees(2.91), abs=0.1)


def test_without_internet_one_clear_line(tmp_path, capsys, monkeypatch):
    def nothing(*args, **kwargs):
        raise requests.ConnectionError("name not resolved")

    monkeypatch.setattr(requests, "get", nothing)
    assert main(["data", "fetch", "wisdm-watch", "--out", str(tmp_path / "x")]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "no connection to archive.ics.uci.edu; download https://" in said.err
    assert "name the file with --from" in said.err and not (tmp_path / "x").exists()


@pytest.mark.parametrize("content, told", [
    (b"hello", "not the zip as it is published"),
    (None, "holds no raw/watch/accel"),
])  # fmt: skip
def test_another_file(tmp_path, content, told, capsys):
    path = tmp_path / "other.zip"
    if content is None:
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("a.txt", "b")
    else:
        path.write_bytes(content)
    out = tmp_path / "x"
    assert main(["data", "fetch", "wisdm-watch", "--from", str(path), "--out", str(out)]) == 1
    assert told in capsys.readouterr().err and not out.exists()


def test_a_line_that_is_not_theirs_is_named(tmp_path, capsys):
    path = tmp_path / "w.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("raw/watch/accel/data_1600_accel_watch.txt", "1600,A,1,2,3,4;\n1600,A,x\n")
    out = tmp_path / "x"
    assert main(["data", "fetch", "wisdm-watch", "--from", str(path), "--out", str(out)]) == 1
    assert "data_1600_accel_watch.txt:2: '1600,A,x' is not" in capsys.readouterr().err


def test_the_list_and_wrong_usage(tmp_path, capsys):
    assert main(["data", "fetch"]) == 0
    assert "wisdm-watch: 51 people" in capsys.readouterr().out
    assert main(["data", "fetch", "wisdm-watch"]) == 2
    assert main(["data", "fetch", "nothing", "--out", str(tmp_path / "x")]) == 2
    assert main(["data", "fetch", "wisdm-watch", "--out", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
