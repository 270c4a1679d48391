"""An integer engine that classifies windows of sensor frames.

    engine = Engine.load("gesture.mlp")
    if engine.push(frame):              # six int16 counts: ax ay az gx gy gz
        label = engine.labels[engine.infer()]

`Engine` runs a quantised network from one model file in one block of memory.
It uses no floats, allocates nothing after loading, and gives the same integers
on every machine. docs/model-file.md describes the file, docs/microMLP.md the
interface. `host_tools.model.reference` computes the same sums with NumPy.
microMLP_loader.py, which lies beside it, checks a file and lays out the memory.
"""

import sys
from array import array

if sys.implementation.name == "micropython":
    import micropython
    from micropython import const
else:  # the same viper functions, slowly
    from viper import const, micropython, ptr8, ptr16, ptr32, uint


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
_STRIDE = const(18)  # values per frame; even in the fast form
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
_PERCENT = const(40)  # 0 to 100, or one of the three below
_FAST = const(41)
_KNOWN = const(42)  # the first layer is dense, and reads all of the window
_TOTAL = const(43)  # sum of the window's unsigned values, kept if _KNOWN
_LEVELLED = const(44)  # 1: windows are levelled
_TURN_MUL = const(45)
_TURN_SHIFT = const(46)
_UP = const(47)  # 3 words
_ACTIVITY = const(50)  # byte offset of the words of activity, 0: it is not measured
_FIRST = const(51)  # layers' words start here

# _PERCENT before the shares are made: of a window that was inferred, that is still, of none
_RAN = const(255)
_STILL = const(254)
_NONE = const(253)

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

# Words of activity
_ACCEL_MUL = const(0)
_ACCEL_SHIFT = const(1)
_GYRO_MUL = const(2)
_GYRO_SHIFT = const(3)
_LAG = const(4)
_WAKE_AT = const(5)
_AWAKE_FRAMES = const(6)
_SEEN = const(7)  # frames in the ring, at most _LAG
_AT = const(8)  # its oldest frame
_NOW = const(9)  # of the last frame
_AWAKE = const(10)  # frames for which the network goes on running
_RECENT = const(11)  # the greatest since the last window
_OF_WINDOW = const(12)
_RING = const(13)  # 3 x int16 for each of _LAG frames


@micropython.viper
def _push(a: ptr32, frame: ptr16) -> int:
    """Add one raw frame: 1 when it completes one of the window's frames, 2 a window that is due.

    The frame's values are left in _MEANS.
    """
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
        return 0
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
        k = _MEANS + i
        st[k] = v
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
            return 1
    k = _STATUS
    st[k] = 1
    k = _WAIT
    if st[k] > 1:
        st[k] = st[k] - 1
        return 1
    st[k] = st[_HOP]
    return 2


# docs/model-file.md describes it. No component is beyond 8191, so that six squares stay in
# 30 bits.
@micropython.viper
def _measure(a: ptr32, due: int):
    """How much the hand moves in the frame that _push has added; sleep when it rests."""
    st = ptr32(uint(a) + a[0])
    ac = ptr32(uint(a) + st[_ACTIVITY])
    low = 65535
    low = low << 16 | low
    half = low ^ low >> 1
    axes = st[_AXES]
    rec = ptr32(uint(a) + st[_RECORDS])
    lag = ac[_LAG]
    at = ac[_AT]
    seen = ac[_SEEN]
    ring = ptr16(uint(ac) + _RING * 4 + at * 6)
    s = 0
    i = 0
    while i < axes:
        v = (st[_MEANS + i] & low ^ half) - half
        if ((rec[2 * i + 1] >> 24) & 7) < 3:
            k = ring[i] - 32768
            ring[i] = v + 32768
            v = v - k
            if seen < lag:
                v = 0
            v = v * ac[_ACCEL_MUL] >> ac[_ACCEL_SHIFT]
        else:
            v = v * ac[_GYRO_MUL] >> ac[_GYRO_SHIFT]
        if v > 8191:
            v = 8191
        if v < 0 - 8191:
            v = 0 - 8191
        s += v * v
        i += 1
    at += 1
    if at == lag:
        at = 0
    k = _AT
    ac[k] = at
    k = _SEEN
    if seen < lag:
        ac[k] = seen + 1
    i = 0  # the root, rounded down
    at = 16384
    while at:
        v = i + at
        if v * v <= s:
            i = v
        at >>= 1
    i >>= 2
    k = _NOW
    v = i + ac[k] >> 1
    ac[k] = i
    k = _AWAKE
    if v >= ac[_WAKE_AT]:
        ac[k] = ac[_AWAKE_FRAMES]
    else:
        if ac[k]:
            ac[k] = ac[k] - 1
    if ac[_AWAKE_FRAMES]:
        if ac[k] == 0:
            k = _STATUS
            if st[k]:
                st[k] = 2
    k = _RECENT
    if v < ac[k]:
        v = ac[k]
    if st[_FILLED] + st[_HOP] <= st[_WINDOW]:  # of the first window, too, only the last hop counts
        v = 0
    ac[k] = v
    if due == 2:
        ac[k] = 0
        k = _OF_WINDOW
        ac[k] = v


# Angles and directions are Q14: 16384 is 1. host_tools/model/attitude.py says what it
# is for, and does the same with NumPy. No sum here leaves 31 bits.
@micropython.viper
def _level(a: ptr32):
    """Copy the window to the first layer's input, as if the sensor had not been turned in it."""
    st = ptr32(uint(a) + a[0])
    if st[_STATUS] != 1:
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
    if st[_STATUS] != 1:
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
    if gates:
        if moving == 0:
            k = _STATUS
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
        st[k] = _NONE
        if status == 2:
            st[k] = _STILL
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
    st[k] = _RAN
    return best


@micropython.viper
def _softmax(a: ptr32, scores: ptr32, parts: ptr16, shares: ptr8) -> int:
    """Softmax of all scores, in percent, and of the best one.

    2**-f for f in [0, 1) is taken as 1 - 0.67157 f + 0.17157 f**2: exact at
    0, 1/2 and 1, within 0.4 % between.
    """
    st = ptr32(uint(a) + a[0])
    low = 65535
    low = low << 16 | low
    half = low ^ low >> 1
    classes = st[_CLASSES]
    shift = st[_LOGIT_SHIFT]
    k = _PERCENT
    if st[k] != _RAN:
        best = 0
        if st[k] == _STILL:
            best = 100
        st[k] = best
        j = 0
        while j < classes:
            shares[j] = 0
            j += 1
        j = st[_IDLE]
        shares[j] = best
        return best
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
        s = 0
        if v < 16:
            s = (32768 - 86 * f + (22 * f * f >> 8)) >> v
        parts[j] = s
        total += s
        j += 1
    f = total >> 1
    j = 0
    while j < classes:
        shares[j] = (100 * parts[j] + f) // total
        j += 1
    v = (100 * 32768 + f) // total
    st[k] = v
    return v


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


class Engine:
    """Classify windows of sensor frames with the network of a model file.

    model: the bytes of a model file; `Engine.load` reads one from a path.
    Raises ModelError for anything but a whole, sound model of version 1 or 2.

    rate_hz, accel_g, gyro_dps: how the sensor must be set.
    axes: bit mask of the axes in use, bit 0 ax ... bit 5 gz.
    decimation: raw frames summed to one of the window's frames.
    window, hop: frames (after decimation) a window and between windows.
    labels: tuple of str; idle: index of the label that means "no gesture".
    debounce: 8 ints 0..255 for the rule that counts windows, as in docs/model-file.md.
    decision: settings of the rule on shares, in the order of `ShareDebouncer`; or None.
    model_id: 8 hexadecimal digits, the file's CRC-32.
    notes: str, what the model was trained on.
    scores: array('i'), one score a class, of the last `infer`.
    """

    def __init__(self, model, _path=None):
        import microMLP_loader as loader  # here, so that a board can drop it afterwards

        try:
            if _path:
                arena, size = loader.read(_path)
            else:
                size, work = loader.sizes(model, len(model))
                arena = bytearray(size + work)
                arena[:size] = model[:size]
            self._set_up(arena, size, loader)
        except ValueError as fault:  # the loader knows no other, as it is below this module
            raise ModelError(str(fault))

    @classmethod
    def load(cls, path):
        """Read a model file. Raises ModelError, or OSError if it cannot be read."""
        return cls(None, path)

    def _set_up(self, arena, size, loader):
        state, measures, self._levelled, self._prepared, golden = loader.lay_out(
            self, arena, size, (_FIRST, _LAYER_WORDS, _RING), _expand
        )
        self.buffer = arena
        self._state = state
        self._percent = state + 4 * _PERCENT
        self._measures = measures
        classes = len(self.labels)
        self._parts = array("H", [0] * classes)
        self._shares = bytearray(classes)
        self.scores = array("i", [0] * classes)
        loader.check(self, *golden)
        self.reset()

    def reset(self):
        """Forget all frames, as after a gap; `push` is true again a window later."""
        arena = self.buffer
        for i in range(self._state, self._state + 4 * _MEANS):
            arena[i] = 0
        arena[self._percent] = _NONE
        if self._measures:
            for i in range(self._measures + 4 * _SEEN, self._measures + 4 * _RING):
                arena[i] = 0

    def push(self, frame):
        """Add a raw frame; true when a window is complete and due by `hop`.

        frame: buffer of 6 int16, ax ay az gx gy gz in counts at the model's
        ranges, one each sample period. Raises ValueError for another length.
        """
        if len(frame) != 6:
            raise ValueError("a frame has 6 values, not %d" % len(frame))
        done = _push(self.buffer, frame)
        if done and self._measures:
            _measure(self.buffer, done)
        return done > 1

    def infer(self):
        """Classify the last window: fill `scores`, return the index of the best.

        `idle`, with scores of 0, for a still window or while the hand rests
        (confidence 100), and before the first whole one (confidence 0).
        """
        if self._levelled:
            _level(self.buffer)
        if self._prepared:
            _normalise(self.buffer)
        return _infer(0, 0, self.buffer, self.scores)

    @property
    def confidence(self):
        """Softmax of the class that `infer` returned last, in percent."""
        percent = self.buffer[self._percent]
        if percent > 100:
            return _softmax(self.buffer, self.scores, self._parts, self._shares)
        return percent

    @property
    def shares(self):
        """Softmax of every class in percent, of the window that `infer` classified last.

        A bytearray of the engine, which the next window overwrites.
        """
        if self.buffer[self._percent] > 100:
            _softmax(self.buffer, self.scores, self._parts, self._shares)
        return self._shares

    @property
    def activity(self):
        """How much the hand moves, in 1/16 of a resting hand's limit: at most 5015.

        The greatest of the last `hop` frames when the last window was due; 0 if the
        model does not measure it.
        """
        at = self._measures + 4 * _OF_WINDOW
        return self.buffer[at] | self.buffer[at + 1] << 8 if self._measures else 0
