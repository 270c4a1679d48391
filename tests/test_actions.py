"""actions.toml: what is due, what is done, what strangers' values cannot do."""

import json
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import text

from host_tools.actions.perform import Failed, Performer
from host_tools.actions.rules import Rules
from host_tools.actions.runner import Runner
from host_tools.actions.settings import read_actions
from host_tools.cli.app import main
from host_tools.errors import BeckonError
from host_tools.mqtt.connection import Connection, Topic
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Event
from host_tools.store.writer import Writer
from host_tools.testing.servers import Mosquitto
from tests.waiting import until

THURSDAY = int(datetime(2025, 11, 20, 23, 30, tzinfo=UTC).timestamp() * 1000)


def an_event(**changes):
    event = Event("kitchen-1", 65540, 4, THURSDAY, THURSDAY, 25750, 4, "circle", "70", 93, 98, True)
    return event._replace(**changes)


def actions(tmp_path, toml, **environment):
    path = tmp_path / "actions.toml"
    path.write_text('timezone = "UTC"\n' + toml)
    return read_actions(path, environment)


RULE = '[[action]]\nname = "a"\nmqtt = {topic = "lamp"}\n'


def due(tmp_path, rule, event=None, now_ms=THURSDAY):
    rules = Rules(actions(tmp_path, RULE + rule))
    return bool(list(rules.due(event or an_event(), now_ms)))


@pytest.mark.parametrize("rule, expected", [
    ("", True),
    ('gestures = ["circle", "shake"]', True),
    ('gestures = ["sh*"]', False),
    ('devices = ["kitchen-?"]', True),
    ('devices = ["hall"]', False),
    ("min_confidence = 93", True),
    ("min_confidence = 94", False),
    ('from = "23:00"', True),
    ('from = "23:31"', False),
    ('from = "07:00"\nuntil = "22:00"', False),
    ('from = "22:00"\nuntil = "07:00"', True),
    ('from = 22:00:00\nuntil = 07:00:00\ndays = ["thu"]', True),
    ('days = ["fri"]', False),
])  # fmt: skip
def test_conditions(tmp_path, rule, expected):
    assert due(tmp_path, rule) == expected


def test_the_hours_after_midnight_belong_to_the_day_before(tmp_path):
    early = an_event(at_ms=THURSDAY + 3_600_000)
    rule = 'from = "22:00"\nuntil = "07:00"\ndays = ["thu"]'
    assert due(tmp_path, rule, early) and not due(tmp_path, rule.replace("thu", "fri"), early)


def test_an_old_gesture_sets_off_nothing_whatever_the_devices_clock_says(tmp_path):
    assert due(tmp_path, "", an_event(at_ms=THURSDAY - 3_600_000))  # its clock is late
    assert not due(tmp_path, "", an_event(latency_ms=3_600_000))  # it waited through an outage
    assert not due(tmp_path, "", now_ms=THURSDAY + 6000)  # we were late
    assert due(tmp_path, "max_age_s = 10", now_ms=THURSDAY + 6000)


def test_every_s_counts_for_each_device(tmp_path):
    rules = Rules(actions(tmp_path, RULE + "every_s = 10\nmax_age_s = 999"))
    at = [bool(list(rules.due(an_event(device=d), THURSDAY + 1000 * s)))
          for s, d in ((0, "a"), (5, "a"), (5, "b"), (10, "a"), (19, "a"))]  # fmt: skip
    assert at == [True, False, True, True, False]


@pytest.mark.parametrize("toml, said", [
    ("", "not one [[action]]"),
    ("[[action]]\n", "needs one of mqtt, http and command"),
    (RULE + 'gesture = "x"', "'gesture' is not known"),
    (RULE + 'gestures = "x"', "gestures is not a list"),
    (RULE + "min_confidence = 101", "101 is not a percentage"),
    (RULE + 'from = "25:00"', "'25:00' is not a time of day"),
    (RULE + 'days = ["today"]', "'today' is not one of mon"),
    (RULE + RULE, "two actions have the name 'a'"),
    ('[[action]]\nmqtt = {topic = "beckon/x/event"}', "could set off actions"),
    ('[[action]]\nmqtt = {topic = "a/#"}', "not a topic to publish to"),
    ('[[action]]\nmqtt = {topic = "a/{hand}"}', "{hand} is not known"),
    ('[[action]]\nhttp = {url = "file:///etc/passwd"}', "does not begin with http"),
    ('[[action]]\nhttp = {url = "http://x/${TOKEN}"}', "no TOKEN"),
    ('[[action]]\ncommand = {run = "rm -rf /"}', "run is not a list"),
    ('[[action]]\ncommand = {run = ["{gesture}"]}', "must not come from an event"),
    ("[[action]", "is not TOML"),
])  # fmt: skip
def test_faults_name_the_action_and_the_cure(tmp_path, toml, said):
    with pytest.raises(BeckonError) as fault:
        actions(tmp_path, toml)
    assert said in str(fault.value) and "\n" not in str(fault.value)


class Site(BaseHTTPRequestHandler):
    answers = [503, 200]
    seen: list = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.path, dict(self.headers), body))
        status = self.answers.pop(0) if self.answers else 200
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site():
    Site.answers, Site.seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def perform(tmp_path, toml, event=None, **environment):
    action = actions(tmp_path, toml, **environment).actions[0]
    performer = Performer(None, environment)
    try:
        return performer.perform(action, event or an_event())
    finally:
        performer.close()


def test_a_request_is_tried_again_and_carries_the_secret(tmp_path, site):
    Site.answers = [503]
    toml = f'''[[action]]
http = {{url = "{site}/on/{{gesture}}?k=${{KEY}}", headers = {{x = "{{gesture}} ${{KEY}}"}},
         json = {{who = "{{device}}", n = 3, deep = ["{{confidence}}"]}}}}'''.replace("\n  ", " ")
    said = perform(tmp_path, toml.replace("},\n", "}, "), an_event(gesture="a/b ${KEY}\r\nx: y"),
                   KEY="s3cret")  # fmt: skip
    assert said == "status 200" and len(Site.seen) == 2
    path, headers, body = Site.seen[1]
    assert path == "/on/a%2Fb%20%24%7BKEY%7D%0D%0Ax%3A%20y?k=s3cret"  # a stranger's ${KEY} is text
    assert headers["x"] == "a/b ${KEY}  x: y s3cret"
    assert json.loads(body) == {"who": "kitchen-1", "n": 3, "deep": ["93"]}


def test_failed_requests_say_no_secret(tmp_path, site):
    Site.answers = [404]
    with pytest.raises(Failed, match="^status 404$"):
        perform(tmp_path, f'[[action]]\nhttp = {{url = "{site}/${{KEY}}"}}', KEY="s3cret")
    assert len(Site.seen) == 1  # a refusal is not tried again
    with pytest.raises(Failed) as fault:
        perform(tmp_path, '[[action]]\nhttp = {url = "http://127.0.0.1:1/${KEY}", retries = 1}',
                KEY="s3cret")  # fmt: skip
    assert "s3cret" not in str(fault.value)


def test_a_program_gets_values_as_arguments_and_no_shell_reads_them(tmp_path):
    show = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "{gesture}", "x={device}"]
    toml = f"[[action]]\ncommand = {{run = {json.dumps(show)}}}"
    evil = an_event(gesture="$(touch /x); `id` {device}")
    assert perform(tmp_path, toml, evil) == "['$(touch /x); `id` {device}', 'x=kitchen-1']"
    with pytest.raises(Failed, match="would be an option"):
        perform(tmp_path, toml, an_event(gesture="--help"))


@pytest.mark.parametrize("code, said", [
    ("import sys; print('no'); sys.exit(3)", "exit status 3: no"),
    ("import time; time.sleep(60)", "not done in 0.2 s"),
])  # fmt: skip
def test_a_program_that_fails_or_hangs(tmp_path, code, said):
    run = json.dumps([sys.executable, "-c", code])
    limit = 0.2 if "sleep" in code else 60
    with pytest.raises(Failed, match=said):
        perform(tmp_path, f"[[action]]\ncommand = {{run = {run}, timeout_s = {limit}}}")


def counted(engine):
    """Actions in the store; a new connection sees what came since the last one."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM action")).scalar()


def test_actions_are_published_and_their_results_stored(tmp_path):
    now_ms = time.time_ns() // 10**6
    event = an_event(at_ms=now_ms, received_ms=now_ms, gesture="a/+b")
    found = actions(tmp_path, '[[action]]\nname = "lamp"\n'
                    'mqtt = {topic = "beckon/{gesture}/cmd/lamp", payload = "{confidence}"}')
    engine = open_store(str(tmp_path / "store.db"))
    got = []
    with Mosquitto(tmp_path) as broker:
        with Connection(broker.address, "lamp", [Topic("#")], lambda *m: got.append(m)):
            runner = Runner(found, engine, broker.address)
            runner.take([event])
            until(lambda: got)
            until(lambda: counted(engine))
            runner.close()
    assert got == [("beckon/a__b/cmd/lamp", b"93", False)]
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT rule, outcome, detail, seq FROM action")).all()
    assert rows == [("lamp", "done", "published", 4)]
    engine.dispose()


def test_a_dry_run_says_what_would_have_happened(tmp_path, capsys):
    store = str(tmp_path / "store.db")
    engine = open_store(store)
    now_ms = time.time_ns() // 10**6
    Writer(engine).write(Batch(events=[
        an_event(seq=i, at_ms=now_ms - i * 86_400_000, received_ms=now_ms - i * 86_400_000,
                 gesture="circle" if i % 2 else "shake") for i in range(10)]))  # fmt: skip
    engine.dispose()
    (tmp_path / "a.toml").write_text('[[action]]\nname = "lamp"\ngestures = ["circle"]\n'
                                     'command = {run = ["/does/not/exist"]}')
    assert main(["act", str(tmp_path / "a.toml"), "--dry-run", "--store", store]) == 0
    said = capsys.readouterr()
    assert said.out.count("lamp") == 3 and "lamp: 3 times" in said.err
    assert main(["act", str(tmp_path / "a.toml"), "--dry-run", "--store",
                 str(tmp_path / "new.db")]) == 1  # fmt: skip
