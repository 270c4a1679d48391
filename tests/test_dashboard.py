"""The dashboard: its figures against a plain count, its files, its login, its page in a browser."""

import csv
import io
import os
import random
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from host_tools.dashboard import charts, exports
from host_tools.dashboard.filters import PERIODS, View
from host_tools.errors import BeckonError
from host_tools.store import heartbeat, queries, verdicts
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Event, Reject, Status
from host_tools.store.rollup import DAY_MS, HOUR_MS, latency_class
from host_tools.store.writer import Writer
from tests.stores import KINDS, fresh_store
from tests.waiting import until

NOW = time.time_ns() // 10**6 // HOUR_MS * HOUR_MS
EVIL = '=HYPERLINK("x")<script>alert(1)</script>{{ 7 * 7 }}'


def some_events(count=600):
    rng = random.Random(7)
    names = ["circle", "shake", EVIL]
    return [Event(f"d{i % 4}", 65536, i // 4, NOW - rng.randrange(9 * DAY_MS), NOW, 1000 * i,
                  rng.choice([None, 4, 30, 700]), rng.choice(names), rng.choice(["m1", "m2"]),
                  rng.randrange(101), None, True) for i in range(count)]  # fmt: skip


@pytest.fixture(params=KINDS)
def engine(request, tmp_path, postgres):
    if request.param == "postgresql" and postgres is None:
        pytest.skip("PostgreSQL is not installed")
    with fresh_store(request.param, tmp_path, postgres) as url:
        engine = open_store(url)
        Writer(engine).write(Batch(some_events(), [Status("d0", NOW, False)]))
        yield engine
        engine.dispose()


FILTERS = [queries.Filter(NOW - 10 * DAY_MS, NOW + HOUR_MS, device, gesture)
           for device in ("", "d1", "nobody") for gesture in ("", EVIL, "nothing")]  # fmt: skip


def test_every_figure_equals_a_plain_count(engine):
    """Over whole days, as the sums have them."""
    with engine.connect() as c:
        for wanted in FILTERS:
            events = [e for e in some_events() if wanted.device in ("", e.device)
                      and wanted.gesture in ("", e.gesture)]  # fmt: skip
            totals = queries.totals(c, wanted)
            assert totals.events == len(events)
            assert totals.confidence_percent * len(events) == pytest.approx(
                sum(e.confidence for e in events))  # fmt: skip
            series = queries.over_time(c, wanted)
            assert {name: sum(n for _, n in values) for name, values in series.items()} == {
                name: sum(e.gesture == name for e in events)
                for name in {e.gesture for e in events}}  # fmt: skip
            latencies, confidences = queries.histograms(c, wanted)
            expected = [0] * len(latencies)
            for e in events:
                if e.latency_ms is not None:
                    expected[latency_class(e.latency_ms)] += 1
            assert latencies == expected
            assert confidences == [sum(min(e.confidence // 10, 9) == i for e in events)
                                   for i in range(10)]  # fmt: skip
            rows = queries.latest(c, wanted, 20)
            assert [r.at_ms for r in rows] == sorted((e.at_ms for e in events), reverse=True)[:20]


def test_a_short_period_is_shown_by_the_hour(engine):
    wanted = queries.Filter(NOW - DAY_MS, NOW + HOUR_MS)
    with engine.connect() as c:
        for device in ("", "d1"):
            series = queries.over_time(c, queries.Filter(wanted.since_ms, wanted.until_ms, device))
            for name, values in series.items():
                for at_ms, count in values:
                    assert at_ms % HOUR_MS == 0 and count == sum(
                        e.gesture == name and e.at_ms // HOUR_MS * HOUR_MS == at_ms
                        and device in ("", e.device) for e in some_events())  # fmt: skip


def test_devices_that_are_offline_come_first_and_lost_events_show(engine):
    Writer(engine).write(Batch([some_events(8)[5]._replace(seq=500)]))
    with engine.connect() as c:
        found = queries.devices(c, FILTERS[0])
        assert [row.name for row in found] == ["d0", "d1", "d2", "d3"]
        assert found[0].online is False and found[1].online is None
        assert (found[1].lost, found[2].lost) == (350, 0)
        assert queries.devices(c, FILTERS[0], limit=1, offset=2)[0].name == "d2"


def test_a_verdict_counts_once_and_can_be_taken_back(engine):
    for false_alarm, count in ((True, 1), (True, 1), (False, 0), (True, 1)):
        assert verdicts.mark(engine, "d1", 65536, 3, false_alarm, "anna", NOW)
        with engine.connect() as c:
            assert queries.totals(c, FILTERS[0]).false_alarms == count
            assert queries.totals(c, FILTERS[3]).false_alarms == count
    assert not verdicts.mark(engine, "d1", 65536, 9999, True, "anna", NOW)
    with engine.connect() as c:
        assert [r.seq for r in queries.latest(c, FILTERS[0], 999) if r.verdict] == [3]


def test_files_hold_what_the_filters_say(engine):
    import pyarrow.parquet as pq

    wanted = FILTERS[4]
    expected = [e for e in some_events() if e.device == "d1" and e.gesture == EVIL]
    rows = list(csv.DictReader(io.StringIO("".join(exports.as_csv(engine, wanted)))))
    assert len(rows) == len(expected) and rows[0]["gesture"] == "'" + EVIL
    path = exports.as_parquet(engine, wanted)
    table = pq.read_table(path)
    os.unlink(path)
    assert sorted(table.column("seq").to_pylist()) == sorted(e.seq for e in expected)
    assert set(table.column("gesture").to_pylist()) == {EVIL}
    assert "".join(exports.as_csv(engine, FILTERS[-1])).startswith("time,device")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(cell):
    assert exports.guarded(cell) == "'" + cell
    assert exports.guarded("circle") == "circle" and exports.guarded(-1) == -1


def test_filters_are_the_address():
    view = View("week", "wand 1", "a&b=c")
    query = dict(re.findall(r"[?&](\w+)=([^&]*)", view.query()))
    assert query == {"period": "week", "device": "wand+1", "gesture": "a%26b%3Dc"}
    assert View.of({"period": "nonsense", "device": "x" * 999}) == View("day", "x" * 255)
    assert View().query() == "" and set(PERIODS) >= {"day", "week", "month"}


def test_charts_escape_what_strangers_write():
    drawn = charts.stacked({EVIL: [(NOW, 3)]}, NOW - DAY_MS, NOW + 1, HOUR_MS)
    assert "<script" not in drawn and "&lt;script" in drawn
    assert charts.stacked({}, NOW - DAY_MS, NOW, HOUR_MS).startswith("<svg")


def test_login(tmp_path):
    """On a bare app: what the guard lets through, not what it shows."""
    from fastapi import FastAPI
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.testclient import TestClient

    from host_tools.dashboard.login import LoginGuard, People, add_login

    engine = open_store(str(tmp_path / "store.db"))
    people = People(engine)
    with pytest.raises(BeckonError, match="too short"):
        people.set_password("anna", "short")
    assert not people.any()
    people.set_password("anna", "correct horse")
    app = FastAPI()
    add_login(app, people)
    app.get("/secret")(lambda: "shown")
    app.add_middleware(LoginGuard, people=people)
    app.add_middleware(SessionMiddleware, secret_key="k", same_site="strict", https_only=True)

    def client():
        return TestClient(app, base_url="https://testserver", follow_redirects=False)

    def token(tab):
        return re.search(r'name="form" value="([^"]+)"', tab.get("/login").text)[1]

    def log_in(tab, password="correct horse", **more):
        return tab.post("/login", data={"name": "anna", "password": password, "form": token(tab),
                                        **more})  # fmt: skip

    tab = client()
    assert tab.get("/secret").headers["location"] == "/login"
    assert log_in(tab, "wrong").status_code == 401
    assert log_in(tab, form="forged").status_code == 403
    assert log_in(tab).headers["location"] == "/"
    cookie = tab.get("/login").headers["set-cookie"].lower()
    assert "samesite=strict" in cookie and "httponly" in cookie and "secure" in cookie
    assert tab.get("/secret").text == '"shown"'
    assert tab.get("/secret", headers={"origin": "https://evil.example"}).status_code == 403
    people.set_password("anna", "another password")  # ends the session
    assert tab.get("/secret").status_code == 303
    other = client()
    statuses = [log_in(other, f"guess {i}").status_code for i in range(9)]
    assert statuses[-1] == 429 and 401 in statuses
    assert log_in(other, "another password").status_code == 429
    with engine.connect() as c:
        assert c.execute(text("SELECT password_hash FROM person")).scalar().startswith("$argon2id$")
    engine.dispose()


def test_off_this_computer_it_demands_tls_and_people(tmp_path):
    from host_tools.cli.app import main

    store = ["--store", str(tmp_path / "store.db"), "--no-browser", "--port", "0"]
    assert main(["dashboard", "--host", "0.0.0.0", *store]) == 2
    assert main(["dashboard", "--proxy", *store]) == 1  # nobody can log in


def test_the_page_shows_what_comes_and_a_person_marks_it(browser, tmp_path):
    from host_tools.testing.browser import DASHBOARD, Studio, open_tab

    path = tmp_path / "store.db"
    engine = open_store(str(path))
    writer = Writer(engine, quarantine=10)
    recent = [e._replace(at_ms=NOW - i) for i, e in enumerate(some_events(12))]
    writer.write(Batch(recent, rejects=[Reject(NOW, "schema", "", "t", 2, b"{}")] * 12))
    with Studio(Path(path), command=DASHBOARD) as server, open_tab(browser, server) as tab:
        page = tab.page
        page.set_default_timeout(60_000)
        page.goto(server.origin + "/")
        page.wait_for_selector("text=Latest")
        assert page.locator(".bd-tiles .bk-big").first.inner_text() == "12"
        new = recent[0]._replace(seq=900, gesture="new one", at_ms=time.time_ns() // 10**6)
        writer.write(Batch([new]))
        row = page.locator("tr", has_text="new one")
        row.wait_for()  # live
        row.get_by_role("button").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("tr:has-text('new one') >> text=not a false alarm")
        with engine.connect() as c:
            until(lambda: c.execute(text("SELECT said_by FROM verdict")).scalar() == "local")
        page.locator("tr", has_text="new one").get_by_role("link").click()
        page.wait_for_url("**/?device=d0")
        assert page.get_by_label("Device").input_value() == "d0"
        for address in ("/devices?device=d0", "/health", "/?gesture=%3Cb%3E&period=year"):
            page.goto(server.origin + address)
            page.wait_for_selector(".bk-main .bk-card, .bk-empty")
        page.goto(server.origin + "/health")
        page.wait_for_selector("text=The newest 10 of them are in the store; older ones gave way")
        assert page.locator("script:has-text('alert(1)')").count() == 0
        assert tab.faults == [] and tab.strangers() == []
    engine.dispose()


def test_an_empty_store_says_what_to_do_and_comes_to_life_in_german(browser, tmp_path):
    from host_tools.testing.browser import DASHBOARD, Studio, open_tab

    path = tmp_path / "store.db"
    engine = open_store(str(path))

    def beat(age_s):
        heartbeat.write(engine, "laptop", time.time_ns() // 10**6 - 1000 * age_s, 1, 0, 0, 120, 0)

    with Studio(path, command=DASHBOARD) as server, \
            open_tab(browser, server, width=390, height=844, locale="de-DE") as tab:  # fmt: skip
        page = tab.page
        page.set_default_timeout(60_000)
        tab.go("/")
        page.get_by_text("nichts gesammelt").wait_for()
        beat(0)
        page.get_by_text("Der Sammler läuft").wait_for()
        writer = Writer(engine)
        writer.write(Batch([e._replace(at_ms=NOW - i) for i, e in enumerate(some_events(4))]))
        page.get_by_text("Die neuesten").wait_for()  # nobody has touched the page
        assert page.title() == "Gesten · Beckon"
        assert page.evaluate("[document.documentElement.lang, Quasar.lang.props.isoName]") == [
            "de", "de"]
        assert page.locator("td[data-label=Sicherheit]").count() == 4
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        beat(3700)
        page.get_by_text("Zurzeit wird nichts gesammelt: Seit 1 h 1 min").wait_for()
        page.get_by_role("button", name="Sprache").focus()
        page.keyboard.press("Enter")
        page.get_by_role("menuitem", name="English").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Nothing is collected now").wait_for()
        assert tab.faults == [] and tab.strangers() == []
    engine.dispose()
