"""MicroMLP's interface over arrays, and an integer engine for sensor windows.

    engine = Engine.load("gesture.mlp")
    if engine.push(frame):              # six int16 counts: ax ay az gx gy gz
        label = engine.labels[engine.infer()]

`Engine` runs a quantised network from one model file in one block of memory:
no floats, nothing allocated after loading, the same integers on every machine.
docs/model-file.md describes the file, docs/microMLP.md both interfaces.

One file for MicroPython (with its native emitter) and CPython. On CPython the
same viper functions run over `_Pointer`, slowly; `host_tools.model.reference`
does the same sums with NumPy.
"""

import gc
import os
import sys
from array import array
from binascii import crc32
from json import loads
from math import exp, log, sqrt
from random import random
from struct import unpack_from
from time import time

# MicroPython's compiler folds const() without calling it, so that there
# _CPYTHON is 0 and what depends on it costs no memory; CPython calls this.
const = lambda value: 1  # noqa: E731
_CPYTHON = const(0)

if _CPYTHON:
    def const(value):
        return value

    class micropython:
        def native(function):
            return function

        def viper(function):
            casts = [k for n, k in function.__annotations__.items() if n != "return"]

            def call(*args):
                return function(*[cast(arg) for cast, arg in zip(casts, args)])

            return call

    class _Pointer:
        """What a viper pointer does: unsigned loads, stores that wrap."""

        def __init__(self, target, code="B", at=0):
            if isinstance(target, _Pointer):
                target, at = target.bytes, target.at
            self.bytes = memoryview(target).cast("B")
            self.items = self.bytes.cast(code)
            self.code = code
            self.at = at
            self.first = at // self.items.itemsize

        def __add__(self, offset):
            return _Pointer(self.bytes, self.code, self.at + offset)

        def __getitem__(self, index):
            return self.items[self.first + index]

        def __setitem__(self, index, value):
            self.items[self.first + index] = value & (1 << 8 * self.items.itemsize) - 1

    def ptr8(target):
        return _Pointer(target, "B")

    def ptr16(target):
        return _Pointer(target, "H")

    def ptr32(target):
        return _Pointer(target, "I")

    def uint(target):
        return target if isinstance(target, int) else _Pointer(target)

else:
    import micropython


class ModelError(ValueError):
    """A model file that cannot be used; the message says what is wrong with it."""


# ---------------------------------------------------------------------------
# The integer engine. All words are little-endian. One block ("arena") holds
# the model file as it is, then the state, then the layers' values:
#
#   file | state words | layer words | history, twice | window | outputs ...
#
# Values between layers are unsigned: x + 32768 for int16, so that viper's
# unsigned loads need no sign handling; weights are stored as w + 128. With
# u = x + 32768 and a = w + 128, sum(u * w) = sum(u * a) - 128 * sum(u), and
# the rest, 32768 * sum(w), is already taken off the bias in the file.
# Sums wrap at 32 bits; (v & low ^ half) - half does so on machines of 64, and
# gives the sign back to a ptr32 load, which is unsigned there.
# ---------------------------------------------------------------------------

_HEAD = const(68)  # bytes of header
_FILE_MAX = const(20000)
_WORK_MAX = const(32768)

# Words of state. Stores go through variables: MicroPython 1.25 for Xtensa
# miscompiles p[constant] = value for every constant but 0.
_SLOT = const(0)  # slot of the history that the next frame goes to
_FILLED = const(1)  # frames in the history, at most a window
_WAIT = const(2)  # frames until the next window is due
_PHASE = const(3)  # raw frames in the sums
_STATUS = const(4)  # of the last inference: 0 none, 1 ran, 2 still (gated)
_SUMS = const(5)  # 6 words
_MEANS = const(11)  # 6 words
_AXES = const(17)
_STRIDE = const(18)  # values a frame; even in the fast form
_WINDOW = const(19)
_HOP = const(20)
_DECIMATION = const(21)
_HISTORY = const(22)  # byte offset
_NARROW = const(23)  # bits dropped from history values
_NARROW_INPUT = const(24)  # bits dropped from normalised values
_INPUT = const(25)  # byte offset of the normalised window, 0: history is used
_RECORDS = const(26)  # byte offset of the axes' records
_CENTRE = const(27)  # mask of the axes whose mean is taken off
_MEASURE = const(28)
_LEVEL = const(29)  # 2 words: accelerometer, gyroscope
_FLOOR = const(31)
_GATE = const(33)
_LAYERS = const(35)
_CLASSES = const(36)
_IDLE = const(37)
_LOGIT_MUL = const(38)
_LOGIT_SHIFT = const(39)
_PERCENT = const(40)
_FAST = const(41)
_KNOWN = const(42)  # the first layer is dense, and reads all of the window
_TOTAL = const(43)  # sum of the window's unsigned values, kept if _KNOWN
_LEVELLED = const(44)  # 1: windows are levelled
_TURN_MUL = const(45)
_TURN_SHIFT = const(46)
_UP = const(47)  # 3 words
_FIRST = const(50)  # layers' words start here

# Words of a layer
_BLOCKS = const(0)  # of 16 inputs
_OUTPUTS = const(1)
_POSITIONS = const(2)
_STEP = const(3)  # bytes between positions
_POOL = const(4)
_KIND = const(5)
_SHIFT = const(6)
_ZERO = const(7)
_MAX = const(8)
_TABLE = const(9)  # byte offsets from here on
_BIAS = const(10)
_WEIGHTS = const(11)
_IN = const(12)  # 0: the window
_OUT = const(13)
_LAYER_WORDS = const(14)


# Seeds of the golden window's noise are 16-bit states of this generator.
def _noise(x):
    x ^= (x << 7) & 65535
    x ^= x >> 9
    return x ^ (x << 8) & 65535


@micropython.viper
def _push(a: ptr32, frame: ptr16) -> bool:
    """Add one raw frame; true when it completes a window that is due."""
    st = ptr32(uint(a) + a[0])
    low = 65535
    low = low << 16 | low
    half = low ^ low >> 1
    axes = st[_AXES]
    rec = ptr32(uint(a) + st[_RECORDS])
    i = 0
    while i < axes:
        k = _SUMS + i
        st[k] = st[k] + ((frame[(rec[2 * i + 1] >> 24) & 7] ^ 32768) - 32768)
        i += 1
    k = _PHASE
    st[k] = st[k] + 1
    if st[k] < st[_DECIMATION]:
        return False
    st[k] = 0
    slot = st[_SLOT]
    n = st[_WINDOW]
    stride = st[_STRIDE]
    narrow = st[_NARROW]
    h = ptr16(uint(a) + st[_HISTORY] + slot * stride * 2)
    g = ptr16(uint(h) + n * stride * 2)
    change = 0
    i = 0
    while i < axes:
        k = _SUMS + i
        v = rec[2 * i + 1]
        mul = ((v & 65535) ^ 32768) - 32768
        shift = (v >> 16) & 255
        v = ((st[k] - rec[2 * i] & low ^ half) - half) * mul >> shift
        st[k] = 0
        if v > 32767:
            v = 32767
        if v < 0 - 32768:
            v = 0 - 32768
        v = (v + 32768) >> narrow
        change += v - h[i]
        h[i] = v
        g[i] = v
        i += 1
    slot += 1
    if slot == n:
        slot = 0
    k = _SLOT
    st[k] = slot
    if st[_INPUT] == 0:
        k = _FIRST + _IN
        st[k] = st[_HISTORY] + slot * stride * 2
        k = _TOTAL
        st[k] = st[k] + change
    k = _FILLED
    if st[k] < n:
        st[k] = st[k] + 1
        if st[k] < n:
            return False
    k = _STATUS
    st[k] = 1
    k = _WAIT
    if st[k] > 1:
        st[k] = st[k] - 1
        return False
    st[k] = st[_HOP]
    return True


# Angles and directions are Q14: 16384 is 1. host_tools/model/attitude.py says what it
# is for, and does the same with NumPy. No sum here leaves 31 bits.
@micropython.viper
def _level(a: ptr32):
    """Copy the window to the first layer's input, as if the sensor had not been turned in it."""
    st = ptr32(uint(a) + a[0])
    if st[_STATUS] == 0:
        return
    axes = st[_AXES]
    n = st[_WINDOW]
    bytes_a_frame = st[_STRIDE] * 2
    source = uint(a) + st[_HISTORY] + st[_SLOT] * bytes_a_frame
    mul = st[_TURN_MUL]
    shift = st[_TURN_SHIFT]
    qw = 16384  # how a frame is turned against the window's last one: a quaternion
    qx = 0
    qy = 0
    qz = 0
    turning = 0
    if mul:
        turning = 1
    while True:
        m0 = 16384
        m1 = m2 = m3 = m5 = m6 = m7 = 0
        m4 = m8 = m0
        if turning == 0:  # the shortest rotation from the mean acceleration to _UP
            p = ptr16(source)
            x = y = z = 0
            t = n
            while t:
                x += p[0]
                y += p[1]
                z += p[2]
                p = ptr16(uint(p) + bytes_a_frame)
                t -= 1
            x = x // n - 32768 >> 2
            y = y // n - 32768 >> 2
            z = z // n - 32768 >> 2
            k = x * x + y * y + z * z
            w = 0
            t = 16384
            while t:
                v = w + t
                if v * v <= k:
                    w = v
                t >>= 1
            k = _UP
            if st[k] | st[k + 1] | st[k + 2] == 0:  # it is not gravity
                w = 0
            if w >= 16:
                v = (1 << 28) // w
                x = x * v >> 14
                y = y * v >> 14
                z = z * v >> 14
                ux = (st[k] & 65535 ^ 32768) - 32768
                k += 1
                uy = (st[k] & 65535 ^ 32768) - 32768
                k += 1
                uz = (st[k] & 65535 ^ 32768) - 32768
                w = x * ux + y * uy + z * uz >> 14
                v = y * uz - z * uy >> 14
                k = z * ux - x * uz >> 14
                z = x * uy - y * ux >> 14
                x = v
                y = k
                k = 16384 + w
                if k < 819:
                    k = 819
                k = (1 << 28) // k
                m0 = w + ((x * x >> 14) * k >> 14)
                m4 = w + ((y * y >> 14) * k >> 14)
                m8 = w + ((z * z >> 14) * k >> 14)
                v = (x * y >> 14) * k >> 14
                m1 = v - z
                m3 = v + z
                v = (x * z >> 14) * k >> 14
                m2 = v + y
                m6 = v - y
                v = (y * z >> 14) * k >> 14
                m5 = v - x
                m7 = v + x
        t = n
        while t:
            t -= 1
            p = ptr16(source + t * bytes_a_frame)
            q = ptr16(uint(a) + st[_INPUT] + t * bytes_a_frame)
            if turning:
                m0 = 16384 - (qy * qy + qz * qz >> 13)
                m1 = qx * qy - qw * qz >> 13
                m2 = qx * qz + qw * qy >> 13
                m3 = qx * qy + qw * qz >> 13
                m4 = 16384 - (qx * qx + qz * qz >> 13)
                m5 = qy * qz - qw * qx >> 13
                m6 = qx * qz - qw * qy >> 13
                m7 = qy * qz + qw * qx >> 13
                m8 = 16384 - (qx * qx + qy * qy >> 13)
                if t:  # on to the frame before: half the angle between both
                    w = 0
                    k = 3
                    ux = uy = uz = 0
                    r = ptr16(source + (t - 1) * bytes_a_frame)
                    while k < 6:
                        v = (p[k] + r[k] - 65536) * mul >> shift
                        if v > 12288:
                            v = 12288
                        if v < 0 - 12288:
                            v = 0 - 12288
                        w += v * v
                        ux = uy
                        uy = uz
                        uz = v
                        k += 1
            k = 0
            while k < axes:  # written out: the rows of the matrix are locals, not an array
                x = p[k] - 32768
                y = p[k + 1] - 32768
                z = p[k + 2] - 32768
                v = m0 * x + m1 * y + m2 * z + 8192 >> 14
                if v > 32767:
                    v = 32767
                if v < 0 - 32768:
                    v = 0 - 32768
                q[k] = v + 32768
                k += 1
                v = m3 * x + m4 * y + m5 * z + 8192 >> 14
                if v > 32767:
                    v = 32767
                if v < 0 - 32768:
                    v = 0 - 32768
                q[k] = v + 32768
                k += 1
                v = m6 * x + m7 * y + m8 * z + 8192 >> 14
                if v > 32767:
                    v = 32767
                if v < 0 - 32768:
                    v = 0 - 32768
                q[k] = v + 32768
                k += 1
            if turning:
                if t:  # cos and sin(v) / v by their series, w = v * v
                    w >>= 14
                    k = 16384 - (w * (16384 - w // 42) >> 14) // 20
                    k = 16384 - (w * k >> 14) // 6
                    x = 0 - (ux * k + 8192 >> 14)
                    y = 0 - (uy * k + 8192 >> 14)
                    z = 0 - (uz * k + 8192 >> 14)
                    k = 16384 - (w * (16384 - w // 30) >> 14) // 12
                    k = 16384 - (w * k >> 15)
                    ux = qw * k - qx * x - qy * y - qz * z + 8192 >> 14
                    uy = qw * x + qx * k + qy * z - qz * y + 8192 >> 14
                    uz = qw * y - qx * z + qy * k + qz * x + 8192 >> 14
                    qz = qw * z + qx * y - qy * x + qz * k + 8192 >> 14
                    qw = ux
                    qx = uy
                    qy = uz
        if turning == 0:
            return
        turning = 0
        source = uint(a) + st[_INPUT]


@micropython.viper
def _normalise(a: ptr32):
    """Centre and scale the window into the first layer's input, unless it is still."""
    st = ptr32(uint(a) + a[0])
    if st[_STATUS] == 0:
        return
    axes = st[_AXES]
    n = st[_WINDOW]
    stride = st[_STRIDE]
    bytes_a_frame = stride * 2
    start = uint(a) + st[_HISTORY] + st[_SLOT] * bytes_a_frame
    if st[_LEVELLED]:
        start = uint(a) + st[_INPUT]
    rec = ptr32(uint(a) + st[_RECORDS])
    i = 0
    while i < axes:  # means, of the unsigned values
        p = ptr16(start + i * 2)
        s = 0
        t = n
        while t:
            s += p[0]
            p = ptr16(uint(p) + bytes_a_frame)
            t -= 1
        k = _MEANS + i
        st[k] = s // n
        i += 1
    ka = 1024
    kg = 1024
    group = 0
    gates = 0
    moving = 0
    while group < 2:  # accelerometer: axes 0 to 2; gyroscope: axes 3 to 5
        gate = st[_GATE + group]
        level = st[_LEVEL + group]
        if gate | level:
            s = 0
            peak = 0
            values = 0
            i = 0
            while i < axes:
                k = 0
                if ((rec[2 * i + 1] >> 24) & 7) > 2:
                    k = 1
                if k == group:
                    p = ptr16(start + i * 2)
                    mean = st[_MEANS + i]
                    values += n
                    t = n
                    while t:
                        v = p[0] - mean
                        if v < 0:
                            v = 0 - v
                        if v > peak:
                            peak = v
                        s += v
                        p = ptr16(uint(p) + bytes_a_frame)
                        t -= 1
                i += 1
            if values:
                s = s // values
                if gate:
                    gates = 1
                    if s >= gate:
                        moving = 1
                if level:
                    if st[_MEASURE]:
                        peak = s
                    if peak < st[_FLOOR + group]:
                        peak = st[_FLOOR + group]
                    peak = (level << 10) // peak
                    if group:
                        kg = peak
                    else:
                        ka = peak
        group += 1
    k = _STATUS
    st[k] = 1
    if gates:
        if moving == 0:
            st[k] = 2
            return
    narrow = st[_NARROW_INPUT]
    s = 0
    i = 0
    while i < axes:
        mean = 32768
        axis = (rec[2 * i + 1] >> 24) & 7
        if (st[_CENTRE] >> axis) & 1:
            mean = st[_MEANS + i]
        k = ka
        if axis > 2:
            k = kg
        p = ptr16(start + i * 2)
        q = ptr16(uint(a) + st[_INPUT] + i * 2)
        t = n
        while t:
            v = p[0] - mean
            if v > 32767:
                v = 32767
            if v < 0 - 32768:
                v = 0 - 32768
            v = v * k >> 10
            if v > 32767:
                v = 32767
            if v < 0 - 32768:
                v = 0 - 32768
            v = (v + 32768) >> narrow
            s += v
            q[0] = v
            p = ptr16(uint(p) + bytes_a_frame)
            q = ptr16(uint(q) + bytes_a_frame)
            t -= 1
        i += 1
    k = _TOTAL
    st[k] = s


# s, x and w come first: only the first few locals of a viper function live in
# registers. s = x * w + s is shorter code than s += x * w.


@micropython.viper
def _infer(s: int, v: int, x: ptr16, w: ptr8) -> int:
    """Run all layers; fill the scores, return the best class, the first of equals.

    s: 0. x: the arena. w: the scores, an array('i').
    """
    a = uint(x)
    scores = ptr32(w)
    st = ptr32(a + ptr32(x)[0])
    low = 65535
    low = low << 16 | low
    half = low ^ low >> 1
    classes = st[_CLASSES]
    best = 0
    status = st[_STATUS]
    if status != 1:
        while best < classes:
            scores[best] = 0
            best += 1
        k = _PERCENT
        st[k] = 0
        if status == 2:
            st[k] = 100
        return st[_IDLE]
    fast = st[_FAST]
    known = st[_KNOWN]
    d = ptr32(uint(st) + _FIRST * 4)
    layers = st[_LAYERS]
    while layers:
        layers -= 1
        start = a + d[_IN]
        out = a + d[_OUT]
        if layers == 0:
            out = uint(scores)
        left = d[_POSITIONS]
        shift = d[_SHIFT]
        zero = d[_ZERO]
        top = d[_MAX]
        table = ptr16(a + d[_TABLE])
        kind = d[_KIND]
        pool = 0
        while left:
            left -= 1
            # The sum of the inputs, to take off what the weights' offset adds.
            s = 0
            x = ptr16(start)
            n = d[_BLOCKS]
            if known:
                s = st[_TOTAL]
                known = 0
            elif fast:  # both halves of a word at once
                while n:
                    s = ptr32(x)[0] + ptr32(x)[1] + ptr32(x)[2] + ptr32(x)[3] + s
                    s = ptr32(x)[4] + ptr32(x)[5] + ptr32(x)[6] + ptr32(x)[7] + s
                    x = ptr16(uint(x) + 32)
                    n -= 1
                s = (s & 65535) + (s >> 16 & 65535)
            else:
                while n:
                    s = x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7] + s
                    s = x[8] + x[9] + x[10] + x[11] + x[12] + x[13] + x[14] + x[15] + s
                    x = ptr16(uint(x) + 32)
                    n -= 1
            if fast:
                s = s << 5
            else:
                s = s << 7
            offset = s
            w = ptr8(a + d[_WEIGHTS])
            b = ptr32(a + d[_BIAS])
            o = ptr16(out)
            j = d[_OUTPUTS]
            special = kind | pool
            odd = d[_BLOCKS] & 1
            pairs = d[_BLOCKS] >> 1
            while j:
                x = ptr16(start)
                n = pairs
                s = b[0] - offset
                if fast:
                    # (x0 + x1 << 16) * (w1 + w0 << 16) has x0 * w0 + x1 * w1 in its
                    # upper half; eight of them fit 16 bits, if all are below 64.
                    total = s
                    while n:
                        v = ptr32(w)[0]
                        s = ptr32(x)[0] * v
                        v = ptr32(w)[1]
                        s = ptr32(x)[1] * v + s
                        v = ptr32(w)[2]
                        s = ptr32(x)[2] * v + s
                        v = ptr32(w)[3]
                        s = ptr32(x)[3] * v + s
                        v = ptr32(w)[4]
                        s = ptr32(x)[4] * v + s
                        v = ptr32(w)[5]
                        s = ptr32(x)[5] * v + s
                        v = ptr32(w)[6]
                        s = ptr32(x)[6] * v + s
                        v = ptr32(w)[7]
                        s = ptr32(x)[7] * v + s
                        total = (s >> 16 & 65535) + total
                        v = ptr32(w)[8]
                        s = ptr32(x)[8] * v
                        v = ptr32(w)[9]
                        s = ptr32(x)[9] * v + s
                        v = ptr32(w)[10]
                        s = ptr32(x)[10] * v + s
                        v = ptr32(w)[11]
                        s = ptr32(x)[11] * v + s
                        v = ptr32(w)[12]
                        s = ptr32(x)[12] * v + s
                        v = ptr32(w)[13]
                        s = ptr32(x)[13] * v + s
                        v = ptr32(w)[14]
                        s = ptr32(x)[14] * v + s
                        v = ptr32(w)[15]
                        s = ptr32(x)[15] * v + s
                        total = (s >> 16 & 65535) + total
                        x = ptr16(uint(x) + 64)
                        w = ptr8(uint(w) + 64)
                        n -= 1
                    if odd:
                        v = ptr32(w)[0]
                        s = ptr32(x)[0] * v
                        v = ptr32(w)[1]
                        s = ptr32(x)[1] * v + s
                        v = ptr32(w)[2]
                        s = ptr32(x)[2] * v + s
                        v = ptr32(w)[3]
                        s = ptr32(x)[3] * v + s
                        v = ptr32(w)[4]
                        s = ptr32(x)[4] * v + s
                        v = ptr32(w)[5]
                        s = ptr32(x)[5] * v + s
                        v = ptr32(w)[6]
                        s = ptr32(x)[6] * v + s
                        v = ptr32(w)[7]
                        s = ptr32(x)[7] * v + s
                        total = (s >> 16 & 65535) + total
                        w = ptr8(uint(w) + 32)
                    s = total
                else:
                    while n:
                        v = w[0]
                        s = x[0] * v + s
                        v = w[1]
                        s = x[1] * v + s
                        v = w[2]
                        s = x[2] * v + s
                        v = w[3]
                        s = x[3] * v + s
                        v = w[4]
                        s = x[4] * v + s
                        v = w[5]
                        s = x[5] * v + s
                        v = w[6]
                        s = x[6] * v + s
                        v = w[7]
                        s = x[7] * v + s
                        v = w[8]
                        s = x[8] * v + s
                        v = w[9]
                        s = x[9] * v + s
                        v = w[10]
                        s = x[10] * v + s
                        v = w[11]
                        s = x[11] * v + s
                        v = w[12]
                        s = x[12] * v + s
                        v = w[13]
                        s = x[13] * v + s
                        v = w[14]
                        s = x[14] * v + s
                        v = w[15]
                        s = x[15] * v + s
                        v = w[16]
                        s = x[16] * v + s
                        v = w[17]
                        s = x[17] * v + s
                        v = w[18]
                        s = x[18] * v + s
                        v = w[19]
                        s = x[19] * v + s
                        v = w[20]
                        s = x[20] * v + s
                        v = w[21]
                        s = x[21] * v + s
                        v = w[22]
                        s = x[22] * v + s
                        v = w[23]
                        s = x[23] * v + s
                        v = w[24]
                        s = x[24] * v + s
                        v = w[25]
                        s = x[25] * v + s
                        v = w[26]
                        s = x[26] * v + s
                        v = w[27]
                        s = x[27] * v + s
                        v = w[28]
                        s = x[28] * v + s
                        v = w[29]
                        s = x[29] * v + s
                        v = w[30]
                        s = x[30] * v + s
                        v = w[31]
                        s = x[31] * v + s
                        x = ptr16(uint(x) + 64)
                        w = ptr8(uint(w) + 32)
                        n -= 1
                    if odd:
                        v = w[0]
                        s = x[0] * v + s
                        v = w[1]
                        s = x[1] * v + s
                        v = w[2]
                        s = x[2] * v + s
                        v = w[3]
                        s = x[3] * v + s
                        v = w[4]
                        s = x[4] * v + s
                        v = w[5]
                        s = x[5] * v + s
                        v = w[6]
                        s = x[6] * v + s
                        v = w[7]
                        s = x[7] * v + s
                        v = w[8]
                        s = x[8] * v + s
                        v = w[9]
                        s = x[9] * v + s
                        v = w[10]
                        s = x[10] * v + s
                        v = w[11]
                        s = x[11] * v + s
                        v = w[12]
                        s = x[12] * v + s
                        v = w[13]
                        s = x[13] * v + s
                        v = w[14]
                        s = x[14] * v + s
                        v = w[15]
                        s = x[15] * v + s
                        w = ptr8(uint(w) + 16)
                s = (s & low ^ half) - half
                b = ptr32(uint(b) + 4)
                if layers == 0:
                    b32 = ptr32(uint(o))
                    b32[0] = s
                    o = ptr16(uint(o) + 4)
                else:
                    s = (s >> shift) + zero
                    if s < 0:
                        s = 0
                    if s > top:
                        s = top
                    if special:
                        if kind:
                            s = table[s]
                        if pool:
                            if o[0] > s:
                                s = o[0]
                    o[0] = s
                    o = ptr16(uint(o) + 2)
                j -= 1
            start = start + d[_STEP]
            pool += 1
            if pool == d[_POOL]:
                pool = 0
                out = uint(o)
        d = ptr32(uint(d) + _LAYER_WORDS * 4)
    s = (scores[0] & low ^ half) - half
    j = 1
    while j < classes:
        v = (scores[j] & low ^ half) - half
        if v > s:
            s = v
            best = j
        j += 1
    k = _PERCENT
    st[k] = 255  # not known yet
    return best


@micropython.viper
def _softmax(a: ptr32, scores: ptr32) -> int:
    """Softmax of the best score, in percent.

    2**-f for f in [0, 1) is taken as 1 - 0.67157 f + 0.17157 f**2: exact at
    0, 1/2 and 1, within 0.4 % between.
    """
    st = ptr32(uint(a) + a[0])
    low = 65535
    low = low << 16 | low
    half = low ^ low >> 1
    classes = st[_CLASSES]
    shift = st[_LOGIT_SHIFT]
    best = (scores[0] & low ^ half) - half
    j = 1
    while j < classes:
        v = (scores[j] & low ^ half) - half
        if v > best:
            best = v
        j += 1
    best = best >> shift
    total = 0
    j = 0
    while j < classes:
        v = best - ((scores[j] & low ^ half) - half >> shift)
        if v > 32767:
            v = 32767
        v = v * st[_LOGIT_MUL] >> 10  # in 1/256 of a factor of two
        f = v & 255
        v = v >> 8
        if v < 16:
            total += (32768 - 86 * f + (22 * f * f >> 8)) >> v
        j += 1
    return (100 * 32768 + (total >> 1)) // total


@micropython.viper
def _expand(a: ptr8, at: int, count: int) -> int:
    """Spread 6-bit weights to 16 bits in place, pairs swapped; OR of all of them."""
    seen = 0
    i = count >> 1
    while i:
        i -= 1
        p = ptr8(uint(a) + at + 2 * i)
        v = p[0] << 16 | p[1]
        seen = seen | v
        q = ptr32(uint(a) + at + 4 * i)
        q[0] = v
    return (seen | seen >> 16) & 255


def _need(condition, *why):
    if not condition:
        raise ModelError("model file: " + " ".join(str(part) for part in why))


class Engine:
    """Classify windows of sensor frames with the network of a model file.

    model: the bytes of a model file; `Engine.load` reads one from a path.
    Raises ModelError for anything but a whole, sound model of this version.

    rate_hz, accel_g, gyro_dps: how the sensor must be set.
    axes: bit mask of the axes in use, bit 0 ax ... bit 5 gz.
    decimation: raw frames summed to one of the window's frames.
    window, hop: frames (after decimation) a window and between windows.
    labels: tuple of str; idle: index of the label that means "no gesture".
    debounce: 8 ints 0..255 for the debouncer, as in docs/model-file.md.
    model_id: 8 hexadecimal digits, the file's CRC-32.
    notes: str, what the model was trained on.
    scores: array('i'), one score a class, of the last `infer`.
    """

    def __init__(self, model, _size=0):
        size = _size or len(model)
        if not _size:
            arena = bytearray(size + self._work(model, size))
            arena[:size] = model
            model = arena
        self._set_up(model, size)

    @classmethod
    def load(cls, path):
        """Read a model file. Raises ModelError, or OSError if it cannot be read."""
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            work = cls._work(file.read(_HEAD), size)
            arena = bytearray(size + work)
            file.seek(0)
            _need(file.readinto(memoryview(arena)[:size]) == size, "cut while it was read")
        return cls(arena, size)

    @staticmethod
    def _work(head, size):
        """Bytes of memory that a model needs beside its file."""
        _need(_HEAD <= size <= _FILE_MAX, size, "bytes, a model has", _HEAD, "to", _FILE_MAX)
        magic, version, head_size, _, length, work = unpack_from("<4sHHIII", head, 0)
        _need(magic == b"BMLP", "not a Beckon model")
        _need(version == 1 and head_size == _HEAD, "version", version, "is not known, 1 is")
        _need(length == size, "cut:", size, "of", length, "bytes")
        _need(work <= _WORK_MAX and not work & 3, "work memory of", work, "bytes")
        return work

    def _set_up(self, arena, size):
        crc = unpack_from("<I", arena, 8)[0]
        _need(crc32(memoryview(arena)[12:size]) == crc, "damaged, its CRC-32 is wrong")
        (
            work, self.rate_hz, self.accel_g, classes, self.gyro_dps, self.axes,
            self.decimation, self.window, self.hop, layers, fast, self.idle, tables,
        ) = unpack_from("<IHBBHBBHHBBBB", arena, 16)
        (
            logit_mul, logit_shift, centre, level_a, level_g, floor_a, floor_g,
            gate_a, gate_g, measure, levelled, seed, text_size, notes_size,
        ) = unpack_from("<HBBHHHHHHBBHHH", arena, 44)
        self.debounce = tuple(arena[36:44])
        self.model_id = "%02x%02x%02x%02x" % (arena[11], arena[10], arena[9], arena[8])
        n = self.window
        _need(self.rate_hz and self.accel_g and self.gyro_dps, "rate or range is 0")
        _need(0 < self.axes < 64 and 0 < self.decimation <= 64, "axes or decimation")
        _need(0 < n <= 1024 and 0 < self.hop <= n, "window", n, "hop", self.hop)
        _need(2 <= classes <= 32 and self.idle < classes, classes, "classes, idle", self.idle)
        _need(0 < layers <= 8 and tables <= 4 and fast <= 1, "layers, tables or form")
        _need(0 < logit_shift < 32 and logit_mul < 32768, "scale of the scores")
        _need(measure <= 1 and levelled <= 1 and seed, "measure, levelling or seed")
        _need(level_a <= 31 * floor_a and level_g <= 31 * floor_g, "level above 31 x floor")
        _need(max(level_a, level_g, floor_a, floor_g) < 32768, "level or floor")

        # Where things lie in the file
        axes = sum(self.axes >> i & 1 for i in range(6))
        _need(centre & ~self.axes == 0, "centred axes")
        records = _HEAD
        layer_at = records + 8 * axes + 12 * levelled
        golden = layer_at + 20 * layers
        bias = golden + 4 * classes
        _need(bias <= size, "too short for its layers")
        rows = []
        for i in range(layers):
            rows.append(unpack_from("<HHHHHBBHHB", arena, layer_at + 20 * i))
        table_at = bias + 4 * sum(row[1] for row in rows)
        text = table_at + 2048 * tables
        weights = text + (text_size + notes_size + 3 & -4)
        weights_at = weights
        count = sum((row[0] + 15 & -16) * row[1] for row in rows)
        _need(weights + count == size and not size & 3, "sizes do not add up")

        turn = (0, 0, 0, 0, 0)
        if levelled:
            turn = unpack_from("<hhhHB", arena, layer_at - 12)
            need = self.axes == 63 or self.axes == 7 and not turn[3]
            _need(need and turn[3] < 32768 and turn[4] < 32, "levelling")
            need = sum(u * u for u in turn[:3]) / (1 << 28)
            need = 0.96 <= need <= 1.04 or turn[3] and not any(turn[:3])
            _need(need and -32768 not in turn, "levelling: up", turn[:3])

        # The memory behind the file, in words
        narrow = 10 if fast else 0
        stride = axes + 1 & -2 if fast else axes
        prepared = levelled or centre or level_a or level_g or gate_a or gate_g
        known = rows[0][0] == n * stride and rows[0][2] == 1
        state = size + count if fast else size
        at = state + 4 * (_FIRST + _LAYER_WORDS * layers)
        history = at
        at += 4 * n * stride + 32
        window = at if prepared else 0
        if prepared:
            at += 2 * n * stride + 35 & -4
        words = array("i", [
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0,
            axes, stride, n, self.hop, self.decimation,
            history, 0 if prepared else narrow, narrow, window, records, centre, measure,
            level_a, level_g, floor_a, floor_g, gate_a, gate_g,
            layers, classes, self.idle, logit_mul, logit_shift, 0, fast, known, 0,
            levelled, turn[3], turn[4], turn[0], turn[1], turn[2],
        ])
        given = n * stride
        source = window
        for i, row in enumerate(rows):
            inputs, outputs, positions, step, pool, kind, shift, zero, top, table = row
            last = i == layers - 1
            need = (positions - 1) * step + inputs
            sound = inputs and outputs and positions and need <= given
            _need(sound, "layer", i, "reads", need, "values of", given)
            _need(pool and positions % pool == 0, "layer", i, "pools", positions, "by", pool)
            _need(kind <= 1 and 0 < shift < 32 and zero <= top, "layer", i, "requantising")
            _need(top < (1024 if kind else 64 if fast else 65536), "layer", i, "maximum", top)
            _need(table < tables or not kind, "layer", i, "table", table)
            odd = fast and not last and (step | outputs) & 1
            _need(not odd, "layer", i, "is odd in the fast form")
            words.extend(array("i", [
                inputs + 15 >> 4, outputs, positions, step * 2, pool, kind, shift, zero, top,
                table_at + 2048 * table, bias, weights, source, at,
            ]))
            bias += 4 * outputs
            weights += (inputs + 15 & -16) * outputs * (2 if fast else 1)
            given = positions // pool * outputs
            source = at
            if not last:  # whose scores go to self.scores
                at += 2 * given + 35 & -4
        _need(given == classes and positions == 1, "last layer gives", given, "scores")
        _need(at <= size + work, "work memory of", work, "bytes,", at - size, "needed")
        for at in range(table_at, text, 2048):
            _need(not fast or max(array("H", arena[at:at + 2048])) < 64, "table beyond 6 bits")
        axis = 0
        for i in range(axes):
            while not self.axes >> axis & 1:
                axis += 1
            offset, mul, shift, which = unpack_from("<ihBB", arena, records + 8 * i)
            _need(which == axis and shift < 32, "axis", i)
            _need((abs(offset) + 32768 * self.decimation) * abs(mul) < 1 << 31, "axis", i, "scale")
            axis += 1
        self._read_text(arena, text, text + text_size, notes_size, classes)

        if fast:
            _need(_expand(arena, weights_at, count) < 64, "weights of more than 6 bits")
        if known:  # what lies behind the window is not in its sum: take it times 0
            width = 2 if fast else 1
            inputs, outputs = rows[0][:2]
            row = width * (inputs + 15 & -16)
            for i in range(weights_at, weights_at + row * outputs, row):
                for k in range(i + width * inputs, i + row):
                    arena[k] = 0
        arena[state:state + 4 * len(words)] = bytes(words)
        arena[0:4] = bytes(array("i", [state]))  # the kernels find all from here
        self._arena = arena
        self._levelled = levelled
        self._prepared = bool(prepared)
        self._state = state
        self._percent = state + 4 * _PERCENT
        self.scores = array("i", [0] * classes)
        self._check(golden, seed, classes)

    def _read_text(self, arena, at, end, notes_size, classes):
        labels = []
        try:
            for _ in range(classes):
                _need(at < end and at + 1 + arena[at] <= end, "labels are cut")
                label = str(arena[at + 1:at + 1 + arena[at]], "utf-8")
                _need(label and label not in labels, "label", repr(label))
                labels.append(label)
                at += 1 + arena[at]
            _need(at == end, "labels are too long")
            self.notes = str(arena[end:end + notes_size], "utf-8")
        except UnicodeError:
            raise ModelError("model file: labels or notes are not UTF-8")
        self.labels = tuple(labels)

    def _check(self, golden, seed, classes):
        """Run the golden window through the engine, as a model must on any machine."""
        frame = array("h", [0] * 6)
        x = seed
        for i in range(self.window * self.decimation):
            for k in range(6):
                x = _noise(x)
                frame[k] = (x - 32768) >> (i >> 3 & 3)
            self.push(frame)
        self.infer()
        expected = array("i", unpack_from("<%di" % classes, self._arena, golden))
        _need(self.scores == expected, "scores of the golden window differ")
        self.reset()

    def reset(self):
        """Forget all frames, as after a gap; `push` is true again a window later."""
        arena = self._arena
        for i in range(self._state, self._state + 4 * _MEANS):
            arena[i] = 0

    def push(self, frame):
        """Add a raw frame; true when a window is complete and due by `hop`.

        frame: buffer of 6 int16, ax ay az gx gy gz in counts at the model's
        ranges, one each sample period. Raises ValueError for another length.
        """
        if len(frame) != 6:
            raise ValueError("a frame has 6 values, not %d" % len(frame))
        return _push(self._arena, frame)

    def infer(self):
        """Classify the last window: fill `scores`, return the index of the best.

        `idle`, with scores of 0, for a still window (confidence 100) and
        before the first whole one (confidence 0).
        """
        if self._levelled:
            _level(self._arena)
        if self._prepared:
            _normalise(self._arena)
        return _infer(0, 0, self._arena, self.scores)

    @property
    def confidence(self):
        """Softmax of the class that `infer` returned last, in percent."""
        percent = self._arena[self._percent]
        return percent if percent < 255 else _softmax(self._arena, self.scores)


# ---------------------------------------------------------------------------
# MicroMLP's interface. A fully connected net keeps arrays and nothing else: in each
# layer `_w`, the weights neuron by neuron, `_b`, the biases' weights (`_bias` is the
# value of all of them), `_dw` and `_db`, the last deltas, made by the first Learn, and
# `_s`: outputs, then inputs, errors and signal errors as far as needed. Neurons,
# connections and biases are views. Anything else is wired by hand: then `_nodes` holds
# the layer's neurons, and each neuron its sources, weights and last deltas, as a list
# and two arrays.
#
# Each float that MicroPython computes is a new object on the heap. So the arrays'
# weights are integers: weight * 2**24 + 2**29, which reaches from -32 to 32 in
# steps of 6e-8, finer than a 32-bit float from 1 on. The other factor of a
# product, an input, is within -1/2..1/2, times 2**24, plus 2**23. Parts of both
# are multiplied so that 32 bits suffice:
#
#   w = h * 2**15 + l,  x = a * 2**12 + b, and x / 2**9 rounded is c, so
#   w * x / 2**24 = 8 * h * a + h * b / 2**9 + l * c / 2**15
#
# ---------------------------------------------------------------------------


if not _CPYTHON:
    # A board that only classifies shall not pay 27 KB of its heap for MicroMLP.
    # So what follows runs only when MicroMLP is asked for: in a second import of
    # this file, which finds _WHOLE among the modules. After the first one, the
    # unused code is garbage.
    _WHOLE = "microMLP, whole"

    def __getattr__(name):
        if name != "MicroMLP":
            raise AttributeError(name)
        gc.collect()
        modules = sys.modules
        this = modules[_WHOLE] = modules.pop(__name__)
        try:
            this.MicroMLP = __import__(__name__).MicroMLP  # type: ignore[attr-defined]
        finally:
            modules[__name__] = modules.pop(_WHOLE)
        return this.MicroMLP

if _CPYTHON or _WHOLE in sys.modules:

    @micropython.viper
    def _dot(w: ptr32, x: ptr32, n: int, rows: int, out: ptr32):
        """For each row of n weights the sum of products: out[0] / 2**11 + out[1] / 2**26."""
        first = uint(x)
        while rows:
            x = ptr32(first)
            i = n
            high = 0
            low = 0
            while i:
                v = w[0]
                h = (v >> 15) - 16384
                u = x[0]
                p = h * ((u >> 12) - 2048)
                high = (p >> 10) + high
                low = ((p & 1023) << 5) + low
                low = (h * (u & 4095) + 64 >> 7) + low
                low = ((v & 32767) * ((u + 256 >> 9) - 16384) + 4096 >> 13) + low
                w = ptr32(uint(w) + 4)
                x = ptr32(uint(x) + 4)
                i -= 1
            out[0] = high
            out = ptr32(uint(out) + 4)
            out[0] = low
            out = ptr32(uint(out) + 4)
            rows -= 1

    @micropython.viper
    def _learn(w: ptr32, d: ptr32, x: ptr32, k: ptr32, back: ptr32):
        """For each row add step * x + alpha * d to the weights; d becomes the first part.

        k: inputs, rows, alpha, whether signal * w / 2**4 is to be added to back before w
        changes; then each row's step and signal. A step is kept like a weight, alpha and
        signals like inputs; here these are halves, so that products are doubled.
        """
        inputs = k[0]
        rows = k[1]
        alpha = k[2]
        wanted = k[3]
        aa = (alpha >> 12) - 2048
        ab = alpha & 4095
        ac = (alpha + 256 >> 9) - 16384
        first = uint(x)
        first_back = uint(back)
        while rows:
            k = ptr32(uint(k) + 8)
            step = k[2]
            signal = k[3]
            th = (step >> 15) - 16384
            tl = step & 32767
            sa = (signal >> 12) - 2048
            sb = signal & 4095
            sc = (signal + 256 >> 9) - 16384
            x = ptr32(first)
            back = ptr32(first_back)
            n = inputs
            while n:
                v = w[0]
                if wanted:
                    h = (v >> 15) - 16384
                    p = (h * sa << 4) + (h * sb + 128 >> 8) + ((v & 32767) * sc + 8192 >> 14)
                    back[0] = back[0] + (p + 8 >> 4)
                    back = ptr32(uint(back) + 4)
                u = d[0]
                h = (u >> 15) - 16384
                v = (h * aa << 4) + (h * ab + 128 >> 8) + ((u & 32767) * ac + 8192 >> 14) + v
                u = x[0]
                p = (th * ((u >> 12) - 2048) << 4) + (th * (u & 4095) + 128 >> 8)
                p = (tl * ((u + 256 >> 9) - 16384) + 8192 >> 14) + p
                d[0] = p + 536870912
                v = p + v
                if v < 0:
                    v = 0
                if v > 1073741823:
                    v = 1073741823
                w[0] = v
                w = ptr32(uint(w) + 4)
                d = ptr32(uint(d) + 4)
                x = ptr32(uint(x) + 4)
                n -= 1
            rows -= 1

    def _zeros(code, n):
        # An array from as many bytes: MicroPython would make a list of 4 n bytes first.
        return array(code, memoryview(bytearray(n)))

    def _lasting(code, n):
        """Zeros that stay: not amid garbage, where they would part the heap's free memory."""
        if not _CPYTHON:
            gc.collect()
        return _zeros(code, n)

    def _weight(value):
        """A float as an integer weight, at most 32 in size."""
        return int(min(max(value, -31.9), 31.9) * 16777216 + 536870912.5)

    def _pack(values):
        """Floats as integer inputs, and the factor that turns sums back."""
        most = max(max(values), -min(values))
        factor = 1.0
        while factor < most:
            factor *= 2
        k = 8388608 / factor
        return array("i", [int(value * k + 8388608.5) for value in values]), factor * 2

    def _finite(value, what):
        value = float(value)
        if value - value != 0:  # NaN or infinite
            raise ValueError("%s is %s, not a finite number" % (what, value))
        return value

    class MicroMLP:
        """A network of layers, as in JC`zic's MicroMLP; see docs/microMLP.md.

        Eta: learning rate. Alpha: share of the last step that is taken again.
        Gain: factor on a neuron's input.
        """

        ACTFUNC_HEAVISIDE = "Heaviside"
        ACTFUNC_SIGMOID = "Sigmoid"
        ACTFUNC_TANH = "TanH"
        ACTFUNC_SOFTPLUS = "SoftPlus"
        ACTFUNC_RELU = "ReLU"
        ACTFUNC_GAUSSIAN = "Gaussian"

        Eta = 0.30
        Alpha = 0.75
        Gain = 0.99
        CorrectLearnedMAE = 0.02

        class NNValue:
            """A number between minValue and maxValue, kept as 0..1 and clamped there."""

            def __init__(self, minValue, maxValue, value):
                if not maxValue - minValue > 0:
                    raise ValueError("NNValue: maxValue must be greater than minValue")
                self._min = minValue
                self._max = maxValue
                self._set(minValue, maxValue, value)

            def _set(self, low, high, value):
                if value != value:
                    raise ValueError("NNValue: the value is not a number")
                if value <= low:
                    self._value = 0.0
                elif value >= high:
                    self._value = 1.0
                else:
                    self._value = (value - low) / (high - low)

            def _new(high, convert=float):
                return staticmethod(lambda value=0: MicroMLP.NNValue(0, high, convert(value)))

            def _as(high, get, convert=float):
                return property(get, lambda self, value: self._set(0, high, convert(value)))

            FromPercent = NewPercent = _new(100)
            FromByte = _new(255, ord)
            NewByte = _new(255)
            FromBool = NewBool = _new(1, bool)
            FromAnalogSignal = NewAnalogSignal = _new(1)

            AsFloat = property(
                lambda self: self._min + self._value * (self._max - self._min),
                lambda self, value: self._set(self._min, self._max, value),
            )
            AsInt = property(
                lambda self: int(round(self.AsFloat)),
                lambda self, value: self._set(self._min, self._max, value),
            )
            AsPercent = _as(100, lambda self: self._value * 100)
            AsByte = _as(255, lambda self: chr(int(round(self._value * 255))), ord)
            AsBool = _as(1, lambda self: self._value >= 0.5, bool)
            AsAnalogSignal = _as(1, lambda self: self._value)

        class Connection:
            """From neuronSrc to neuronDst. weight: random if None."""

            def __init__(self, neuronSrc, neuronDst, weight=None, _at=None):
                self._src = neuronSrc
                self._dst = neuronDst
                self._at = _at
                if _at is None:  # not a view of one that is there
                    weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
                    weight = _finite(weight, "Connection: weight")
                    neuronDst._layer._net._by_hand()
                    self._at = len(neuronDst._src)
                    neuronDst._src.append(neuronSrc)
                    neuronDst._w.append(weight)
                    neuronDst._d.append(0.0)
                    neuronDst._layer._net._routed = False

            def __eq__(self, other):
                if not isinstance(other, MicroMLP.Connection) or self._dst is not other._dst:
                    return False
                return self._src is other._src and self._place() == other._place()

            def __hash__(self):
                return hash((self._src, self._dst))

            def _place(self):
                """Its place among the inputs of its destination, None once it is removed."""
                dst = self._dst
                if dst and dst._layer._nodes is not None:
                    if self._at >= len(dst._src) or dst._src[self._at] is not self._src:
                        self._at = dst._src.index(self._src)  # one before it was removed
                return self._at if dst else None

            def _index(self):
                """Where its weight is in its layer's array."""
                layer = self._dst._layer
                return self._dst._at * (len(layer._w) // layer._n) + self._at

            def UpdateWeight(self, eta, alpha):
                dst = self._dst
                if dst is None:
                    raise ValueError("Connection: it has been removed")
                delta = eta * self._src.ComputedOutput * dst.ComputedSignalError
                layer = dst._layer
                if layer._nodes is None:
                    d = layer._deltas()
                    at = self._index()
                    last = (d[at] - 536870912) / 16777216
                    layer._w[at] = _weight(self.Weight + delta + alpha * last)
                    d[at] = _weight(delta)
                else:
                    at = self._place()
                    dst._w[at] += delta + alpha * dst._d[at]
                    dst._d[at] = delta

            def Remove(self):
                if self._dst is not None:
                    dst = self._dst
                    dst._layer._net._by_hand()
                    at = self._place()
                    dst._src.pop(at)
                    dst._w = dst._w[:at] + dst._w[at + 1:]
                    dst._d = dst._d[:at] + dst._d[at + 1:]
                    dst._layer._net._routed = False
                    self._src = self._dst = None

            @property
            def NeuronSrc(self):
                return self._src

            @property
            def NeuronDst(self):
                return self._dst

            @property
            def Weight(self):
                if self._dst is None:
                    return None
                layer = self._dst._layer
                if layer._nodes is None:
                    return (layer._w[self._index()] - 536870912) / 16777216
                return self._dst._w[self._place()]

        class Bias:
            """A constant input to neuronDst: value times weight; weight: random if None."""

            def __init__(self, neuronDst, value=1.0, weight=None, _view=False):
                self._dst = neuronDst
                if not _view:
                    weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
                    weight = _finite(weight, "Bias: weight")
                    neuronDst._set_bias(_finite(value, "Bias: value"), weight)

            def __eq__(self, other):
                return isinstance(other, MicroMLP.Bias) and self._dst == other._dst

            def __hash__(self):
                return hash(self._dst)

            def UpdateWeight(self, eta, alpha):
                bias = self._dst._get_bias()
                delta = eta * bias[0] * self._dst.ComputedSignalError
                self._dst._set_bias(bias[0], bias[1] + delta + alpha * bias[2], delta)

            def Remove(self):
                self._dst.SetBias(None)

            @property
            def NeuronDst(self):
                return self._dst

            @property
            def Value(self):
                bias = self._dst._get_bias()
                return bias and bias[0]

            @property
            def Weight(self):
                bias = self._dst._get_bias()
                return bias and bias[1]

        class Neuron:
            """A neuron of parentLayer, added at its end."""

            def __init__(self, parentLayer, _at=None):
                self._layer = parentLayer
                self._at = _at  # its index, while the net is fully connected
                if _at is None:
                    self._wire()
                    parentLayer.AddNeuron(self)

            def _wire(self):
                code = MicroMLP._Float
                self._src = []
                self._w = array(code)
                self._d = array(code)
                self._bias = None  # or [value, weight, last delta]
                self._values = array(code, [0.5, 0, 0, 0])
                self._outs = None  # destination, place there, destination, place ...

            def _value(self, k):
                """k: 0 output, 1 input, 2 error, 3 signal error."""
                layer = self._layer
                if layer is None or layer._nodes is not None:
                    return self._values[k]
                if layer._given:
                    return 0.0 if k else layer._given[self._at].AsAnalogSignal
                at = layer._n * k + self._at
                return layer._s[at] if layer._s and at < len(layer._s) else 0.0 if k else 0.5

            def _get_bias(self):
                layer = self._layer
                if layer is None or layer._nodes is not None:
                    return self._bias
                if layer._b is None:
                    return None
                at = self._at
                return layer._bias, layer._b[at], layer._db[at] if layer._db else 0.0

            def _set_bias(self, value, weight, delta=0.0):
                layer = self._layer
                if layer._nodes is None and (layer._b is None or value != layer._bias):
                    layer._net._by_hand()
                if layer._nodes is not None:
                    self._bias = [value, weight, delta]
                    return
                layer._b[self._at] = weight
                if delta:
                    layer._deltas()
                    layer._db[self._at] = delta

            def GetNeuronIndex(self):
                return self._layer.GetNeuronIndex(self)

            def GetInputConnections(self):
                layer = self._layer
                if layer._nodes is None:
                    src = layer._before().Neurons if layer._w else ()
                else:
                    src = self._src
                return [MicroMLP.Connection(s, self, None, i) for i, s in enumerate(src)]

            def GetOutputConnections(self):
                net = self._layer._net
                found = []
                for layer in net._layers:
                    if layer._nodes is None:
                        if layer._w and layer._before() is self._layer:
                            for dst in layer.Neurons:
                                found.append(MicroMLP.Connection(self, dst, None, self._at))
                    else:
                        for dst in layer._nodes:
                            for i, src in enumerate(dst._src):
                                if src is self:
                                    found.append(MicroMLP.Connection(self, dst, None, i))
                return found

            def AddInputConnection(self, connection):
                if connection not in self.GetInputConnections():
                    MicroMLP.Connection(connection.NeuronSrc, self, connection.Weight)

            def AddOutputConnection(self, connection):
                if connection not in self.GetOutputConnections():
                    MicroMLP.Connection(self, connection.NeuronDst, connection.Weight)

            def RemoveInputConnection(self, connection):
                connection.Remove()

            RemoveOutputConnection = RemoveInputConnection

            def SetBias(self, bias):
                if bias is not None:
                    if bias._dst != self:
                        self._set_bias(bias.Value, bias.Weight)
                elif self._get_bias():
                    self._layer._net._by_hand()
                    self._bias = None

            def GetBias(self):
                return MicroMLP.Bias(self, _view=True) if self._get_bias() else None

            def _put(self, k, value):
                layer = self._layer
                if layer is None or layer._nodes is not None:
                    self._values[k] = value
                    return
                if layer._given:
                    layer._keep()
                layer._state(4 if k else 1)[layer._n * k + self._at] = value

            def SetOutputNNValue(self, nnvalue):
                self._put(0, nnvalue.AsAnalogSignal)

            def ComputeOutput(self):
                s = 0.0
                if self._layer._nodes is not None:
                    w = self._w
                    k = 0
                    for src in self._src:
                        s += src._values[0] * w[k]
                        k += 1
                else:
                    for connection in self.GetInputConnections():
                        s += connection._src.ComputedOutput * connection.Weight
                bias = self._get_bias()
                if bias:
                    s += bias[0] * bias[1]
                self._put(1, s)
                f = self._layer._function
                if f:
                    self._put(0, f(s * self._layer._net.Gain))

            ComputeValue = ComputeOutput

            def ComputeError(self, targetNNValue=None):
                net = self._layer._net
                if targetNNValue:
                    error = targetNNValue.AsAnalogSignal - self.ComputedOutput
                else:
                    error = 0.0
                    if self._layer._nodes is not None:
                        net._route()
                        outs = self._outs
                        for i in range(0, len(outs), 2):
                            dst = outs[i]
                            error += dst._values[3] * dst._w[outs[i + 1]]
                    else:
                        for connection in self.GetOutputConnections():
                            error += connection._dst.ComputedSignalError * connection.Weight
                self._put(2, error)
                f = self._layer._function
                if f:
                    self._put(3, error * net.Gain * f(self._value(1), True))

            def Remove(self):
                net = self._layer._net
                net._by_hand()
                for layer in net._layers:
                    for dst in layer._nodes:
                        if self in dst._src:
                            keep = [i for i, src in enumerate(dst._src) if src is not self]
                            dst._src = [dst._src[i] for i in keep]
                            dst._w = array(net._Float, [dst._w[i] for i in keep])
                            dst._d = array(net._Float, [dst._d[i] for i in keep])
                self._src = []
                net._routed = False
                self._layer.RemoveNeuron(self)
                self._layer = None

            @property
            def ParentLayer(self):
                return self._layer

            @property
            def ComputedOutput(self):
                return self._value(0)

            @property
            def ComputedDeltaError(self):
                return self._value(2)

            @property
            def ComputedSignalError(self):
                return self._value(3)

            def _teach(self, eta, alpha):
                """Update the outgoing connections."""
                step = eta * self._values[0]
                outs = self._outs
                for i in range(0, len(outs), 2):
                    dst = outs[i]
                    at = outs[i + 1]
                    delta = step * dst._values[3]
                    dst._w[at] += delta + alpha * dst._d[at]
                    dst._d[at] = delta

        class Layer:
            """neuronsCount neurons with one activation, added at the net's end."""

            _nodes = None  # list of neurons, when wired by hand
            _w = _dw = _b = _bias = _db = _s = None
            _given = None  # the NNValues of an input layer, while nobody needs a copy
            _views = None  # neurons that were asked for, by index

            def __init__(self, parentMicroMLP, activationFuncName=None, neuronsCount=0):
                self._net = parentMicroMLP
                self._name = activationFuncName
                self._function = MicroMLP.GetActivationFunction(activationFuncName)
                if activationFuncName and not self._function:
                    raise ValueError('unknown activation function "%s"' % activationFuncName)
                self._n = neuronsCount
                parentMicroMLP.AddLayer(self)
                if parentMicroMLP._hand:
                    self._n = 0
                    self._nodes = []
                    for _ in range(neuronsCount):
                        MicroMLP.Neuron(self)

            def _before(self):
                layers = self._net._layers
                return layers[layers.index(self) - 1]

            def _deltas(self):
                """The last deltas of the weights; makes the biases', too."""
                if self._dw is None and self._w:
                    self._dw = _lasting("i", len(self._w))
                    for i in range(len(self._w)):
                        self._dw[i] = 536870912
                if self._db is None and self._b:
                    self._db = _lasting(MicroMLP._Float, self._n)
                return self._dw

            def _outputs(self):
                """A list of floats, so that they are not made anew for each weight."""
                if self._given:
                    return [value.AsAnalogSignal for value in self._given]
                return list(self._state(1)[:self._n])

            def _keep(self):
                """Copy the given inputs, to change one of them."""
                values = self._outputs()
                self._given = None
                for i, value in enumerate(values):
                    self._state(1)[i] = value

            def _state(self, kinds):
                """Outputs, inputs, errors, signal errors: the first so many of them."""
                if self._s is None:
                    self._s = _lasting(MicroMLP._Float, self._n)
                    for i in range(self._n):
                        self._s[i] = 0.5
                if len(self._s) < kinds * self._n:
                    self._s.extend(_zeros(MicroMLP._Float, kinds * self._n - len(self._s)))
                return self._s

            def _forward(self, x, training):
                n = self._n
                at = n if training else 0  # the sums are needed once more to learn
                s = self._state(2 if training else 1)
                f = self._function
                if not f:
                    return
                if self._w:
                    packed, factor = _pack(x)
                    sums = _zeros("i", 2 * n)
                    _dot(self._w, packed, len(packed), n, sums)
                    for j in range(n):
                        s[at + j] = (sums[2 * j] / 2048 + sums[2 * j + 1] / 67108864) * factor
                else:
                    for j in range(n):
                        s[at + j] = 0.0
                b = self._b
                gain = self._net.Gain
                for j in range(n):
                    z = s[at + j]
                    if b:
                        z += self._bias * b[j]
                        if training:
                            s[at + j] = z
                    s[j] = f(z * gain)

            def _signals(self, errors):
                n = self._n
                s = self._state(4)
                f = self._function
                gain = self._net.Gain
                for j in range(n):
                    error = errors[j]
                    s[2 * n + j] = error
                    if f:
                        s[3 * n + j] = error * gain * f(s[n + j], True)

            def _backward(self, src, last, eta, alpha):
                """Learn from the signal errors; hand the errors on unless src is the last."""
                n = self._n
                signals = list(self._s[3 * n:4 * n])
                deltas = self._deltas()
                back = _zeros("i", src._n)
                most = max(max(signals), -min(signals)) or 1.0
                if self._w:
                    packed, factor = _pack(src._outputs())
                    k = array("i", (src._n, n, int((alpha + 1) * 8388608 + 0.5), not last))
                    for signal in signals:
                        k.append(_weight(eta * signal * factor / 2))
                        k.append(int((signal / most + 1) * 8388608 + 0.5))
                    _learn(self._w, deltas, packed, k, back)
                if self._b:
                    for j in range(n):
                        delta = eta * self._bias * signals[j]
                        self._b[j] += delta + alpha * self._db[j]
                        self._db[j] = delta
                if not last:
                    src._signals([value * most / 1048576 for value in back])

            def GetLayerIndex(self):
                return self._net.GetLayerIndex(self)

            def GetNeuron(self, neuronIndex):
                if not 0 <= neuronIndex < self.NeuronsCount:
                    return None
                if self._nodes is not None:
                    return self._nodes[neuronIndex]
                if self._views is None:
                    self._views = {}
                if neuronIndex not in self._views:
                    self._views[neuronIndex] = MicroMLP.Neuron(self, neuronIndex)
                return self._views[neuronIndex]

            def GetNeuronIndex(self, neuron):
                if self._nodes is not None:
                    return self._nodes.index(neuron)
                if neuron._layer is not self:
                    raise ValueError("the neuron is not in this layer")
                return neuron._at

            def AddNeuron(self, neuron):
                self._net._by_hand()
                self._nodes.append(neuron)
                neuron._layer = self

            def RemoveNeuron(self, neuron):
                self._net._by_hand()
                self._nodes.remove(neuron)

            def _mean(self, square):
                n = self.NeuronsCount
                s = 0.0
                for neuron in range(n):
                    if self._nodes is not None:
                        error = self._nodes[neuron]._values[2]
                    else:
                        error = self._state(3)[2 * n + neuron]
                    s += error * error if square else abs(error)
                return s / n if n else 0

            def GetMeanSquareError(self):
                return self._mean(True)

            def GetMeanAbsoluteError(self):
                return self._mean(False)

            def GetMeanSquareErrorAsPercent(self):
                return round(self._mean(True) * 100 * 1000) / 1000

            def GetMeanAbsoluteErrorAsPercent(self):
                return round(self._mean(False) * 100 * 1000) / 1000

            def Remove(self):
                net = self._net
                net._by_hand()
                while self._nodes:
                    self._nodes[0].Remove()
                net.RemoveLayer(self)
                self._net = None

            @property
            def ParentMicroMLP(self):
                return self._net

            @property
            def ActivationFuncName(self):
                return self._name

            @property
            def Neurons(self):
                return [self.GetNeuron(i) for i in range(self.NeuronsCount)]

            @property
            def NeuronsCount(self):
                return self._n if self._nodes is None else len(self._nodes)

        class InputLayer(Layer):
            def __init__(self, parentMicroMLP, neuronsCount=0):
                super().__init__(parentMicroMLP, None, neuronsCount)

            def SetInputVectorNNValues(self, inputVectorNNValues):
                """False if the number of values is not the number of neurons."""
                if len(inputVectorNNValues) != self.NeuronsCount:
                    return False
                if self._nodes is None:
                    self._given = inputVectorNNValues
                else:
                    for i, neuron in enumerate(self._nodes):
                        neuron._values[0] = inputVectorNNValues[i].AsAnalogSignal
                return True

        class OutputLayer(Layer):
            def __init__(self, parentMicroMLP, activationFuncName, neuronsCount=0):
                super().__init__(parentMicroMLP, activationFuncName, neuronsCount)

            def GetOutputVectorNNValues(self):
                if self._nodes is None:
                    values = self._state(1)[:self._n]
                else:
                    values = [neuron._values[0] for neuron in self._nodes]
                return [MicroMLP.NNValue(0, 1, value) for value in values]

            def ComputeTargetLayerError(self, targetVectorNNValues):
                """False if the number of values is not the number of neurons."""
                n = self.NeuronsCount
                if len(targetVectorNNValues) != n:
                    return False
                if self._nodes is None:
                    s = self._state(1)
                    self._signals([targetVectorNNValues[i].AsAnalogSignal - s[i] for i in range(n)])
                else:
                    for i in range(n):
                        self._nodes[i].ComputeError(targetVectorNNValues[i])
                return True

        _Float = "d" if 1 + 1e-10 != 1 else "f"  # the machine's floats

        _hand = False  # wired by hand
        _routed = False  # the neurons' _outs are up to date
        _examples = ()
        SaveError = None

        def __init__(self):
            self._layers = []

        @staticmethod
        def Create(
            neuronsByLayers, activationFuncName, layersAutoConnectFunction=None, useBiasValue=1.0
        ):
            """A net of fully formed layers.

            activationFuncName: one for all layers, or a list of one for each but the first.
            Raises ValueError for fewer than two layers, an empty one, an unknown function.
            """
            if not neuronsByLayers or len(neuronsByLayers) < 2 or min(neuronsByLayers) < 1:
                raise ValueError("Create: neuronsByLayers needs two or more counts from 1 on")
            names = activationFuncName
            if isinstance(names, str) or not names:
                names = [names] * (len(neuronsByLayers) - 1)
            for name in names:
                if not MicroMLP.GetActivationFunction(name):
                    raise ValueError('unknown activation function "%s"' % name)
            if len(names) != len(neuronsByLayers) - 1:
                raise ValueError("Create: one activation function for each layer but the first")
            mlp = MicroMLP()
            before = MicroMLP.InputLayer(mlp, neuronsByLayers[0])
            for i, name in enumerate(names):
                kind = MicroMLP.OutputLayer if i == len(names) - 1 else MicroMLP.Layer
                layer = kind(mlp, name, neuronsByLayers[i + 1])
                if layersAutoConnectFunction:
                    layersAutoConnectFunction(before, layer)
                if useBiasValue:
                    if mlp._hand:
                        for neuron in layer._nodes:
                            MicroMLP.Bias(neuron, useBiasValue)
                    else:
                        layer._bias = useBiasValue
                        layer._b = _lasting(MicroMLP._Float, layer._n)
                        for j in range(layer._n):
                            layer._b[j] = MicroMLP.RandomNetworkWeight()
                before = layer
            return mlp

        @staticmethod
        def RandomFloat():
            return random()

        @staticmethod
        def RandomNetworkWeight():
            return (MicroMLP.RandomFloat() - 0.5) * 0.7

        @staticmethod
        def HeavisideActivation(x, derivative=False):
            return 1.0 if derivative or x >= 0 else 0.0

        @staticmethod
        def SigmoidActivation(x, derivative=False):
            e = exp(-abs(x))  # never overflows
            f = (1.0 if x >= 0 else e) / (1.0 + e)
            return f * (1.0 - f) if derivative else f

        @staticmethod
        def TanHActivation(x, derivative=False):
            f = 2.0 * MicroMLP.SigmoidActivation(2.0 * x) - 1.0
            return 1.0 - f * f if derivative else f

        @staticmethod
        def SoftPlusActivation(x, derivative=False):
            if derivative:
                return MicroMLP.SigmoidActivation(x)
            return max(x, 0.0) + log(1.0 + exp(-abs(x)))

        @staticmethod
        def ReLUActivation(x, derivative=False):
            if derivative:
                return 1.0 if x >= 0 else 0.0
            return max(0.0, x)

        @staticmethod
        def GaussianActivation(x, derivative=False):
            f = exp(-min(x * x, 1e4))
            return -2.0 * x * f if derivative else f

        @staticmethod
        def _connect(layerSrc, layerDst, scaled):
            if not layerSrc or not layerDst or layerSrc is layerDst:
                return
            n = layerSrc.NeuronsCount
            m = layerDst.NeuronsCount
            factor = 2.0 / 0.7 * sqrt(6.0 / (n + m)) if scaled else 1.0
            net = layerDst._net
            fresh = not net._hand and layerDst._w is None and layerSrc in net._layers
            fresh = fresh and n and m and layerDst is not net._layers[0]
            if fresh and layerDst._before() is layerSrc:
                layerDst._w = _lasting("i", n * m)
            else:
                net._by_hand()
            for i in range(n):
                for j in range(m):
                    weight = factor * MicroMLP.RandomNetworkWeight()
                    if net._hand:
                        MicroMLP.Connection(layerSrc._nodes[i], layerDst._nodes[j], weight)
                    else:
                        layerDst._w[j * n + i] = _weight(weight)

        @staticmethod
        def LayersFullConnect(layerSrc, layerDst):
            """Connect all with all, with random weights within +-0.35."""
            MicroMLP._connect(layerSrc, layerDst, False)

        @staticmethod
        def LayersFullConnectScaled(layerSrc, layerDst):
            """Connect all with all, with random weights within +-sqrt(6 / (inputs + outputs))."""
            MicroMLP._connect(layerSrc, layerDst, True)

        @staticmethod
        def GetActivationFunction(actFuncName):
            """The function of that name, None for another."""
            if actFuncName in ("Heaviside", "Sigmoid", "TanH", "SoftPlus", "ReLU", "Gaussian"):
                return getattr(MicroMLP, actFuncName + "Activation")
            return None

        def _by_hand(self):
            """Leave the arrays: make each neuron and its connections separate."""
            if self._hand:
                return
            before = None
            for layer in self._layers:
                nodes = layer.Neurons
                for i, neuron in enumerate(nodes):
                    values = [neuron._value(k) for k in range(4)]
                    bias = neuron._get_bias()
                    neuron._wire()
                    for k in range(4):
                        neuron._values[k] = values[k]
                    neuron._bias = bias and list(bias)
                    if layer._w:
                        neuron._src = list(before)  # type: ignore[call-overload]
                        n = len(before)  # type: ignore[arg-type]
                        for to, rows in ((neuron._w, layer._w), (neuron._d, layer._deltas())):
                            for value in rows[i * n:i * n + n]:
                                to.append((value - 536870912) / 16777216)
                before = nodes
            for layer in self._layers:  # only now: the views of a layer need it as it was
                layer._nodes = layer.Neurons
                layer._views = layer._given = None
                layer._w = layer._dw = layer._b = layer._db = layer._s = None
            self._hand = True

        def _route(self):
            """Let each neuron know where its outputs go."""
            if not self._routed:
                for layer in self._layers:
                    for neuron in layer._nodes:
                        neuron._outs = []
                for layer in self._layers:
                    for neuron in layer._nodes:
                        for i, src in enumerate(neuron._src):
                            src._outs.extend((neuron, i))
                self._routed = True

        def _simulate(self, inputs, targets=None, training=False):
            if not self.IsNetworkComplete or not self._layers[0].SetInputVectorNNValues(inputs):
                return False
            before = self._layers[0]
            for layer in self._layers[1:]:
                if self._hand:
                    for neuron in layer._nodes:
                        neuron.ComputeOutput()
                else:
                    layer._forward(before._outputs(), training)
                before = layer
            if not targets:
                return not training
            if not before.ComputeTargetLayerError(targets):
                return False
            if training:
                eta = self.Eta
                alpha = self.Alpha
                if not -1 <= alpha <= 1:
                    self._by_hand()
                if self._hand:
                    self._route()
                for i in range(len(self._layers) - 1, -1, -1):
                    layer = self._layers[i]
                    if not self._hand:
                        if i:
                            layer._backward(self._layers[i - 1], i == 1, eta, alpha)
                        continue
                    for neuron in layer._nodes:
                        if layer is not before:
                            if i:
                                neuron.ComputeError()
                            neuron._teach(eta, alpha)
                        bias = neuron._bias
                        if bias:
                            delta = eta * bias[0] * neuron._values[3]
                            bias[1] += delta + alpha * bias[2]
                            bias[2] = delta
            return True

        def GetLayer(self, layerIndex):
            return self._layers[layerIndex] if 0 <= layerIndex < len(self._layers) else None

        def GetLayerIndex(self, layer):
            return self._layers.index(layer)

        def AddLayer(self, layer):
            if layer._w or layer._nodes is not None:  # it was in use
                layer._net._by_hand()
                self._by_hand()
            self._layers.append(layer)
            layer._net = self

        def RemoveLayer(self, layer):
            self._by_hand()
            self._layers.remove(layer)
            self._routed = False

        def ClearAll(self):
            for layer in self._layers:
                for neuron in layer._nodes or (layer._views or {}).values():
                    neuron._layer = None
                layer._net = None
            self._layers = []
            self._hand = self._routed = False

        def GetInputLayer(self):
            if self._layers and type(self._layers[0]) is MicroMLP.InputLayer:
                return self._layers[0]
            return None

        def GetOutputLayer(self):
            if self._layers and type(self._layers[-1]) is MicroMLP.OutputLayer:
                return self._layers[-1]
            return None

        def Learn(self, inputVectorNNValues, targetVectorNNValues):
            """One step towards the targets; False if a vector's length is wrong."""
            return bool(targetVectorNNValues) and self._simulate(
                inputVectorNNValues, targetVectorNNValues, True
            )

        def Test(self, inputVectorNNValues, targetVectorNNValues):
            """Compute outputs and errors; False if a vector's length is wrong."""
            return bool(targetVectorNNValues) and self._simulate(
                inputVectorNNValues, targetVectorNNValues
            )

        def Predict(self, inputVectorNNValues):
            """The outputs as NNValues; None if the vector's length is wrong."""
            if self._simulate(inputVectorNNValues):
                return self._layers[-1].GetOutputVectorNNValues()
            return None

        def QLearningLearnForChosenAction(
            self, stateVectorNNValues, rewardNNValue, pastStateVectorNNValues, chosenActionIndex,
            terminalState=True, discountFactorNNValue=None,
        ):
            output = self.GetOutputLayer()
            if not output or not 0 <= chosenActionIndex < output.NeuronsCount:
                return False
            target = rewardNNValue.AsAnalogSignal
            if not terminalState:
                if not discountFactorNNValue or not self._simulate(stateVectorNNValues):
                    return False
                best = max([value.AsAnalogSignal for value in output.GetOutputVectorNNValues()])
                target += discountFactorNNValue.AsAnalogSignal * best
            targets = self.Predict(pastStateVectorNNValues)
            if not targets:
                return False
            targets[chosenActionIndex].AsAnalogSignal = target
            return self._simulate(pastStateVectorNNValues, targets, True)

        def QLearningPredictBestActionIndex(self, stateVectorNNValues):
            """Index of the best action; None if all values are 0 or the length is wrong."""
            values = [value.AsAnalogSignal for value in self.Predict(stateVectorNNValues) or ()]
            best = max(values) if values else 0
            return values.index(best) if best > 0 else None

        def AddExample(self, inputVectorNNValues, targetVectorNNValues):
            """Keep a pair for LearnExamples; False if a length is wrong."""
            if not inputVectorNNValues or not targetVectorNNValues or not self.IsNetworkComplete:
                return False
            if len(inputVectorNNValues) != self._layers[0].NeuronsCount:
                return False
            if len(targetVectorNNValues) != self._layers[-1].NeuronsCount:
                return False
            self._examples = self._examples or []
            self._examples.append((inputVectorNNValues, targetVectorNNValues))
            return True

        def ClearExamples(self):
            self._examples = ()

        def LearnExamples(
            self, maxSeconds=30, maxCount=None, stopWhenLearned=True, printMAEAverage=True
        ):
            """Learn examples drawn at random; return how many were learnt.

            Every tenth step all are tested; it ends when their mean MAE is at most
            CorrectLearnedMAE. random.seed makes it repeatable.
            """
            examples = self._examples
            count = 0
            end = time() + maxSeconds
            while examples and time() < end and (maxCount is None or count < maxCount):
                if not self.Learn(*examples[int(MicroMLP.RandomFloat() * len(examples))]):
                    return 0
                count += 1
                if (stopWhenLearned or printMAEAverage) and count % 10 == 0:
                    mae = 0.0
                    for inputs, targets in examples:
                        self.Test(inputs, targets)
                        mae += self.MAE
                    mae /= len(examples)
                    if printMAEAverage:
                        print("[ STEP : %d / ERROR : %s%% ]" % (count, round(mae * 100000) / 1000))
                    if stopWhenLearned and mae <= self.CorrectLearnedMAE:
                        break
            return count

        @property
        def Layers(self):
            return self._layers

        @property
        def LayersCount(self):
            return len(self._layers)

        @property
        def IsNetworkComplete(self):
            return self.GetInputLayer() is not None and self.GetOutputLayer() is not None

        def _error(name):
            return property(
                lambda self: (
                    getattr(self._layers[-1], name)()  # type: ignore[call-overload]
                    if self.IsNetworkComplete
                    else 0.0
                )
            )

        MSE = _error("GetMeanSquareError")
        MAE = _error("GetMeanAbsoluteError")
        MSEPercent = _error("GetMeanSquareErrorAsPercent")
        MAEPercent = _error("GetMeanAbsoluteErrorAsPercent")

        @property
        def ExamplesCount(self):
            return len(self._examples)

        def SaveToFile(self, filename):
            """Write the net as JSON, whole or not at all.

            False if that fails; `SaveError` then holds the exception, else None.
            """
            temporary = filename + ".tmp"
            try:
                with open(temporary, "w") as file:
                    self._write(file.write)
                getattr(os, "replace", os.rename)(temporary, filename)
                self.SaveError = None
            except (OSError, ValueError) as e:
                self.SaveError = e
                try:
                    os.remove(temporary)
                except OSError:
                    pass
            return self.SaveError is None

        def _write(self, write):
            def number(value):
                return "%.17g" % _finite(value, "a weight")

            places = {}
            if self._hand:
                for i, layer in enumerate(self._layers):
                    for j, neuron in enumerate(layer._nodes):
                        places[neuron] = i, j
            write('{"Eta": %s, "Alpha": %s, "Gain": %s, "Layers": [' % (
                number(self.Eta), number(self.Alpha), number(self.Gain)))
            for i, layer in enumerate(self._layers):
                func = '"%s"' % layer._name if layer._name else "null"
                write('%s{"Func": %s, "Neurons": [' % (", " if i else "", func))
                for j in range(layer.NeuronsCount):
                    if self._hand:
                        neuron = layer._nodes[j]
                        bias = neuron._bias
                        w = neuron._w
                    else:
                        bias = layer._b and (layer._bias, layer._b[j])
                        n = len(layer._w or ()) // layer._n
                        w = layer._w[j * n:j * n + n] if n else ()
                    write(", " if j else "")
                    if bias:
                        write('{"Bias": {"Val": %s, "Wght": ' % number(bias[0]))
                        write('%s}, "Conn": [' % number(bias[1]))
                    else:
                        write('{"Bias": null, "Conn": [')
                    for k in range(len(w)):
                        place = i - 1, k
                        if self._hand:
                            place = places.get(neuron._src[k])
                            if place is None:
                                raise ValueError("a connection comes from a layer that was removed")
                            weight = number(w[k])
                        else:  # 11 digits tell each of the integers
                            weight = "%.11g" % ((w[k] - 536870912) / 16777216)
                        write('%s{"LSrc": %d, "NSrc": %d, "Wght": %s}' % (
                            ", " if k else "", place[0], place[1], weight))
                    write("]}")
                write("]}")
            write("]}")

        @staticmethod
        def LoadFromFile(filename, exact=True):
            """The net in a JSON file. Raises OSError, or ValueError if it is none.

            exact: where floats are doubles, weights that the arrays of a fully connected
            net cannot hold to the last digit are kept as doubles, which is slower and larger.
            """
            with open(filename) as file:
                try:
                    return MicroMLP._from(_Reader(file).value(None, 0), exact)
                except (KeyError, TypeError, IndexError, AttributeError) as e:
                    raise ValueError("%s: not a MicroMLP network (%r)" % (filename, e))
                except ValueError as e:
                    raise ValueError("%s: %s" % (filename, e))

        @staticmethod
        def _from(o, exact):
            mlp = MicroMLP()
            exact = exact and MicroMLP._Float == "d"
            for name in ("Eta", "Alpha", "Gain"):
                setattr(mlp, name, _finite(o[name], name))
            layers = [(row["Func"], row["Neurons"]) for row in o["Layers"]]
            dense = True
            for i, (_, neurons) in enumerate(layers):
                common = neurons[0]["Bias"] if neurons else None
                for neuron in neurons:
                    bias = neuron["Bias"]
                    if bias:
                        _finite(bias["Wght"], "bias")
                        _finite(bias["Val"], "bias")
                    at, sources, weights = neuron["Conn"]
                    n = len(weights)
                    for k in range(n):
                        if at[k] >= len(layers) or sources[k] >= len(layers[at[k]][1]):
                            raise ValueError("layer %d is connected to no known neuron" % i)
                        dense = dense and i and at[k] == i - 1 and sources[k] == k
                        dense = dense and -31.9 < weights[k] < 31.9
                        if exact and dense:
                            dense = abs(weights[k] * 16777216 - round(weights[k] * 16777216)) < 0.01
                    if n != (len(layers[i - 1][1]) if i else 0) or bool(bias) != bool(common):
                        dense = False
                    elif bias and (not i or bias["Val"] != common["Val"]):
                        dense = False
            mlp._hand = not dense
            for i, (name, neurons) in enumerate(layers):
                n = len(neurons)
                if i == 0:
                    layer = MicroMLP.InputLayer(mlp, n)
                elif i == len(layers) - 1:
                    layer = MicroMLP.OutputLayer(mlp, name, n)
                else:
                    layer = MicroMLP.Layer(mlp, name, n)
                if dense and i and n:
                    sources = len(layers[i - 1][1])
                    layer._w = _lasting("i", sources * n)
                    if neurons[0]["Bias"]:
                        layer._bias = neurons[0]["Bias"]["Val"]
                        layer._b = array(mlp._Float, [neuron["Bias"]["Wght"] for neuron in neurons])
                    for j, neuron in enumerate(neurons):
                        for k, weight in enumerate(neuron["Conn"][2]):
                            layer._w[j * sources + k] = _weight(weight)
                        neuron["Conn"] = None  # lets the memory go
            for i, (_, neurons) in enumerate(layers if not dense else ()):
                for dst, neuron in zip(mlp._layers[i]._nodes, neurons):
                    if neuron["Bias"]:
                        dst._set_bias(neuron["Bias"]["Val"], neuron["Bias"]["Wght"])
                    for at, source, weight in zip(*neuron["Conn"]):
                        MicroMLP.Connection(mlp._layers[at]._nodes[source], dst, weight)
            return mlp

    class _Reader:
        """Reads a network's JSON in small pieces; connections go straight to arrays."""

        def __init__(self, file):
            self._file = file
            self._text = ""
            self._at = 0

        def _more(self):
            more = self._file.read(512)
            if not more:
                raise ValueError("the JSON is cut")
            self._text = self._text[self._at:] + more
            self._at = 0

        def _peek(self):
            while True:
                while self._at < len(self._text):
                    c = self._text[self._at]
                    if c not in " \t\r\n":
                        return c
                    self._at += 1
                self._more()

        def _until(self, ends):
            """The text up to the first of these characters."""
            while True:
                found = [i for i in [self._text.find(c, self._at) for c in ends] if i >= 0]
                if found:
                    start = self._at
                    self._at = min(found)
                    return self._text[start:self._at]
                if len(self._text) - self._at > 4096:
                    raise ValueError("not a MicroMLP network")
                self._more()

        def _rest(self, end):
            """After an item: false at the end, else past the comma."""
            c = self._peek()
            self._at += 1
            if c != "," and c != end:
                raise ValueError('"%s" in the JSON where "," or "%s" should be' % (c, end))
            return c == ","

        def value(self, key, depth):
            """The next value. key: the name it goes by."""
            if depth > 6:
                raise ValueError("the JSON is nested too deep")
            c = self._peek()
            if c == "{":
                return self._object(depth)
            if c == "[":
                return self._connections() if key == "Conn" else self._list(depth)
            return loads(self._until(",]}"))

        def _list(self, depth):
            self._at += 1
            items = []
            if self._peek() == "]":
                self._at += 1
                return items
            items.append(self.value(None, depth + 1))
            while self._rest("]"):
                items.append(self.value(None, depth + 1))
            return items

        def _object(self, depth):
            self._at += 1
            items = {}
            if self._peek() == "}":
                self._at += 1
                return items
            while True:
                key = loads(self._until(":"))
                self._at += 1
                items[key] = self.value(key, depth + 1)
                if not self._rest("}"):
                    return items

        def _connections(self):
            self._at += 1
            layers = array("H")
            sources = array("H")
            weights = array(MicroMLP._Float)
            if self._peek() == "]":
                self._at += 1
                return layers, sources, weights
            while True:
                if self._peek() != "{":
                    raise ValueError("a connection in the JSON is no object")
                o = loads(self._until("}") + "}")
                self._at += 1
                if not 0 <= o["LSrc"] < 65536 or not 0 <= o["NSrc"] < 65536:
                    raise ValueError("a connection's LSrc or NSrc is out of range")
                layers.append(o["LSrc"])
                sources.append(o["NSrc"])
                weights.append(_finite(o["Wght"], "weight"))
                if not self._rest("]"):
                    return layers, sources, weights

    if not _CPYTHON:
        del Engine, _push, _normalise, _infer, _softmax, _expand  # the first import has them
