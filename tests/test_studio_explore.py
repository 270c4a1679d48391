"""The Explore page: its session, and in a browser a broken set that leads to each of its faults."""

import csv
import gzip

import numpy as np
import pytest

from host_tools.dataset.folder import read_dataset
from host_tools.dataset.labels import read_labels_file
from host_tools.errors import BeckonError
from host_tools.experiments.label_errors import Judged, LabelErrors, Suspect
from host_tools.paths import DATA, DEFAULT_MODEL
from host_tools.studio.explore.session import DELETE, KEEP, RELABEL, ExploreSession
from host_tools.studio.frame.project import Project
from tests.studio_pictures import picture
from tests.waiting import until


def copied(folder, count):
    """The first recordings of data/gestures, and their rows in labels.csv."""
    source = read_dataset(DATA / "gestures")
    (folder / "recordings").mkdir(parents=True)
    rows = []
    for r in source.recordings[:count]:
        (folder / "recordings" / r.path.name).write_bytes(r.path.read_bytes())
        rows += [[r.name, f"{s.start_ms:g}", f"{s.end_ms:g}", s.label, r.name] for s in r.spans]
    return rows


def write_labels(folder, rows):
    with open(folder / "labels.csv", "w", newline="") as out:
        csv.writer(out).writerows([["recording", "start_ms", "end_ms", "label", "subject"], *rows])


def broken_set(folder):
    """One wrong label, five takes without a person, three takes of one class, a recording in g.

    Returns the row with the wrong label and the name of the recording in g.
    """
    rows = copied(folder, 4)
    y = [row for row in rows if row[3] == "y"]
    rows = [row for row in rows if row[3] != "y" or row in y[:3]]
    wrong = next(row for row in rows[20:] if row[3] == "circle")
    wrong[3] = "x"
    for row in rows[:5]:
        row[4] = ""
    name = rows[-1][0]
    path = folder / "recordings" / f"{name}.csv.gz"
    head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    table = np.array([line.split(",") for line in lines], float)
    table[:, 1:4] /= 9.80665
    body = "\n".join(",".join(f"{v:.6g}" for v in row) for row in table)
    path.write_bytes(gzip.compress(f"{head}\n{body}\n".encode()))
    write_labels(folder, rows)
    return wrong, name


def suspect(row, suggested):
    return Suspect(row[0], float(row[1]), float(row[2]), row[3], suggested, 90.0, 3.0)


def test_suspects_are_mended_kept_and_brought_back(tmp_path):
    rows = copied(tmp_path, 1)
    write_labels(tmp_path, rows)
    project = Project.open(tmp_path)
    explorer = ExploreSession(project)
    a, b, c = (suspect(row, "y" if row[3] != "y" else "x") for row in rows[:3])
    explorer._kept.digest, explorer._kept.errors = "d", LabelErrors(
        (a, b, c), (Judged(a.recording, a.start_ms, a.label, a.suggested),))
    explorer.mend(a, RELABEL)
    explorer.mend(b, DELETE)
    explorer.mend(c, KEEP)
    assert explorer.suspects() == explorer.suspects() == []
    saved = read_labels_file(tmp_path / "labels.csv").rows[a.recording]
    assert saved[0].label == a.suggested and len(saved) == len(rows) - 1
    again = ExploreSession(Project.open(tmp_path))  # what is kept outlives Studio
    assert again.suspects() == [] and again.searched
    assert again.held_out() == {(a.recording, a.start_ms): a.suggested}
    assert explorer.undo() == c.recording
    assert explorer.suspects() == [c]
    explorer.undo()
    explorer.undo()
    assert explorer.suspects() == [a, b, c]
    assert explorer.undo() is None
    project.labels.delete(explorer.item(a.recording, a.start_ms).id)
    with pytest.raises(BeckonError, match="no longer exists"):
        explorer.mend(a, RELABEL)
    (tmp_path / ".studio" / "label-errors.json").write_text('{"suspects": 3}')
    assert not ExploreSession(Project.open(tmp_path)).searched


def test_a_look_at_broken_data_says_what_is_wrong(tmp_path):
    rows = copied(tmp_path, 1)
    write_labels(tmp_path, [[*rows[0][:2], "1", *rows[0][3:]]])
    explorer = ExploreSession(Project.open(tmp_path))
    explorer._project.__dict__["labels"] = Project.open(tmp_path / "other").labels
    explorer.look()
    try:
        until(lambda: explorer.poll() and not explorer.looking)
        assert explorer.found is None and "labels.csv:2" in explorer.fault
    finally:
        explorer.close()


def takes(tab):
    return tab.page.evaluate("document.querySelector('.bk-takes-view').takesView.state()")


def click_take(tab, index):
    tab.page.locator(".bk-takes-view").scroll_into_view_if_needed()
    at = tab.page.evaluate(
        f"document.querySelector('.bk-takes-view').takesView.place({index})")
    tab.page.mouse.click(at["x"], at["y"])


@pytest.mark.soak  # waits in vain for the map's selection in one of ten runs; why is not found yet
def test_a_broken_set_leads_to_each_of_its_faults(studio_tab, tmp_path, request):
    pytest.importorskip("nicegui", reason="the extra studio is not installed")
    folder = tmp_path / "my-gestures"
    wrong, in_g = broken_set(folder)
    (folder / "models").mkdir()
    (folder / "models" / "model.mlp").write_bytes(DEFAULT_MODEL.read_bytes())
    tab = studio_tab(folder, "/explore")
    page = tab.page
    shown = "document.querySelector('.bk-takes-view')?.takesView?.drawn > 0"
    page.wait_for_function(shown)
    # People, the small class and the unit are in the list, each with its place
    finding = page.locator(".bk-finding")
    finding.filter(has_text="of 43 takes do not say who moved").wait_for()
    finding.filter(has_text="3 takes of 'y' are few beside the usual").wait_for()
    finding.filter(has_text=f"{in_g}: at rest |a| is 0.99").get_by_role(
        "button", name="Look at it").wait_for()
    # The search finds the wrong label, and Enter mends it; Ctrl Z brings it back
    page.keyboard.press("f")
    page.get_by_role("button", name="Search again").wait_for()
    page.get_by_text("looks like circle: ").wait_for()
    page.keyboard.press("n")
    page.keyboard.press("p")
    page.get_by_text(f"{wrong[0]}, {wrong[4]}, {float(wrong[1]) / 1000:.2f} s").wait_for()
    page.wait_for_function("document.querySelector('.bk-signal').signalView.stats().samples > 0")
    picture(tab, request, "explore")

    def label():
        rows = read_labels_file(folder / "labels.csv").rows[wrong[0]]
        return next(row.label for row in rows if row.start_ms == float(wrong[1]))

    page.keyboard.press("Enter")
    until(lambda: label() == "circle")
    page.keyboard.press("Control+z")
    until(lambda: label() == "x")
    # A click and the arrow keys select; thumbnails, colours and the legend follow
    page.wait_for_function(shown)

    def clicked():  # again if what Ctrl Z changed has just moved the takes
        click_take(tab, 0)
        return takes(tab)["selected"] == 0

    until(clicked)
    page.locator(".bk-takes-view").focus()
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    until(lambda: takes(tab)["selected"] not in (0, -1))
    page.get_by_role("button", name="Thumbnails").click()
    until(lambda: takes(tab)["mode"] == "grid")
    picture(tab, request, "explore-thumbnails", "dark")
    page.get_by_label("Colours show").click()
    page.get_by_role("option", name="Person").click()
    page.get_by_role("button", name="nobody named 5").click()
    until(lambda: takes(tab)["shown"] == 5)
    finding.filter(has_text="do not say who moved").get_by_role(
        "button", name="Set who moved").click()
    page.wait_for_url("**/data")
    page.get_by_role("button", name="Set person").wait_for()
    # Thousands of takes are drawn on one canvas, and only those in sight
    tab.go("/explore")
    page.wait_for_function(shown)
    page.evaluate("""() => {
      const view = document.querySelector('.bk-takes-view').takesView;
      const n = 8000, text = (a) => {
        let s = ''; for (const b of new Uint8Array(a.buffer)) s += String.fromCharCode(b);
        return btoa(s); };
      const many = (kind, size, make) => text(kind.from({length: size}, (_, i) => make(i)));
      view.setMode('grid');
      view.show({n, points: 4, xy: many(Float32Array, 2 * n, (i) => Math.sin(i * i)),
        thumbs: many(Int8Array, 12 * n, (i) => i % 100)});
      view.colour({groups: many(Uint16Array, n, (i) => i % 3), colours: ['#E69F00', '#56B4E9',
        '#009E73'], shapes: [0, 0, 0], wrong: many(Uint8Array, n, () => 0),
        suspect: many(Uint8Array, n, () => 0),
        gone: many(Uint8Array, n, () => 0), order: many(Int32Array, n, (i) => i)});
      view.draw();
      view.select(7000);
    }""")
    until(lambda: takes(tab)["n"] == 8000 and 0 < takes(tab)["drawn"] < 200)
    elements = page.evaluate("document.querySelectorAll('.bk-takes-view *').length")
    assert elements == 2
