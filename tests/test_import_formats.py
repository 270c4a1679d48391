"""Formats of other makers: labels of parts, CBOR, zips, files of a phone's sensors, WISDM."""

import json
import zipfile

import cbor2
import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.dataset.convert import Options, read_foreign
from host_tools.errors import BeckonError
from tests.imports import csv_text, in_units, movement

X = movement()


def spans(recording):
    return [(s.label, round(s.start_ms), round(s.end_ms)) for s in recording.spans]


def close(samples, want, atol=0.02):
    return samples.shape == want.shape and np.allclose(samples, want, atol=atol)


def sample(x=X, interval_ms=20):
    names = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
    units = ("m/s2",) * 3 + ("rad/s",) * 3
    return {"protected": {"ver": "v1", "alg": "none"}, "signature": "0" * 64,
            "payload": {"device_type": "X", "interval_ms": interval_ms,
                        "sensors": [{"name": n, "units": u}
                                    for n, u in zip(names, units, strict=True)],
                        "values": in_units(x, "m/s2", "rad/s").tolist()}}


# Edge Impulse

def test_cbor_as_devices_write_it(tmp_path):
    (tmp_path / "circle.3f2a.cbor").write_bytes(cbor2.dumps(sample()))
    found = read_foreign(tmp_path)
    assert found.sources[0].form == "Edge Impulse CBOR" and found.labels == ["circle"]
    assert close(found.recordings[0].samples, X) and found.recordings[0].rate_hz == 50


@pytest.mark.parametrize("raw", [b"", b"\xff", b"not cbor", cbor2.dumps(3)])
def test_what_is_not_cbor(tmp_path, raw):
    (tmp_path / "x.cbor").write_bytes(raw)
    with pytest.raises(BeckonError, match="not CBOR|holds no recording"):
        read_foreign(tmp_path)


PARTS = [{"startIndex": 0, "endIndex": 29, "label": "idle"},
         {"startIndex": 30, "endIndex": 79, "label": "circle"},
         {"startIndex": 80, "endIndex": 119, "label": "idle"}]
WANT = [("idle", 0, 600), ("circle", 600, 1600), ("idle", 1600, 2380)]


def test_labels_of_parts_in_info_labels(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(sample()))
    (tmp_path / "info.labels").write_text(json.dumps({"version": 1, "files": [
        {"path": "a.json", "category": "split",
         "label": {"type": "multi-label", "labels": PARTS}}]}))
    assert spans(read_foreign(tmp_path).recordings[0]) == WANT


def test_structured_labels(tmp_path):
    (tmp_path / "updown.3.json").write_text(json.dumps(sample()))
    (tmp_path / "structured_labels.labels").write_text(json.dumps({
        "version": 1, "type": "structured-labels", "structuredLabels": {"updown.3.json": PARTS}}))
    assert spans(read_foreign(tmp_path).recordings[0]) == WANT


def test_parts_in_milliseconds(tmp_path):
    """An older page says so; only then do they reach beyond the samples."""
    parts = [{"startIndex": 0, "endIndex": 999, "label": "idle"},
             {"startIndex": 1000, "endIndex": 2380, "label": "up"}]
    (tmp_path / "a.json").write_text(json.dumps(sample()))
    (tmp_path / "structured_labels.labels").write_text(json.dumps(
        {"structuredLabels": {"a.json": parts}}))
    assert spans(read_foreign(tmp_path).recordings[0]) == [("idle", 0, 1000), ("up", 1000, 2380)]
    parts[1]["endIndex"] = 60_000
    (tmp_path / "structured_labels.labels").write_text(json.dumps(
        {"structuredLabels": {"a.json": parts}}))
    with pytest.raises(BeckonError, match="a.json: its labels end at 60000, the sample at 119"):
        read_foreign(tmp_path)


@pytest.mark.parametrize("label, words", [
    ({"type": "bounding-box"}, "a label of type 'bounding-box'; label, multi-label"),
    ({"type": "multi-label", "labels": [{**PARTS[0]}, {**PARTS[1], "startIndex": 20}]}, "within"),
    ({"type": "multi-label", "labels": [{"startIndex": 5, "endIndex": 1, "label": "x"}]},
     "from 5 to 1"),
])
def test_labels_that_cannot_be_read_are_refused(tmp_path, label, words):
    (tmp_path / "a.json").write_text(json.dumps(sample()))
    (tmp_path / "info.labels").write_text(json.dumps({"files": [{"path": "a.json",
                                                                 "label": label}]}))
    with pytest.raises(BeckonError, match=f"info.labels: .*{words}"):
        read_foreign(tmp_path)


def test_samples_without_label_are_left_out(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(sample()))
    (tmp_path / "info.labels").write_text(json.dumps({"files": [
        {"path": "a.json", "label": {"type": "unlabeled"}},
        {"path": "b.json", "label": {"type": "label", "label": "up"}}]}))
    found = read_foreign(tmp_path)
    assert found.labels == ["up"] and "1 samples have no label" in found.notices[0]


def export_zip(path):
    """An export as it is downloaded: two folders, and the labels of both beside them."""
    files = []
    with zipfile.ZipFile(path, "w") as archive:
        for category, names in (("training", "ab"), ("testing", "c")):
            for name in names:
                inner = f"{category}/{name}.1.ingestion.json"
                archive.writestr(inner, json.dumps(sample()))
                files.append({"path": inner, "category": category,
                              "label": {"type": "label", "label": f"label_{name}"}})
        archive.writestr("info.labels", json.dumps({"version": 1, "files": files}))
    return path


def test_a_zip_keeps_training_and_testing_apart(tmp_path, capsys):
    path = export_zip(tmp_path / "export.zip")
    out = tmp_path / "mine"
    assert main(["data", "import", str(path), "--out", str(out)]) == 0
    assert read_dataset(out).labels == ["label_a", "label_b"]
    assert read_dataset(tmp_path / "mine-testing").labels == ["label_c"]
    said = capsys.readouterr().out
    assert f"train on {out}, evaluate on {out}-testing" in said
    assert "2 x Edge Impulse JSON, 50 Hz, acceleration in m/s2, turn rate in rad/s" in said


def test_faults_in_a_zip_name_the_zip(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/up.csv", "t_ms,ax,ay,az\n0,1,2,x\n10,1,2,9\n20,1,2,9\n")
    with pytest.raises(BeckonError, match=r"export\.zip/x/up\.csv:2: 'x' is not a number"):
        read_foreign(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BeckonError, match="export.zip: cannot be unpacked .*download it again"):
        read_foreign(path)


def test_a_zip_writes_nothing_outside_its_folder(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.csv", csv_text(X))
    read_foreign(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["evil.zip"]


# Label Studio

def studio_result(start, end, label, kind="timeserieslabels"):
    return {"type": kind, "from_name": "label", "to_name": "ts",
            "value": {"start": start, "end": end, "instant": False, kind: [label]}}


def test_label_studio_json(tmp_path):
    (tmp_path / "rec.csv").write_text(csv_text(X, "time,ax,ay,az,gx,gy,gz", 0.02, 5))
    (tmp_path / "export.json").write_text(json.dumps([{
        "id": 1, "data": {"csv": "/data/upload/1/0a1b2c3d-rec.csv"},
        "file_upload": "0a1b2c3d-rec.csv",
        "annotations": [{"id": 1, "was_cancelled": False, "result": [
            studio_result(6.0, 6.5, "up"), studio_result(5.2, 5.6, "circle")]}]}]))
    found = read_foreign(tmp_path).recordings
    assert len(found) == 1
    assert spans(found[0]) == [("circle", 200, 600), ("up", 1000, 1500)]


@pytest.mark.parametrize("form", ["json-min", "csv"])
def test_label_studio_small_exports(tmp_path, form):
    (tmp_path / "rec.csv").write_text(csv_text(X))
    label = [{"start": 200, "end": 600, "instant": False, "timeserieslabels": ["up"]}]
    task = {"csv": "/data/upload/1/0a1b2c3d-rec.csv", "id": 1, "label": label, "annotator": 1,
            "annotation_id": 1}
    if form == "csv":
        text = json.dumps(label).replace('"', '""')
        (tmp_path / "project-1.csv").write_text(
            f'csv,id,label,annotator,annotation_id\n{task["csv"]},1,"{text}",1,1\n')
    else:
        (tmp_path / "min.json").write_text(json.dumps([task]))
    found = read_foreign(tmp_path).recordings
    assert [spans(r) for r in found] == [[("up", 200, 600)]]


@pytest.mark.parametrize("results, words", [
    ([studio_result(1, 2, "x", "rectanglelabels")], "of type 'rectanglelabels'"),
    ([studio_result(100, 500, "x"), studio_result(400, 600, "y")], "overlap at 0.400 s"),
    ([studio_result(100, 100, "x")], "has no length"),
])
def test_label_studio_refusals(tmp_path, results, words):
    (tmp_path / "rec.csv").write_text(csv_text(X))
    (tmp_path / "e.json").write_text(json.dumps([
        {"data": {"csv": "rec.csv"}, "annotations": [{"result": results}]}]))
    with pytest.raises(BeckonError, match=words):
        read_foreign(tmp_path)


# Phones

def sensor_file(x, start_ns, step_ns):
    """As Sensor Logger writes one: nanoseconds, and z before x."""
    lines = ["time,seconds_elapsed,z,y,x"]
    for i, (a, b, c) in enumerate(x.tolist()):
        t = start_ns + round(i * step_ns)
        lines.append(f"{t},{(t - 1700000000000000000) / 1e9:.6f},{c:.6f},{b:.6f},{a:.6f}")
    return "\n".join(lines) + "\n"


def phone_folder(folder, total):
    """A folder of Sensor Logger: the gyroscope starts 10 ms later, at another rate."""
    folder.mkdir(parents=True)
    fine = movement(600, 250.0)
    start = 1700000000000000000
    accel, gyro = fine[::5, :3], np.radians(fine[2::4, 3:])
    still = np.tile([0.0, 0.0, 9.8], (len(accel), 1))
    if total:
        (folder / "TotalAcceleration.csv").write_text(sensor_file(accel, start, 20e6))
    (folder / "Accelerometer.csv").write_text(sensor_file(accel - still, start, 20e6))
    (folder / "Gravity.csv").write_text(sensor_file(still, start, 20e6))
    (folder / "Gyroscope.csv").write_text(sensor_file(gyro, start + 8_000_000, 16e6))
    (folder / "Metadata.csv").write_text("version,device name\n3,phone\n")
    return fine


@pytest.mark.parametrize("total", [True, False])
def test_sensor_logger(tmp_path, total):
    fine = phone_folder(tmp_path / "circle-2024-05-01_10-00-00", total)
    found = read_foreign(tmp_path / "circle-2024-05-01_10-00-00",
                         options=Options(gyro="rad/s"))
    (r,) = found.recordings
    assert found.sources[0].form == "Sensor Logger" and r.rate_hz == 50
    assert found.labels == ["circle"]
    first = 1  # the first sample lies before the gyroscope's
    want = fine[::5][first : first + len(r.samples)]
    assert close(r.samples[:, :3], want[:, :3], 0.02)
    assert close(r.samples[:, 3:], want[:, 3:], 1.0)  # interpolated


def test_sensor_logger_in_rad_s_is_noticed(tmp_path):
    phone_folder(tmp_path / "circle", True)
    with pytest.raises(BeckonError, match="seem to be in rad/s; use --gyro-unit rad/s"):
        read_foreign(tmp_path / "circle")


def test_folders_of_sensor_logger_are_recordings(tmp_path):
    for name in ("circle-1", "up-1"):
        phone_folder(tmp_path / name, True)
    found = read_foreign(tmp_path, options=Options(gyro="rad/s"))
    assert found.labels == ["circle", "up"] and len(found.recordings) == 2


def test_phyphox_zip(tmp_path):
    path = tmp_path / "circle 2024-05-01.zip"
    t = np.arange(len(X)) * 0.02
    with zipfile.ZipFile(path, "w") as archive:
        for name, unit, part in (("Accelerometer", "m/s^2", X[:, :3]),
                                 ("Gyroscope", "rad/s", np.radians(X[:, 3:]))):
            rows = "".join(f"{a:.9E},{b:.9E},{c:.9E},{d:.9E}\n"
                           for a, (b, c, d) in zip(t, part.tolist(), strict=True))
            archive.writestr(f"{name}.csv",
                             f'"Time (s)","X ({unit})","Y ({unit})","Z ({unit})"\n{rows}')
        archive.writestr("meta/device.csv", '"property","value"\n"version","1"\n')
        archive.writestr("meta/time.csv", '"event","experiment time"\n"START",0\n')
    found = read_foreign(path)
    assert found.labels == ["circle"] and close(found.recordings[0].samples, X)
    assert not found.sources[0].gyro_assumed


def test_files_named_by_their_sensor(tmp_path):
    (tmp_path / "up1_accel.csv").write_text(csv_text(X[:, :3], "t_ms,x,y,z"))
    (tmp_path / "up1_gyro.csv").write_text(csv_text(X[:, 3:], "t_ms,x,y,z"))
    found = read_foreign(tmp_path)
    assert found.labels == ["up"] and close(found.recordings[0].samples, X)


def test_turn_rates_alone_are_refused(tmp_path):
    (tmp_path / "Gyroscope.csv").write_text(csv_text(np.radians(X[:, 3:]), "t_ms,x,y,z"))
    with pytest.raises(BeckonError, match="holds turn rates alone; put the file"):
        read_foreign(tmp_path)


def test_two_recordings_are_not_joined(tmp_path):
    (tmp_path / "Accelerometer.csv").write_text(csv_text(X[:, :3], "t_ms,x,y,z"))
    (tmp_path / "Gyroscope.csv").write_text(csv_text(X[:, 3:], "t_ms,x,y,z", start=90_000))
    with pytest.raises(BeckonError, match="shares no time with Accelerometer.csv"):
        read_foreign(tmp_path)


def test_acceleration_without_gravity_is_refused_or_completed(tmp_path):
    linear = movement(gravity=False)
    header = ",".join(["Time (s)", *(f"Linear Acceleration {x} (m/s^2)" for x in "xyz")])
    path = tmp_path / "up.csv"
    for names in (header, "time,ax,ay,az"):
        path.write_text(csv_text(linear[:, :3], names, 0.02))
        with pytest.raises(BeckonError, match="gravity is missing; use the acceleration with"):
            read_foreign(path)
    found = read_foreign(path, options=Options(accel="m/s2"))
    assert any("gravity is missing" in notice for notice in found.notices)
    header += "," + ",".join(f"Gravity {x} (m/s^2)" for x in "xyz")
    whole = np.hstack([linear[:, :3], np.tile([0, 0, 9.8], (len(linear), 1))])
    path.write_text(csv_text(whole, header, 0.02))
    assert close(read_foreign(path).recordings[0].samples, linear[:, :3] + [0, 0, 9.8])


def test_physics_toolbox(tmp_path):
    lines = ["time,gFx,gFy,gFz,wx,wy,wz,Bx,By,Bz"]
    for i, row in enumerate(in_units(X, "g", "rad/s").tolist()):
        lines.append(f"10:00:{i * 0.02:06.3f}".replace(".", ":") + ","
                     + ",".join(f"{v:.6f}" for v in row) + ",1,2,3")
    (tmp_path / "up.csv").write_text("\n".join(lines) + "\n")
    found = read_foreign(tmp_path, options=Options(gyro="rad/s"))
    assert found.sources[0].accel == "g" and found.sources[0].time == "clock"
    assert close(found.recordings[0].samples, X)


# Sets and tools

def test_createai(tmp_path):
    def recordings(count):
        return [{"id": str(i), "data": dict(zip(
            "xyz", in_units(movement(49, seed=i)[:, :3], "g").T.tolist(), strict=True))}
            for i in range(count)]

    (tmp_path / "data-samples.json").write_text(json.dumps([
        {"id": "1", "name": "Not a spell", "icon": "No", "recordings": recordings(2)},
        {"id": "2", "name": "wave", "icon": "Yes", "recordings": recordings(1)}]))
    found = read_foreign(tmp_path)
    assert found.labels == ["Not a spell", "wave"] and len(found.recordings) == 3
    assert found.recordings[0].rate_hz == 50
    assert close(found.recordings[0].samples, movement(49, seed=0)[:, :3])


def test_wisdm_raw(tmp_path):
    lines = []
    for user, activity in ((33, "Jogging"), (33, "Walking"), (17, "Walking")):
        for i, (a, b, c) in enumerate(movement(60, 20)[:, :3].tolist()):
            lines.append(f"{user},{activity},{49105962326000 + i * 50000000},{a:.4f},{b:.4f},"
                         f"{c:.4f};")
    (tmp_path / "WISDM_ar_v1.1_raw.txt").write_text("\n".join(lines))
    found = read_foreign(tmp_path)
    assert found.labels == ["Jogging", "Walking"] and found.subjects == ["17", "33"]
    assert len(found.recordings) == 3 and found.recordings[0].rate_hz == 20


def test_uci_har(tmp_path):
    root = tmp_path / "UCI HAR Dataset"
    (root / "train" / "Inertial Signals").mkdir(parents=True)
    stream = movement(320)
    values = in_units(stream, "g", "rad/s")
    windows = [values[i : i + 128] for i in (0, 64, 128, 192)] + [values[:128]]
    for k, name in enumerate(f"{n}_{x}" for n in ("total_acc", "body_gyro") for x in "xyz"):
        text = "\n".join(" ".join(f"{v: .7e}" for v in w[:, k]) for w in windows)
        (root / "train" / "Inertial Signals" / f"{name}_train.txt").write_text(text + "\n")
    (root / "train" / "y_train.txt").write_text("1\n1\n1\n1\n2\n")
    (root / "train" / "subject_train.txt").write_text("5\n" * 5)
    (root / "activity_labels.txt").write_text("1 WALKING\n2 SITTING\n")
    found = read_foreign(tmp_path)
    assert [len(r.samples) for r in found.recordings] == [320, 128]
    assert found.labels == ["SITTING", "WALKING"] and found.subjects == ["5"]
    assert close(found.recordings[0].samples, stream)


@pytest.mark.parametrize("name, cure", [
    ("up.xlsx", "save the spreadsheet as CSV"), ("project.hex", "save the data samples instead"),
    ("x.mat", "write it as CSV, or"), ("x.pkl", "may run code"), ("x.rar", "unpack it"),
])
def test_what_is_not_read_has_a_cure(tmp_path, name, cure):
    (tmp_path / name).write_bytes(b"PK")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(BeckonError, match=f"{name}: is not read; .*{cure}"):
            read_foreign(path)
    (tmp_path / "up1.csv").write_text(csv_text(X))
    found = read_foreign(tmp_path)
    assert len(found.recordings) == 1 and cure in found.notices[0]


def test_a_data_set_folder_needs_no_import(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "labels.csv").write_text("")
    with pytest.raises(BeckonError, match="is a data-set folder already"):
        read_foreign(tmp_path)
