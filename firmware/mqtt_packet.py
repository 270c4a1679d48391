"""The few things about MQTT 3.1.1 packets that umqtt does not tell. Pure."""


def packet_size(buffer, at, end):
    """(size of the fixed header, size of the rest) of the packet at `at`, MQTT 2.2.3.

    (0, 0): more bytes are needed; (-1, 0): malformed.
    """
    size = shift = 0
    for i in range(at + 1, min(at + 5, end)):
        size |= (buffer[i] & 0x7F) << shift
        if not buffer[i] & 0x80:
            return i + 1 - at, size
        shift += 7
    return (-1, 0) if end - at >= 5 else (0, 0)


def matches(pattern, topic):
    """Whether topic is meant by pattern, which may end in `#` (MQTT 4.7)."""
    if pattern.endswith(b"#"):
        return topic.startswith(pattern[:-1]) or topic == pattern[:-2]
    return topic == pattern
