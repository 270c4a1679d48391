"""What keys and drags mean on the Label page, without a browser."""

import pytest

from host_tools.dataset.proposals import Proposal
from host_tools.errors import BeckonError
from host_tools.studio.label.editor import LabelDesk
from host_tools.studio.label.store import LabelSession

PROPOSALS = (Proposal(1000, 1800, "x", 90), Proposal(3000, 3900, "y", 70), Proposal(6000, 6500))


@pytest.fixture
def desk(tmp_path):
    desk = LabelDesk(LabelSession(tmp_path / "labels.csv"))
    desk.open("a", 0, 10_000)
    return desk


def spans(desk):
    return [(i.start_ms, i.end_ms, i.label) for i in desk.session.spans("a")]


def test_one_key_accepts_and_goes_on(desk):
    assert desk.offer(PROPOSALS) == 3
    assert desk.chosen().start_ms == 1000
    desk.accept()
    assert spans(desk) == [(1000, 1800, "x")] and desk.chosen().start_ms == 3000
    desk.accept()
    desk.accept()  # it has no label: the last one used serves
    assert spans(desk)[-1] == (6000, 6500, "y") and desk.proposals == 0


def test_one_key_corrects_and_goes_on(desk):
    desk.offer(PROPOSALS)
    desk.choose("z")
    assert spans(desk) == [(1000, 1800, "z")] and desk.chosen().start_ms == 3000


def test_one_key_rejects_and_goes_on(desk):
    desk.offer(PROPOSALS)
    desk.delete()
    assert spans(desk) == [] and desk.chosen().start_ms == 3000 and desk.proposals == 2
    desk.delete()
    desk.delete()
    assert desk.chosen() is None and desk.proposals == 0
    assert desk.session.can_undo is None  # a rejected proposal is no change of the labels


def test_all_with_a_label_are_accepted_as_one_action(desk):
    desk.offer(PROPOSALS)
    assert desk.accept_all() == 2 and desk.proposals == 1
    desk.session.undo()
    assert spans(desk) == []
    with pytest.raises(BeckonError, match="no proposal has a label"):
        desk.accept_all()


def test_a_proposal_without_any_label_asks_for_one(desk):
    desk.offer([Proposal(0, 500)])
    with pytest.raises(BeckonError, match="no label yet: press L"):
        desk.accept()
    desk.choose("wave")
    assert spans(desk) == [(0, 500, "wave")]


def test_a_proposal_under_a_span_is_not_shown(desk):
    desk.choose("x")
    desk.create(900, 1200)
    assert desk.offer(PROPOSALS) == 2


def test_a_proposal_can_be_reshaped_before_it_is_accepted(desk):
    desk.offer(PROPOSALS)
    desk.reshape(desk.selected, 1100, 1700)
    desk.accept()
    assert spans(desk) == [(1100, 1700, "x")]
    with pytest.raises(BeckonError, match="at least 20 ms"):
        desk.reshape(desk.selected, 3000, 3005)


def test_a_proposal_stays_inside_the_recording(desk):
    desk.offer([Proposal(9000, 9800, "x")])
    desk.reshape(desk.selected, 9000, 12_000)
    assert desk.chosen().end_ms == 10_000


def test_start_and_end_by_keys_alone(desk):
    desk.choose("x")
    desk.cursor_ms = 2000.0
    desk.begin_here()
    assert desk.opened_ms == 2000
    desk.cursor_ms = 2600.0
    desk.end_here()
    assert spans(desk) == [(2000, 2600, "x")] and desk.opened_ms is None
    desk.cursor_ms = 2100.0  # the span is selected: the keys now move its ends
    desk.begin_here()
    desk.cursor_ms = 2500.0
    desk.end_here()
    assert spans(desk) == [(2100, 2500, "x")]


@pytest.mark.parametrize("start, end, said", [
    (None, 3000, "press I where the span begins"), (2000, 1500, "end must lie behind the start"),
])
def test_an_end_without_a_start_is_refused(desk, start, end, said):
    desk.choose("x")
    if start is not None:
        desk.cursor_ms = float(start)
        desk.begin_here()
    desk.cursor_ms = float(end)
    with pytest.raises(BeckonError, match=said):
        desk.end_here()


def test_ends_do_not_cross(desk):
    desk.choose("x")
    desk.create(2000, 3000)
    desk.cursor_ms = 3500.0
    with pytest.raises(BeckonError, match="start must lie before the end"):
        desk.begin_here()
    desk.cursor_ms = 1500.0
    with pytest.raises(BeckonError, match="end must lie behind the start"):
        desk.end_here()


def test_next_and_previous_go_round_no_corner(desk):
    desk.choose("x")
    for at in (1000, 3000, 5000):
        desk.create(at, at + 500)
    desk.selected, desk.cursor_ms = None, 2000.0
    assert desk.step(1).start_ms == 3000  # from the cursor
    assert desk.step(1).start_ms == 5000
    assert desk.step(1) is None and desk.chosen().start_ms == 5000
    assert desk.step(-1).start_ms == 3000


def test_a_number_relabels_the_selected_span(desk):
    desk.choose("x")
    desk.create(0, 500)
    desk.choose("y")
    assert spans(desk) == [(0, 500, "y")] and desk.brush == "y"


def test_split_works_where_the_cursor_is(desk):
    desk.choose("x")
    desk.create(1000, 2000)
    desk.cursor_ms = 1500.0
    desk.selected = None
    desk.split()
    assert spans(desk) == [(1000, 1500, "x"), (1500, 2000, "x")]
    assert desk.chosen().start_ms == 1500
    desk.cursor_ms = 9000.0
    with pytest.raises(BeckonError, match="cursor is in no span"):
        desk.split()


def test_who_moved_is_remembered(desk):
    desk.set_subject("anna")
    desk.choose("x")
    first = desk.create(0, 500)
    desk.select(first.id)
    desk.set_subject("ben")
    assert [i.subject for i in desk.session.spans("a")] == ["ben"]
    desk.create(1000, 1500)
    assert desk.session.spans("a")[1].subject == "ben"
    desk.open("a", 0, 10_000)
    assert desk.subject == "ben"


def test_a_recording_without_any_gesture(desk):
    desk.whole_idle("none")
    assert spans(desk) == [(0, 10_000, "none")]
    with pytest.raises(BeckonError, match="spans already"):
        desk.whole_idle("none")


def test_what_is_gone_cannot_be_changed(desk):
    desk.choose("x")
    desk.create(0, 500)
    desk.session.undo()
    assert desk.chosen() is None
    for action in (desk.delete, desk.merge, desk.accept):
        with pytest.raises(BeckonError, match="no span is selected"):
            action()


def test_keys_without_a_cursor_say_so(desk):
    for action in (desk.begin_here, desk.end_here, desk.split):
        with pytest.raises(BeckonError, match="no cursor yet"):
            action()
