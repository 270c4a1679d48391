"""Teaching a board from Studio, without a browser and without a board."""

import pytest

from host_tools.device.settings import write_settings
from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import free_port
from host_tools.mqtt.learning_words import doing, progress_of, reason, unusable
from host_tools.studio.frame.language import said, speaking
from host_tools.studio.watch.session import Device
from host_tools.studio.watch.teach import Teacher, known_gestures, under_way
from tests.waiting import TIMEOUT_S

NOBODY = BrokerAddress("127.0.0.1", 1)


def learning(phase="repetitions", **others):
    return {"learning": {"phase": phase, "label": "wave", "reason": "", "good": 2, "takes": 5,
                         "unusable": [], **others}}  # fmt: skip


def test_progress_of_what_a_board_says():
    progress = progress_of(learning(unusable=["repetition 2: too short, a knock"]))
    assert (progress.label, progress.good, progress.takes) == ("wave", 2, 5)
    assert progress.under_way and progress.unusable == ("repetition 2: too short, a knock",)
    assert doing(progress).startswith("now make wave 5 times")
    assert not progress_of(learning("in use")).under_way
    assert not progress_of(learning("refused", reason="stopped")).under_way
    assert progress_of({"learning": None}) is None and progress_of({}) is None


@pytest.mark.parametrize("state", [
    {"learning": []}, {"learning": {"phase": "?"}}, {"learning": {"phase": ["repetitions"]}},
])  # fmt: skip
def test_what_a_stranger_says_is_no_progress(state):
    assert progress_of(state) is None


def test_a_stranger_with_other_types_in_the_fields():
    progress = progress_of(learning(label=7, good="x", takes=None, unusable=3, reason={}))
    assert (progress.label, progress.good, progress.takes, progress.unusable) == ("?", 0, 0, ())
    progress = progress_of(learning(unusable=[None, "a\x1b[2Jb"] * 100))
    assert len(progress.unusable) == 30 and "\x1b" not in progress.unusable[1]


@pytest.mark.parametrize(("text", "german"), [
    ("'ring' is too close to \"o'clock\"; make it more different, or learn more of \"o'clock\" "
     "itself", "ring ist o'clock zu ähnlich; "),
    ("2 of 5 repetitions can be used, 3 are the least (repetition 1: too weak)",
     "2 von 5 Wiederholungen sind brauchbar, 3 "),
    ("only 2 of 5 repetitions are distinct from what the model knows; make it longer, or more "
     "different", "nur 2 von 5 Wiederholungen "),
    ("'CIRCLE' is known as 'circle'; use that name", "CIRCLE ist als circle bekannt"),
    ("'none' is the model's name for no gesture", "none heißt im Modell"),
    ("busy with learning 'nod'", "es lernt schon nod"),
    ("busy with another command that needs the sensor", "ein anderer Befehl benutzt den Sensor"),
    ("the model came without examples of its gestures; train it again", "sein Modell kam ohne"),
    ("the examples behind the model are of another version; train it again",
     "die Beispiele hinter seinem Modell"),
    ("model.mlp is on trial; ask again in a minute", "sein Modell ist noch auf Probe"),
    ("no samples come from the sensor", "vom Sensor kommen keine Messwerte"),
])  # fmt: skip
def test_a_reason_of_the_firmware_is_said_in_german(text, german):
    with speaking("de"):
        assert said(reason(text)).startswith(german)


@pytest.mark.parametrize(("text", "german"), [
    ("too short, a knock", "zu kurz, ein Stoß"),
    ("longer than the 1200 ms that the model looks at", "länger als die 1200 ms"),
    ("samples were lost", "Messwerte gingen verloren"),
    ("too weak", "zu schwach"), ("unlike the others", "anders als die übrigen"),
])  # fmt: skip
def test_a_fault_of_a_repetition_is_said_in_german(text, german):
    with speaking("de"):
        assert said(unusable(f"repetition 3: {text}")).startswith(f"Wiederholung 3: {german}")


def test_what_nobody_has_words_for_is_shown_as_it_is():
    assert reason("the moon is full") == "the moon is full"
    assert not isinstance(reason("the moon is full"), Sentence)
    assert unusable("repetition 1: the moon") == "repetition 1: the moon"


def test_the_board_that_is_learning():
    away, busy = Device("away", False, learning()), Device("busy", True, learning("computing"))
    name, progress = under_way({"away": away, "busy": busy})
    assert (name, progress.phase) == ("busy", "computing")
    assert under_way({"away": away, "done": Device("done", True, learning("in use"))}) is None
    busy.state["labels"] = ["none", "circle"]
    assert known_gestures({"busy": busy}, "busy") == ["circle"]
    assert known_gestures({"busy": busy}, "other") == []


def test_what_is_wrong_is_said_before_anybody_is_asked(tmp_path):
    teacher = Teacher(tmp_path)
    for device, label, takes, fault in (
        ("glove", "", 5, "enter a name for the gesture"),
        ("glove", "a/b", 5, "holds '/'"),
        ("glove", "x" * 33, 5, "is too long"),
        ("glove", "None", 5, "None is the name for no gesture"),
        ("glove", "wave", 2, "2 repetitions: enter 3 to 9"),
        ("", "wave", 5, "enter the device's name"),
        ("glove", "wave", 5, "no update_key in .*secrets.json: .* beckon setup makes one"),
    ):
        with pytest.raises(BeckonError, match=fault):
            teacher.learn(NOBODY, device, label, takes)
    with pytest.raises(BeckonError, match="no update_key"):
        teacher.undo(NOBODY, "glove")
    write_settings(tmp_path, {"update_key": "0123456789abcdef"})
    with pytest.raises(BeckonError, match="enter the broker's address"):
        teacher.learn(None, "glove", "wave", 5)
    assert teacher.view.state == "idle" and not teacher.running


def test_teaching_nobody(tmp_path):
    write_settings(tmp_path, {"update_key": "0123456789abcdef"})
    teacher = Teacher(tmp_path)
    teacher.learn(BrokerAddress("127.0.0.1", free_port()), "glove", "wave", 5)
    teacher.wait(TIMEOUT_S)
    assert teacher.view.state == "failed" and "no broker answers" in teacher.view.message
