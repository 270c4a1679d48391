"""What deploy/ promises: a device writes its own topics alone; a backup can be restored."""

import base64
import hashlib
import importlib
import json
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from sqlalchemy import text

from host_tools.cli.app import main, make_parser
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic
from host_tools.paths import REPOSITORY
from host_tools.store.database import open_store
from host_tools.store.messages import Batch
from host_tools.store.writer import Writer
from host_tools.testing.servers import Mosquitto
from tests.stores import KINDS, fresh_store
from tests.test_store import an_event, sums_agree
from tests.waiting import until

DEPLOY = REPOSITORY / "deploy"


def password_line(name, password):
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    salt = name.encode().ljust(12, b"-")
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"{name}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n"


def test_a_device_writes_its_own_topics_alone(tmp_path):
    people = ("wand", "lamp", "collector", "operator")
    (tmp_path / "passwords").write_text("".join(password_line(p, f"{p}!") for p in people))
    lines = [f"acl_file {DEPLOY}/mosquitto/acl", f"password_file {tmp_path}/passwords"]
    got, commands = [], []
    with Mosquitto(tmp_path, lines, anonymous=False) as broker:

        def link(name, topics=(), take=None):
            address = BrokerAddress("127.0.0.1", broker.port, name, f"{name}!")
            return Connection(address, name, topics, take)

        everything = [Topic("beckon/+/event"), Topic("beckon/+/state"), Topic("beckon/+/status"),
                      Topic("$share/g/beckon/+/diag")]  # fmt: skip
        with (
            link("collector", everything, lambda *m: got.append(m[:2])) as collector,
            link("lamp", [Topic("beckon/+/cmd/#")], lambda *m: commands.append(m[0])),
            link("wand") as wand,
            link("operator") as operator,
        ):
            for name in ("lamp", "wand"):  # the last one is let through, so the others are done
                for kind in ("event", "state", "status", "diag"):
                    wand.publish(f"beckon/{name}/{kind}", f"{name} {kind}", wait_s=60)
            wand.publish("beckon/lamp/cmd/restart", b"{}", wait_s=60)
            collector.publish("beckon/lamp/cmd/restart", b"{}", wait_s=60)
            operator.publish("beckon/lamp/event", b"forged", wait_s=60)
            operator.publish("beckon/wand/cmd/x", b"{}", wait_s=60)
            operator.publish("beckon/lamp/cmd/diag", b"{}", wait_s=60)
            until(lambda: len(got) >= 4 and commands)
    assert sorted(got) == sorted((f"beckon/wand/{kind}", f"wand {kind}".encode())
                                 for kind in ("event", "state", "status", "diag"))
    assert commands == ["beckon/lamp/cmd/diag"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_taken_under_way_can_be_restored(kind, tmp_path, postgres, capsys):
    if kind == "postgresql" and postgres is None:
        pytest.skip("PostgreSQL is not installed")
    with fresh_store(kind, tmp_path, postgres) as old, fresh_store(kind, tmp_path, postgres) as new:
        engine = open_store(old)
        writer = Writer(engine)
        writer.write(Batch([an_event(i) for i in range(50)]))
        with engine.begin() as writing:  # a collector in the middle of a batch
            if kind == "postgresql":
                writing.execute(text("DELETE FROM event"))
            assert main(["store", "backup", str(tmp_path / "b"), "--store", old]) == 0
            writing.rollback()
        writer.write(Batch([an_event(60)]))
        backups = list((tmp_path / "b").iterdir())
        assert len(backups) == 1 and backups[0].stat().st_mode & 0o77 == 0
        assert main(["store", "restore", str(backups[0]), "--store", new]) == 0
        restored = open_store(new)
        with restored.connect() as c:
            assert c.execute(text("SELECT count(*) FROM event")).scalar() == 50
        sums_agree(restored)
        # What comes again after the backup is stored, once; the collector goes on.
        outcome = Writer(restored).write(Batch([an_event(49), an_event(60)]))
        assert [e.seq for e in outcome.new] == [60]
        restored.dispose()
        capsys.readouterr()
        assert main(["store", "restore", str(backups[0]), "--store", new]) == 1  # not over data
        assert main(["store", "info", "--store", new]) == 0
        assert "51 events" in capsys.readouterr().out
        engine.dispose()


def test_a_damaged_backup_is_refused_and_leaves_nothing(tmp_path, capsys):
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    new = tmp_path / "new.db"
    assert main(["store", "restore", str(tmp_path / "broken.db"), "--store", str(new)]) == 1
    assert not new.exists() and "cannot be copied" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["broken.db"]


def test_the_node_red_flow_lets_fresh_gestures_through_once():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    flow = json.loads((DEPLOY / "node-red" / "beckon_flow.json").read_text())
    check = next(part for part in flow if part.get("type") == "function")
    good = {"event_type": "circle", "confidence": 93, "seq": 4, "boot": 1, "latency_ms": 4}
    sent = [good, good, {**good, "seq": 5, "latency_ms": 9000}, {**good, "seq": 6, "confidence": 9},
            "text", None, {**good, "seq": 7, "latency_ms": None}]  # fmt: skip
    program = (
        "const kept = {}; const context = {get: k => kept[k], set: (k, v) => { kept[k] = v; }};"
        f"const check = new Function('msg', 'context', {json.dumps(check['func'])});"
        f"console.log(JSON.stringify({json.dumps(sent)}.map(payload => "
        "check({topic: 'beckon/wand/event', payload}, context))));"
    )
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    passed = [out and (out["device"], out["gesture"], out["payload"]["seq"])
              for out in json.loads(done.stdout)]  # fmt: skip
    assert passed == [("wand", "circle", 4), *[None] * 5, ("wand", "circle", 7)]


def test_compose_and_units_name_what_exists():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    names = [service["command"][service["command"].index("--name") + 1]
             for service in compose["services"].values()
             if service.get("command", [""])[0] == "collect"]  # fmt: skip
    assert len(names) == len(set(names)) == 2
    commands = [service["command"] for service in compose["services"].values()
                if "command" in service]  # fmt: skip
    for unit in (DEPLOY / "systemd").glob("*.service"):
        line = re.search(r"^ExecStart=\S+/beckon ((?:.*\\\n)*.*)", unit.read_text(), re.M)[1]
        commands.append(line.replace("\\\n", " ").replace("%i", "one").split())
    for words in commands:
        parser = make_parser(words[0], importlib.import_module(f"host_tools.cli.{words[0]}"))
        parser.parse_args(words[1:])
    lock = (REPOSITORY / "packages.lock").read_text()
    extra = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"][
        "optional-dependencies"]["collect"]  # fmt: skip
    for need in extra:
        assert re.search(rf"^{re.split(r'[>=<[]', need)[0]}\b", lock, re.M), need
