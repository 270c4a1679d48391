"""The page for a phone in a real browser with emulated sensors, over TLS; who may reach it.

Chromium gets the server's key as the one that it accepts without a known certificate.
"""

import base64
import hashlib
import http.client
import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from host_tools.errors import BeckonError
from host_tools.recording.phone.page_message import LONGEST_BYTES
from host_tools.recording.phone.page_source import PageSource
from host_tools.studio.frame.language import speaking
from host_tools.studio.phone import server as server_module
from host_tools.studio.phone.access import COOKIE, Access, Budget
from host_tools.studio.phone.page import WORDS, Page
from host_tools.studio.phone.server import PhoneServer
from host_tools.units import GRAVITY
from tests.waiting import until

ANDROID = ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/131.0 Mobile Safari/537.36")
IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
          "like Gecko) Version/18.1 Mobile/15E148 Safari/604.1")


@pytest.fixture(scope="module")
def server():
    with PhoneServer("127.0.0.1", 0, "<b>desk</b>") as found:
        yield found


def asked(server, path, method="GET", body=None, **headers):
    """(status, headers, body); the certificate must be the server's own."""
    context = ssl.create_default_context(cadata=server.certificate.pem.decode())
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context)
    try:
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def enter(server):
    """As a new phone: a new code, spent. Returns the cookie's header."""
    server.new_code()
    status, headers, _ = asked(server, server.address.removeprefix(server.origin))
    assert status == 303 and headers["location"] == "/"
    return headers["set-cookie"].partition(";")[0]


def dial(server, **headers):
    """A WebSocket. It is TLS 1.2: with 1.3 the server's session tickets come after the handshake,
    when this client's two threads already read and write. OpenSSL allows that to one thread only,
    so 5 of 1,031 connections ended before the answer. None of 2,550 did with TLS 1.2, and none of
    26,221 with TLS 1.3 and one thread. Browsers use 1.3."""
    context = ssl.create_default_context(cadata=server.certificate.pem.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return connect(server.origin.replace("https", "wss") + "/samples", ssl=context, proxy=None,
                   additional_headers=headers, open_timeout=20, compression=None)


def message(t_ms, n=5, rate_hz=60.0, **changes):
    events = [[t_ms + 1000 * i / rate_hz, 0, 0, 9.8, 1, 2, 3] for i in range(n)]
    return json.dumps({"page": "p1", "system": "android", "restarted": False, "attitude": None,
                       "events": events, "dropped": 0} | changes)


# --- access

def test_without_the_token_nothing_is_served(server):
    server.new_code()
    token = server.access.token
    for method, path in (("GET", "/"), ("GET", "/?t="), ("GET", "/?t=" + "x" * 32),
                         ("GET", "/?t=" + token[:-1]), ("GET", "/samples"), ("POST", "/samples"),
                         ("HEAD", f"/?t={token}"), ("POST", f"/?t={token}"),
                         ("GET", "/studio/studio.css"), ("GET", "/record"),
                         ("GET", "/..%2f..%2fetc/passwd"), ("GET", "/favicon.ico"),
                         ("GET", f"/index.html?t={token}"), ("OPTIONS", "/")):  # fmt: skip
        status, headers, body = asked(server, path, method)
        assert (status, body) == (404, b""), (method, path)
        assert "server" not in headers and "set-cookie" not in headers
    assert asked(server, f"/?t={token}", Host="evil.example")[0] == 404
    for headers in ({}, {"Cookie": f"{COOKIE}=x"}, {"Cookie": f"{COOKIE}={token}"},
                    {"Origin": server.origin}):
        with pytest.raises(InvalidStatus):
            dial(server, **headers)
    assert not server.access.spent


def test_the_token_is_good_for_one_phone_and_nothing_but_the_page(server):
    cookie = enter(server)
    used = server.address.removeprefix(server.origin)
    status, headers, body = asked(server, used, Accept_Language="de")
    assert status == 410 and "set-cookie" not in headers and body.strip()
    status, headers, body = asked(server, "/", Cookie=cookie)
    assert status == 200 and b"<canvas" in body and headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert b"<b>desk</b>" not in body and b"\\u003cb>desk" in body
    assert asked(server, used, Cookie=cookie)[0] == 303  # the same phone scans it again
    for path in ("/record", "/studio/studio.css", "/ws", "/samples/", "/phone_page.js"):
        assert asked(server, path, Cookie=cookie)[0] == 404
    for origin in ("", "null", "https://evil.example", server.origin + "0"):
        assert asked(server, "/samples", "POST", message(0), Cookie=cookie, Origin=origin)[0] == 404
        with pytest.raises(InvalidStatus):
            dial(server, Cookie=cookie, Origin=origin)
    assert asked(server, "/", Cookie=cookie, Host="127.0.0.1")[0] == 404
    server.new_code()
    assert asked(server, "/", Cookie=cookie)[0] == 404


def test_plain_http_and_old_tls_are_not_spoken(server):
    with socket.create_connection(("127.0.0.1", server.port), 20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"HTTP" not in plain.recv(100)
        except ConnectionError:
            pass
    assert server.certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_certificate_is_for_this_address_alone(server):
    context = ssl.create_default_context(cadata=server.certificate.pem.decode())
    with socket.create_connection(("127.0.0.1", server.port), 20) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="127.0.0.2")
    with socket.create_connection(("127.0.0.1", server.port), 20) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            shown = hashlib.sha256(secure.getpeercert(True)).hexdigest().upper()
    assert shown == server.certificate.fingerprint.replace(":", "")


def closed_with(connection):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv(20)
    return closed.value.rcvd.code if closed.value.rcvd else None


def test_what_a_phone_may_send_is_bounded(server):
    own = {"Cookie": enter(server), "Origin": server.origin}
    before = server.link.refused
    with dial(server, **own) as phone:  # not messages of ours
        for _ in range(5):
            phone.send('{"page": 1}')
        assert closed_with(phone) == 4400
    assert server.link.refused == before + 5
    with dial(server, **own) as phone:  # too long
        phone.send("x" * (LONGEST_BYTES + 1))
        assert closed_with(phone) == 1009
    for body, status in (("{", 400), ("x" * (LONGEST_BYTES + 1), 413), (message(0), 200)):
        assert asked(server, "/samples", "POST", body, **own)[0] == status
    with dial(server, **own) as phone:  # more events than any sensor has
        try:
            for i in range(60):
                phone.send(message(10000 + 3333 * i, 200))
        except ConnectionClosed:
            pass
        assert closed_with(phone) == 4429


def test_one_connection_at_a_time_and_a_new_code_ends_it(server):
    own = {"Cookie": enter(server), "Origin": server.origin}
    with dial(server, **own) as first:
        first.send(message(0, page="first"))
        until(lambda: server.link.view().events)
        with dial(server, **own) as second:
            assert closed_with(first) == 4409
            assert json.loads(second.recv(20))["least_hz"] == 45
            server.new_code()
            assert closed_with(second) in (4403, 4409)
    assert server.link.view().state == "waiting"


def test_connections_are_few(server):
    held = [socket.create_connection(("127.0.0.1", server.port), 20)
            for _ in range(server_module.CONNECTIONS)]
    context = ssl.create_default_context(cadata=server.certificate.pem.decode())
    try:
        secure = [context.wrap_socket(s, server_hostname="127.0.0.1") for s in held]
        with pytest.raises(OSError):
            asked(server, "/")
    finally:
        for s in (*held, *secure):
            s.close()
    until(lambda: answers(server))


def test_of_ten_clients_at_once_one_is_the_phone(server):
    server.new_code()
    path = server.address.removeprefix(server.origin)
    with ThreadPoolExecutor(10) as pool:
        got = list(pool.map(lambda _: asked(server, path), range(10)))
        assert sorted(status for status, _, _ in got) == [303] + 9 * [410]
        cookie = next(headers["set-cookie"].partition(";")[0] for status, headers, _ in got
                      if status == 303)
        own = {"Cookie": cookie, "Origin": server.origin}
        sockets = list(pool.map(lambda _: dial(server, **own), range(10)))
    try:
        for i, socket_ in enumerate(sockets):  # only the last one of them is still heard
            try:
                socket_.send(message(0, page=f"p{i}"))
            except ConnectionClosed:
                pass
        until(lambda: sum(one.close_code == 4409 for one in sockets) == 9)
        (kept,) = (one for one in sockets if one.close_code is None)
        before = server.link.view().events
        kept.send(message(1000, page="kept"))
        until(lambda: server.link.view().events > before)
    finally:
        for one in sockets:
            one.close()


def answers(server):
    try:
        return asked(server, "/")[0] == 404
    except OSError:
        return False


def test_access_and_budget():
    access = Access()
    assert not access.knows(f"{COOKIE}=x") and not access.knows("a=b; ;;=")
    session = access.spend(access.token)
    assert session and not access.spend(access.token) and access.knows(f"a=b; {COOKIE}={session}")
    access.new_code()
    assert not access.knows(f"{COOKIE}={session}") and access.spend(access.token)
    budget = Budget(10, 20)
    assert budget.allows(20, 100.0) and not budget.allows(1, 100.0)
    assert budget.allows(10, 101.0) and not budget.allows(21, 1000.0)


def test_every_word_of_the_page_is_there():
    script = Page("desk", "wss://x")._script
    used = {word for word in WORDS if f'"{word}"' in script}
    frame = Page("desk", "wss://x")._frame
    assert set(WORDS) == used | {word for word in WORDS if f'data-word="{word}"' in frame}


# --- the page in a browser

@pytest.fixture(scope="module")
def phone_browser(server):
    from host_tools.testing.browser import chromium
    from host_tools.toolchain.browser import browser_command

    try:
        browser_command()
    except BeckonError as error:
        pytest.skip(f"no browser: {error}")
    key = base64.b64encode(hashlib.sha256(server.certificate.public_key).digest()).decode()
    with chromium(f"--ignore-certificate-errors-spki-list={key}") as found:
        yield found


class Phone:
    """A browser's tab with emulated sensors."""

    def __init__(self, browser, agent=ANDROID, sign=1.0, **options):
        self.sign = sign
        self.context = browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
            user_agent=agent, reduced_motion="reduce", **options)
        # Without windows Chromium asks nobody: its headless shell says no
        self.context.grant_permissions(["accelerometer", "gyroscope"])
        self.context.set_default_timeout(120_000)
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self._cdp = self.context.new_cdp_session(self.page)
        for kind in ("accelerometer", "gyroscope", "linear-acceleration", "relative-orientation"):
            self._cdp.send("Emulation.setSensorOverrideEnabled", {"enabled": True, "type": kind})
        self.pose()

    def pose(self, accel=(0, 0, GRAVITY), turning=(0, 0, 0)):
        """accel in our signs; turning in rad/s. On its back: the identity quaternion."""
        self.read("accelerometer", xyz=dict(zip("xyz", (self.sign * a for a in accel),
                                                 strict=True)))
        self.read("gyroscope", xyz=dict(zip("xyz", turning, strict=True)))
        self.read("linear-acceleration", xyz={"x": 0, "y": 0, "z": 0})
        self.read("relative-orientation", quaternion={"x": 0, "y": 0, "z": 0, "w": 1})

    def read(self, kind, **reading):
        self._cdp.send("Emulation.setSensorOverrideReadings", {"type": kind, "reading": reading})

    def open(self, server):
        server.new_code()
        self.page.goto(server.address)
        assert self.page.url == server.origin + "/"

    def start(self):
        self.page.click("#start")

    def state(self):
        return self.page.inner_text("#state")


@pytest.fixture
def phone(phone_browser, server):
    phones = []

    def make(**options):
        phones.append(Phone(phone_browser, **options))
        return phones[-1]

    yield make
    for one in phones:
        one.context.close()
        assert one.faults == []


@pytest.mark.parametrize("agent, sign", [(ANDROID, 1.0), (IPHONE, -1.0)])
def test_a_phone_is_recorded_as_it_moves(server, phone, agent, sign):
    """Real events of Chromium's emulated sensors; for iOS with its signs."""
    pixel = phone(agent=agent, sign=sign)
    pixel.open(server)
    assert pixel.page.evaluate("document.title") == "Beckon"
    assert "<b>desk</b>" in pixel.page.inner_text("#intro")
    pixel.start()
    pixel.page.get_by_text("Sending").wait_for()
    system = "ios" if agent is IPHONE else "android"
    until(lambda: server.link.view().rate_hz > 0)

    def record(source):
        assert source.axes == 6
        assert source.about()["accel_sign"] == sign
        assert source.about()["phone_system"] == system
        assert source.about()["accel_sign_from"] == "attitude"
        pixel.pose((1.5, -2.0, 9.0), (1.0, -0.5, 0.25))
        return until(lambda: moved_rows(source))

    values = at_a_steady_rate(server, record)
    assert values[-1] == pytest.approx([1.5, -2.0, 9.0, 57.3, -28.6, 14.3], abs=0.11)
    assert float(pixel.page.inner_text("#rate")) > 0
    shown = [f"{sign * v:.1f}" for v in (1.5, -2.0, 9.0)]
    until(lambda: pixel.page.inner_text("#accel").split() == shown)  # a few times per second


def at_a_steady_rate(server, work):
    """work(source), again if this computer is too busy for the browser to send evenly."""
    for _ in range(20):
        try:
            with PageSource(server.link) as source:
                return work(source)
        except BeckonError as error:
            assert "samples per second" in str(error)
    raise AssertionError("the browser never sends evenly")


def moved_rows(source):
    blocks = source.read(0.5)
    rows = np.concatenate([b.values for b in blocks]) if blocks else np.zeros((0, 6))
    return rows.tolist() if len(rows) and rows[-1, 3] > 50 else None


def test_a_phone_that_sleeps_and_loses_its_connection(server, phone):
    pixel = phone()
    pixel.open(server)
    pixel.start()
    until(lambda: server.link.view().rate_hz > 0)

    def record(source):
        until(lambda: source.read(0.5))
        lost = source.about()["lost"]
        # The network goes for a moment: the page connects again, and what it kept follows
        server._loop.call_soon_threadsafe(drop, server)
        before = server.link.view().events
        until(lambda: source.read(0.5) and server.link.view().events > before + 30)
        assert source.about()["breaks"] == 0
        # The phone sleeps: clocks move apart, and the page says that its time began again
        pixel.page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 60000; })()")
        until(lambda: source.read(0.5) is not None and source.about()["breaks"] == 1)
        assert source.about()["lost"] >= lost + 6  # no window spans it
        pixel.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        until(lambda: source.read(0.5) is not None and source.about()["breaks"] == 2)

    at_a_steady_rate(server, record)
    assert "Sending" in pixel.state()


def drop(server):
    """Cut every connection, as a network that goes."""
    for connection in list(server._server.server_state.connections):
        connection.transport.abort()


def test_where_no_websocket_opens_the_page_posts(server, phone):
    """As Safari on an iPhone behaves with a certificate that it does not know."""
    iphone = phone(agent=IPHONE)
    iphone.page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose({code: 1006})) }"
        " close() {} }")
    iphone.open(server)
    iphone.start()
    iphone.page.get_by_text("Sending").wait_for()
    before = until(lambda: server.link.view().events)
    until(lambda: server.link.view().events > before + 60)
    server.new_code()
    iphone.page.get_by_text("there is a new code on the computer").wait_for()


def test_permission_and_what_is_missing(server, phone):
    iphone = phone(agent=IPHONE)
    iphone.page.add_init_script(
        "window.asked = 0; DeviceMotionEvent.requestPermission = "
        "() => { window.asked += 1; return Promise.resolve(window.answer); };"
        "DeviceOrientationEvent.requestPermission = () => Promise.resolve('granted');")
    iphone.open(server)
    assert iphone.page.evaluate("window.asked") == 0  # not before the tap
    iphone.page.evaluate("window.answer = 'denied'")
    iphone.start()
    iphone.page.get_by_text("withholds the motion sensors").wait_for()
    assert iphone.page.evaluate("window.asked") == 1 and not server.link.view().events
    iphone.page.evaluate("window.answer = 'granted'")
    iphone.page.get_by_role("button", name="Start").click()
    iphone.page.get_by_text("Sending").wait_for()
    iphone.page.get_by_role("button", name="Stop").click()
    iphone.page.get_by_text("Stopped").wait_for()


DISPATCH = """([rate, gyro]) => {
  window.addEventListener('devicemotion', (e) => { if (e.isTrusted)
    e.stopImmediatePropagation(); }, true);
  setInterval(() => window.dispatchEvent(new DeviceMotionEvent('devicemotion', {
    accelerationIncludingGravity: {x: 0.1, y: 0.2, z: 9.8},
    rotationRate: gyro ? {alpha: 1, beta: 2, gamma: 3} : {}, interval: 1000 / rate})), 1000 / rate);
}"""


def test_a_slow_phone_is_refused_by_both(server, phone):
    slow = phone(locale="de-DE")
    slow.open(server)
    slow.page.evaluate(DISPATCH, [10, True])
    slow.start()
    slow.page.locator("#why:not([hidden])").wait_for()
    with speaking("de"):
        assert "45,0" in slow.page.inner_text("#why")
    until(lambda: server.link.view().state == "slow")
    with pytest.raises(BeckonError, match="samples per second, fewer than 45"):
        PageSource(server.link).__enter__()


def test_a_phone_without_gyroscope(server, phone):
    plain = phone()
    plain.open(server)
    plain.page.evaluate(DISPATCH, [100, False])
    plain.start()
    plain.page.get_by_text("This phone reports no turn rates.").wait_for()
    until(lambda: server.link.view().axes == 3)


def test_the_code_of_another_phone_says_what_to_do(server, phone):
    first = phone()
    first.open(server)
    second = phone()
    second.page.goto(server.address)
    second.page.get_by_text("This code has been used").wait_for()
