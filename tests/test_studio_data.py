"""Studio's Data page: changing many takes or recordings at once, importing, undo for all of it."""

import shutil

import pytest

from host_tools.paths import DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.errors import BeckonError
from host_tools.studio.data import editing
from host_tools.studio.data.importing import Answers, add, read
from host_tools.studio.frame import uploads as uploads_module
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.uploads import Uploads
from tests.studio_pictures import picture
from tests.waiting import until

HEAD = "recording,start_ms,end_ms,label,subject\n"


@pytest.fixture
def project(tmp_path):
    """Two recordings: p101-1 with nine takes, other with one and the recorder's file beside it."""
    shutil.copytree(DEMO, tmp_path / "demo")
    folder = tmp_path / "demo/recordings"
    shutil.copyfile(folder / "p101-1.csv.gz", folder / "other.csv.gz")
    (folder / "other.json").write_text("{}")
    with open(tmp_path / "demo/labels.csv", "a") as file:
        file.write("other,1000,2000,circle,ann\n")
    return Project.open(tmp_path / "demo")


def state(project):
    """All that an action changes: the labels' bytes and the names of the files."""
    files = sorted(p.name for p in (project.folder / "recordings").iterdir())
    return project.labels_path.read_bytes(), files


def test_each_change_of_many_is_one_step_back(project):
    store, before = project.labels, state(project)
    ids = editing.takes_of(store, ["p101-1", "other"])
    steps = []
    assert editing.relabel(store, ids[:4] + ids[-1:], "wave") == 5
    assert store.counts()["wave"] == 5
    steps.append(state(project))
    assert editing.set_person(store, ids, " ann  b ") == 10 and store.subjects == ["ann b"]
    steps.append(state(project))
    assert editing.delete_takes(store, ids[:9]) == 9 and store.recordings() == ["other"]
    steps.append(state(project))
    editing.rename_recording(project, "other", "kitchen 2")
    assert state(project)[1] == ["kitchen 2.csv.gz", "kitchen 2.json", "p101-1.csv.gz"]
    assert store.spans("kitchen 2")[0].id == ids[-1] and not store.spans("other")
    steps.append(state(project))
    assert editing.delete_recordings(project, ["kitchen 2", "p101-1"]) == 3
    assert state(project)[1] == [] and project.recordings() == [] and store.recordings() == []
    assert len(list((project.folder / "deleted").iterdir())) == 3
    steps.append(state(project))
    for earlier in (*reversed(steps[:-1]), before):
        store.undo()
        assert state(project) == earlier
    assert store.can_undo is None
    for later in steps:
        store.redo()
        assert state(project) == later


def test_a_change_that_cannot_be_leaves_all_as_it_was(project, monkeypatch):
    before = state(project)
    for new, said in (("p101-1", "already"), ("a/b", "not a name"), ("", "not a name"),
                      (".x", "not a name")):
        with pytest.raises(BeckonError, match=said):
            editing.rename_recording(project, "other", new)
    with pytest.raises(BeckonError, match="needs a name"):
        editing.relabel(project.labels, [1], " ")
    assert state(project) == before
    # The labels cannot be written: the files go back
    monkeypatch.setattr("host_tools.studio.frame.label_store.write_labels_file", _refuse)
    with pytest.raises(BeckonError, match="disk is full"):
        editing.delete_recordings(project, ["other"])
    monkeypatch.undo()
    assert state(project) == before and project.labels.can_undo is None
    # A recording of the same name came meanwhile: undo says so and keeps the step
    editing.delete_recordings(project, ["other"])
    (project.folder / "recordings/other.csv.gz").write_bytes(b"new")
    with pytest.raises(BeckonError, match="is there already"):
        project.labels.undo()
    assert project.labels.can_undo == "delete recordings"
    assert (project.folder / "recordings/other.csv.gz").read_bytes() == b"new"
    (project.folder / "recordings/other.csv.gz").unlink()
    project.labels.undo()
    assert state(project) == before


def _refuse(path, table):
    raise BeckonError("the disk is full")


def test_files_are_read_first_then_imported_in_one_step(project, tmp_path):
    before = state(project)
    drop = tmp_path / "drop/phone"
    drop.mkdir(parents=True)
    rows = "".join(f"{10 * i},0,0,{1 if i % 50 else 1.5}\n" for i in range(300))
    (drop / "circle.1.csv").write_text("time,ax,ay,az\n" + rows)
    with pytest.raises(BeckonError) as refused:  # 1 m/s^2 of gravity: the library asks
        read(tmp_path / "drop", Answers())
    assert "--accel-unit g" in str(refused.value) and "drop" not in str(refused.value)
    with pytest.raises(BeckonError, match="unit 'furlong'"):
        read(tmp_path / "drop", Answers(accel="furlong"))
    with pytest.raises(BeckonError, match="enter a rate from 4 to 2000"):
        read(tmp_path / "drop", Answers(rate_hz=1))
    look = read(tmp_path / "drop", Answers(accel="g", label="circle", person="bob"))
    assert look.count == 1 and "acceleration in g" in " ".join(look.lines)
    assert state(project) == before
    names = add(project, look) + add(project, look)
    assert len(set(names)) == 2 and names[1] == f"{names[0]}-2"
    assert project.labels.spans(names[1])[0].subject == "bob"
    assert project.recording(names[0]).samples[1, 2] == pytest.approx(9.80665, abs=1e-3)
    project.labels.undo()
    project.labels.undo()
    assert state(project) == before
    project.labels.redo()
    assert names[0] in {f.name for f in project.recordings()}


def test_another_project_is_imported_with_its_labels(project, tmp_path):
    shutil.copytree(DEMO, tmp_path / "drop/demo")
    look = read(tmp_path / "drop", Answers())
    assert add(project, look) == ["p101-1-2"]
    assert len(project.labels.spans("p101-1-2")) == 9


def test_what_a_browser_sends_stays_inside_and_bounded(monkeypatch):
    uploads = Uploads()
    key = uploads.begin()
    with pytest.raises(BeckonError, match="no file came"):
        uploads.folder(key)
    path = uploads.part(key, "a/b.csv")
    path.write_text("x")
    assert path == uploads.folder(key) / "a/b.csv"
    for wrong in ("../x", "a/../../x", "", "/", "a/" + "b" * 201, "\0", "a\\..\\x"):
        with pytest.raises(BeckonError, match="not a name for a file"):
            uploads.part(key, wrong)
    assert uploads.part(key, "/etc/passwd") == uploads.folder(key) / "etc/passwd"
    monkeypatch.setattr(uploads_module, "MOST_FILES", 2)
    with pytest.raises(BeckonError, match="more than 2 files"):
        uploads.part(key, "c")
    monkeypatch.setattr(uploads_module, "MOST_BYTES", 10)
    uploads.count(key, 10)
    with pytest.raises(BeckonError, match="drop less at once"):
        uploads.count(key, 1)
    folder = uploads.folder(key)
    uploads.end(key)
    assert not folder.exists()
    with pytest.raises(BeckonError, match="too late"):
        uploads.part(key, "d")


def test_the_page_changes_many_and_imports(studio_tab, project, tmp_path, request):
    tab = studio_tab(project.folder, "/data")
    page = tab.page
    labels, recordings = project.labels_path, project.folder / "recordings"
    before = labels.read_bytes()
    rows = page.locator("tbody tr")
    assert rows.count() == 2 and "circle 3" in page.inner_text("table")
    assert page.get_by_role("button", name="Delete").is_disabled()
    # By keyboard alone: choose a recording, delete it, take that back
    page.get_by_role("checkbox", name="other").focus()
    page.keyboard.press("Space")
    page.get_by_text("1 recording chosen").wait_for()
    picture(tab, request, "data")
    page.keyboard.press("Delete")
    page.get_by_text("1 recording moved to the folder deleted").wait_for()
    assert not (recordings / "other.csv.gz").exists()
    page.keyboard.press("Control+z")
    until(lambda: (recordings / "other.csv.gz").exists() and labels.read_bytes() == before)
    # Another name
    page.get_by_role("checkbox", name="other").click()
    page.keyboard.press("r")
    page.locator(".q-dialog input").fill("kitchen")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="kitchen").wait_for()
    # Takes: all of them get a person
    page.get_by_role("button", name="Takes", exact=True).click()
    page.get_by_text("Length in s").wait_for()
    assert rows.count() == 10
    page.get_by_role("checkbox", name="all rows").click()
    page.get_by_text("10 takes chosen").wait_for()
    page.keyboard.press("w")
    page.locator(".q-dialog input").fill("carla")
    page.keyboard.press("Enter")
    until(lambda: labels.read_text().count("carla") == 10)
    page.locator(".q-dialog").wait_for(state="detached")
    page.get_by_role("checkbox", name="all rows").click()
    page.keyboard.press("l")
    page.get_by_role("button", name="circle", exact=True).click()
    page.get_by_role("button", name="Use").click()
    until(lambda: labels.read_text().count(",circle,carla") == 10)
    # A folder is dropped: the library refuses, is answered, then imports
    drop = tmp_path / "phone"
    drop.mkdir()
    lines = "".join(f"{10 * i},0,0,{1 if i % 50 else 1.5}\n" for i in range(300))
    (drop / "shake.1.csv").write_text("time,ax,ay,az\n" + lines)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(drop)
    message = page.locator(".bk-message")
    message.wait_for()
    assert "“Acceleration in” g" in message.inner_text() and "--" not in message.inner_text()
    assert page.get_by_role("button", name="Import 1").count() == 0
    page.get_by_label("Acceleration in").fill("g")
    page.get_by_label("Person").last.fill("dora")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("button", name="Import 1 recording").wait_for()
    assert "acceleration in g" in page.inner_text(".bk-main")
    assert labels.read_text().count("dora") == 0  # so far it only looked
    page.get_by_role("button", name="Import 1 recording").click()
    page.get_by_role("link", name="shake").wait_for()
    assert ",shake,dora" in labels.read_text()
    page.keyboard.press("Control+z")
    page.get_by_role("link", name="shake").wait_for(state="detached")
    for _ in range(3):
        page.keyboard.press("Control+z")
    until(lambda: labels.read_bytes() == before)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
