"""Break a model file in every way that CRC-32 finds, and in many that it is made to miss.

    micropython fuzz.py FILE STEP

Each byte is flipped in turn (all 8 bits one after the other, or every STEP-th of them),
once as it is and once with the CRC-32 set right; and the file is cut at every length. Of
version 2 each section is also left out, repeated, swapped, renamed, shortened and lengthened.
A broken file must raise ModelError or run: anything else ends this script. Prints how
many were refused and how many ran.
"""
import sys
from array import array
from binascii import crc32
from struct import pack, pack_into, unpack_from

from microMLP_engine import Engine, ModelError


def rearranged(good):
    """Files of version 2 with sections that are wrong in one way; sizes and CRC-32 are right."""
    found, at = [], 20
    while at < len(good):
        tag, length = unpack_from("<HH", good, at)
        found.append((tag, good[at + 4:at + 4 + length]))
        at += 4 + length + (-length & 3)
    last = len(found) - 1
    for i, (tag, part) in enumerate(found):
        ways = [[], [found[i], found[i]], [found[i], found[last - i]], [(tag + 1, part)],
                [(99, part)], [(300, part)], [(tag, b"")]]
        ways += [[(tag, part[:n])] for n in (1, len(part) // 2, len(part) - 1)]
        ways += [[(tag, part + bytes(n))] for n in (1, 4, 16)]
        ways += [[(13, b"unknown"), found[i]], [(200, bytes(300)), found[i]]]
        for way in ways:
            body = b""
            for one, payload in found[:i] + way + found[i + 1:]:
                body += pack("<HH", one, len(payload)) + payload + bytes(-len(payload) & 3)
            bad = bytearray(good[:20] + body)
            pack_into("<I", bad, 12, len(bad))
            pack_into("<I", bad, 8, crc32(bytes(bad[12:])))
            yield bad
            pack_into("<H", bad, 22, 60000)  # a length beyond the file
            pack_into("<I", bad, 8, crc32(bytes(bad[12:])))
            yield bad


def main(path, step):
    with open(path, "rb") as file:
        good = file.read()
    sound = Engine(good)
    frames = [array("h", [(i * 7919 + k * 104729) % 65536 - 32768 for k in range(6)])
              for i in range(sound.window * sound.decimation + 5)]

    def use(engine):
        for frame in frames:
            engine.push(frame)
        label = engine.infer()
        assert 0 <= label < len(engine.labels) and 0 <= engine.confidence <= 100
        assert max(engine.shares) == engine.shares[label] and 0 <= engine.activity <= 5015
        return label, list(engine.scores), engine.activity

    expected = use(sound)
    refused = ran = 0
    for bit in range(0, 8 * len(good), step):
        bad = bytearray(good)
        bad[bit >> 3] ^= 1 << (bit & 7)
        try:
            Engine(bad)
        except ModelError:
            pass
        else:
            raise AssertionError(f"byte {bit >> 3}: its flip was not seen")
        pack_into("<I", bad, 8, crc32(bytes(bad[12:])))
        try:
            use(Engine(bad))
            ran += 1
        except ModelError:
            refused += 1
    if good[4] == 2:
        for bad in rearranged(good):
            try:
                use(Engine(bad))
                ran += 1
            except ModelError:
                refused += 1
    for length in range(len(good)):
        try:
            Engine(good[:length])
        except ModelError:
            continue
        raise AssertionError(f"cut at {length}: not seen")
    sound.reset()
    assert use(sound) == expected
    print(refused, "refused", ran, "ran")


main(sys.argv[1], int(sys.argv[2]))
