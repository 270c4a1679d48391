"""TLS to a broker: what it must prove, what this end proves, and what went wrong, in one line.

A certificate is refused for one of three reasons: its chain (who signed it), its name, its dates.
The board judges by the same three; doctor/diagnosis.py has its words.
"""

import ssl
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt.address import BrokerAddress

# X509_V_ERR_*, from OpenSSL's x509_vfy.h.
_DATES = {9: Sentence("is not valid yet"), 10: Sentence("has expired")}
_NAMES = (62, 64)  # HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH
_WRONG_PORT = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


class _Context(ssl.SSLContext):
    """Looks for `name` in the broker's certificate instead of the address."""

    name = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> Any:
        if self.name:
            options["server_hostname"] = self.name
        return super().wrap_socket(*arguments, **options)


def tls_context(broker: BrokerAddress) -> ssl.SSLContext:
    """What paho needs to connect to broker. Raises BeckonError naming the file that is wrong."""
    files = broker.tls
    assert files
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate and the right name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.name = files.name
    if files.ca is None:
        context.load_default_certs()
    else:
        content = read_file(files.ca, "a CA's certificate")
        try:
            text = content.decode() if b"-----BEGIN" in content else None
            context.load_verify_locations(cadata=text or content)
        except (ssl.SSLError, ValueError):
            raise BeckonError("{ca} is not a certificate, in PEM or DER", ca=files.ca) from None
    if files.cert or files.key:
        if not (files.cert and files.key):
            raise BeckonError("a certificate and its key go together: name both", status=2)
        read_file(files.cert, "a certificate")
        read_file(files.key, "a certificate's key")
        try:
            context.load_cert_chain(files.cert, files.key, password=_no_password)
        except (ssl.SSLError, ValueError, OSError):
            raise BeckonError("{cert} and {key} are not a certificate and its key without a "
                              "password, both in PEM", cert=files.cert,
                              key=files.key) from None  # fmt: skip
    return context


def read_file(path: Path, what: str) -> bytes:
    """Its content. Raises BeckonError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BeckonError("{path} cannot be read ({reason}); name {what}", path=path,
                          reason=error.strerror, what=what) from None


def _no_password() -> str:
    """Else OpenSSL asks on the terminal."""
    raise ValueError("the key is encrypted")


def tls_fault(error: Exception, broker: BrokerAddress) -> str:
    """What keeps TLS from working, and after a semicolon what to do."""
    name = (broker.tls and broker.tls.name) or broker.host
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _NAMES:
            return Sentence("name: the certificate of {broker} is not for {name}; connect by the "
                            "name in it, or have the broker use one for this name", broker=broker,
                            name=name)
        if code in _DATES:
            return Sentence("dates: the certificate of {broker} {dates}; renew it, or set this "
                            "computer's clock", broker=broker, dates=_DATES[code])
        signed = error.verify_message
        ca = broker.tls and broker.tls.ca
        trusted = str(ca) if ca else Sentence("this computer's list of authorities")
        return Sentence("chain: the certificate of {broker} is not signed by {trusted} "
                        "({signed}); name the file of the one that signed it with --ca",
                        broker=broker, trusted=trusted, signed=signed)
    reason = getattr(error, "reason", None) or ""
    if reason in _WRONG_PORT:
        return Sentence("what answers at {broker} does not speak TLS; name the port with TLS, "
                        "often 8883, or write mqtt:// if that broker has none", broker=broker)
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return Sentence("the broker at {broker} refuses without a certificate of yours "
                        "({reason}); name it with --cert and --key", broker=broker, reason=reason)
    if "ALERT" in reason:
        return Sentence("the broker at {broker} refuses the certificate of --cert ({reason}); use "
                        "one that it trusts", broker=broker, reason=reason)
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return Sentence("the broker at {broker} has no TLS 1.2 or later; update it", broker=broker)
    return Sentence("TLS with {broker} fails ({reason}); see the broker's log", broker=broker,
                   reason=reason or error)
