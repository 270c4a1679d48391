"""Break a model file in every way that CRC-32 finds, and in many that it is made to miss.

    micropython fuzz.py FILE STEP

Each byte is flipped in turn (all 8 bits one after the other, or every STEP-th of them),
once as it is and once with the CRC-32 set right; and the file is cut at every length.
A broken file must raise ModelError or run: anything else ends this script. Prints how
many were refused and how many ran.
"""
import sys
from array import array
from binascii import crc32
from struct import pack_into

from microMLP_engine import Engine, ModelError


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
        return label, list(engine.scores)

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
