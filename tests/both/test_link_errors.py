"""Why there is no link, in words, on both interpreters."""

import errno
import gc
import sys

if not hasattr(gc, "mem_free"):
    gc.mem_free = lambda: 59_408  # CPython

from link.link_errors import explain


class MQTTException(Exception):
    pass


class NoTime(OSError):
    pass


SAID = (
    (MQTTException(5), "the broker refuses this user"),
    (MQTTException(132), "the broker speaks MQTT 5 only; let it take 3.1.1, too"),
    (MQTTException(99), "the broker refuses, code 99"),
    (NoTime(), "the time of day is not known yet, so no certificate can be checked"),
    (OSError(errno.ETIMEDOUT, ""), "the broker does not answer"),
    (OSError(errno.ECONNREFUSED, ""), "nothing listens at the broker's address and port"),
    (OSError(errno.ECONNRESET, ""), "the broker closed the connection"),
    (OSError(errno.EHOSTUNREACH, ""), "no way to the broker; is Wi-Fi up?"),
    (OSError(errno.ENOENT, ""), "no such host as house is known"),
    (OSError(errno.EINVAL, ""), "what answers is not an MQTT broker"),
    (OSError(-0x6600, ""), "TLS with house fails: an answer that is not understood; if it speaks "
     "TLS 1.2 with an RSA key, let it speak 1.3, or give it an ECDSA key"),
    (OSError(-0x7100, "MBEDTLS_ERR_SSL_BAD_CONFIG"), "TLS with house fails: "),
    (ValueError("no name"), "house: no name"),
)


def test_each_fault_is_said_in_words():
    for error, said in SAID:
        assert explain(error, "house").startswith(said), (error, explain(error, "house"))


def test_a_link_that_ends_again_and_again():
    fault = OSError(errno.ECONNRESET, "")
    assert explain(fault, "house", "wand-1") == (
        "the broker ends each link soon; another client uses the id wand-1")
    assert explain(fault, "house", "wand-1", True) == (
        "the broker ends each link when wand-1 publishes; it is not allowed to")


class Esp32:
    """The module `esp32` after the link of facts came up: bytes of two regions."""

    HEAP_DATA = 4

    @staticmethod
    def idf_heap_info(kind):
        return [(120_000, 9_000, 6_000, 5_000), (80_000, 10_412, 10_240, 8_000)]


def test_too_little_memory_is_said_with_the_numbers():
    for error in (MemoryError("16717 bytes"), OSError(errno.ENOMEM, ""), OSError(-0x7F00, "")):
        assert "not enough memory" in explain(error, "house")
        assert explain(error, "house").endswith(" bytes are free")
        sys.modules["esp32"] = Esp32
        try:
            assert "and beside the heap 19412, 10240 in one piece" in explain(error, "house")
        finally:
            del sys.modules["esp32"]
