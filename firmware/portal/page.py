"""The page as pieces of HTML. Nothing in it comes from elsewhere, and it needs no script. Pure."""

_STYLE = (
    ":root{color-scheme:light dark;--b:#fff;--f:#1b1b1f;--l:#68686e;--a:#0b57d0;--t:#fff;"
    "--e:#b3261e}"
    "@media(prefers-color-scheme:dark){:root{--b:#121316;--f:#e4e2e6;--l:#8e9099;--a:#a8c7fa;"
    "--t:#062e6f;--e:#ffb4ab}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:34rem;padding:1rem;background:var(--b);"
    "color:var(--f);font:1rem/1.45 system-ui,sans-serif}h1{font-size:1.4rem;margin:.3rem 0}"
    "fieldset{border:1px solid var(--l);border-radius:.6rem;margin:1rem 0;padding:.3rem 1rem 1rem}"
    "legend{font-weight:600;padding:0 .3rem}label{display:block;margin-top:.6rem}"
    "input:not([type=radio]):not([type=checkbox]){width:100%;font:inherit;padding:.6rem;"
    "margin-top:.2rem;border:1px solid var(--l);border-radius:.4rem;background:var(--b);"
    "color:var(--f)}input[type=radio],input[type=checkbox]{width:1.2rem;height:1.2rem;"
    "vertical-align:-.2rem;margin:0 .5rem 0 0;accent-color:var(--a)}"
    ".r{padding:.35rem 0;margin:0;overflow-wrap:anywhere}small{color:var(--l)}"
    "button{width:100%;font:inherit;font-weight:600;padding:.8rem;border:0;border-radius:.6rem;"
    "background:var(--a);color:var(--t)}a{color:var(--a);padding:.4rem 0;display:inline-block}"
    ".e{color:var(--e);font-weight:600;margin:.2rem 0}.n{border:2px solid var(--e);"
    "border-radius:.6rem;padding:.6rem 1rem}.g{border-color:var(--a)}"
    ":focus-visible{outline:3px solid var(--a);outline-offset:2px}"
)
_ENTERPRISE = (5, 10, 14, 15)  # of a network's security, as in WLAN.scan()
_OPEN = 0
_STRONG_DBM = -60
_MEDIUM_DBM = -72


def escaped(text):
    """text as it may stand in HTML, in quotes or not."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def head(words, name, renew=False):
    """Begin of each page. name: of the access point. renew: whether the page loads again."""
    other = "en" if words["code"] == "de" else "de"
    yield (
        '<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">%s<title>%s'
        "</title><style>"
        % (words["code"], _RENEW % words["code"] if renew else "", words["title"])
    )
    yield _STYLE
    yield (
        '</style></head><body><a href="/?lang=%s" lang="%s">%s</a><h1>%s</h1><p><small>%s</small>'
        % (other, other, words["other_language"], words["title"], escaped(name))
    )


_RENEW = '<meta http-equiv="refresh" content="2;url=/?lang=%s">'


def notice(lines, good=False):
    """What happened, in a frame. lines: texts; empty ones are left out."""
    lines = [escaped(text) for text in lines if text]
    lines[0] = "<b>%s</b>" % lines[0]
    return '<div class="n%s" role="status">%s</div>' % (" g" if good else "", "<br>".join(lines))


def line(text):
    return "<p>%s</p>" % text


def back(words):
    return '<a href="/?lang=%s">%s</a>' % (words["code"], words["again"])


def form(words, token, values, faults, networks, found):
    """The form. values: what its fields hold, a dict of settings; of a secret it shows only
    whether it is set. faults: field -> name of the words that say what is wrong. networks: what
    Station.scan() gave. found: name of a broker -> (host, port)."""
    yield (
        '<p>%s</p><form method="post" action="/save?lang=%s" autocomplete="off">'
        '<input type="hidden" name="token" value="%s"><fieldset><legend>%s</legend>'
        % (words["intro"], words["code"], token, words["wifi"])
    )
    ssid = values["wifi_ssid"]
    listed = False
    for name, dbm, security in networks:
        if name == ssid:
            listed = True
        yield _network(words, name, dbm, security, name == ssid)
    if not networks:
        yield "<p>%s</p>" % words["none_seen"]
    yield '<a href="/?scan=1&amp;lang=%s">%s</a>' % (words["code"], words["scan"])
    if networks:
        yield _radio("ssid", "", words["other_ssid"], not listed)
    yield _input(words, faults, "wifi_ssid", "other_ssid", "" if listed else ssid,
                 words["other_ssid"], shown=not networks)
    yield _secret(words, faults, values, "wifi_key", words["key"])
    yield _box("open", words["open"])
    yield "</fieldset><fieldset><legend>%s</legend>" % words["broker"]
    host = values["broker_host"]
    listed = False
    if found:
        yield "<p>%s</p>" % words["found_hint"]
        for name in found:
            place = "%s:%d" % found[name]
            chosen = not listed and (not host or place == "%s:%s" % (host, values["broker_port"]))
            listed = listed or chosen
            yield _radio("found", place, "%s <small>%s</small>" % (escaped(name), escaped(place)),
                         chosen)
        yield _radio("found", "", words["host"], not listed)
    yield _input(words, faults, "broker_host", "other_found", "" if listed else host,
                 words["host"], shown=not found)
    yield "<small>%s</small>" % words["broker_hint"]
    yield _input(words, faults, "broker_port", "broker_port", str(values["broker_port"]),
                 words["port"], ' inputmode="numeric"')
    yield _secret(words, faults, values, "user", words["user"])
    yield _secret(words, faults, values, "password", words["password"])
    if values["user"]:
        yield _box("no_login", words["no_login"])
    yield "</fieldset>"
    yield _input(words, faults, "device", "device", values["device"], words["device"])
    yield "<p><small>%s</small></p><button>%s</button></form>" % (words["secrets"], words["save"])


def _network(words, name, dbm, security, chosen):
    note = words["strong" if dbm >= _STRONG_DBM else "medium" if dbm >= _MEDIUM_DBM else "weak"]
    if security == _OPEN:
        note += ", " + words["open_network"]
    company = security in _ENTERPRISE
    if company:
        note += ", " + words["company"]
    return _radio("ssid", name, "%s <small>%s</small>" % (escaped(name), note), chosen, company)


def _radio(group, value, label, chosen, disabled=False):
    return '<label class="r"><input type="radio" name="%s" value="%s"%s%s>%s</label>' % (
        group, escaped(value), " checked" if chosen else "", " disabled" if disabled else "", label,
    )


def _box(name, label):
    return '<label class="r"><input type="checkbox" name="%s" value="1">%s</label>' % (name, label)


def _input(words, faults, name, field, value, label, more="", shown=True):
    """name: of the setting, which faults know; field: as it is sent. shown: whether the label is
    visible, or only read aloud."""
    fault = faults.get(name)
    said = ""
    if fault:
        said = '<p class="e" id="e-%s">%s</p>' % (name, words[fault])
        more += ' aria-invalid="true" aria-describedby="e-%s"' % name
    if not shown:
        more += ' aria-label="%s"' % escaped(label)
    return (
        '<label>%s<input name="%s" value="%s" autocapitalize="none" autocorrect="off" '
        'spellcheck="false"%s></label>%s'
        % (label if shown else "", field, escaped(value), more, said)
    )


def _secret(words, faults, values, name, label):
    more = ' type="%s" placeholder="%s" autocomplete="off"' % (
        "text" if name == "user" else "password", words["is_set" if values[name] else "not_set"],
    )
    return _input(words, faults, name, name, "", label, more)
