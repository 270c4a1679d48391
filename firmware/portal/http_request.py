"""What a browser sends, HTTP/1.1 of RFC 9112 and forms, out of bytes. Pure."""

from micropython import const

_MOST_FIELDS = const(24)


class HttpError(Exception):
    """args[0]: the status that answers the request."""


class Request:
    """method, path: texts. query: name -> text. host, origin, language: headers, or "".

    length: bytes of the body, -1 if the request does not say.
    """


def parse_head(data):
    """The Request in data, the bytes before the empty line. Raises HttpError."""
    lines = data.split(b"\r\n")
    first = lines[0].split(b" ")
    if len(first) != 3 or not first[2].startswith(b"HTTP/1."):
        raise HttpError(400)
    request = Request()
    path, _, query = first[1].partition(b"?")
    headers = {b"host": b"", b"origin": b"", b"accept-language": b"", b"content-length": None}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name == b"transfer-encoding":
            raise HttpError(411 if colon else 400)
        if name in headers:
            if headers[name]:  # RFC 9112, 3.2 and 6.3: two of them may deceive
                raise HttpError(400)
            headers[name] = value.strip()
    try:
        request.method = str(first[0], "utf-8")
        request.path = str(path, "utf-8")
        request.query = fields(query)
        request.host = str(headers[b"host"], "utf-8").lower()
        request.origin = str(headers[b"origin"], "utf-8").lower()
        request.language = str(headers[b"accept-language"], "utf-8").lower()
    except ValueError:  # UnicodeError is one
        raise HttpError(400)
    length = headers[b"content-length"]
    if length is not None and not (length.isdigit() and len(length) < 8):
        raise HttpError(400)
    request.length = -1 if length is None else int(length)
    return request


def fields(data):
    """name -> text of a form as browsers send it, application/x-www-form-urlencoded.

    Raises ValueError for what is not one, or has more than 24 fields.
    """
    found: dict = {}
    if not data:
        return found
    pairs = data.split(b"&")
    if len(pairs) > _MOST_FIELDS:
        raise ValueError("too many fields")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        found[_text(name)] = _text(value)
    return found


def _text(data):
    out = bytearray()
    at = 0
    size = len(data)
    while at < size:
        byte = data[at]
        at += 1
        if byte == 0x2B:  # "+" is a blank
            byte = 0x20
        elif byte == 0x25:  # "%" and two hexadecimal digits
            if at + 2 > size:
                raise ValueError("half a character")
            byte = _digit(data[at]) << 4 | _digit(data[at + 1])
            at += 2
        out.append(byte)
    return str(bytes(out), "utf-8")


def _digit(byte):
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    byte |= 0x20
    if 0x61 <= byte <= 0x66:
        return byte - 0x57
    raise ValueError("not a hexadecimal digit")
