"""The one client of the host tools: TLS and what can be wrong with it, login, versions, faults."""

import contextlib
import json
import socket
import threading

import pytest

from host_tools.bench.outages import broker as restarting
from host_tools.cli.app import main
from host_tools.device.known_broker import exposure, known_broker
from host_tools.device.settings import _TLS_FILE_MAX, settings_files, write_settings
from host_tools.errors import BeckonError
from host_tools.mqtt import connection
from host_tools.mqtt.address import BrokerAddress, TlsFiles, is_only_here, parse_broker
from host_tools.mqtt.broker import embedded_broker, free_port
from host_tools.mqtt.connection import Connection, Topic
from host_tools.mqtt.remote_device import RemoteDevice, signed
from host_tools.mqtt.subscriber import Subscriber
from host_tools.mqtt.tls import tls_context
from tests.link.certificates import Authority
from tests.link.host import FakeBroker, Mosquitto, packet, wait_for_port
from tests.waiting import until

_MANY = 600  # devices, each with two retained messages
KINDS = {"good": {}, "rsa": {"kind": "rsa"}, "expired": {"first_day": -3, "last_day": -2},
         "future": {"first_day": 2}, "other": {"host": "broker.example"}}


class Brokers:
    """One mosquitto, a listener for each certificate; `mtls` demands one of the client."""

    def __init__(self, folder):
        folder.mkdir()
        self.authority = authority = Authority(folder)
        (folder / "elsewhere").mkdir()
        self.another_ca = Authority(folder / "elsewhere").ca
        self.client = authority.issue("client")
        (folder / "acl").write_text("topic readwrite beckon/#\n")
        self.ports = {name: free_port() for name in (*KINDS, "mtls", "plain")}
        lines = []
        for name, port in self.ports.items():
            lines += [f"listener {port} 127.0.0.1", "allow_anonymous true"]
            if name != "plain":
                cert, key = authority.issue(name, **KINDS.get(name, {}))
                lines += [f"cafile {authority.ca}", f"certfile {cert}", f"keyfile {key}"]
            if name == "mtls":
                lines.append("require_certificate true")
            if name == "rsa":
                lines.append("tls_version tlsv1.2")
        self.mosquitto = Mosquitto(folder, 0, "allow_anonymous true", *lines)
        for port in self.ports.values():
            wait_for_port(port)

    def at(self, listener, **files):
        tls = None if listener == "plain" else TlsFiles(**{"ca": self.authority.ca, **files})
        return BrokerAddress("localhost", self.ports[listener], tls=tls)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    made = Brokers(tmp_path_factory.mktemp("tls") / "brokers")
    with made.mosquitto:
        yield made


def refusal(broker):
    with pytest.raises(BeckonError) as caught, Connection(broker, "test"):
        pass
    text = str(caught.value)
    assert "\n" not in text and "; " in text, text
    return text


# -- TLS --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["good", "rsa", "plain"])
def test_what_one_says_the_other_hears(brokers, name):
    came = []
    topics = [Topic("beckon/wand/#")]
    with Connection(brokers.at(name), "test", topics, lambda *all: came.append(all)) as wire:
        assert wire.version == 5 and wire.is_up
        wire.publish("beckon/wand/x", b"1", wait_s=5)
        until(lambda: came == [("beckon/wand/x", b"1", False)])


@pytest.mark.parametrize("name, files, said", [
    ("expired", {}, "dates: the certificate of mqtts://localhost:PORT has expired"),
    ("future", {}, "dates: the certificate of mqtts://localhost:PORT is not valid yet"),
    ("other", {}, "name: the certificate of mqtts://localhost:PORT is not for localhost"),
    ("good", {"name": "kitchen"}, "is not for kitchen"),
    ("good", {"ca": "another"}, "chain: the certificate of mqtts://localhost:PORT is not signed"),
    ("good", {"ca": None}, "is not signed by this computer's list of authorities"),
    ("mtls", {}, "a certificate of yours"),
    ("plain", {}, "does not speak TLS; name the port with TLS"),
])  # fmt: skip
def test_which_part_of_tls_is_wrong_is_said(brokers, name, files, said):
    if files.get("ca") == "another":
        files = {"ca": brokers.another_ca}
    broker = BrokerAddress("localhost", brokers.ports[name],
                           tls=TlsFiles(**{"ca": brokers.authority.ca, **files}))
    assert said.replace("PORT", str(brokers.ports[name])) in refusal(broker)


def test_a_certificate_of_another_name_and_one_of_your_own(brokers):
    with Connection(brokers.at("other", name="broker.example"), "test"):
        pass
    cert, key = brokers.client
    with Connection(brokers.at("mtls", cert=cert, key=key), "test"):
        pass


def test_plain_mqtt_to_a_port_with_tls(brokers):
    said = refusal(BrokerAddress("localhost", brokers.ports["good"]))
    assert "if that port has TLS, write mqtts://" in said


@pytest.mark.parametrize("change, said", [
    ({"ca": "none.crt"}, "none.crt cannot be read (No such file or directory)"),
    ({"ca": "client.key"}, "client.key is not a certificate"),
    ({"cert": "client.crt"}, "name both"),
    ({"cert": "client.crt", "key": "ca.crt"}, "are not a certificate and its key"),
    ({"cert": "client.crt", "key": "locked.key"}, "without a password"),
])  # fmt: skip
def test_files_that_cannot_be_used_are_named(brokers, change, said):
    folder = brokers.authority.folder
    (folder / "locked.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END "
                                       "ENCRYPTED PRIVATE KEY-----\n")
    files = {name: folder / file for name, file in change.items()}
    with pytest.raises(BeckonError) as caught:
        tls_context(BrokerAddress("x", tls=TlsFiles(**{"ca": brokers.authority.ca, **files})))
    assert said in str(caught.value)


def test_every_command_takes_tls(brokers, capsys, monkeypatch, tmp_path):
    url = f"mqtts://localhost:{brokers.ports['good']}"
    heard = threading.Event()
    ca = ["--broker", url, "--ca", str(brokers.authority.ca)]
    topics = [Topic("beckon/wand/cmd/diag")]

    def answer(topic, payload, retained):
        transaction = json.loads(payload)["transaction"]
        board.publish("beckon/wand/rsp/diag", json.dumps({"ok": True, "transaction": transaction}))
        heard.set()

    with Connection(brokers.at("good"), "board", topics, answer) as board:
        assert main(["ask", "wand", "diag", *ca]) == 0 and heard.is_set()
        assert json.loads(capsys.readouterr().out) == {"ok": True}
        # The same without a word, from the settings
        write_settings(tmp_path / "beckon", {
            "broker_host": "localhost", "broker_port": brokers.ports["good"], "tls_ca": "ca.crt",
        }, {"ca.crt": brokers.authority.ca.read_bytes()})
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        assert main(["ask", "wand", "diag"]) == 0
        board.publish("beckon/wand/event", b'{"event_type": "x", "seq": 0}', retain=True, wait_s=5)
        assert main(["watch", "--count", "1", "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out.splitlines()[1])["event_type"] == "x" and "warning" not in err
        board.publish("beckon/wand/event", b"", retain=True, wait_s=5)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "empty"))
    assert main(["watch", "--broker", url]) == 1
    assert "is not signed by this computer's list" in capsys.readouterr().err
    assert main(["record", "--from", url, "--device", "wand", "--free", "--ca", "x.crt",
                 "--out", str(tmp_path / "r")]) == 1
    assert "x.crt cannot be read" in capsys.readouterr().err


# -- which broker, and as whom ----------------------------------------------------------


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "settings"

    def write(**values):
        write_settings(folder, {"broker_host": "house", "user": "ann", "password": "word",
                                **values}, {"ca.crt": b"-"})  # fmt: skip
        return folder

    return write


def test_the_settings_broker_is_used_with_its_login(settings):
    found = known_broker(folder=settings())
    assert found == BrokerAddress("house", 1883, "ann", "word")
    assert known_broker("house", folder=settings(broker_port=1900)).port == 1900
    assert known_broker("house:1901", folder=settings()).user == ""
    assert known_broker("mqtt://eve@house", folder=settings(broker_port=1883)).user == "eve"
    with_tls = known_broker("HOUSE", folder=settings(tls_ca="ca.crt", broker_port=8883,
                                                     tls_name="h", tls_cert="/a", tls_key="b"))
    folder = settings()
    assert with_tls.tls == TlsFiles(folder / "ca.crt", folder / "a", folder / "b", "h")
    assert with_tls.password == "word" and with_tls.port == 8883
    assert known_broker("mqtts://house", folder=folder).tls == with_tls.tls


def test_a_login_goes_to_its_own_broker_only_and_never_from_tls_into_the_clear(settings):
    folder = settings(tls_ca="ca.crt", broker_port=8883)
    for url in ("other", "mqtt://house:8883", "mqtt://house", "house:1883", "mqtts://house:1",
                "mqtts://other"):  # fmt: skip
        assert known_broker(url, folder=folder).user == "", url
    assert known_broker("mqtts://house", folder=folder).user == "ann"


def test_the_environment_comes_before_the_settings(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("BECKON_MQTT_USER", "eve")
    monkeypatch.setenv("BECKON_MQTT_PASSWORD", "secret")
    assert known_broker(folder=settings()).password == "secret"
    assert known_broker("mqtt://bob:x@there", folder=settings()).password == "x"
    assert known_broker(folder=tmp_path / "none") == BrokerAddress("127.0.0.1", 1883, "eve",
                                                                   "secret")


def test_files_for_tls_are_for_brokers_with_tls(tmp_path, settings):
    mine = TlsFiles(ca=tmp_path / "x")
    none = tmp_path / "none"
    assert known_broker("house", mine, none) == BrokerAddress("house", 8883, tls=mine)
    assert known_broker("house:1", mine, none) == BrokerAddress("house", 1, tls=mine)
    folder = settings(tls_ca="ca.crt", tls_name="n", broker_port=8883)
    assert known_broker("", mine, folder).tls == TlsFiles(ca=tmp_path / "x", name="n")
    for url in ("", "mqtt://house"):
        with pytest.raises(BeckonError, match="are for TLS"):
            known_broker(url, mine, none)


def test_addresses():
    assert parse_broker("mqtts://ann:p%40ss@[::1]") == BrokerAddress(
        "::1", 8883, "ann", "p@ss", TlsFiles())
    assert str(parse_broker("mqtts://ann:word@house")) == "mqtts://ann@house:8883"
    assert "word" not in repr(parse_broker("mqtt://ann:word@house"))
    for wrong in ("http://x", "mqtt://", "mqtt://x:0", "mqtt://x:99999", "mqtt://ann:word@"):
        with pytest.raises(BeckonError) as caught:
            parse_broker(wrong)
        assert "is not a broker address" in str(caught.value) and "word" not in str(caught.value)
    assert is_only_here("LOCALHOST.") and not is_only_here("local")


def test_plain_tcp_through_the_network_is_warned_of(capsys, monkeypatch):
    assert exposure(parse_broker("127.0.0.1")) == exposure(parse_broker("mqtts://house")) == ""
    assert "can read all events" in exposure(parse_broker("house"))
    assert "can read user, password and events" in exposure(parse_broker("mqtt://a@house"))
    assert main(["watch", "--broker", "mqtt://beckon.invalid"]) == 1
    err = capsys.readouterr().err
    assert err.count("warning: mqtt://beckon.invalid:1883 is not encrypted") == 1
    assert "there is no host beckon.invalid" in err


def test_the_files_that_a_board_needs_are_checked_and_copied(brokers, tmp_path):
    cert, key = brokers.client
    write_settings(tmp_path, {"tls_ca": "ca.crt", "tls_cert": "/client.crt",
                              "tls_key": "client.key"},
                   {"ca.crt": brokers.authority.ca.read_bytes(), "client.crt": cert.read_bytes(),
                    "client.key": key.read_bytes()})  # fmt: skip
    assert (tmp_path / "client.key").stat().st_mode & 0o777 == 0o600
    assert sorted(settings_files(tmp_path)) == ["ca.crt", "client.crt", "client.key",
                                                "config.json", "secrets.json"]
    for content, said in ((b"x" * (_TLS_FILE_MAX + 1), "a board takes 1 to 8191"),
                          (b"no certificate", "ca.crt is not a certificate"),
                          (None, "which cannot be read .No such file")):  # fmt: skip
        (tmp_path / "ca.crt").unlink()
        if content:
            (tmp_path / "ca.crt").write_bytes(content)
        with pytest.raises(BeckonError, match=said):
            settings_files(tmp_path)
        if content is None:
            break
    write_settings(tmp_path, {"tls_ca": "../ca.crt"})
    with pytest.raises(BeckonError, match="which leaves"):
        settings_files(tmp_path)
    board = (tmp_path.parents[0], "firmware/link/tls_socket.py")
    from tests.conftest import REPOSITORY

    assert "size < 8192" in (REPOSITORY / board[1]).read_text()


# -- versions of MQTT, and what is not a broker -----------------------------------------


def test_a_broker_of_mqtt_3_1_1_and_one_that_goes_silent_at_mqtt_5():
    with embedded_broker() as broker, Subscriber(broker) as subscriber:
        assert subscriber._connection.version == 4
    with FakeBroker() as fake:  # reads on and on at the first connection

        def serve():
            fake.peer()
            fake.peer().accept()

        thread = threading.Thread(target=serve)
        thread.start()
        with Connection(BrokerAddress("127.0.0.1", fake.port), "test") as wire:
            assert wire.version == 4
        thread.join()


def test_a_broker_of_mqtt_5_alone():
    with FakeBroker() as fake:

        def serve():
            peer = fake.peer()
            kind, body = peer.packet()
            assert (kind, body[6]) == (0x10, 5)
            peer.send(packet(0x20, b"\0\0\0"))

        thread = threading.Thread(target=serve)
        thread.start()
        with Connection(BrokerAddress("127.0.0.1", fake.port), "test") as wire:
            assert wire.version == 5
        thread.join()


@pytest.mark.parametrize("answers, said", [
    ([b"\x20\x03\0\x87\0"], "the broker at mqtt://127.0.0.1:PORT refuses: Not authorized"),
    ([b"\x20\x03\0\x84\0", b"\x20\x02\0\x05"], "refuses: Not authorized"),
    ([b"", b""], "is not an MQTT broker"),
])  # fmt: skip
def test_what_refuses_is_said(answers, said):
    with FakeBroker() as fake:

        def serve():
            for answer in answers:
                peer = fake.peer()
                peer.packet()
                peer.send(answer)
                peer.close()

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(BeckonError) as caught:
            with Connection(BrokerAddress("127.0.0.1", fake.port), "test", timeout_s=5):
                pass
    assert said.replace("PORT", str(fake.port)) in str(caught.value)


def test_nothing_goes_out_before_tls_has_proved_the_broker(tmp_path, brokers):
    """A plain listener at the address of a broker with TLS hears no login."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            with connection:
                heard.extend(connection.recv(4096))  # a ClientHello, or else a CONNECT
                connection.sendall(b"\x20\x02\0\0" * 9)
                with contextlib.suppress(ConnectionError):
                    heard.extend(connection.recv(4096))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        assert main(["setup", "--folder", str(tmp_path), "--ca", str(brokers.authority.ca), "--set",
                     "broker_host=127.0.0.1", "--set", f"broker_port={port}", "--set", "user=ann",
                     "--set", "password=s3cret-word", "--set", "wifi_ssid="]) == 1
        thread.join(5)
    assert heard and b"ann" not in heard and b"s3cret" not in heard


# -- sessions ---------------------------------------------------------------------------


def test_many_devices_are_all_known(tmp_path, monkeypatch):
    """Of more than 1,020 retained messages at QoS 1 and MQTT 3.1.1 mosquitto drops the rest."""
    with Mosquitto(tmp_path) as mosquitto:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        with Connection(broker, "boards") as boards:
            for n in range(_MANY):
                boards.publish(f"beckon/d{n}/status", b"online", retain=True)
                boards.publish(f"beckon/d{n}/state", b"{}", retain=True)
            boards.publish("beckon/d0/x", b"", wait_s=10)
        for version, known in ((5, {}), (4, {(broker.host, broker.port): 4})):
            monkeypatch.setattr(connection, "_versions", known)
            with Subscriber(broker, kinds=("event", "status", "state")) as subscriber:
                assert subscriber._connection.version == version
                came = set()

                def all_came(came=came, subscriber=subscriber):
                    while message := subscriber.receive(0.05):
                        came.add((message.device, message.kind))
                    return len(came) == 2 * _MANY

                until(all_came)


@pytest.mark.parametrize("version", [5, 4])
def test_a_listener_misses_nothing_while_the_broker_restarts(tmp_path, monkeypatch, version):
    """It is told whether the broker has kept what came meanwhile."""
    links = []
    with restarting.Mosquitto(tmp_path) as mosquitto:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        known = {} if version == 5 else {(broker.host, broker.port): 4}
        monkeypatch.setattr(connection, "_versions", known)
        with Subscriber(broker, kinds=("event",), on_link=lambda *link: links.append(link)) as ear:
            assert ear._connection.version == version
            for turn, kept in enumerate((True, False)):
                mosquitto.stop()
                until(lambda turn=turn: len(links) == 2 * turn + 1)
                mosquitto.start(with_session=kept)
                with Connection(broker, "board") as board:  # nobody waits for the listener
                    for seq in range(20 if kept else 0):
                        board.publish("beckon/wand/event", json.dumps({"seq": seq}), wait_s=10)
                until(lambda turn=turn: len(links) == 2 * turn + 2)
                if kept:
                    came = [ear.receive(20) for _ in range(20)]
                    assert [message.payload["seq"] for message in came] == list(range(20))
        assert links == [(False, True), (True, True), (False, True), (True, False)]
        assert ear.receive(0) is None


# -- signed commands --------------------------------------------------------------------


def test_ask_signs_with_the_key_of_the_settings(tmp_path, capsys):
    heard = []

    def answer(topic, payload, retained):
        asked = json.loads(payload)
        heard.append((topic.rpartition("/")[2], asked))
        said = {"ok": True, "nonce": "n1", "transaction": asked["transaction"]}
        board.publish(topic.replace("/cmd/", "/rsp/"), json.dumps(said))

    with Mosquitto(tmp_path) as mosquitto:
        url = f"mqtt://127.0.0.1:{mosquitto.port}"
        topics = [Topic("beckon/wand/cmd/#")]
        with Connection(parse_broker(url), "board", topics, answer) as board:
            ask = ["ask", "wand", "--broker", url, "--sign", str(tmp_path)]
            assert main([*ask, "set", 'settings={"keepalive_s": 60}']) == 1
            assert "no update_key in" in capsys.readouterr().err and not heard
            write_settings(tmp_path, {"update_key": "k" * 32})
            assert main([*ask, "set", 'settings={"keepalive_s": 60}']) == 0
            assert main([*ask, "restart"]) == 0
    text = '{"keepalive_s": 60}'
    assert [(verb, asked.get("settings"), asked.get("hmac")) for verb, asked in heard] == [
        ("nonce", None, None), ("set", text, signed("k" * 32, "set", "wand", "n1", text)),
        ("nonce", None, None), ("restart", None, signed("k" * 32, "restart", "wand", "n1", ""))]
    for words, said in ((["diag"], "takes no signature"), (["set"], "write settings=")):
        assert main(["ask", "wand", *words, "--sign", str(tmp_path)]) == 2
        assert said in capsys.readouterr().err


@pytest.fixture
def black_hole():
    """A port that takes connections and says nothing; after a while it ends them."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as taken:
        def take():
            with contextlib.suppress(OSError):
                connection = taken.enter_context(server.accept()[0])
                end = threading.Timer(15, connection.shutdown, [socket.SHUT_RDWR])
                taken.callback(end.cancel)
                end.start()

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]


def test_a_broker_that_says_nothing_to_tls_is_not_waited_for_long(brokers, black_hole):
    """Without a limit of ours, paho would wait for the handshake until the port ends it: that
    has other words."""
    where = BrokerAddress("127.0.0.1", black_hole, tls=TlsFiles(ca=brokers.authority.ca))
    with pytest.raises(connection.NoBroker, match=r"no broker answers at mqtts://127.0.0.1:\d+ "
                                                  "within 0.3 s; check address and port"):
        with Connection(where, "test", timeout_s=0.3):
            pass


def test_patience_with_a_board_is_not_patience_with_the_broker(brokers, black_hole, monkeypatch):
    where = BrokerAddress("127.0.0.1", black_hole, tls=TlsFiles(ca=brokers.authority.ca))
    monkeypatch.setattr(Connection.__init__, "__kwdefaults__",
                        {**Connection.__init__.__kwdefaults__, "timeout_s": 0.4})
    with pytest.raises(connection.NoBroker, match="within 0.4 s"):
        with RemoteDevice(where, "wand", timeout_s=600):
            pass
