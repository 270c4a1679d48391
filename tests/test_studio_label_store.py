"""Editing labels: every action can be undone, is on disk when it returns, keeps spans apart."""

import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from host_tools.dataset import Span
from host_tools.dataset.folder import read_labels
from host_tools.dataset.labels import read_labels_file
from host_tools.errors import BeckonError
from host_tools.studio.frame.label_store import LEAST_MS, ChangedOutside, LabelStore


@pytest.fixture
def store(tmp_path):
    return LabelStore(tmp_path / "labels.csv")


def shapes(store, recording="a"):
    return [(i.start_ms, i.end_ms, i.label) for i in store.spans(recording)]


def on_disk(store):
    return {name: [(r.start_ms, r.end_ms, r.label, r.subject) for r in rows]
            for name, rows in read_labels_file(store.path).rows.items()}


def in_memory(store):
    return {name: [(i.start_ms, i.end_ms, i.label, i.subject) for i in store.spans(name)]
            for name in store.recordings()}


def test_a_project_begins_without_a_file(store):
    assert store.recordings() == [] and not store.path.exists()
    store.add("a", 1000, 2000, "circle", "anna")
    assert store.path.read_text() == (
        "recording,start_ms,end_ms,label,subject\na,1000,2000,circle,anna\n"
    )


def test_what_is_written_is_what_training_reads(store):
    store.add("a", 1000.04, 2000, 'a "quoted", label', "anna")
    store.add("b", 5, 700, "straße", "")
    spans = read_labels(store.path)
    assert [(s.start_ms, s.end_ms, s.label, s.subject) for s in spans["a"]] == [
        (1000, 2000, 'a "quoted", label', "anna")
    ]
    assert spans["b"][0].label == "straße"


def test_a_span_drawn_over_a_neighbour_ends_at_it(store):
    store.add("a", 1000, 2000, "x")
    store.add("a", 1800, 3000, "y")
    store.add("a", 100, 1200, "z")
    assert shapes(store) == [(100, 1000, "z"), (1000, 2000, "x"), (2000, 3000, "y")]


def test_a_span_inside_another_is_refused(store):
    store.add("a", 1000, 2000, "x")
    with pytest.raises(BeckonError, match="a span 'x' already"):
        store.add("a", 1200, 1500, "y")
    assert shapes(store) == [(1000, 2000, "x")] and store.can_undo == "add"


def test_spans_stay_inside_the_recording(store):
    store.set_limits("a", 0, 5000)
    item = store.add("a", -300, 400, "x")
    assert (item.start_ms, item.end_ms) == (0, 400)
    assert store.move(item.id, 4500, 9000).end_ms == 5000
    with pytest.raises(BeckonError, match="at least 20 ms"):
        store.add("a", 6000, 7000, "x")


def test_a_slip_of_the_mouse_is_refused(store):
    with pytest.raises(BeckonError, match="at least 20 ms"):
        store.add("a", 1000, 1000 + LEAST_MS - 1, "x")
    assert not store.path.exists()


def test_ends_may_be_given_in_either_order(store):
    item = store.add("a", 2000, 1000, "x")
    assert (item.start_ms, item.end_ms) == (1000, 2000)


def test_split_and_merge_are_each_others_undoing(store):
    item = store.add("a", 1000, 2000, "x", "anna")
    first, second = store.split(item.id, 1400)
    assert shapes(store) == [(1000, 1400, "x"), (1400, 2000, "x")]
    assert first.id == item.id and second.subject == "anna"
    store.rename(second.id, "y")
    assert store.merge(item.id).label == "x"
    assert shapes(store) == [(1000, 2000, "x")]


def test_merge_reaches_over_a_gap(store):
    item = store.add("a", 1000, 2000, "x")
    store.add("a", 2500, 3000, "y")
    store.merge(item.id)
    assert shapes(store) == [(1000, 3000, "x")]
    with pytest.raises(BeckonError, match="no span follows"):
        store.merge(item.id)


@pytest.mark.parametrize("at_ms", [1000, 1010, 1990, 2500])
def test_a_split_outside_the_span_is_refused(store, at_ms):
    item = store.add("a", 1000, 2000, "x")
    with pytest.raises(BeckonError, match="not inside the span"):
        store.split(item.id, at_ms)


def test_undo_and_redo_walk_the_same_way(store):
    states = [in_memory(store)]
    item = store.add("a", 1000, 2000, "x")
    states.append(in_memory(store))
    store.move(item.id, 1100, 2100)
    states.append(in_memory(store))
    store.add("b", 0, 500, "y")
    states.append(in_memory(store))
    store.delete(item.id)
    states.append(in_memory(store))
    for state in reversed(states[:-1]):
        store.undo()
        assert in_memory(store) == on_disk(store) == state
    assert store.undo() is None and store.can_undo is None
    for state in states[1:]:
        store.redo()
        assert in_memory(store) == on_disk(store) == state
    assert store.redo() is None


def test_undo_says_where_it_happened(store):
    store.add("a", 0, 500, "x")
    store.add("b", 0, 500, "x")
    assert store.undo() == "b" and store.undo() == "a"


def test_a_new_action_forgets_what_was_undone(store):
    store.add("a", 0, 500, "x")
    store.undo()
    store.add("a", 1000, 1500, "y")
    assert store.can_redo is None and store.redo() is None


def test_an_action_that_changes_nothing_is_no_action(store):
    item = store.add("a", 0, 500, "x")
    store.rename(item.id, "x")
    store.move(item.id, 0, 500)
    assert store.can_undo == "add"


def test_several_proposals_are_one_action(store):
    store.add("a", 1000, 2000, "x")
    added = store.add_many("a", [Span(0, 500, "y"), Span(1200, 1400, "z"), Span(3000, 3500, "y")])
    assert [i.start_ms for i in added] == [0, 3000]  # the one inside x had no room
    store.undo()
    assert shapes(store) == [(1000, 2000, "x")]


def test_a_label_is_renamed_everywhere(store):
    store.add("a", 0, 500, "x")
    store.add("b", 0, 500, "x")
    store.add("b", 600, 900, "y")
    assert store.rename_label("x", "circle") == 2
    assert store.counts() == {"circle": 2, "y": 1} and store.labels == ["y", "circle"]
    store.undo()
    assert store.counts() == {"x": 2, "y": 1}


@pytest.mark.parametrize("label, said", [
    ("", "needs a name"), ("   ", "needs a name"), ("x" * 61, "61 characters"),
    ("a\x07b", "cannot be displayed"),
])
def test_labels_that_cannot_be_are_refused(store, label, said):
    with pytest.raises(BeckonError, match=said):
        store.add("a", 0, 500, label)
    assert store.recordings() == []


def test_white_space_in_a_label_is_tidied(store):
    assert store.add("a", 0, 500, "  big\n circle ").label == "big circle"


def test_the_order_of_labels_holds_while_one_labels(store):
    store.add("a", 0, 500, "zig")
    store.add("a", 600, 900, "arc")
    assert store.labels == ["zig", "arc"]  # the numbers on the keys must not change
    assert LabelStore(store.path).labels == ["arc", "zig"]


def test_unknown_columns_and_strange_recordings_are_kept(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("recording,start_ms,end_ms,label,subject,mood\n"
                    "gone,100,200,x,anna,good\na,1000,2000,y,,\"so, so\"\n")
    store = LabelStore(path)
    store.split(store.spans("a")[0].id, 1500)
    assert path.read_text() == (
        "recording,start_ms,end_ms,label,subject,mood\ngone,100,200,x,anna,good\n"
        "a,1000,1500,y,,\"so, so\"\na,1500,2000,y,,\"so, so\"\n"
    )


def test_a_broken_file_is_told_with_its_line(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("recording,start_ms,end_ms,label\na,1,2,x\na,two,3,x\n")
    with pytest.raises(BeckonError, match=r"labels.csv:3: start_ms 'two'"):
        LabelStore(path)


@pytest.mark.parametrize("text", ["", "\n\n", "recording,start_ms,end_ms,label,subject\n"])
def test_a_file_without_spans_is_a_beginning(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    store = LabelStore(path)
    store.add("a", 0, 100, "x")
    assert len(read_labels(path)["a"]) == 1


def test_what_another_program_wrote_is_not_overwritten(store):
    store.add("a", 0, 500, "x")
    store.path.write_text("recording,start_ms,end_ms,label,subject\nb,0,100,y,\n")
    with pytest.raises(ChangedOutside, match="changed by another program"):
        store.add("a", 600, 900, "x")
    with pytest.raises(ChangedOutside):
        store.undo()
    assert shapes(store) == [(0, 500, "x")]  # as before the action
    store.reload()
    assert store.recordings() == ["b"] and store.can_undo is None
    store.add("a", 600, 900, "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_changes_nothing(store):
    store.add("a", 0, 500, "x")
    store.path.parent.chmod(0o500)
    try:
        with pytest.raises(BeckonError, match="cannot be written"):
            store.add("a", 600, 900, "x")
    finally:
        store.path.parent.chmod(0o700)
    assert shapes(store) == [(0, 500, "x")] and store.can_undo == "add"


def test_a_full_disk_changes_nothing(store, monkeypatch):
    store.add("a", 0, 500, "x")
    before = store.path.read_bytes()

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BeckonError, match="cannot be written .No space left"):
        store.add("a", 600, 900, "x")
    monkeypatch.undo()
    assert store.path.read_bytes() == before and shapes(store) == [(0, 500, "x")]
    assert list(store.path.parent.glob(".*")) == []  # nothing half-written is left


def test_a_page_that_opens_reads_what_changed_meanwhile(store):
    store.add("a", 0, 500, "x")
    store.refresh()
    assert store.can_undo == "add"  # nothing had changed
    store.path.unlink()
    store.refresh()
    assert store.recordings() == [] and store.can_undo is None


def test_tabs_hear_of_each_others_changes(store):
    heard = []
    stop = store.listen(heard.append)
    item = store.add("a", 0, 500, "x")
    store.delete(item.id)
    store.undo()
    stop()
    store.redo()
    assert heard == ["a", "a", "a"]


def test_two_threads_lose_nothing(store):
    def work(recording):
        for k in range(20):
            store.add(recording, 1000 * k, 1000 * k + 500, "x")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts() == {"x": 60} and on_disk(store) == in_memory(store)


_KILLED = """
import sys
from pathlib import Path
from host_tools.studio.frame.label_store import LabelStore
store = LabelStore(Path(sys.argv[1]))
k = 0
while True:
    store.add("a", 1000 * k, 1000 * k + 500, "x")
    k += 1
    print(k, flush=True)
"""


def test_a_kill_costs_the_last_action_at_most(tmp_path):
    path = tmp_path / "labels.csv"
    for pause_s in (0.05, 0.11, 0.17):
        path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", _KILLED, str(path)],
                                   stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "1\n"
        time.sleep(pause_s)
        process.kill()
        said = [1, *(int(x) for x in process.stdout.read().split())][-1]
        process.wait()
        process.stdout.close()
        kept = len(LabelStore(path).spans("a"))
        assert kept in (said, said + 1)  # it may have died between saving and saying so


_TIMES = st.integers(0, 10_000)


class Editing(RuleBasedStateMachine):
    """Any sequence of actions: spans stay apart, disk and memory agree, undo goes back."""

    items = Bundle("items")

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.store = LabelStore(Path(self.folder.name) / "labels.csv")
        self.store.set_limits("a", 0, 10_000)
        self.states = [{}]
        self.at = 0

    def teardown(self):
        self.folder.cleanup()

    def _do(self, action):
        before = in_memory(self.store)
        try:
            result = action()
        except BeckonError:
            assert in_memory(self.store) == before
            return None
        if in_memory(self.store) != before:
            self.states = [*self.states[: self.at + 1], in_memory(self.store)]
            self.at += 1
        return result

    @rule(target=items, start=_TIMES, end=_TIMES, label=st.sampled_from("xyz"),
          recording=st.sampled_from("ab"))
    def add(self, start, end, label, recording):
        found = self._do(lambda: self.store.add(recording, start, end, label))
        return found.id if found else -1

    @rule(id=items, start=_TIMES, end=_TIMES)
    def move(self, id, start, end):
        self._do(lambda: self.store.move(id, start, end))

    @rule(target=items, id=items, at=_TIMES)
    def split(self, id, at):
        found = self._do(lambda: self.store.split(id, at))
        return found[1].id if found else -1

    @rule(id=items)
    def merge(self, id):
        self._do(lambda: self.store.merge(id))

    @rule(id=items, label=st.sampled_from("xyz"))
    def rename(self, id, label):
        self._do(lambda: self.store.rename(id, label))

    @rule(id=consumes(items))
    def delete(self, id):
        self._do(lambda: self.store.delete(id))

    @rule()
    def undo(self):
        did = self.store.undo() is not None
        assert did == (self.at > 0)
        self.at -= did
        assert in_memory(self.store) == self.states[self.at]

    @rule()
    def redo(self):
        did = self.store.redo() is not None
        assert did == (self.at < len(self.states) - 1)
        self.at += did
        assert in_memory(self.store) == self.states[self.at]

    @invariant()
    def disk_and_memory_agree(self):
        assert on_disk(self.store) == in_memory(self.store)

    @invariant()
    def spans_are_apart_and_in_order(self):
        for recording in "ab":
            spans = self.store.spans(recording)
            for span in spans:
                assert span.end_ms - span.start_ms >= LEAST_MS
            for first, second in zip(spans, spans[1:], strict=False):
                assert first.end_ms <= second.start_ms
        assert all(s.end_ms <= 10_000 for s in self.store.spans("a"))


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
