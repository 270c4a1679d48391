"""The form of the access point's page, and what is made of it, on both interpreters."""

from ops import config
from portal import form, page
from portal.words_de import WORDS as GERMAN
from portal.words_en import WORDS as ENGLISH

NETWORKS = [("home", -48, 3), ("b\u00fcro", -60, 0), ('<b>"&\'', -70, 4), ("firm", -71, 5)]
SET = {
    "wifi_ssid": "home",
    "wifi_key": "12345678",
    "broker_host": "nas.local",
    "broker_port": 1883,
    "user": "ann",
    "password": "pass-word",
    "device": "desk",
    "tls_ca": "",
}
NEW = dict(SET, wifi_ssid="", wifi_key="", broker_host="", user="", password="")


def sent(**changes):
    """A form as the page sends it when nothing was touched."""
    untouched = {"ssid": "home", "other_found": "nas.local", "broker_port": "1883",
                 "device": "desk"}  # fmt: skip
    untouched.update(changes)
    return untouched


def test_what_was_set_stays_if_nothing_is_entered():
    values, faults = form.settings_of(sent(), SET, NETWORKS)
    assert not faults and values == {name: SET[name] for name in form.NAMES}


def test_a_new_board_is_set_up():
    values, faults = form.settings_of(
        sent(wifi_key="87654321", user="b", password="c", found="nas.local:8888", other_found=""),
        NEW, NETWORKS,
    )  # fmt: skip
    assert not faults and values["wifi_key"] == "87654321" and values["user"] == "b"
    assert (values["broker_host"], values["broker_port"]) == ("nas.local", 8888)
    # A hidden network, and a broker that is to be looked for.
    values, faults = form.settings_of(
        {"ssid": "", "other_ssid": "hid den", "wifi_key": "12345678"}, NEW, NETWORKS
    )
    assert not faults and values["wifi_ssid"] == "hid den" and values["broker_host"] == ""


def test_secrets_go_to_no_other_broker_and_through_no_other_network():
    for changes in (
        {"other_found": "evil.example"},
        {"broker_port": "1884"},
        {"ssid": "b\u00fcro"},
    ):
        values, faults = form.settings_of(sent(**changes), SET, NETWORKS)
        assert faults["user"] == "login_again", changes
        assert "pass-word" not in str(values) and "ann" not in str(values)
    # With TLS the broker proves that it is the same one, whatever the network.
    with_tls = dict(SET, tls_ca="ca.crt")
    values, faults = form.settings_of(sent(ssid="b\u00fcro"), with_tls, NETWORKS)
    assert not faults and values["password"] == "pass-word" and values["wifi_key"] == ""


def test_each_answer_is_checked_at_its_field():
    for changes, field, fault in (
        ({"ssid": "other", "other_ssid": ""}, "wifi_key", "need_key"),
        ({"ssid": "", "other_ssid": ""}, "wifi_ssid", "no_ssid"),
        ({"ssid": "home", "other_ssid": "elsewhere"}, "wifi_ssid", "both"),
        ({"ssid": "x" * 33, "open": "1"}, "wifi_ssid", "bad_wifi_ssid"),
        ({"wifi_key": "1234567"}, "wifi_key", "bad_wifi_key"),
        ({"wifi_key": "x" * 65}, "wifi_key", "bad_wifi_key"),
        ({"wifi_key": "12345678", "open": "1"}, "wifi_key", "key_and_open"),
        ({"other_found": "mqtt://nas"}, "broker_host", "bad_broker_host"),
        ({"found": "a.local:1", "other_found": "b"}, "broker_host", "both"),
        ({"broker_port": "0"}, "broker_port", "bad_broker_port"),
        ({"broker_port": "mqtt"}, "broker_port", "bad_broker_port"),
        ({"broker_port": "123456789"}, "broker_port", "bad_broker_port"),
        ({"user": "u" * 129, "password": "x"}, "user", "bad_user"),
        ({"password": "p" * 129}, "password", "bad_password"),
        ({"user": "b", "no_login": "1"}, "user", "login_and_none"),
        ({"device": "a/b"}, "device", "bad_device"),
    ):
        values, faults = form.settings_of(sent(**changes), SET, NETWORKS)
        assert faults.get(field) == fault, (changes, faults)
        assert fault in ENGLISH and fault in GERMAN
    values, faults = form.settings_of(sent(password="x"), NEW, NETWORKS)
    assert faults["user"] == "need_user"
    values, faults = form.settings_of(sent(no_login="1"), SET, NETWORKS)
    assert not faults and values["user"] == values["password"] == ""


def rendered(words, values, faults=None, found=None):
    return "".join(page.head(words, "beckon-1")) + "".join(
        page.form(words, "t0ken", values, faults or {}, NETWORKS, found or {})
    )


def test_the_page_shows_no_secret_and_nothing_of_others_as_html():
    for words in (ENGLISH, GERMAN):
        html = rendered(words, SET, {"device": "bad_device"}, {"<i>": ("nas.local", 1883)})
        for secret in ("12345678", "ann", "pass-word"):
            assert secret not in html
        assert html.count(words["is_set"]) == 3 and words["secrets"] in html
        assert "<b>" not in html and "&lt;b&gt;&quot;&amp;&#39;" in html and "&lt;i&gt;" in html
        assert words["bad_device"] in html and 'aria-invalid="true"' in html
        assert "<script" not in html and "http://" not in html and "url(" not in html
        assert 'value="home" checked' in html and 'value="nas.local:1883" checked' in html
        assert 'value="firm" disabled' in html
        assert html.count("<label") == html.count("</label>")


def test_the_languages_say_the_same_things():
    assert sorted(ENGLISH) == sorted(GERMAN)
    for words in (ENGLISH, GERMAN):
        assert all(words.values())


def test_the_password_of_the_access_point_is_never_a_weak_one():
    for key, good in (("", True), ("12345678", True), ("1234567", False), ("a b c d e", False)):
        try:
            config.checked("x", "ap_key", key)
            assert good, key
        except ValueError as fault:
            assert not good and "ap_key" in str(fault)
