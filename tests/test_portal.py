"""The access point end to end: the simulated board, real HTTP, a real broker, a real browser."""

import json
import re
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from host_tools.mqtt.address import BrokerAddress, TlsFiles
from host_tools.mqtt.broker import free_port
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.unix_board import SimulatedBoard
from host_tools.testing.browser import chromium
from host_tools.testing.servers import Mosquitto
from tests.test_link_names import UdpServer
from tests.waiting import until

OWN = "192.168.4.1"
TLS = Path(__file__).parent / "link" / "tls"
BUTTON = 5
AIR = [
    {"ssid": "home", "key": "12345678", "rssi": -48},
    {"ssid": "dry", "key": "12345678", "rssi": -70, "address": False},
    {"ssid": "odd", "key": "12345678", "rssi": -80, "reason": 211},
    {"ssid": "full", "key": "12345678", "rssi": -81, "reason": 5},
    {"ssid": "unseen", "key": "87654321", "hidden": True},
]
SETTINGS = {"ap_key": "label-key", "take_button_pin": BUTTON, "time_server": ""}
NOTHING = {**SETTINGS, "wifi_ssid": "", "broker_host": ""}


class Visitor:
    """A phone that has joined. port: where the board's port 80 is."""

    def __init__(self, port: int):
        self.home = f"http://127.0.0.1:{port}"

    def get(self, path="/", host=OWN, **headers):
        return requests.get(self.home + path, headers={"Host": host, **headers}, timeout=60,
                            allow_redirects=False)  # fmt: skip

    def token(self):
        return re.search('name="token" value="(.*?)"', self.get().text)[1]

    def post(self, host=OWN, headers=None, **fields):
        return requests.post(
            f"{self.home}/save", headers={"Host": host, **(headers or {})}, timeout=60, data=fields,
            allow_redirects=False)  # fmt: skip

    def outcome(self, **fields):
        """What the page says once the board has tried fields."""
        answer = self.post(token=self.token(), **fields)
        assert answer.status_code == 303, answer.text
        pages = []

        def is_over():
            # The board gives a request 8 s of its own time, and that is 2.7 s here
            with suppress(requests.ConnectionError):
                pages.append(self.get().text)
            # A page that the board cut off at that time has no frame
            return pages and 'role="status"' in pages[-1] and "refresh" not in pages[-1]

        until(is_over)
        return said(pages[-1])


def said(page):
    """The lines in the frame of a page."""
    return re.search('role="status"><b>(.*?)</div>', page)[1].replace("</b>", "").split("<br>")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


class Phones:
    """A board with an access point, and its ports on this computer."""

    def __init__(self, board, ports):
        self.board = board
        self.dns, self.http = ports[53], ports[80]
        self.phone = Visitor(self.http)


@contextmanager
def access_point(settings, air=AIR, mdns=None, speed=3.0, flash=None):
    """A board whose access point is open; mdns: what answers its multicast questions."""
    with UdpServer(mdns or (lambda query: None)) as responder:
        ports = {80: free_port(), 53: free_port(), 5353: int(responder.address.split(":")[1])}
        nowhere = BrokerAddress("127.0.0.1", 9)
        with SimulatedBoard(DEFAULT_MODEL, nowhere, {}, settings=settings, air=air, ports=ports,
                            speed=speed, flash=flash) as board:  # fmt: skip
            is_open(board)
            yield Phones(board, ports)


def is_open(board):
    """Wait for the access point, and for its page behind it."""
    until(lambda: says(board, "access point: beckon-000001 is open"), lambda: list(board.output))
    return board.access_point()


def says(board, start):
    return next((line for line in list(board.output) if line.startswith(start)), "")


def mdns_answer(query, broker_port):
    """As RFC 6763 wants it: the pointer, and behind it the place; and the host's address."""
    if b"\5_mqtt" in query:
        place = struct.pack(">HHH", 0, 0, broker_port) + b"\3nas\5local\0"
        return (
            query[:2] + b"\x84\0\0\1\0\1\0\0\0\1" + query[12:]
            + b"\xc0\x0c\0\x0c\0\1\0\0\0\x78\0\x0c\x09Mosquitto\xc0\x0c"
            + b"\x09Mosquitto\xc0\x0c\0\x21\0\1\0\0\0\x78" + struct.pack(">H", len(place)) + place
        )
    return (query[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + query[12:]
            + b"\xc0\x0c\0\1\0\1\0\0\0\x78\0\4\x7f\0\0\1")


def a_phone_finds_the_page(at):
    for host, path in (
        ("connectivitycheck.gstatic.com", "/generate_204"),  # Android
        ("captive.apple.com", "/hotspot-detect.html"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("www.msftncsi.com", "/ncsi.txt"),
        ("detectportal.firefox.com", "/canonical.html"),
        (OWN, "/favicon.ico"),
    ):
        answer = at.phone.get(path, host)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"http://{OWN}/"), host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(60)
        asker.sendto(b"\xff" * 700, ("127.0.0.1", at.dns))
        asker.sendto(b"\0\7\1\0\0\1\0\0\0\0\0\0\3any\4name\0\0\1\0\1", ("127.0.0.1", at.dns))
        assert asker.recv(512)[-4:] == socket.inet_aton(OWN)


def strangers_are_refused(at):
    phone, good = at.phone, {"token": at.phone.token(), "ssid": "home"}
    assert phone.post(host="board.evil.example", **good).status_code == 421
    assert phone.post(headers={"Origin": "http://evil.example"}, **good).status_code == 403
    forged = phone.post(**{**good, "token": "0" * 24})
    assert forged.status_code == 403 and "from an earlier time" in said(forged.text)[0]
    too_large = phone.post(**good, device="x" * 5000)
    assert too_large.status_code == 413
    assert said(too_large.text)[0] == "The form is too large. No answer may be so long."
    assert phone.get("/?" + "x" * 4000).status_code == 431
    pieces = requests.post(f"{phone.home}/save", data=iter([b"a"]), headers={"Host": OWN},
                           timeout=60)  # fmt: skip
    assert pieces.status_code == 411
    wrong = phone.post(**good, wifi_key="short", other_found="mqtt://nas", broker_port="x",
                       device="a b")  # fmt: skip
    assert wrong.status_code == 400 and len(re.findall('class="e"', wrong.text)) == 4
    assert 'value="mqtt://nas"' in wrong.text and "short" not in wrong.text


def ten_clients_are_served(at):
    """And ten more that send nothing hold up nobody for long."""
    silent = [socket.create_connection(("127.0.0.1", at.http)) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda _: at.phone.get(), range(10)))
    assert [page.status_code for page in pages] == [200] * 10
    assert len({page.text for page in pages}) == 1
    for connection in silent:
        connection.close()


def what_does_not_work_is_said(at, refusing):
    ours = {"other_found": "127.0.0.1", "broker_port": "9"}
    for fields, line in (
        ({"ssid": "home", "wifi_key": "wrong-key"}, "The Wi-Fi password is wrong."),
        ({"other_ssid": "gone", "wifi_key": "12345678"}, "The Wi-Fi network was not found."),
        ({"ssid": "dry", "wifi_key": "12345678"}, "The Wi-Fi password is right, but the network"),
        ({"ssid": "odd", "wifi_key": "12345678"}, "The Wi-Fi network uses a kind of security"),
        ({"ssid": "full", "wifi_key": "12345678"}, "The Wi-Fi network refuses the board."),
        ({"ssid": "home", "wifi_key": "12345678"}, "The Wi-Fi works, but the broker cannot be"),
        # The password that was right is kept for the next try.
        ({"ssid": "home", "broker_port": str(refusing.port)}, "The broker refuses the login."),
    ):
        lines = at.phone.outcome(**{**ours, **fields})
        assert lines[0].startswith(line), (fields, lines)
        assert lines[-1] == "The old settings are still in force."
    stored = json.loads((at.board.flash / "config.json").read_text())
    assert stored["wifi_ssid"] == "" and "wifi_key" not in stored and at.board.boots == 1


def test_from_nothing_to_the_broker_and_back(broker, tmp_path):
    with (
        Mosquitto(tmp_path, anonymous=False) as refusing,
        access_point(NOTHING, mdns=lambda query: mdns_answer(query, broker.port)) as at,
    ):
        board, phone = at.board, at.phone
        assert board.access_point() == {"ssid": "beckon-000001", "key": "label-key", "security": 3,
                                        "max_clients": 10}  # fmt: skip
        a_phone_finds_the_page(at)
        strangers_are_refused(at)
        ten_clients_are_served(at)
        what_does_not_work_is_said(at, refusing)
        # A hidden network, whose broker announces itself.
        hidden = {"other_ssid": "unseen", "wifi_key": "87654321", "device": "kitchen"}
        assert phone.outcome(**hidden)[0] == "The Wi-Fi works. Choose the broker."
        found = f"nas.local:{broker.port}"
        assert f'name="found" value="{found}" checked' in phone.get().text
        german = phone.get(**{"Accept-Language": "de-AT,de;q=0.9"}).text
        assert "Das WLAN geht." in german and "87654321" not in german
        lines = phone.outcome(found=found, **{**hidden, "wifi_key": ""})
        assert lines[0] == "Done: the board has reached the broker."
        until(lambda: says(board, "linked to nas.local"), lambda: list(board.output))
        assert board.access_point() is None and board.boots == 2
        closed = says(board, "access point: closed")
        assert int(re.search(r"(\d+) slow", closed)[1]) >= 4  # the silent ones
        assert int(re.search(r"(\d+) bytes", closed)[1]) > 50_000, closed  # of 192 KiB
        until(lambda: not (board.flash / "config.json.try").exists())
        stored = json.loads((board.flash / "config.json").read_text())
        assert (stored["wifi_key"], stored["device"]) == ("87654321", "kitchen")
        # Held, the button brings it back. No secret comes with it.
        board.output.clear()
        board.hold_button(BUTTON, True)
        is_open(board)
        board.hold_button(BUTTON, False)
        page = phone.get().text
        assert "87654321" not in page and "label-key" not in page
        assert page.count("set; leave it empty to keep it") == 1 and 'value="unseen"' in page
        assert board.access_point()["ssid"] == "beckon-000001"  # as the label says
        assert phone.outcome(ssid="home", wifi_key="wrong-key", other_found="nas.local")[0] == (
            "The Wi-Fi password is wrong.")


def test_in_a_phones_browser(tmp_path):
    """By keyboard alone, from what the captive window opens to what the board says."""
    with access_point(NOTHING) as at, chromium(f"--host-rules=MAP * 127.0.0.1:{at.http}") as shell:
        page = shell.new_page(viewport={"width": 390, "height": 844}, locale="de-DE",
                              color_scheme="dark", java_script_enabled=False)  # fmt: skip
        page.set_default_timeout(120_000)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("http://captive.apple.com/hotspot-detect.html")
        assert page.url == f"http://{OWN}/"
        page.screenshot(path=tmp_path / "first.png", full_page=True)
        assert page.get_by_role("heading", name="Diese Platine einrichten").is_visible()
        page.get_by_role("link", name="English").press("Enter")
        page.get_by_role("heading", name="Set up this board").wait_for()
        page.get_by_role("radio", name="home").press("Space")
        page.get_by_label("Wi-Fi password").fill("wrong-key")
        page.get_by_label("Name of this board").fill("a b")
        page.get_by_label("Name of this board").press("Enter")
        field = page.get_by_label("Name of this board")
        field.and_(page.locator("[aria-invalid=true]")).wait_for()
        assert page.get_by_label("Wi-Fi password").input_value() == ""
        field.fill("kitchen")
        page.get_by_label("Wi-Fi password").fill("wrong-key")
        page.get_by_role("button", name="Try and save").press("Enter")
        page.get_by_text("The Wi-Fi password is wrong.").wait_for()  # the page renews itself
        assert page.get_by_label("Wi-Fi password").get_attribute("placeholder") == "not set"
        page.emulate_media(color_scheme="light")
        page.screenshot(path=tmp_path / "wrong.png", full_page=True)
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            box = page.locator("html").bounding_box()
            assert box["width"] <= width
        assert all(url.startswith((f"http://{OWN}/", "http://captive.apple.com", "data:"))
                   for url in asked)


def test_without_a_visitor_the_old_settings_return(broker, tmp_path):
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "portal.ask").write_text("1")
    settings = {**SETTINGS, "wifi_ssid": "home", "wifi_key": "12345678",
                "broker_port": broker.port}  # fmt: skip
    with access_point(settings, speed=200, flash=flash) as at:
        until(lambda: says(at.board, "linked to"), lambda: list(at.board.output))
        assert at.board.access_point() is None and not (flash / "portal.ask").exists()


@pytest.mark.soak
def test_a_broker_with_tls(tmp_path):
    """The board needs the time of day first, from its time server, through the new Wi-Fi."""
    ca = TLS / "ca.crt"
    lines = [f"cafile {ca}", f"certfile {TLS / 'server.crt'}", f"keyfile {TLS / 'server.key'}"]
    settings = {name: value for name, value in NOTHING.items() if name != "time_server"}
    settings["tls_name"] = "localhost"
    ports = {80: free_port(), 53: free_port()}
    nowhere = BrokerAddress("127.0.0.1", 9, tls=TlsFiles(ca))
    with (
        Mosquitto(tmp_path, lines) as broker,
        SimulatedBoard(DEFAULT_MODEL, nowhere, {}, settings=settings, air=AIR,
                       ports=ports) as board,
    ):  # fmt: skip
        is_open(board)
        answers = {"ssid": "home", "wifi_key": "12345678", "other_found": "127.0.0.1"}
        lines = Visitor(ports[80]).outcome(**answers, broker_port=str(broker.port))
        assert lines[0] == "Done: the board has reached the broker."
        until(lambda: says(board, "linked to 127.0.0.1"), lambda: list(board.output))


@pytest.mark.parametrize("changes", [{"ap_key": ""}, {"radio": "bthome"}], ids=["key", "radio"])
def test_a_board_that_has_no_password_or_wants_no_wifi_opens_nothing(changes):
    settings = {**NOTHING, **changes}
    with SimulatedBoard(DEFAULT_MODEL, BrokerAddress("127.0.0.1", 9), {}, settings=settings,
                        speed=3) as board:  # fmt: skip
        until(lambda: says(board, "no sensor"), lambda: list(board.output))
        assert board.access_point() is None and not says(board, "access point")
