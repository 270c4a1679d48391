"""`beckon bench inference`: the keys that the figures go by, and what does not depend on time."""

import argparse

from host_tools.bench import inference

KEYS = """c_us engine_us fast_us objects_us engine_over_c fast_over_c objects_over_engine ram_bytes
alloc_bytes load_ms instructions_per_mac fast_instructions_per_mac connections_us predict_us
learn_us objects_learn_us connections_learn_us objects_over_predict objects_over_learn
connections_over_engine connections_over_predict connections_over_learn""".split()


def test_figures_of_one_turn(monkeypatch):
    monkeypatch.setattr(inference, "NETS", ((300, 16, 4), (126, 16, 4)))
    figures = inference.measure(argparse.Namespace(rounds=1, no_count=True), lambda what: None)
    assert list(figures) == ["300-16-4", "126-16-4"]
    for one in figures.values():
        assert set(KEYS) <= set(one)
        assert one["alloc_bytes"] == 0 and one["load_bytes"] <= 20_000
        assert one["objects_over_engine"] == round(one["objects_us"] / one["engine_us"], 3)
        learn = one["connections_learn_us"] / one["learn_us"]
        assert one["connections_over_learn"] == round(learn, 3)
        assert one["instructions_per_mac"] is None
    assert figures["300-16-4"]["ram_bytes"] <= 10_240
    assert "wired by hand" in inference.summary(figures)
