"""What keys and drags mean on the Label page, without a browser."""

import pytest

from host_tools.dataset.proposals import Proposal
from host_tools.errors import BeckonError
from host_tools.studio.frame.label_store import LabelStore
from host_tools.studio.label.editor import LabelEditor

PROPOSALS = (Proposal(1000, 1800, "x", 90), Proposal(3000, 3900, "y", 70), Proposal(6000, 6500))


@pytest.fixture
def editor(tmp_path):
    editor = LabelEditor(LabelStore(tmp_path / "labels.csv"))
    editor.open("a", 0, 10_000)
    return editor


def spans(editor):
    return [(i.start_ms, i.end_ms, i.label) for i in editor.store.spans("a")]


def test_one_key_accepts_and_goes_on(editor):
    assert editor.offer(PROPOSALS) == 3
    assert editor.chosen().start_ms == 1000
    editor.accept()
    assert spans(editor) == [(1000, 1800, "x")] and editor.chosen().start_ms == 3000
    editor.accept()
    editor.accept()  # it has no label: the last one used serves
    assert spans(editor)[-1] == (6000, 6500, "y") and editor.proposals == 0


def test_one_key_corrects_and_goes_on(editor):
    editor.offer(PROPOSALS)
    editor.choose("z")
    assert spans(editor) == [(1000, 1800, "z")] and editor.chosen().start_ms == 3000


def test_one_key_rejects_and_goes_on(editor):
    editor.offer(PROPOSALS)
    editor.delete()
    assert spans(editor) == [] and editor.chosen().start_ms == 3000 and editor.proposals == 2
    editor.delete()
    editor.delete()
    assert editor.chosen() is None and editor.proposals == 0
    assert editor.store.can_undo is None  # a rejected proposal does not change the labels


def test_all_with_a_label_are_accepted_as_one_action(editor):
    editor.offer(PROPOSALS)
    assert editor.accept_all() == 2 and editor.proposals == 1
    editor.store.undo()
    assert spans(editor) == []
    with pytest.raises(BeckonError, match="no proposal has a label"):
        editor.accept_all()


def test_a_proposal_without_any_label_asks_for_one(editor):
    editor.offer([Proposal(0, 500)])
    with pytest.raises(BeckonError, match="no label yet: press L"):
        editor.accept()
    editor.choose("wave")
    assert spans(editor) == [(0, 500, "wave")]


def test_a_proposal_under_a_span_is_not_shown(editor):
    editor.choose("x")
    editor.create(900, 1200)
    assert editor.offer(PROPOSALS) == 2


def test_a_proposal_can_be_reshaped_before_it_is_accepted(editor):
    editor.offer(PROPOSALS)
    editor.reshape(editor.selected, 1100, 1700)
    editor.accept()
    assert spans(editor) == [(1100, 1700, "x")]
    with pytest.raises(BeckonError, match="at least 20 ms"):
        editor.reshape(editor.selected, 3000, 3005)


def test_a_proposal_stays_inside_the_recording(editor):
    editor.offer([Proposal(9000, 9800, "x")])
    editor.reshape(editor.selected, 9000, 12_000)
    assert editor.chosen().end_ms == 10_000


def test_start_and_end_by_keys_alone(editor):
    editor.choose("x")
    editor.cursor_ms = 2000.0
    editor.begin_here()
    assert editor.opened_ms == 2000
    editor.cursor_ms = 2600.0
    editor.end_here()
    assert spans(editor) == [(2000, 2600, "x")] and editor.opened_ms is None
    editor.cursor_ms = 2100.0  # the span is selected: the keys now move its ends
    editor.begin_here()
    editor.cursor_ms = 2500.0
    editor.end_here()
    assert spans(editor) == [(2100, 2500, "x")]


@pytest.mark.parametrize("start, end, said", [
    (None, 3000, "press I where the span begins"), (2000, 1500, "end must lie after the start"),
])
def test_an_end_without_a_start_is_refused(editor, start, end, said):
    editor.choose("x")
    if start is not None:
        editor.cursor_ms = float(start)
        editor.begin_here()
    editor.cursor_ms = float(end)
    with pytest.raises(BeckonError, match=said):
        editor.end_here()


def test_ends_do_not_cross(editor):
    editor.choose("x")
    editor.create(2000, 3000)
    editor.cursor_ms = 3500.0
    with pytest.raises(BeckonError, match="start must lie before the end"):
        editor.begin_here()
    editor.cursor_ms = 1500.0
    with pytest.raises(BeckonError, match="end must lie after the start"):
        editor.end_here()


def test_next_and_previous_go_round_no_corner(editor):
    editor.choose("x")
    for at in (1000, 3000, 5000):
        editor.create(at, at + 500)
    editor.selected, editor.cursor_ms = None, 2000.0
    assert editor.step(1).start_ms == 3000  # from the cursor
    assert editor.step(1).start_ms == 5000
    assert editor.step(1) is None and editor.chosen().start_ms == 5000
    assert editor.step(-1).start_ms == 3000


def test_a_number_relabels_the_selected_span(editor):
    editor.choose("x")
    editor.create(0, 500)
    editor.choose("y")
    assert spans(editor) == [(0, 500, "y")] and editor.brush == "y"


def test_split_works_where_the_cursor_is(editor):
    editor.choose("x")
    editor.create(1000, 2000)
    editor.cursor_ms = 1500.0
    editor.selected = None
    editor.split()
    assert spans(editor) == [(1000, 1500, "x"), (1500, 2000, "x")]
    assert editor.chosen().start_ms == 1500
    editor.cursor_ms = 9000.0
    with pytest.raises(BeckonError, match="cursor is not in a span"):
        editor.split()


def test_who_moved_is_remembered(editor):
    editor.set_subject("anna")
    editor.choose("x")
    first = editor.create(0, 500)
    editor.select(first.id)
    editor.set_subject("ben")
    assert [i.subject for i in editor.store.spans("a")] == ["ben"]
    editor.create(1000, 1500)
    assert editor.store.spans("a")[1].subject == "ben"
    editor.open("a", 0, 10_000)
    assert editor.subject == "ben"


def test_a_recording_without_any_gesture(editor):
    editor.whole_idle("none")
    assert spans(editor) == [(0, 10_000, "none")]
    with pytest.raises(BeckonError, match="spans already"):
        editor.whole_idle("none")


def test_what_is_gone_cannot_be_changed(editor):
    editor.choose("x")
    editor.create(0, 500)
    editor.store.undo()
    assert editor.chosen() is None
    for action in (editor.delete, editor.merge, editor.accept):
        with pytest.raises(BeckonError, match="no span is selected"):
            action()


def test_keys_without_a_cursor_say_so(editor):
    for action in (editor.begin_here, editor.end_here, editor.split):
        with pytest.raises(BeckonError, match="no cursor yet"):
            action()
