"""Studio's pages for what is not there: an address, a way in, the server; colours that stay."""

import contextlib
import http.client
import http.server
import os
import shutil
import signal
import sys
import threading

import numpy as np
import pytest

from host_tools.paths import DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.studio.frame import theme
from host_tools.studio.frame.coming_back import ComingBack, KeptSecrets
from host_tools.studio.frame.label_colours import LabelColours
from host_tools.testing.browser import Studio, open_tab
from tests.forked_studio import ForkedStudio
from tests.waiting import TIMEOUT_S


@pytest.fixture
def demo(tmp_path):
    shutil.copytree(DEMO, tmp_path / "demo")
    return tmp_path / "demo"


def test_a_label_keeps_its_colour_when_others_are_added(tmp_path):
    path = tmp_path / "colours.json"
    colours = LabelColours(path, 3)
    assert [colours.place(x, ["b", "c"]) for x in "bc"] == [0, 1]
    assert not path.exists()  # as any other run would do
    assert colours.place("a", ["a", "b", "c"]) == 2
    again = LabelColours(path, 3)
    assert [again.place(x, ["a", "b", "c", "d"]) for x in "abcd"] == [2, 0, 1, 0]
    path.write_text('{"a": 7, "b": "x", "c": true, "d": 1}')
    assert LabelColours(path, 3).place("d", ["d"]) == 1
    path.write_text("[")
    assert LabelColours(path, 3).place("d", ["d"]) == 0


def test_an_address_that_leads_nowhere_and_no_way_in(browser, demo):
    with ForkedStudio(demo) as studio:
        port = int(studio.origin.rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        connection.request("GET", "/label",
                           headers={"Accept": "text/html", "Accept-Language": "de"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 403 and 'lang="de"' in text and "beckon studio" in text
        with open_tab(browser, studio, theme="dark") as tab:
            page = tab.page
            page.goto(f"{studio.origin}/nowhere/<b>")
            assert "This page does not exist" in page.inner_text("h1")
            assert "leads nowhere" in page.inner_text("p")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == \
                "rgb(20, 23, 26)"
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_url("**/label")
            tab.wait_until_usable()
            said = page.evaluate("fetch('/studio/nothing.js').then((r) => r.text())")
            assert said == "not found\n"
            assert all("404" in fault for fault in tab.faults)


@pytest.fixture
def another_program():
    """Listens on the port that it is given, refuses all, and keeps what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            back = self.path.startswith("/return")
            self.send_response(200 if back else 403)
            self.end_headers()
            self.wfile.write(b'{"proof": "00", "challenge": "11"}' if back else b"")

        def log_message(self, *_):
            pass

    with contextlib.ExitStack() as stack:
        def listen(port):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            return asked

        yield listen


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_page_goes_on_with_the_next_run_and_trusts_no_other(browser, demo, another_program,
                                                              monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with Studio(demo) as studio:
        port = int(studio.origin.rsplit(":", 1)[1])
        with open_tab(browser, studio) as tab:
            page = tab.page
            tab.go("/label")
            lost = page.locator(".bk-lost")
            os.kill(studio.pid, signal.SIGKILL)
            lost.wait_for()
            page.get_by_text("Start it again in a terminal with beckon studio").wait_for()
            assert "Beckon Studio does not answer" in lost.inner_text()
            assert page.evaluate("document.getElementById('app').inert")
            assert page.locator("#popup").is_hidden()
            page.evaluate("window.before = true")
            # --port 0 is any; without it the next run takes the port of the one before
            with Studio(demo, "--port", str(port)):
                page.wait_for_function("!window.before")  # the page was loaded again
                tab.wait_until_usable()
                assert lost.is_hidden()
                assert page.url == f"{studio.origin}/label"
            asked = another_program(port)
            page.get_by_text("Another program answers here").wait_for()
            assert asked and not any("answer=" in path for path in asked)


def test_each_side_proves_that_it_knows_the_secret(tmp_path):
    kept, folder = KeptSecrets(tmp_path / "new" / "pages.json"), tmp_path / "project"
    run = kept.of(folder)
    run.port = 8737
    kept.keep(folder, run)
    again = kept.of(folder)
    assert (again.secret, again.port) == (run.secret, 8737)
    assert kept.of(tmp_path / "other").secret != run.secret
    assert (tmp_path / "new" / "pages.json").stat().st_mode & 0o077 == 0
    assert run.prove("a")["proof"] == again.prove("a")["proof"]  # the server's, for the browser

    def answer(known, challenge):
        return known._proof("browser", challenge)

    first = run.prove("a")["challenge"]
    assert not run.accept(first, answer(ComingBack(), first))  # another secret
    assert not run.accept(first, answer(again, first))  # a challenge is good for one answer
    second = run.prove("a")["challenge"]
    again.port = 9000  # passed on by who listens on another port
    assert not run.accept(second, answer(again, second))
    third = run.prove("a")["challenge"]
    again.port = 8737
    assert run.accept(third, answer(again, third))
    assert not run.accept("never asked", answer(again, "never asked"))
    text = (tmp_path / "new" / "pages.json").read_text()
    for broken in ("[]", "{", text.replace('"since": 1', '"since": "x1'), "{}",
                   text.replace('"since": ', '"since": 1, "old": ')):
        (tmp_path / "new" / "pages.json").write_text(broken)
        assert kept.of(folder).secret != run.secret


def test_labels_have_colours_that_are_far_apart_and_shapes_after_seven():
    names = [f"l{i:02}" for i in range(len(theme.LABEL_COLOURS))]
    theme.keep_colours(None)
    colours = [theme.label_colour(names, name) for name in names]
    assert len(set(colours)) == len(names) == 21
    assert [theme.shape_of(c) for c in colours] == [0] * 7 + [1] * 7 + [2] * 7
    values = np.array([[int(c[i:i + 2], 16) for i in (1, 3, 5)]
                       for c in [*colours, theme.IDLE_COLOUR]]) / 255
    # sRGB to CIELAB, D65 (IEC 61966-2-1)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[.4124, .2126, .0193], [.3576, .7152, .1192], [.1805, .0722, .9505]])
    f = np.cbrt(xyz / [0.95047, 1, 1.08883])
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)
    apart = np.linalg.norm(lab[:, None] - lab, axis=2)[np.triu_indices(len(lab), 1)]
    assert apart.min() > 24
    for name in ("light", "dark"):
        paper = theme.THEMES[name]["surface"]
        ground = np.array([int(paper[i:i + 2], 16) for i in (1, 3, 5)]) / 255
        ground = np.where(ground <= 0.04045, ground / 12.92, ((ground + 0.055) / 1.055) ** 2.4)
        y = np.sort(np.stack([xyz[7:21, 1], np.full(14, ground @ [.2126, .7152, .0722])]), axis=0)
        assert ((y[1] + 0.05) / (y[0] + 0.05)).min() >= 2.95  # WCAG 2.2, 1.4.11, rounded
