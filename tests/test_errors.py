"""Errors whose text and values stay apart, until Studio says them in another language."""

import pickle
from pathlib import Path

import pytest

from host_tools.errors import BeckonError, Sentence


def test_a_sentence_is_its_english_text_and_keeps_template_and_values():
    error = BeckonError("{path}:{line}: {text!r} is not {share:.1f} %", status=2,
                        path=Path("a") / "b.csv", line=3, text="x", share=12.34)
    assert str(error) == "a/b.csv:3: 'x' is not 12.3 %" and error.status == 2
    kept = str(error)  # as a session keeps it for later
    assert type(kept) is type(str(kept)) is Sentence
    assert kept.template == "{path}:{line}: {text!r} is not {share:.1f} %"
    assert kept.values == {"path": "a/b.csv", "line": 3, "text": "x", "share": 12.34}


def test_text_of_others_is_never_taken_for_a_template():
    assert str(BeckonError("what a {board} sent")) == "what a {board} sent"
    assert str(BeckonError("{text}", text="{other} {")) == "{other} {"


def test_it_goes_through_a_process_and_within_another():
    inner = BeckonError("no {thing}", thing="board")
    outer = BeckonError("{error}; kept", error=inner)
    sent = str(pickle.loads(pickle.dumps(outer)))
    assert sent == "no board; kept" and sent.values["error"].template == "no {thing}"


def test_a_change_reaches_all_texts_in_it():
    def short(text):
        return text.replace("/tmp/x/", "")

    inner = Sentence("{path} of {count}", path="/tmp/x/b", count=2)
    error = BeckonError("{path}: {inner}", path="/tmp/x/a", inner=inner)
    assert error.message.changed(short) == "a: b of 2"
    assert Sentence("/tmp/x/a: broken").changed(short) == "a: broken"


def test_studio_says_it_in_the_readers_language():
    pytest.importorskip("babel", reason="the extra studio is not installed")
    from host_tools.studio.frame.language import said, speaking

    error = BeckonError("{error}; what was recorded is in {rescue}", rescue="r",
                        error=BeckonError("the board on {port} sends no samples; run beckon doctor "
                                          "{port}", port="P"))
    assert said(error) == str(error)
    with speaking("de"):
        assert said(error) == ("Das Board an P sendet keine Messwerte. beckon doctor P ausführen. "
                               "Was aufgenommen wurde, liegt in r")
        assert said("any other text") == "any other text"
        rate = Sentence("{path}: has {rate_hz:.4g} samples per second{unit}; {least_hz:g} to "
                        "{most_hz:g} Hz can be used: {cure}", path="a", rate_hz=2.5, unit="",
                        least_hz=4, most_hz=2000, cure=Sentence("name the rate with --rate"))
        assert "2,5 Messwerte je Sekunde" in said(rate)
        assert said(rate).endswith("mit --rate angeben")
