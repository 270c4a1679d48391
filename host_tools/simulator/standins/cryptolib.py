"""Stand-in for `cryptolib`: AES with a key of 128 bits, one block at a time (FIPS 197).

The Unix port of the packages has none. For tests only: it is slow, and its time depends on
the data.
"""

_ECB = 1


def _times_2(x):
    return (x << 1 ^ (0x1B if x & 0x80 else 0)) & 0xFF


def _boxes():
    """The substitution of SubBytes: the inverse in GF(2^8), then the affine map."""
    box = bytearray(256)
    p = q = 1
    while True:
        p = p ^ _times_2(p)  # times 3
        q ^= q << 1  # divided by 3
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (x ^ 0x63) & 0xFF
        if p == 1:
            break
    box[0] = 0x63
    return box


_BOX = _boxes()


class aes:
    def __init__(self, key, mode, iv=None):
        if mode != _ECB:
            raise ValueError("mode")
        if len(key) != 16:
            raise ValueError("key")
        words = bytearray(key)
        constant = 1
        for at in range(16, 176, 4):
            word = words[at - 4 : at]
            if at % 16 == 0:
                word = bytearray(_BOX[word[(i + 1) % 4]] for i in range(4))
                word[0] ^= constant
                constant = _times_2(constant)
            for i in range(4):
                words.append(words[at - 16 + i] ^ word[i])
        self._keys = words

    def encrypt(self, data):
        if len(data) % 16:
            raise ValueError("blksize % 16")
        return b"".join(self._block(data[at : at + 16]) for at in range(0, len(data), 16))

    def _block(self, data):
        keys = self._keys
        state = bytearray(data[i] ^ keys[i] for i in range(16))
        for turn in range(1, 11):
            state = bytearray(_BOX[state[(5 * i) % 16]] for i in range(16))  # and ShiftRows
            if turn < 10:
                mixed = bytearray(16)
                for i in range(16):
                    a, b = state[i], state[i & 12 | (i + 1) & 3]
                    c, d = state[i & 12 | (i + 2) & 3], state[i & 12 | (i + 3) & 3]
                    mixed[i] = _times_2(a) ^ _times_2(b) ^ b ^ c ^ d
                state = mixed
            for i in range(16):
                state[i] ^= keys[16 * turn + i]
        return bytes(state)
