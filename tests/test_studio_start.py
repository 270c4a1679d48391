"""Studio's start page: which projects there are, the sample, a project as one file."""

import shutil
import zipfile
from urllib.parse import quote

import pytest

from host_tools.paths import DEFAULT_MODEL, DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.dataset.convert import archive
from host_tools.errors import BeckonError
from host_tools.studio.start.projects import KnownProjects, look_into
from host_tools.studio.start.sharing import pack, unpack
from host_tools.testing.browser import open_tab
from tests.forked_studio import ForkedStudio
from tests.studio_pictures import picture
from tests.waiting import until


@pytest.fixture
def demo(tmp_path):
    shutil.copytree(DEMO, tmp_path / "demo")
    return tmp_path / "demo"


def test_what_is_in_a_project_and_what_comes_next(demo, tmp_path):
    (tmp_path / "empty/recordings").mkdir(parents=True)
    assert look_into(tmp_path / "empty").step == "record"
    about = look_into(demo)
    assert (about.recordings, about.unlabelled, about.model) == (1, 0, "")
    assert about.labels == {"y": 3, "circle": 3, "x": 3} and about.people == ("p101-1",)
    assert about.step == "train"
    (demo / "models").mkdir()
    shutil.copyfile(DEFAULT_MODEL, demo / "models/a.mlp")
    assert look_into(demo).step == "watch" and look_into(demo).model == "a.mlp"
    shutil.copyfile(demo / "recordings/p101-1.csv.gz", demo / "recordings/new.csv.gz")
    about = look_into(demo)
    assert about.newer and about.step == "train" and about.unlabelled == 1
    (demo / "labels.csv").write_text("recording,start_ms,end_ms,label\n")
    assert look_into(demo).step == "label"
    (demo / "labels.csv").write_text("recording,start_ms\nx")
    assert "labels.csv" in look_into(demo).fault


def test_the_list_of_projects_is_kept_and_a_broken_one_is_no_fault(demo, tmp_path):
    file = tmp_path / "config/studio.json"
    known = KnownProjects(file, tmp_path)
    assert known.recent() == [] and known.in_folder() == [demo]
    known.remember(demo)
    other = known.sample()
    known.remember(other)
    assert KnownProjects(file, tmp_path / "config").recent() == [other, demo]
    assert known.sample().name == "sample-2"
    known.forget(demo)
    shutil.rmtree(other)
    assert known.recent() == []
    assert known.choose_folder(str(tmp_path / "config")) == known.folder
    for wrong in ("", str(tmp_path / "nowhere")):
        with pytest.raises(BeckonError, match="not a folder"):
            known.choose_folder(wrong)
    for wrong in ("", "..", "a/b", ".hidden"):
        with pytest.raises(BeckonError, match="not a name for a folder"):
            known.new(wrong)
    file.write_text("[1")
    assert known.recent() == [] and known.folder == tmp_path
    known.remember(demo)
    assert known.recent() == [demo]


def test_a_project_travels_as_one_file(demo, tmp_path, monkeypatch):
    (demo / "models").mkdir()
    shutil.copyfile(DEFAULT_MODEL, demo / "models/a.mlp")
    (demo / "secret.txt").write_text("not to be shared")
    (demo / "recordings/link.csv").symlink_to("/etc/hostname")
    assert pack(demo, tmp_path / "demo.zip") == 3
    target = tmp_path / "there"
    assert unpack(tmp_path / "demo.zip", target) == 3
    for name in ("labels.csv", "models/a.mlp", "recordings/p101-1.csv.gz"):
        assert (target / name).read_bytes() == (demo / name).read_bytes()
    assert not (target / "secret.txt").exists()
    with pytest.raises(BeckonError, match="exists already"):
        unpack(tmp_path / "demo.zip", target)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.csv", "1,2,3")
    with pytest.raises(BeckonError, match="not a project of Beckon"):
        unpack(tmp_path / "other.zip", tmp_path / "new")
    (tmp_path / "empty/recordings").mkdir(parents=True)
    with pytest.raises(BeckonError, match="nothing to share yet"):
        pack(tmp_path / "empty", tmp_path / "empty.zip")
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(BeckonError, match="unpacks to 3 files"):
        unpack(tmp_path / "demo.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_from_nothing_to_the_sample_and_back(browser, demo, tmp_path, monkeypatch, request):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (demo / "labels-anna.csv").write_bytes((demo / "labels.csv").read_bytes())
    assert pack(demo, tmp_path / "shared one.zip") == 3
    with ForkedStudio(None, home=tmp_path) as studio, open_tab(browser, studio) as tab:
        page = tab.page
        tab.enter(studio)
        page.wait_for_url("**/start")
        tab.wait_until_usable()
        text = page.inner_text(".bk-main")
        assert "Teach a board your gestures" in text and "Connect a board" in text  # the hints
        assert page.locator("nav a").count() == 0 and "demo" in text
        tab.go("/label")  # needs a project
        page.wait_for_url("**/start")
        tab.wait_until_usable()
        # A name that cannot be is refused; one that can is made
        page.get_by_label("Name").fill("a/b")
        page.get_by_role("button", name="Create").click()
        page.get_by_text("not a name for a folder").wait_for()
        # The sample, by its key
        page.locator("body").click()
        page.keyboard.press("s")
        page.wait_for_url("**/label")
        tab.wait_until_usable()
        assert (tmp_path / "sample/labels.csv").exists()
        assert "sample" in page.inner_text(".bk-brand")
        page.keyboard.press("Alt+p")
        page.wait_for_url("**/start")
        tab.wait_until_usable()
        cards = page.locator("article")
        assert "10 recordings" in cards.first.inner_text()
        assert "10 people" in cards.first.inner_text() and "open" in cards.first.inner_text()
        assert "Next: train" in cards.first.inner_text()
        assert page.locator(".bk-first").count() == 0  # hints are for the first run
        picture(tab, request, "start", home=tmp_path)
        # A second tab shows the sample; opening another project takes it to the start page
        with open_tab(browser, studio) as other:
            other.go("/label?recording=p1-1")
            other.wait_for_signal()
            page.locator("article", has_text="demo").get_by_role("button", name="Open").click()
            page.wait_for_url("**/train")
            other.page.wait_for_url("**/start")
        tab.wait_until_usable()
        assert "demo" in page.inner_text(".bk-brand")
        # A shared file becomes a project
        tab.go("/start")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files(tmp_path / "shared one.zip")
        page.wait_for_url("**/label")
        tab.wait_until_usable()
        assert "shared one" in page.inner_text(".bk-brand")
        assert sorted(p.name for p in (tmp_path / "shared one").iterdir()) == [
            "labels-anna.csv", "labels.csv", "recordings"]
        # And a project becomes a file
        tab.go("/start")
        page.get_by_role("button", name="more about shared one").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name="Share as a file").click()
        assert download.value.suggested_filename == "shared one.zip"
        with zipfile.ZipFile(download.value.path()) as got:
            assert len(got.namelist()) == 3
        status = page.evaluate(
            "(url) => fetch(url).then((r) => r.status)",
            f"/start/share/etc.zip?folder={quote('/etc')}")
        assert status == 404
        until(lambda: "404" in "".join(tab.faults))
        assert len(tab.faults) == 1 and tab.strangers() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
