"""Studio's frame in a real browser: safety, keys, themes, strangers' files, the signal."""

import asyncio
import gzip
import http.client
import json
import shutil
import socket
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from host_tools.paths import DEMO

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.errors import BeckonError
from host_tools.studio.frame import layout
from host_tools.studio.frame.access import AccessGuard, Keys
from host_tools.studio.frame.project import Project
from host_tools.testing.browser import _COMMAND, Studio, open_tab
from tests.forked_studio import ForkedStudio
from tests.waiting import TIMEOUT_S, until

COMMAND_WITH_BROWSER = "import sys; sys.argv.remove('--no-browser'); " + _COMMAND
PAGES = ("data", "record", "label", "train", "watch")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One Studio for the tests that change nothing in the project."""
    folder = tmp_path_factory.mktemp("project") / "demo"
    shutil.copytree(DEMO, folder)
    with Studio(folder) as running:
        running.folder = folder
        yield running


@pytest.fixture
def tab(browser, studio):
    with open_tab(browser, studio) as opened:
        yield opened
        assert opened.strangers() == [] and opened.faults == []


# who may come in


def ask(studio, path="/label", headers=None, method="GET"):
    """(status, headers, body) of one request with exactly these headers."""
    port = int(studio.origin.rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{port}", **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def cookie(studio):
    return studio.cookie()


def test_without_the_token_nobody_comes_in(studio):
    for path in ("/", "/label", "/studio/recording/p101-1", "/studio/static/studio.css",
                 "/_nicegui/client", "/?token=", "/?token=wrong"):
        status, _, body = ask(studio, path)
        assert status == 403 and b"whole address" in body
    status, _, body = ask(studio, "/studio/recording/p101-1", {"Cookie": cookie(studio)})
    assert status == 200 and len(body) > 10_000


def test_the_token_is_spent_and_not_the_key(studio):
    value = cookie(studio).partition("=")[2]
    token = studio.address.split("token=")[1]
    assert value != token
    for used in (token, value):
        status, _, body = ask(studio, f"/?token={used}")
        assert status == 403 and b"press Enter" in body


@pytest.fixture
def keys():
    return Keys()


def test_the_token_leaves_the_address_bar(keys):
    def welcome(path, query):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(),
                 "headers": [(b"host", b"127.0.0.1:1")]}
        asyncio.run(AccessGuard(None, 1, keys)(scope, None, send))
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()

    used = []
    query = f"recording=a%26b&token={keys.new_token(lambda: used.append(1))}"
    status, headers, body = welcome("/label", query)
    assert status == 200 and "url=/label?recording=a%26b\"" in body and used == [1]
    made = headers[b"set-cookie"]
    assert b"HttpOnly" in made and b"SameSite=Strict" in made and keys.session.encode() in made
    assert welcome("/label", query)[0] == 403
    # Two slashes at the beginning would be another host's address
    assert "url=/evil.example/x\"" in welcome("//evil.example/x", f"token={keys.new_token()}")[2]
    assert "<b>" not in welcome('/"><b>', f"token={keys.new_token()}")[2]


def test_the_browser_is_led_by_a_file_that_others_cannot_read(browser, tmp_path, studio_in_browser):
    """What the list of processes shows of the browser is the name of the file."""
    studio, opened = studio_in_browser(tmp_path / "mine")
    file = Path(opened.removeprefix("file://"))
    assert file.parent == tmp_path / "mine" and file.stat().st_mode & 0o777 == 0o600
    context = browser.new_context()
    page = context.new_page()
    page.goto(opened)
    page.wait_for_url("**/record")
    page.wait_for_function("window.socket?.connected")
    assert not file.exists() and "token" not in page.url
    context.close()


@pytest.fixture
def studio_in_browser(monkeypatch, tmp_path):
    """Start Studio on a folder with a browser that only notes what it is to open."""
    noted = tmp_path / "opened"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {noted}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(script))
    running = []

    def start(folder):
        studio = Studio(folder, command=COMMAND_WITH_BROWSER)
        running.append(studio)
        until(lambda: noted.exists() and noted.read_text().strip())
        return studio, noted.read_text().strip()

    yield start
    for studio in running:
        studio.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "", "127.0.0.1.evil.example"])
def test_another_name_for_this_computer_is_refused(studio, host):
    headers = {"Cookie": cookie(studio), "Host": host}
    assert ask(studio, headers=headers)[0] == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_another_site_is_refused(studio, origin):
    headers = {"Cookie": cookie(studio), "Origin": origin}
    assert ask(studio, headers=headers)[0] == 403
    assert ask(studio, "/_nicegui/auth", headers, "POST")[0] == 403


@pytest.mark.parametrize("change", [{"Cookie": ""}, {"Origin": "http://evil.example"},
                                    {"Host": "evil.example"}])
def test_web_sockets_are_guarded_as_well(studio, change):
    port = int(studio.origin.rsplit(":", 1)[1])
    good = {"Host": f"127.0.0.1:{port}", "Cookie": cookie(studio), "Origin": studio.origin}

    def shake(headers):
        lines = {**headers, "Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        with socket.create_connection(("127.0.0.1", port), 10) as wire:
            text = "".join(f"{k}: {v}\r\n" for k, v in lines.items())
            wire.sendall(f"GET /studio/feed/x HTTP/1.1\r\n{text}\r\n".encode())
            return int(wire.recv(100).split()[1])

    assert shake(good) == 101
    assert shake({**good, **change}) == 403


def test_it_listens_on_loopback_alone(studio):
    import psutil

    listening = [c.laddr.ip for c in psutil.Process(studio.pid).net_connections("tcp")
                 if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


def test_answers_forbid_the_browser_to_fetch_elsewhere(studio):
    _, headers, _ = ask(studio, headers={"Cookie": cookie(studio)})
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http://" not in policy.replace(studio.origin, "")
    assert headers["referrer-policy"] == "no-referrer"


def test_a_port_that_is_taken_is_told(tmp_path):
    from host_tools.studio.app import listen

    with listen(0) as taken:
        taken.listen()
        with pytest.raises(BeckonError, match="cannot be used .*choose another with --port"):
            listen(taken.getsockname()[1])


@pytest.mark.parametrize("parts", [("..", "x"), ("/etc/passwd",), ("a", "../../x"), ()])
def test_nothing_is_written_outside_the_project(tmp_path, parts):
    project = Project.open(tmp_path / "p")
    with pytest.raises(BeckonError, match="not inside the project"):
        project.inside(*parts)
    assert project.inside("models", "a.mlp") == tmp_path / "p/models/a.mlp"


def test_a_link_that_leads_out_is_not_followed_for_writing(tmp_path):
    project = Project.open(tmp_path / "p")
    (tmp_path / "p/models").symlink_to(tmp_path)
    with pytest.raises(BeckonError, match="not inside the project"):
        project.inside("models", "a.mlp")


# the frame


def test_every_page_opens_and_asks_nobody_else(tab):
    for name in PAGES:
        tab.go(f"/{name}")
        assert tab.page.locator("nav a[aria-current=page]").inner_text().strip().endswith(
            name.capitalize())
        # Nothing is wider than the window
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(tab.requests) > 50


def test_keys_lead_everywhere_and_are_shown(tab):
    tab.go("/label")
    tab.page.keyboard.press("Alt+t")
    tab.page.wait_for_url("**/train")
    tab.page.wait_for_function("window.socket?.connected")
    tab.page.keyboard.press("?")
    dialog = tab.page.locator(".q-dialog .q-card")
    dialog.wait_for()
    assert "Alt L" in dialog.inner_text().replace("\n", " ")
    tab.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert tab.page.locator(".bk-hints").inner_text().strip() != ""


def test_dark_and_light_are_kept(tab):
    theme = "document.documentElement.dataset.theme"
    tab.go("/label")
    assert tab.page.evaluate(theme) == "light"
    tab.page.keyboard.press("Alt+d")
    tab.page.wait_for_function(f"{theme} === 'dark'")
    tab.go("/watch")
    assert tab.page.evaluate(theme) == "dark"
    background = "getComputedStyle(document.body).backgroundColor"
    assert tab.page.evaluate(background) == "rgb(20, 23, 26)"


def test_an_empty_project_says_what_to_do_first(browser, tmp_path):
    with ForkedStudio(tmp_path / "new") as studio, open_tab(browser, studio, width=820, height=1180,
                                                            touch=True) as tab:
        tab.enter(studio)
        tab.page.wait_for_url("**/record")  # where one begins, and no token to be seen
        tab.go("/label")
        assert "Nothing to label yet" in tab.page.inner_text(".bk-main")
        tab.page.get_by_role("button", name="Go to Record").tap()
        tab.page.wait_for_url("**/record")
        for name in PAGES:
            tab.go(f"/{name}")
            assert len(tab.page.inner_text(".bk-main").strip()) > 20
        small = tab.page.evaluate(
            "[...document.querySelectorAll('main button, nav a')].filter(b => b.checkVisibility()"
            " && b.getBoundingClientRect().height < 44).map(b => b.outerHTML.slice(0, 80))")
        assert small == []  # a finger needs room
        assert tab.strangers() == [] and tab.faults == []
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["recordings"]


# strangers' files

EVIL = "<img src=x onerror=alert(1)>"


def test_strangers_files_are_text_and_messages(browser, tmp_path):
    folder = tmp_path / EVIL
    (folder / "recordings").mkdir(parents=True)
    text = "t_ms,ax,ay,az\n" + "".join(f"{10 * i},0,0,9.8\n" for i in range(600))
    (folder / "recordings" / f"{EVIL}.csv").write_text(text)
    (folder / "recordings" / "bytes.csv").write_bytes(bytes(range(256)) * 9)
    (folder / "recordings" / "cut.csv.gz").write_bytes(gzip.compress(text.encode())[:60])
    (folder / "recordings" / "jump.csv").write_text(text + "5,0,0,9.8\n")
    (folder / "labels.csv").write_text("recording,start_ms,end_ms,label\na,9,1,x\n")
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.go("/label")
        message = tab.page.locator(".bk-message")
        message.wait_for()
        assert "labels.csv:2: span 9..1 ms" in message.inner_text()
        # Once it is mended, so is the page
        (folder / "labels.csv").write_text(
            "recording,start_ms,end_ms,label,subject\n"
            f"{EVIL},1000,2000,{EVIL},<b>me</b>\n{EVIL},3000,3500,{{{{7*7}}}},\n"
        )
        tab.go(f"/label?recording={quote(EVIL)}")
        tab.wait_for_signal()
        tab.page.keyboard.press("n")
        tab.page.locator(".bk-chosen", has_text="onerror").wait_for()
        text = tab.page.inner_text(".bk-main")
        assert EVIL in text and "{{7*7}}" in text and "49" not in text
        assert tab.page.locator("img").count() == 0 and tab.faults == []
        for name, said in (("bytes", "bytes.csv"), ("cut", "cannot be read"),
                           ("jump", "does not advance")):
            tab.go(f"/label?recording={name}")
            message.wait_for()
            assert said in message.inner_text()
            assert tab.page.locator("nav a").count() == len(layout.PAGES)  # the page itself stands
        # The browser logs each refused fetch as an error: that is all it may complain of
        assert all("422" in f for f in tab.faults) and tab.strangers() == []


# the signal


def view(tab, call):
    return tab.page.evaluate(f"document.querySelector('.bk-signal').signalView.{call}")


@pytest.fixture
def signal(tab):
    tab.go("/label?recording=p101-1")
    tab.wait_for_signal()
    tab.box = tab.page.locator(".bk-signal canvas").bounding_box()
    return tab


def width_ms(tab):
    stats = tab.signal()
    return stats["t1"] - stats["t0"]


def test_a_recording_is_drawn_whole_then_zoomed_and_panned(signal):
    page, box = signal.page, signal.box
    whole = width_ms(signal)
    assert signal.signal()["samples"] == 3629 and whole == pytest.approx(36_290, rel=1e-3)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = view(signal, f"t({box['width'] / 2})")
    page.mouse.wheel(0, -600)
    page.wait_for_function("document.querySelector('.bk-signal').signalView.t1 < 30000")
    assert width_ms(signal) < 0.5 * whole
    assert view(signal, f"t({box['width'] / 2})") == pytest.approx(before, abs=1)
    at = signal.signal()["t0"]
    page.mouse.wheel(300, 0)
    page.wait_for_function(f"document.querySelector('.bk-signal').signalView.t0 > {at + 100}")
    page.keyboard.press("0")
    page.wait_for_function("document.querySelector('.bk-signal').signalView.t0 === 0")
    assert width_ms(signal) == pytest.approx(whole)


def test_all_of_it_works_with_keys(signal):
    page = signal.page
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.bk-signal').signalView.cursor !== null")
    stats = signal.signal()
    assert stats["t0"] > 0 and stats["t0"] <= stats["cursor"] <= stats["t1"]


def test_two_fingers_zoom(browser, studio):
    with open_tab(browser, studio, width=820, height=1180, touch=True) as tab:
        tab.go("/label?recording=p101-1")
        tab.wait_for_signal()
        box = tab.page.locator(".bk-signal canvas").bounding_box()
        whole = width_ms(tab)
        wire = tab.page.context.new_cdp_session(tab.page)
        y, middle = box["y"] + 200, box["x"] + box["width"] / 2

        def touch(kind, *xs):
            wire.send("Input.dispatchTouchEvent", {
                "type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, x in enumerate(xs)],
            })

        touch("touchStart", middle - 50, middle + 50)
        for apart in (80, 120, 150):
            touch("touchMove", middle - apart, middle + apart)
        touch("touchEnd")
        assert width_ms(tab) == pytest.approx(whole / 3, rel=0.1)
        assert tab.faults == []


def test_pixels_show_the_samples(tab, tmp_path):
    """A step at a known time must be drawn at that time's column, in the axis' colour."""
    # 60 s at rest in x; from 30 s on ax is 8 m/s^2
    samples = np.zeros((6000, 6), "<f4")
    samples[3000:, 0] = 8
    head = json.dumps({"name": "s", "rate_hz": 100, "start_ms": 0, "samples": 6000,
                       "axes": ["ax", "ay", "az", "gx", "gy", "gz"], "gaps": []}).encode()
    head += b" " * (-len(head) % 4)
    data = len(head).to_bytes(4, "little") + head + samples.T.tobytes()
    tab.go("/label")
    tab.wait_for_signal()
    found = tab.page.evaluate("""(bytes) => {
        const v = document.querySelector('.bk-signal').signalView;
        v.setSpans([]);
        v.load(new Uint8Array(bytes).buffer);
        const seen = [];
        for (const width of [60000, 20000, 3000, 300]) {
            v.show(30000 - width / 2, 30000 + width / 2);
            v.paint();
            const lane = v.layout.lanes[0], rows = [];
            const x = Math.round(v.x(30000) * v.scale);
            for (const dx of [-60, 60]) {
                const column = v.context.getImageData(x + dx, lane.top * v.scale, 1,
                                                      lane.height * v.scale).data;
                let first = -1;
                for (let i = 0; i < column.length / 4; i++) {
                    const [r, g, b] = column.slice(4 * i, 4 * i + 3);
                    if (r > 150 && r - g > 50 && r - b > 80) { // x's colour, edges included
                        first = i / (column.length / 4);
                        break;
                    }
                }
                rows.push(first);
            }
            seen.push(rows);
        }
        return seen;
    }""", list(data))
    for before, after in found:
        assert after >= 0  # x is seen after the step, well above ...
        assert before == -1 or before > after + 0.3  # ... where it was (z may cover it there)


def test_live_data_move_and_stay_bounded(tab):
    tab.go("/label")
    tab.wait_for_signal()
    found = tab.page.evaluate("""async () => {
        const v = document.querySelector('.bk-signal').signalView;
        v.reset();
        v.begin({rate_hz: 100, axes: ['ax', 'ay', 'az', 'gx', 'gy', 'gz'], sent: 0}, 10);
        const message = (index, n) => {
            const bytes = new ArrayBuffer(16 + 24 * n), head = new DataView(bytes);
            head.setFloat64(0, Date.now(), true);
            head.setUint32(8, index, true);
            new Float32Array(bytes, 16).fill(index);
            return bytes;
        };
        v.append(message(0, 500));
        const followed = v.t1;
        v.append(message(600, 500)); // 100 samples were lost
        const lost = v.ring.value(0, 550), kept = v.ring.value(0, 450);
        for (let i = 1100; i < 100000; i += 500) v.append(message(i, 500));
        await new Promise(requestAnimationFrame);
        v.pan(-1);
        const paused = v.t1;
        v.append(message(100000, 500));
        return {followed, lost: Number.isNaN(lost), kept, end: v.ring.end, paused, t1: v.t1,
                capacity: v.ring.planes[0].length, first: v.ring.first};
    }""")
    assert found["followed"] == 5000 and found["lost"] and found["kept"] == 0
    assert found["capacity"] == 10_000 and found["first"] == found["end"] - 10_000
    assert found["t1"] == found["paused"]  # who looks back is left in peace
