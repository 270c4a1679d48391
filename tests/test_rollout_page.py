"""The dashboard's page of roll-outs in a real browser, over simulated devices and a real broker."""

import json

from host_tools.testing.browser import DASHBOARD, Studio, open_tab
from tests.rollout_rig import KEY, a_model, name, rig, value


def test_a_person_rolls_a_model_out_and_sees_why_it_stops(browser, tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"*": KEY}))
    keys.chmod(0o600)
    good, worse = tmp_path / "good.mlp", tmp_path / "next.mlp"
    good.write_bytes(a_model(1))
    worse.write_bytes(a_model(2))
    with rig(tmp_path, 3) as parts:
        options = ["--keys", str(keys), "--broker", f"mqtt://127.0.0.1:{parts.broker.port}"]
        with (
            Studio(parts.store, *options, command=DASHBOARD) as server,
            open_tab(browser, server) as tab,
        ):
            page = tab.page
            page.set_default_timeout(60_000)
            page.goto(server.origin + "/rollouts")

            def begin(file, devices):
                page.set_input_files("input[type=file]", str(file))
                page.wait_for_selector(f"text={file.name}")
                page.get_by_label("Devices, by name").fill(devices)
                page.get_by_text("When it stops").click()
                page.get_by_label("Watched before the next stage, s").fill("1")
                page.get_by_label("Samples lost more than before, points").fill("100")
                page.get_by_role("button", name="Start the roll-out").click()

            page.get_by_role("button", name="Start the roll-out").click()
            page.wait_for_selector("text=Choose a model file first")
            begin(good, ", ".join(name(i) for i in range(3)))
            page.wait_for_selector("text=done, ")
            assert "3 updated" in page.locator(".bk-card", has_text="Finished").inner_text()
            page.goto(server.origin + "/rollouts")
            begin(worse, f"{name(3)}, {name(0)}")  # the first one refuses
            page.wait_for_selector("text=1 of 1 devices failed (1 refused)")
            assert "not enough memory" in page.locator("tr", has_text=name(3)).inner_text()
            page.get_by_role("button", name="Go on").focus()
            page.keyboard.press("Enter")
            page.wait_for_selector("text=1 updated")
            assert tab.faults == [] and tab.strangers() == []
        assert value(parts.engine, "SELECT count(*) FROM rollout WHERE condition = 'done'") == 2
        assert KEY not in " ".join(server.said)
