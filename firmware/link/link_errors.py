"""Why there is no link, in words that help. Loaded only while there is none."""

import errno
import gc

# MQTT 3.2.2.3
_REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1; let it take that, too",
    2: "the broker refuses the client id",
    3: "the broker is not available",
    4: "the broker refuses user or password",
    5: "the broker refuses this user",
    132: "the broker speaks MQTT 5 only; let it take 3.1.1, too",  # MQTT 5, 3.2.2.2: 0x84
}


# Of mbedTLS, ssl.h.
_TLS = {
    # It offers RSA-PSS for TLS 1.3, and then cannot check it in TLS 1.2.
    -0x6600: "an answer that is not understood; if it speaks TLS 1.2 with an RSA key, let it "
    "speak 1.3, or give it an ECDSA key",
    -0x7F00: "not enough memory",
    -0x7780: "the broker ends the handshake; does it want a certificate of this board (tls_cert), "
    "or another version of TLS?",
}


def explain(error, host, again="", unanswered=False):
    """An error of a connection to host as a phrase that helps.

    again: the client id, if links end soon after login again and again. unanswered: whether
    the last one ended before the broker had acknowledged a message.
    """
    kind = type(error).__name__
    if kind == "MQTTException":
        code = error.args[0]
        return _REFUSALS.get(code, "the broker refuses, code %r" % code)
    if kind == "NoTime":
        return "the time of day is not known yet, so no certificate can be checked"
    if kind == "ValueError":  # of a name, or of TLS about a certificate
        return "%s: %s" % (host, str(error).strip())
    number = getattr(error, "errno", None)
    if kind == "MemoryError" or number == errno.ENOMEM:
        return "not enough memory for a link: %s" % _memory()
    if number in _TLS:
        room = "; " + _memory() if number == -0x7F00 else ""
        return "TLS with %s fails: %s%s" % (host, _TLS[number], room)
    if "MBEDTLS" in str(error) or (number or 0) < 0:  # as mbedTLS counts its errors
        return "TLS with %s fails: %s" % (host, error)
    if number == errno.ETIMEDOUT:
        return "the broker does not answer"
    if number == errno.ECONNREFUSED:
        return "nothing listens at the broker's address and port"
    if number == errno.ECONNRESET and again:
        if unanswered:
            return "the broker ends each link when %s publishes; it is not allowed to" % again
        return "the broker ends each link soon; another client uses the id %s" % again
    if number == errno.ECONNRESET:
        return "the broker closed the connection"
    if number == errno.EHOSTUNREACH:
        return "no way to the broker; is Wi-Fi up?"
    if number == errno.ENOENT:
        return "no such host as %s is known" % host
    if number == errno.EINVAL:
        return "what answers is not an MQTT broker"
    return repr(error)


def _memory():
    """What is free, in bytes."""
    free = "%d bytes are free" % gc.mem_free()
    try:
        from esp32 import HEAP_DATA, idf_heap_info
    except ImportError:
        return free
    # (total, free, largest, least) of each region; TLS takes its memory there.
    parts = idf_heap_info(HEAP_DATA)
    beside, piece = sum(part[1] for part in parts), max(part[2] for part in parts)
    return "%s, and beside the heap %d, %d in one piece; TLS needs 16,000 to 40,000" % (
        free, beside, piece
    )
