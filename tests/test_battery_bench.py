"""Milliamperes, days, and the gesture that wakes the board."""

import json

import pytest

from host_tools.bench.naps import currents, link, waking
from host_tools.cli.app import main
from host_tools.dataset.folder import read_dataset
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL, REPOSITORY
from power import motion

REMOTE = currents.PROFILES[0]


def test_each_current_names_its_source_and_assumptions_are_called_so():
    kinds = {figure.kind for figure in currents.FIGURES.values()}
    assert kinds == {"data sheet", "vendor's measurement", "assumption"}
    for name, figure in currents.FIGURES.items():
        assert figure.value > 0 and figure.source and name.endswith(f"_{figure.unit.lower()}")


def test_a_board_that_is_always_on_takes_radio_and_sensor_all_day():
    by_hand = 24 * (129 + 3.4) + 20 * 0.05 * 240 / 3600
    settings = currents.Settings()
    assert currents.charge_mah("always_on", REMOTE, settings) == pytest.approx(by_hand)
    assert currents.charge_mah("always_on", REMOTE, settings, 10) == pytest.approx(by_hand + 240)


def test_a_day_of_sleep_by_hand():
    """One use of 100 s that never ends in deep sleep, and one that does at once."""
    use = currents.Profile("", "", 1, 100, 0)
    light = currents.Settings(light_sleep_s=0, deep_sleep_s=86400, goodbye_s=0)
    awake = 100 * (31 + 3.4) + 2 * (129 - 31)
    by_hand = awake + 86300 * (0.8 + 0.45)
    assert currents.charge_mah("wake_on_motion", use, light) == pytest.approx(by_hand / 3600)
    deep = currents.Settings(light_sleep_s=0, deep_sleep_s=0, contact_s=1e12, goodbye_s=0)
    by_hand = awake + 86300 * (0.010 + 0.01865) + 3 * (44 + 3.4)
    assert currents.charge_mah(currents.LOSSY, use, deep) == pytest.approx(by_hand / 3600)
    by_hand += 86300 * (0.45 - 0.01865)
    assert currents.charge_mah("wake_on_motion", use, deep) == pytest.approx(by_hand / 3600)


def test_a_wearable_that_is_always_moved_gains_little():
    table = currents.computed(currents.Settings(), 1000, 0)
    assert table["remote"]["wake_on_motion"]["days"] > 30
    assert [table[name][currents.LOSSY]["lost_gestures"] for name in table] == [20, 1, 1]
    assert not any(modes["wake_on_motion"]["lost_gestures"] for modes in table.values())
    assert table["wearable"]["wake_on_motion"]["days"] < 3
    for modes in table.values():
        days = [modes[mode]["days"] for mode in currents.MODES]
        assert days == sorted(days) and all(row["computed"] for row in modes.values())


def test_the_gesture_that_ends_a_sleep_is_recognised_thanks_to_the_fifo():
    model = read_model(DEFAULT_MODEL)
    recordings = read_dataset(REPOSITORY / "data" / "demo").recordings
    found = waking.tally(model, recordings, waking.WAYS, 1000, 3000, 1, lambda what: None)

    def recognised(way):
        return sum(row["recognised"] for row in found[way].values())

    assert recognised("awake") == recognised("light_sleep") == recognised("deep_sleep") == 3
    assert recognised("light_sleep_without_fifo") == recognised("deep_sleep_without_fifo") == 0


@pytest.mark.parametrize("times, found", [(8, ["y"]), (0, [])])
def test_a_short_gesture_needs_the_stillness_before_the_fifo(monkeypatch, times, found):
    """Without it no window is complete before the gesture is over."""
    monkeypatch.setattr(motion, "STILL_TIMES", times)
    recordings = read_dataset(REPOSITORY / "data" / "gestures").recordings
    recording = next(one for one in recordings if one.name == "p1-1")
    span = next(span for span in recording.spans if span.start_ms == 11074)
    scene = waking.scene(recording, span, 0)
    assert waking.events(read_model(DEFAULT_MODEL), scene, "light_sleep", 0, 0) == found


def test_the_command_gives_json(capsys):
    assert main(["bench", "battery", "--only", "profiles", "--mah", "2000", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["profiles"]["remote"]["always_on"]["days"] == pytest.approx(0.63)
    assert figures["currents"]["connect_s"]["kind"] == "assumption"
    assert main(["bench", "battery", "--mah", "0"]) == 2


def test_answers_wait_for_a_beacon_and_events_do_not():
    late = link.run("modem_sleep", 4, lambda what: None)
    assert late["answer_ms"]["max"] > late["event_ms"]["median"] + 40
    assert late["online_after_start_ms"] > 1800
