"""The access point with the page that sets the board up, in place of the firmware.

It runs when no Wi-Fi is set, or after the button was held for 8 s; and only on a board that has
a password for it (ap_key). What is entered is tried while the access point stays open. What has
reached the broker is stored on trial (ops/rollback.py), and the board starts again.
"""

import asyncio
import binascii
import gc
import os
from time import ticks_diff, ticks_ms

from machine import RTC, WDT, reset, reset_cause
from micropython import const

from ops import config
from ops.health import Health
from ops.lazy import forget
from portal import form, page, radio
from portal.attempt import Failed, attempt
from portal.dns_server import DnsServer
from portal.http_request import fields
from portal.http_server import HttpServer
from portal.store import store

_HTTP_PORT = const(80)
_DNS_PORT = const(53)
_IDLE_MS = const(600_000)  # nobody asked for the page for so long: back to the old settings
_SHOWN_MS = const(8000)  # the last page stays so long
_SCAN_MS = const(5000)  # between two searches
_LOOK_MS = const(500)
_STATUS_WORDS = {403: "old_page", 413: "too_large"}


class Portal:
    """settings: what config.load() gave."""

    def __init__(self, settings):
        self._settings = settings
        self._name = "beckon-" + settings.chip[-6:]
        self._address = ""
        self._token = str(binascii.hexlify(os.urandom(12)), "utf-8")
        # What the fields hold: the settings, then what was entered last.
        self._draft = {name: getattr(settings, name) for name in form.NAMES}
        self._draft["tls_ca"] = settings.tls_ca
        self._faults = {}
        self._networks = []
        self._found = {}
        self._said = ("", "")  # name of the words for the last outcome, and more
        self._step = ""  # name of the words for what an attempt does now
        self._saved = False
        self._free = gc.mem_free()  # the least, whenever a request was answered
        self._asked_ms = self._scanned_ms = ticks_ms()
        self._station = radio.Station()
        self._http = HttpServer(self._answer)
        self.health = Health(WDT, reset_cause(), print, lambda: None)

    async def run(self):
        """Until settings are stored, or nobody has asked for the page for ten minutes."""
        asyncio.get_event_loop().set_exception_handler(_fail)
        asyncio.create_task(self.health.run())
        self._scan()
        self._address = address = radio.open_access_point(self._name, self._settings.ap_key)
        dns = DnsServer(address)
        self._http.open("0.0.0.0", _HTTP_PORT)
        dns.open("0.0.0.0", _DNS_PORT)
        asyncio.create_task(self._http.run())
        asyncio.create_task(dns.run())
        gc.collect()
        print("access point: %s is open; its page is http://%s/" % (self._name, address))
        while not self._saved:
            await asyncio.sleep_ms(_LOOK_MS)
            idle = ticks_diff(ticks_ms(), self._asked_ms) > _IDLE_MS
            if idle and self._settings.wifi_ssid and not self._step:
                break
        await asyncio.sleep_ms(_SHOWN_MS if self._saved else 0)
        http = self._http
        print(
            "access point: closed; %d requests, %d refused, %d slow, %d failed; at least %d bytes "
            "of heap were free" % (http.served, http.refused, http.slow, http.failed, self._free)
        )
        radio.close_access_point()

    def _scan(self):
        try:
            self._networks = self._station.scan()
        except OSError:
            pass  # the list of before stays
        self._scanned_ms = ticks_ms()

    # Answers to the browser: (status, location, pieces of the page).

    def _answer(self, request, body, status):
        self._asked_ms = ticks_ms()
        gc.collect()
        self._free = min(self._free, gc.mem_free())
        if request is None:
            return self._page(_words(""), "bad_request", status)
        words = _words(request.query.get("lang") or request.language)
        home = "http://%s/" % self._address
        if request.host.partition(":")[0] != self._address:
            # Where a phone looks whether it is in the internet, or another site's name for us.
            if request.method == "POST":
                return self._page(words, "bad_request", 421)
            return 302, home, ()
        if status:
            return self._page(words, _STATUS_WORDS.get(status, "bad_request"), status)
        if request.method == "POST":
            return self._take(request, body, words, home)
        if request.method not in ("GET", "HEAD"):
            return self._page(words, "bad_request", 405)
        if request.path != "/":
            return 302, home, ()
        if "scan" in request.query and not self._step:
            if ticks_diff(ticks_ms(), self._scanned_ms) > _SCAN_MS:
                self._scan()
            return 303, home + "?lang=" + words["code"], ()
        return self._page(words, "", 200)

    def _take(self, request, body, words, home):
        if request.path != "/save":
            return self._page(words, "bad_request", 404)
        try:
            sent = fields(body)
        except ValueError:
            return self._page(words, "bad_request", 400)
        ours = request.origin in ("", "null", "http://" + request.host)
        if not ours or sent.get("token") != self._token:
            return self._page(words, "old_page", 403)
        if self._step or self._saved:
            return self._page(words, "busy", 503)
        values, self._faults = form.settings_of(sent, self._draft, self._networks)
        shown = dict(self._draft)
        for name in values:
            if name not in self._faults or name in ("wifi_ssid", "broker_host", "device"):
                shown[name] = values[name]
        if self._faults:
            return self._page(words, "look_below", 400, shown)
        self._draft = shown
        self._step = "joining"
        asyncio.create_task(self._attempt(values))
        return 303, home + "?lang=" + words["code"], ()

    def _page(self, words, problem, status, values=None):
        return status, "", self._pieces(words, problem, values or self._draft)

    def _pieces(self, words, problem, values):
        under_way = (self._step or self._saved) and not problem
        yield from page.head(words, self._name, bool(under_way and not self._saved))
        if self._saved and not problem:
            yield page.notice((words["saved"], words["saved_next"]), True)
        elif under_way:
            yield page.notice((words[self._step],), True)
            yield page.line(words["wait"])
        elif problem and problem != "look_below":
            yield page.notice((words[problem], words["old_kept"]))
            yield page.back(words)
        else:
            what, more = (problem, "") if problem else self._said
            if what:
                yield page.notice((words[what], more, words["old_kept"]), what == "choose")
            faults = self._faults if problem else {}
            yield from page.form(words, self._token, values, faults, self._networks, self._found)
        yield "</body></html>"

    # Trying and storing.

    async def _attempt(self, values):
        settings = config.Config()
        for name in config.SETTINGS:
            setattr(settings, name, getattr(self._settings, name))
        settings.client_id = self._settings.client_id
        for name in values:
            setattr(settings, name, values[name])
        try:
            wrap_for = self._wrap_for(settings)
            self._found = await attempt(self._station, settings, self._now, wrap_for)
            if self._found:
                self._said = "choose", ""
            else:
                store(values)
                self._saved = True
        except Failed as error:
            self._said = error.args
            self._forget(error.args[0])
        except OSError as error:
            self._said = "flash", str(error)
        finally:
            self._step = ""
            print("access point:", "saved" if self._saved else self._said[0])

    def _forget(self, fault):
        """What turned out to be wrong is not offered as set."""
        draft, before = self._draft, self._settings
        if fault == "wrong_key":
            same = draft["wifi_ssid"] == before.wifi_ssid
            draft["wifi_key"] = before.wifi_key if same else ""
        elif fault == "login":
            draft["user"] = draft["password"] = ""

    def _now(self, step):
        self._step = step

    def _wrap_for(self, settings):
        """See attempt()."""

        def make(station, resolver):
            if not settings.tls_ca:
                return None, None
            from link.sntp import keep_time
            from link.tls_socket import Tls
            from ops.wall_clock import WallClock

            wall = WallClock()
            try:
                wrap = Tls(settings, wall, RTC().datetime).wrap
            except (OSError, ValueError) as error:
                raise Failed("unreachable", "TLS: %s" % error)
            return wrap, keep_time(wall, settings, station, resolver)

        return make


def _words(wanted):
    """The words of the language that the browser prefers."""
    if wanted.strip()[:2] == "de":
        from portal.words_de import WORDS
    else:
        from portal.words_en import WORDS
    forget("portal.words_de", "portal.words_en")  # 6 KB each, for as long as a page takes
    return WORDS


def _fail(loop, context):
    raise context["exception"]


def run(settings):
    """Run the access point, then start the board again. Never returns."""
    portal = Portal(settings)
    try:
        asyncio.run(portal.run())
    except KeyboardInterrupt:
        portal.health.relax()
        print("beckon: stopped")
        raise
    reset()
