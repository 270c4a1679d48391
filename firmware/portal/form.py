"""From the page's form to settings, each checked by the board's own rules. Pure."""

from ops import config

# Settings that the page asks for.
NAMES = ("wifi_ssid", "wifi_key", "broker_host", "broker_port", "user", "password", "device")

_OPEN = 0  # of a network's security, as in WLAN.scan()


def settings_of(form, draft, networks):
    """(values, faults): what is to be tried, and field -> name of the words that say what is
    wrong with it.

    form: what was sent, name -> text. draft: settings as they were, or as they were entered
    last, a dict. networks: what Station.scan() gave. An empty password keeps the one of the
    draft, but goes neither to another broker nor through another network.
    """
    faults: dict = {}
    values: dict = {"wifi_ssid": _choice(form, "ssid", draft["wifi_ssid"], faults)}
    values["broker_host"] = host = _choice(form, "found", draft["broker_host"], faults)
    port = form.get("broker_port", "").strip() or "1883"
    if form.get("found"):  # one that was found brings its port
        values["broker_host"], _, port = host.partition(":")
    values["broker_port"] = int(port) if port.isdigit() and len(port) < 6 else 0
    values["device"] = form.get("device", "").strip()
    same_wifi = values["wifi_ssid"] == draft["wifi_ssid"]
    values["wifi_key"] = _wifi_key(form, draft, networks, same_wifi, values["wifi_ssid"], faults)
    same = same_wifi or bool(draft["tls_ca"])
    for name in ("broker_host", "broker_port"):
        same = same and values[name] == draft[name]
    _login(form, draft, same, values, faults)
    for name in NAMES:
        if name in values and name not in faults:
            try:
                config.checked("page", name, values[name])
            except ValueError:
                faults[name] = "bad_" + name
    if not values["wifi_ssid"]:
        faults["wifi_ssid"] = "no_ssid"
    return values, faults


def _choice(form, name, before, faults):
    """What was chosen of a list, or written below it."""
    chosen, written = form.get(name, ""), form.get("other_" + name, "")
    if chosen and written and written != before and written != chosen:
        faults["wifi_ssid" if name == "ssid" else "broker_host"] = "both"
    return chosen or written


def _wifi_key(form, draft, networks, same, ssid, faults):
    key = form.get("wifi_key", "")
    if form.get("open"):
        if key:
            faults["wifi_key"] = "key_and_open"
        return ""
    if key:
        if len(key.encode()) < 8:  # WPA2 has none
            faults["wifi_key"] = "bad_wifi_key"
        return key
    if same and draft["wifi_key"]:
        return draft["wifi_key"]
    for name, _, security in networks:
        if name == ssid and security == _OPEN:
            return ""
    if ssid:
        faults["wifi_key"] = "need_key"
    return ""


def _login(form, draft, same, values, faults):
    user, password = form.get("user", ""), form.get("password", "")
    if form.get("no_login"):
        if user or password:
            faults["user"] = "login_and_none"
        user = password = ""
    elif same and draft["user"]:
        if not password and (not user or user == draft["user"]):
            password = draft["password"]
        user = user or draft["user"]
    elif not user and (password or draft["user"]):
        faults["user"] = "need_user" if password else "login_again"
    values["user"], values["password"] = user, password
