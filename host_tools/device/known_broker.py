"""Which broker a tool uses, and as whom: by what you name, the settings and the environment."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from host_tools.device.settings import default_folder, read_settings
from host_tools.errors import BeckonError
from host_tools.mqtt.address import (
    DEFAULT_PORT,
    TLS_PORT,
    BrokerAddress,
    TlsFiles,
    parse_broker,
    with_login,
)

USER_VARIABLE, PASSWORD_VARIABLE = "BECKON_MQTT_USER", "BECKON_MQTT_PASSWORD"
_HERE = BrokerAddress("127.0.0.1")


def known_broker(url: str = "", tls: TlsFiles | None = None,
                 folder: Path | None = None) -> BrokerAddress:  # fmt: skip
    """The broker to connect to.

    url: as in parse_broker; "" is the one in the settings, or else the one on this computer.
    tls: files that you name; they go before those of the settings. folder: with the settings,
    by default where `beckon setup` keeps them.

    User and password come from url, else from the environment, else from the settings. Those of
    the settings go to the settings' own broker only, and never without TLS if it has TLS.
    Raises BeckonError.
    """
    settings = settings_broker(folder or default_folder())
    nameless = replace(settings, user="", password="") if settings else None
    broker = _named(url, nameless) if url else nameless or _HERE
    broker = _with_files(broker, tls or TlsFiles(), url)
    user = os.environ.get(USER_VARIABLE, "")
    if user:
        return with_login(broker, user, os.environ.get(PASSWORD_VARIABLE, ""))
    if settings and _same_place(broker, settings):
        return with_login(broker, settings.user, settings.password)
    return broker


def settings_broker(folder: Path) -> BrokerAddress | None:
    """The broker in the settings in folder; None if they name none.

    Raises BeckonError for settings that are damaged.
    """
    settings = read_settings(folder)
    return address_in(settings, folder) if settings["broker_host"] else None


def address_in(settings: dict[str, Any], folder: Path) -> BrokerAddress:
    """The broker of settings whose files lie in folder."""
    tls = None
    if settings["tls_ca"]:
        ca, cert, key = (folder / settings[name].lstrip("/") if settings[name] else None
                         for name in ("tls_ca", "tls_cert", "tls_key"))  # fmt: skip
        tls = TlsFiles(ca, cert, key, settings["tls_name"])
    return BrokerAddress(settings["broker_host"], settings["broker_port"], settings["user"],
                         settings["password"], tls)  # fmt: skip


def exposure(broker: BrokerAddress) -> str:
    """A warning if what goes to broker can be read on its way, or ""."""
    if not broker.exposed:
        return ""
    what = "user, password and events" if broker.user else "all events"
    return (f"{broker} is not encrypted, so the network can read {what}; use a broker with TLS: "
            "beckon setup --ca FILE, or mqtts://")


def _named(url: str, settings: BrokerAddress | None) -> BrokerAddress:
    broker = parse_broker(url)
    if settings is None or broker.host != settings.host.lower():
        return broker
    if "://" not in url:  # how to reach it is in the settings
        port = broker.port if _names_port(url) else settings.port
        return replace(broker, port=port, tls=settings.tls if port == settings.port else None)
    return replace(broker, tls=settings.tls) if _same_place(broker, settings) else broker


def _names_port(url: str) -> bool:
    return parse_broker(url).port == parse_broker(f"mqtts://{url}").port


def _same_place(broker: BrokerAddress, settings: BrokerAddress) -> bool:
    return ((broker.host, broker.port, broker.tls is None)
            == (settings.host.lower(), settings.port, settings.tls is None))  # fmt: skip


def _with_files(broker: BrokerAddress, given: TlsFiles, url: str) -> BrokerAddress:
    if given == TlsFiles():
        return broker
    old = broker.tls
    if old is None:
        if not url or "://" in url:
            raise BeckonError("--ca, --cert and --key are for TLS, which {broker} does not have; "
                              "name a broker with TLS: --broker mqtts://HOST", status=2,
                              broker=broker)
        old = TlsFiles()
        if not _names_port(url) and broker.port == DEFAULT_PORT:
            broker = replace(broker, port=TLS_PORT)
    pair = given if given.cert or given.key else old
    return replace(broker, tls=TlsFiles(given.ca or old.ca, pair.cert, pair.key,
                                        given.name or old.name))  # fmt: skip
