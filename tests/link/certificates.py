"""Certificates as a test needs them: good, of another name, too old, too new, RSA."""

import datetime
import functools
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_NOW = datetime.datetime.now(datetime.UTC)
_DAY = datetime.timedelta(days=1)


@functools.cache
def _key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A CA whose files lie in folder: ca.crt, and those that issue() makes."""

    def __init__(self, folder):
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuer = _name("Beckon test CA")
        own = self._build(self._issuer, self._key.public_key(), -1, 36500).add_extension(
            x509.BasicConstraints(True, None), critical=True)
        self.ca = self._write("ca.crt", own.sign(self._key, hashes.SHA256()))

    def issue(self, name, host="localhost", kind="ec", first_day=-1, last_day=36500):
        """NAME.crt and NAME.key for host, valid on these days from now; (path, path)."""
        key = _key(kind)
        names = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        made = self._build(_name(host), key.public_key(), first_day, last_day).add_extension(
            x509.SubjectAlternativeName(names), critical=False)
        path = self.folder / f"{name}.key"
        path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return self._write(f"{name}.crt", made.sign(self._key, hashes.SHA256())), path

    def _build(self, subject, public_key, first_day, last_day):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self._issuer)
                .public_key(public_key).serial_number(x509.random_serial_number())
                .not_valid_before(_NOW + first_day * _DAY)
                .not_valid_after(_NOW + last_day * _DAY))

    def _write(self, name, certificate):
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path
