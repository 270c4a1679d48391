"""Other formats: there and back, guessed columns, units, and what is refused."""

import json

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.convert import (
    EXPORTED,
    Options,
    markdown_table,
    read_foreign,
    write_folder,
    write_foreign,
)
from host_tools.dataset.convert.edge_impulse import sign
from host_tools.dataset.convert.options import parse_columns
from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY
from host_tools.plots.dataset_page import html_page


def data(axes=6, n=60):
    rng = np.random.default_rng(1)
    return Dataset("d", [
        Recording(name, (rng.normal(0, [5, 5, 5, 99, 99, 99][:axes], (n, axes))
                         + [0, 0, 9.8, 0, 0, 0][:axes])
                  .astype(np.float32), 50.0,
                  (Span(0, (n - 1) * 20.0, label, "p1"),), native_hz=50.0)
        for name, label in (("a", "wave"), ("b", "none"))
    ])


@pytest.mark.parametrize("axes", [3, 6])
def test_our_folder_there_and_back(tmp_path, axes):
    write_folder(data(axes), tmp_path / "x")
    back = read_dataset(tmp_path / "x")
    assert back.labels == ["none", "wave"] and back.axes == axes
    assert np.allclose(back.recordings[0].samples, data(axes).recordings[0].samples, atol=1e-4)
    with pytest.raises(BeckonError, match="exists already"):
        write_folder(data(), tmp_path / "x")


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(BeckonError, match="No space left"):
        write_folder(data(), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_the_docs_show_the_same_formats():
    assert markdown_table() in (REPOSITORY / "docs" / "data.md").read_text()


READ_AS = {"edge-impulse-csv": "edge-impulse"}


@pytest.mark.parametrize("form", [form for form in EXPORTED if form != "folder"])
@pytest.mark.parametrize("axes", [3, 6])
def test_exports_come_back(tmp_path, form, axes):
    files = write_foreign(data(axes), tmp_path / "x", form, Options())
    assert files == len(list((tmp_path / "x").rglob("*.*"))) == (1 if form == "article" else 2)
    back = read_foreign(tmp_path / "x", READ_AS.get(form, form), Options(rate_hz=50))
    assert back.labels == ["none", "wave"] and back.axes == axes
    wave = next(r for r in back.recordings if r.spans[0].label == "wave")
    want = data(axes).recordings[0].samples
    n = min(len(wave.samples), len(want))  # the article's windows are a second long
    assert n >= 51 and np.allclose(wave.samples[:n], want[:n], atol=1e-3)
    assert wave.rate_hz == pytest.approx(50)
    with pytest.raises(BeckonError, match="exists already"):
        write_foreign(data(), tmp_path / "x", form, Options())


@pytest.mark.parametrize("form", ["edge-impulse-csv", "npy", "csv", "article"])
def test_exports_in_other_units_come_back(tmp_path, form):
    units = Options(rate_hz=50, accel="g", gyro="rad/s",
                    time="s" if form == "csv" else "ms")
    write_foreign(data(), tmp_path / "x", form, units)
    back = read_foreign(tmp_path / "x", READ_AS.get(form, form), units)
    wave = next(r for r in back.recordings if r.spans[0].label == "wave")
    assert np.allclose(wave.samples[:51], data().recordings[0].samples[:51], atol=1e-3)


@pytest.mark.parametrize("form", [form for form in EXPORTED if form != "folder"])
def test_no_export_is_left_half_written(tmp_path, form, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(BeckonError, match="No space left"):
        write_foreign(data(), tmp_path / "x", form, Options())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["edge-impulse", "edge-impulse-csv", "npy"])
@pytest.mark.parametrize("label", ["../../out", "a/b", "a\\b", "..", "x\0y"])
def test_a_label_leaves_no_folder(tmp_path, form, label):
    d = data()
    d.recordings[0] = d.recordings[0].with_spans([Span(0, 900, label, "p")])
    with pytest.raises(BeckonError, match="cannot be part of a file's name"):
        write_foreign(d, tmp_path / "in" / "x", form, Options())
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_spans_of_a_stream_survive_plain_csv(tmp_path):
    r = data(n=200).recordings[0]
    spans = (Span(200, 600, "wave", ""), Span(600, 1000, "tap", ""), Span(2000, 3980, "wave", ""))
    d = Dataset("d", [r.with_spans(spans)])
    names = parse_columns("t_ms=when,ax=one,label=what")
    write_foreign(d, tmp_path / "x", "csv", Options(columns=names))
    assert (tmp_path / "x" / "a.csv").read_text().startswith("when,one,ay,az,gx,gy,gz,what\n")
    back = read_foreign(tmp_path / "x", "csv", Options(columns=names)).recordings[0]
    assert [(s.start_ms, s.end_ms, s.label) for s in back.spans] == [
        (s.start_ms, s.end_ms, s.label) for s in spans]


def test_the_articles_streams_come_back(tmp_path):
    r = data(n=200).recordings[0]
    spans = (Span(200, 600, "circle", ""), Span(2000, 2600, "circle", ""))
    write_foreign(Dataset("d", [r.with_spans(spans)]), tmp_path / "x", "article", Options())
    back = read_foreign(tmp_path / "x" / "move_circle_a.csv", "article").recordings[0]
    assert np.allclose(back.samples, r.samples, atol=1e-3)
    assert [(s.label, s.start_ms, s.end_ms) for s in back.spans] == [("circle", 0, 3980)]
    odd = Recording(**{**r.__dict__, "rate_hz": 94.0})
    with pytest.raises(BeckonError, match="resample with --rate"):
        write_foreign(Dataset("d", [odd]), tmp_path / "y", "article", Options())


def test_edge_impulse_signatures(tmp_path):
    key = Options(hmac_key=b"0123456789abcdef")
    write_foreign(data(), tmp_path / "x", "edge-impulse", key)
    assert len(read_foreign(tmp_path / "x", "edge-impulse", key).recordings) == 2
    unchecked = read_foreign(tmp_path / "x", "edge-impulse")
    assert "2 samples are signed" in unchecked.notices[0]
    with pytest.raises(BeckonError, match="the signature does not fit"):
        read_foreign(tmp_path / "x", "edge-impulse", Options(hmac_key=b"another"))
    path = next((tmp_path / "x").glob("wave.*"))
    sample = json.loads(path.read_text())
    assert sample["protected"] == {"ver": "v1", "alg": "HS256"}
    path.write_text(path.read_text().replace("m/s2", "g", 1))
    with pytest.raises(BeckonError, match="wave.*the signature does not fit"):
        read_foreign(tmp_path / "x", "edge-impulse", key)


def test_the_signature_is_that_of_the_specification():
    """HMAC-SHA256 worked out with `openssl dgst -sha256 -hmac secret`."""
    text = '{"protected":{"ver":"v1","alg":"HS256"},"signature":"' + "0" * 64 + '","payload":{}}'
    assert sign(text, b"secret") == (
        "52458cc50d6bfecda1785cee8a8b8bb8daedbcb6e94c1495d02ef1f504576f59")


def test_labels_of_an_edge_impulse_export(tmp_path):
    write_foreign(data(), tmp_path / "x", "edge-impulse", Options())
    names = sorted(p.name for p in (tmp_path / "x").iterdir())
    (tmp_path / "x" / "info.labels").write_text(json.dumps({"version": 1, "files": [
        {"path": names[0], "category": "training", "label": {"type": "label", "label": "nix"}},
        {"path": names[1], "label": {"type": "multi-label", "labels": []}}]}))
    assert read_foreign(tmp_path / "x", "edge-impulse").labels == ["nix", "wave"]
    (tmp_path / "x" / "info.labels").write_text('{"files": [3]}')
    with pytest.raises(BeckonError, match="info.labels: not a list of labels"):
        read_foreign(tmp_path / "x", "edge-impulse")


def test_files_of_one_name_are_told_apart(tmp_path):
    for place in ("mon", "tue"):
        (tmp_path / "in" / place).mkdir(parents=True)
        (tmp_path / "in" / place / "wave_1.csv").write_text(
            "t_ms,ax,ay,az\n" + "".join(f"{i * 10},0,0,9.8\n" for i in range(9)))
    found = read_foreign(tmp_path / "in", "csv")
    assert [r.name for r in found.recordings] == ["wave_1", "tue_wave_1"]
    write_folder(found, tmp_path / "out")
    assert len(read_dataset(tmp_path / "out").recordings) == 2


def test_edge_impulse_units(tmp_path):
    sample = {"payload": {"interval_ms": 10, "sensors": [
        {"name": n, "units": "g"} for n in ("accX", "accY", "accZ")], "values": [[0, 0, 1]] * 5}}
    (tmp_path / "tap.1a.json").write_text(json.dumps(sample))
    (tmp_path / "info.json").write_text("{}")
    r = read_foreign(tmp_path, "edge-impulse").recordings[0]
    assert r.samples[0].tolist() == [0, 0, np.float32(9.80665)] and r.spans[0].label == "tap"


def test_edge_impulse_csv(tmp_path):
    (tmp_path / "snake.2.csv").write_text(
        "timestamp,accX,accY,accZ\n" + "".join(f"{i * 16},1,2,9\n" for i in range(20)))
    r = read_foreign(tmp_path, "edge-impulse").recordings[0]
    assert r.spans[0].label == "snake" and r.rate_hz == pytest.approx(62.5)


def test_plain_csv_of_any_make(tmp_path):
    path = tmp_path / "circle_07.csv"
    path.write_text("time;acc_x;acc_y;acc_z;gyro_x;gyro_y;gyro_z\n"
                    + "".join(f"{i * 0.02};0;0;1;0;0;{np.pi}\n" for i in range(30)))
    r = read_foreign(path, "csv", Options(time="s", accel="g", gyro="rad/s")).recordings[0]
    assert r.rate_hz == 50 and r.spans[0].label == "circle"
    assert r.samples[0, 5] == pytest.approx(180) and r.samples[0, 2] == pytest.approx(9.80665)


def test_a_label_column_becomes_spans(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("t_ms,ax,ay,az,label\n" + "".join(
        f"{i * 10},0,0,9.8,{'wave' if 20 <= i < 50 else ''}\n" for i in range(90)))
    spans = read_foreign(path, "csv").recordings[0].spans
    assert [(s.label, s.start_ms, s.end_ms) for s in spans] == [("wave", 200, 500)]


def test_columns_can_be_told(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("when,one,two,three\n" + "".join(f"{i * 10},1,2,9\n" for i in range(9)))
    with pytest.raises(BeckonError, match="cannot tell which column is ax"):
        read_foreign(path, "csv")
    told = parse_columns("t_ms=when,ax=one,ay=two,az=three")
    assert read_foreign(path, "csv", Options(columns=told)).recordings[0].samples[0].tolist() == [
        1, 2, 9]
    with pytest.raises(BeckonError, match="write ours=theirs"):
        parse_columns("qq=one")


@pytest.mark.parametrize("text, words", [
    ("t_ms,ax,ay,az\n0,1,2,3\n10,1,x,3\n", ":3: 'x' is not a number"),
    ("t_ms,ax,ay,az\n0,1,2,3\n10,1,inf,3\n", ":3: not a finite"),
    ("t_ms,ax,ay,az\n0,1,2,3\n10,1,nan,3\n20,1,2,3\n", ":3: 1 of 3 rows lack a number"),
    ("t_ms,ax,ay,az\n", "0 samples"),
    ("ax,ay,az\n1,2,3\n1,2,3\n", "give the rate"),
    ("", "is empty"),
    ('t_ms,"q; x",ay,az\n0,1,2,3\n', "which column is ax among t_ms, q; x, ay, az;"),
])
def test_faults_are_named(tmp_path, text, words):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(BeckonError, match=words):
        read_foreign(path, "csv")


def test_the_articles_table(tmp_path):
    head = "label,shift," + ",".join(f"{a}_{t}" for t in (0, 50, 100)
                                     for a in ("ax", "ay", "az", "gx", "gy", "gz"))
    row = ",".join(str(i) for i in range(18))
    path = tmp_path / "t.csv"
    path.write_text(f"{head}\nx,0,{row}\nx,-5,{row}\n0,-99,{row}\n")
    found = read_foreign(path, "article")
    assert [r.spans[0].label for r in found.recordings] == ["x", "none"]
    assert found.recordings[0].samples[1].tolist() == [6, 7, 8, 9, 10, 11]
    assert found.recordings[0].rate_hz == 20


def test_numpy_pair(tmp_path):
    np.save(tmp_path / "X.npy", np.full((3, 6, 40), 5.0))
    np.save(tmp_path / "y.npy", np.array(["a", "b", "a"]))
    found = read_foreign(tmp_path, "npy", Options(rate_hz=25))
    assert found.labels == ["a", "b"] and found.recordings[0].samples.shape == (40, 6)
    with pytest.raises(BeckonError, match="give the rate"):
        read_foreign(tmp_path, "npy")


def test_the_commands(tmp_path, capsys):
    write_folder(data(), tmp_path / "x")
    assert main(["data", "export", str(tmp_path / "x"), "--format", "folder", "--rate", "25",
                 "--out", str(tmp_path / "slow")]) == 0
    assert read_dataset(tmp_path / "slow").recordings[0].rate_hz == 25
    key = tmp_path / "key"
    key.write_text("0123\n")
    assert main(["data", "export", str(tmp_path / "x"), "--format", "edge-impulse", "--hmac-key",
                 str(key), "--out", str(tmp_path / "up")]) == 0
    assert main(["data", "import", str(tmp_path / "up"), "--format", "edge-impulse", "--hmac-key",
                 str(key), "--out", str(tmp_path / "down")]) == 0
    key.write_text("4567")
    assert main(["data", "import", str(tmp_path / "up"), "--format", "edge-impulse", "--hmac-key",
                 str(key), "--out", str(tmp_path / "none")]) == 1
    assert "signature does not fit" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path / "x")]) == 0
    assert "one person" in capsys.readouterr().out
    for action in ("show", "augment"):
        page = tmp_path / f"{action}.html"
        assert main(["data", action, str(tmp_path / "x"), "--out", str(page)]) == 0
        assert page.read_text().startswith("<!doctype html>")
    assert main(["data", "import", str(tmp_path / "none"), "--format", "csv", "--out",
                 str(tmp_path / "y")]) == 1
    assert not (tmp_path / "y").exists()


def test_a_page_escapes_names():
    d = data()
    d.recordings[0] = d.recordings[0].with_spans([Span(0, 900, "</script><b>", "p")])
    page = html_page(d)
    assert "<b>" not in page and page.count("</script>") == 2
