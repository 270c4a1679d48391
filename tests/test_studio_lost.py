"""Studio's pages for what is not there: an address, a way in, the server; colours that stay."""

import http.client
import os
import shutil
import signal
import sys

import pytest

from host_tools.paths import DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.studio.frame.label_colours import LabelColours
from host_tools.testing.browser import Studio, open_tab
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
    with Studio(demo) as studio:
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


@pytest.mark.skipif(sys.platform == "win32", reason="stops and continues a process")
def test_the_page_says_that_the_server_is_lost_and_comes_back(browser, demo):
    with Studio(demo) as studio, open_tab(browser, studio) as tab:
        page = tab.page
        tab.go("/label")
        lost = page.locator(".bk-lost")
        # The connection breaks and is there again
        page.evaluate("socket.io.engine.close()")
        page.evaluate("socket.disconnect()")
        lost.wait_for()
        assert "Beckon Studio does not answer" in lost.inner_text()
        page.get_by_text("runs again, with a new key").wait_for()  # it asks without its cookie
        assert page.evaluate("document.getElementById('app').inert")
        page.evaluate("socket.connect()")
        lost.wait_for(state="hidden")
        assert not page.evaluate("document.getElementById('app').inert")
        os.kill(studio.pid, signal.SIGKILL)
        lost.wait_for()
        page.get_by_text("Start it again in a terminal with beckon studio").wait_for()
        assert page.locator("#popup").is_hidden()
