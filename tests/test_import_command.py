"""`beckon data import`: labels and people of folders, the summary, and nothing half done."""

import json

import pytest

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.dataset.convert import Options, read_foreign
from host_tools.errors import BeckonError
from tests.imports import csv_text, movement

TEXT = csv_text(movement(60))


def folder(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT)
    return root


def labels(root, **options):
    found = read_foreign(root, options=Options(**options))
    return sorted(f"{r.path.parent.name}/{r.path.name}={r.spans[0].label}"
                  for r in found.recordings)


@pytest.mark.parametrize("names, want", [
    (("circle/1.csv", "up/1.csv"), ["circle/1.csv=circle", "up/1.csv=up"]),
    (("circle/take_1.csv", "up/take_1.csv"), ["circle/take_1.csv=circle", "up/take_1.csv=up"]),
    (("circle/ann1.csv", "up/ann2.csv"), ["circle/ann1.csv=circle", "up/ann2.csv=up"]),
    (("circle/circle_1.csv", "up/up_1.csv"), ["circle/circle_1.csv=circle", "up/up_1.csv=up"]),
    (("train/circle/1.csv", "test/up/1.csv"), ["circle/1.csv=circle", "up/1.csv=up"]),
    (("x/circle_1.csv", "x/up_1.csv"), ["x/circle_1.csv=circle", "x/up_1.csv=up"]),
])
def test_folders_that_are_labels(tmp_path, names, want):
    assert labels(folder(tmp_path / "in", *names)) == want


def test_folders_or_names_must_be_named(tmp_path):
    root = folder(tmp_path / "in", "ann/circle1.csv", "ann/up1.csv", "ben/circle1.csv",
                  "ben/up1.csv")
    with pytest.raises(BeckonError, match=r"the folders \(ann, ben\) or the files' names "
                                          r"\(circle, up\); say which with --label-from folder"):
        labels(root)
    assert labels(root, label_from="name")[0] == "ann/circle1.csv=circle"
    assert labels(root, label_from="folder")[0] == "ann/circle1.csv=ann"
    assert labels(root, label="all")[0] == "ann/circle1.csv=all"
    found = read_foreign(root, options=Options(label_from="name", subject_pattern="{subject}/*"))
    assert found.subjects == ["ann", "ben"]


@pytest.mark.parametrize("pattern, words", [
    ("*_{subject}_*", "does not fit --subject-pattern"), ("*", "write {subject} once"),
])
def test_patterns_that_do_not_fit(tmp_path, pattern, words):
    with pytest.raises(BeckonError, match=words):
        labels(folder(tmp_path / "in", "up1.csv"), subject_pattern=pattern)


def test_labels_from_a_column(tmp_path):
    rows = TEXT.splitlines()
    text = "\n".join([rows[0] + ",label,user"] + [
        f"{r},{'up' if i < 30 else 'down'},ann" for i, r in enumerate(rows[1:])])
    (tmp_path / "x.csv").write_text(text)
    found = read_foreign(tmp_path / "x.csv")
    assert [(s.label, s.start_ms) for s in found.recordings[0].spans] == [("up", 0), ("down", 600)]
    assert found.subjects == ["ann"]
    assert read_foreign(tmp_path / "x.csv", options=Options(label_from="name")).labels == ["x"]
    (tmp_path / "y.csv").write_text(TEXT)
    with pytest.raises(BeckonError, match="y.csv: has no column of labels"):
        read_foreign(tmp_path, options=Options(label_from="column"))


def test_the_summary(tmp_path, capsys):
    root = folder(tmp_path / "in", *(f"{n}/{k}.csv" for n in ("circle", "up") for k in range(3)))
    sample = {"payload": {"interval_ms": 10, "sensors": [
        {"name": n, "units": "g"} for n in ("accX", "accY", "accZ")], "values": [[0, 0.1, 1]] * 50}}
    (root / "circle" / "tap.1.json").write_text(json.dumps(sample))
    arguments = ["data", "import", str(root), "--subject", "ann"]
    assert main([*arguments, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "in: 7 recordings, 7.7 s (nothing is written)\n"
        "  6 x CSV, 50 Hz (times in ms), acceleration in m/s2 (assumed), turn rate in dps (assumed)"
        "\n  1 x Edge Impulse JSON, 100 Hz, acceleration in g, no turn rate\n"
        "  labels: circle 3, tap 1, up 3\n  people: ann\n")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'out'}: 7 recordings, 7.7 s\n")
    assert len(read_dataset(tmp_path / "out").recordings) == 7
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("more, words", [
    ([], "name the folder to make with --out, or look first with --dry-run"),
    (["--dry-run", "--rate", "3"], "--rate 3: name a rate from 4 to 2000 Hz"),
    (["--dry-run", "--accel-unit", "inch"], "unit 'inch': name one of m/s2, g, mg, or counts per"),
    (["--dry-run", "--columns", "ex=1"], "write ours=theirs"),
])
def test_options_that_are_refused(tmp_path, capsys, more, words):
    folder(tmp_path, "up1.csv")
    assert main(["data", "import", str(tmp_path), *more]) == 2
    assert words in capsys.readouterr().err


def test_hidden_files_are_passed_over(tmp_path):
    folder(tmp_path, "up1.csv", ".cache/x.csv", "__MACOSX/._up1.csv")
    assert labels(tmp_path) == [f"{tmp_path.name}/up1.csv=up"]


def test_what_is_no_recording(tmp_path):
    (tmp_path / "notes.txt").write_text("only words\n")
    with pytest.raises(BeckonError, match="holds no recording"):
        read_foreign(tmp_path)
    folder(tmp_path, "up1.csv")
    found = read_foreign(tmp_path)
    assert len(found.recordings) == 1 and "1 texts hold no numbers" in found.notices[0]
    with pytest.raises(BeckonError, match="notes.txt: "):
        read_foreign(tmp_path / "notes.txt")
