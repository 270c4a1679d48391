"""Tries settings while the access point stays open: Wi-Fi, address, broker, login."""

import asyncio
import random
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from link.dns import Resolver
from link.dns_packet import is_number
from link.mqtt_link import Link
from link.udp import ask
from portal.mdns_packet import SERVICE, TYPE_PTR, TYPE_SRV, question, services
from portal.radio import JoinError

_LOGIN_MS = const(30_000)
_TRIES = const(3)
_POLL_MS = const(200)
_LISTEN_MS = const(2500)
_MOST_BROKERS = const(6)
_MDNS_HOST = "224.0.0.251"
_MDNS_PORT = const(5353)


class Failed(Exception):
    """args: name of the words that say what is wrong, and what else is known about it."""


async def attempt(station, settings, on_step, wrap_for):
    """Return the brokers that were found if the settings name none, else {} once the broker has
    taken the login: name -> (host, port). Raises Failed.

    settings: a Config. on_step: called with the name of the words for what is done now.
    wrap_for(station, resolver): gives wrap for a Link, see there, or None, and a task or None.
    """
    on_step("joining")
    try:
        await station.join(settings.wifi_ssid, settings.wifi_key)
    except JoinError as error:
        why, reason = error.args
        raise Failed(why, str(reason) if why == "refused" else "")
    try:
        if settings.broker_host:
            on_step("connecting")
            await _log_in(station, settings, wrap_for)
            return {}
        on_step("searching")
        found = await _search()
        if not found:
            raise Failed("no_broker", "")
        return found
    finally:
        station.leave()


async def _log_in(station, settings, wrap_for):
    """Raises Failed unless the broker takes the login."""
    resolver = Resolver(station.name_server, settings.name_server)
    resolve = None if is_number(settings.broker_host) else resolver.resolve
    wrap, helper = wrap_for(station, resolver)
    said: list = []
    link = Link(settings, None, station, resolve, wrap, said.append)
    tasks = [asyncio.create_task(link.run())]
    if helper:
        tasks.append(asyncio.create_task(helper))
    give_up = ticks_add(ticks_ms(), _LOGIN_MS)
    counters: dict = {}
    try:
        while not link.ready.is_set():
            link.counters(counters)
            # With TLS the first tries may fail since the time of day is not known yet.
            refused = counters["link_refused"]
            tried = counters["link_failed"] >= _TRIES and not helper
            if refused or tried or ticks_diff(give_up, ticks_ms()) <= 0:
                why = said[-1].partition(": ")[2] if said else ""
                raise Failed("login" if refused else "unreachable", why)
            await asyncio.sleep_ms(_POLL_MS)
    finally:
        await link.close(1000)
        for task in tasks:
            task.cancel()


async def _search():
    """The brokers that announce themselves in the network: name -> (host, port)."""
    found: dict = {}
    names: list = []

    def take(data, number):
        said = services(data, number)
        if said:
            for name in said[0]:
                if len(found) < _MOST_BROKERS and _is_host(said[0][name][0]):
                    found[name] = said[0][name]
            names.extend(said[1][:_MOST_BROKERS])

    await _ask(SERVICE, TYPE_PTR, take)
    for name in names[:_MOST_BROKERS]:  # an answer that left the place out
        if str(name[0], "utf-8") not in found:
            await _ask(name, TYPE_SRV, take)
    return found


async def _ask(labels, kind, take):
    """Hear all answers for a while. `take` accepts none of them, so that the next is heard."""
    number = random.getrandbits(16)
    try:
        await ask(_MDNS_HOST, _MDNS_PORT, question(labels, kind, number), take, number, _LISTEN_MS)
    except OSError:
        pass  # the time is up, or there is no way to ask


def _is_host(host):
    from ops import config

    try:
        config.checked("mdns", "broker_host", host)
        return True
    except ValueError:
        return False
