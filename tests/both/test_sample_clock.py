"""The sample clock against sensors whose true times are known."""
from sensing.sample_clock import SampleClock

WRAP = 0x3FFFFFFF


class Sensor:
    """Sample k is taken at first_us + k * period_us; looks come from a small random generator."""

    def __init__(self, period_us, first_us=5_000, seed=1):
        self.period = period_us  # times 1000, to stay an integer: ns
        self.first = first_us
        self.seed = seed

    def random(self, below):
        self.seed = (self.seed * 1103515245 + 12345) & 0x3FFFFFFF
        return (self.seed >> 8) % below

    def taken_us(self, k):
        return self.first + k * self.period // 1000

    def newest(self, now_us):
        k = (now_us - self.first) * 1000 // self.period
        while self.taken_us(k + 1) <= now_us:
            k += 1
        while k >= 0 and self.taken_us(k) > now_us:
            k -= 1
        return k if now_us >= self.first else -1


def follow(sensor, clock, until_us, check, start_us=0, wait_us=20_000, lost=()):
    """Look as the sampler does; check(now_us, look's answer). lost: samples that vanish."""
    now = start_us
    seen = now
    started = False
    gone = 0  # samples lost and accounted for
    while now < until_us:
        before = now
        moment = now + sensor.random(100)
        after = moment + 30 + sensor.random(90)
        newest = sensor.newest(moment)
        missing = sum(1 for k in lost if k <= newest) - gone
        if not started:
            if newest >= 0:
                clock.start(newest, before & WRAP, after & WRAP, seen & WRAP)
                started = True
            else:
                seen = before
        else:
            answer = clock.look(before & WRAP, after & WRAP, newest - missing)
            if answer > 0:
                gone += answer
                clock.accept()
            check(after, answer, missing)
        now = after
        if started and clock.settled and not clock.unsure:
            now += clock.wait_us(now & WRAP, wait_us) // 1000 * 1000 + 1000 - sensor.random(1000)
        else:
            now += 1000 + sensor.random(300)


def error_us(sensor, clock, now):
    """How far the clock is off for its newest sample."""
    return clock.age_us(clock.index, now & WRAP) - (now - sensor.taken_us(clock.index))


def learn(off_ppm):
    sensor = Sensor(10_000_000 - 10 * off_ppm, seed=7 + off_ppm)
    clock = SampleClock(10_000)
    worst = [0, 0]

    def check(now, answer, missing):
        assert answer == 0
        late = now > 1_000_000
        worst[late] = max(worst[late], abs(error_us(sensor, clock, now)))

    follow(sensor, clock, 90_000_000, check)
    return worst, clock.period_1024 * 1000 / (sensor.period * 1024) - 1


def test_learns_period_and_keeps_times_to_a_millisecond():
    for off_ppm in (-10_000, -300, 0, 2_000, 10_000):
        worst, period_error = learn(off_ppm)
        assert worst[0] <= 1_000, worst
        assert worst[1] <= 700, worst
        assert abs(period_error) < 40e-6  # 30 ppm is the least that the clock admits to


def test_times_do_not_drift_over_an_hour():
    sensor = Sensor(10_073_211)
    clock = SampleClock(10_000)
    worst = [0, 0]
    errors = []  # of t_ms: what it is off by at first stays, and must not grow

    def check(now, answer, missing):
        assert answer == 0
        error = clock.t_ms(clock.index) * 1000 - (sensor.taken_us(clock.index) - sensor.taken_us(0))
        worst[0] = max(worst[0], abs(error))
        if now > 60_000_000:
            errors.append(error)
            worst[1] = max(worst[1], abs(error_us(sensor, clock, now)))

    follow(sensor, clock, 3_600_000_000, check, wait_us=600_000)
    assert worst[0] <= 1_500  # half a one for the rounding, one for sample 0
    assert worst[1] <= 1_000
    tenth = len(errors) // 10
    assert abs(sum(errors[-tenth:]) - sum(errors[:tenth])) <= 200 * tenth


def keep_up(period_us):
    sensor = Sensor(period_us * 1004, first_us=3_000_000)
    clock = SampleClock(period_us)
    settled = [0]

    def check(now, answer, missing):
        assert answer == 0
        # An unknown phase is known to half a period at worst.
        most = 800 if settled[0] else max(800, period_us // 2)
        assert abs(error_us(sensor, clock, now)) <= most
        settled[0] += clock.settled

    follow(sensor, clock, 20_000_000, check, start_us=2_990_000)
    return settled[0]


def test_every_rate():
    for period_us in (1_000, 2_000, 5_000, 20_000, 250_000):
        assert keep_up(period_us), period_us


def test_ticks_may_wrap_anywhere():
    sensor = Sensor(10_040_000, first_us=WRAP - 5_000_000)
    clock = SampleClock(10_000)

    def check(now, answer, missing):
        assert answer == 0
        error = clock.age_us(clock.index, now & WRAP) - (now - sensor.taken_us(clock.index))
        assert abs(error) <= 1_500

    follow(sensor, clock, WRAP + 5_000_000, check, start_us=WRAP - 5_020_000)
    assert sensor.newest(WRAP + 5_000_000) - clock.index < 100


def lose(seed):
    sensor = Sensor(10_030_000, seed=seed)
    clock = SampleClock(10_000)
    lost = [400 + 83 * k + sensor.random(40) for k in range(6)]
    lost += [k + 1 for k in lost[3:]]
    found = [0]

    def check(now, answer, missing):
        assert answer >= 0
        if answer:
            assert answer == missing
            found[0] += answer
        elif missing:
            # Not noticed yet: then nothing may be handed on for good.
            assert clock.unsure or now - sensor.taken_us(clock.index) < 60_000

    follow(sensor, clock, 15_000_000, check, lost=lost)
    return len(lost), found[0]


def test_a_sample_that_vanishes_is_counted_before_the_next_is_believed():
    for seed in range(12):
        lost, found = lose(seed)
        assert lost == found


def test_more_samples_than_there_can_be():
    clock = SampleClock(10_000)
    clock.start(0, 900, 1_000, 0)
    assert clock.look(50_000, 50_100, 5) == 0
    assert clock.look(60_000, 60_100, 9) < 0


def test_a_sensor_that_changes_its_speed_is_followed():
    clock = SampleClock(10_000)
    sensor = Sensor(10_000_000)

    def check(now, answer, missing):
        assert answer == 0

    follow(sensor, clock, 20_000_000, check)
    # 0.2 % slower at once, as no temperature could make it
    slower = Sensor(10_020_000, first_us=sensor.taken_us(2000) - 2000 * 10_020)
    now = 20_020_000
    while now < 40_000_000:
        newest = slower.newest(now)
        assert clock.look(now & WRAP, (now + 100) & WRAP, newest) == 0
        now += 1_100 if clock.unsure else 23_700
    error = clock.age_us(clock.index, now & WRAP) - (now - slower.taken_us(clock.index))
    assert abs(error) <= 1_500


def test_locate_tells_the_index_after_a_pause_or_that_it_cannot():
    sensor = Sensor(10_050_000)
    clock = SampleClock(10_000)
    follow(sensor, clock, 30_000_000, lambda now, answer, missing: None)
    told = untold = 0
    for k in range(300):
        now = 30_500_000 + k * 1_313
        newest = clock.locate(now & WRAP, (now + 120) & WRAP, True)
        if newest < 0:
            untold += 1
            nearest = clock.locate(now & WRAP, (now + 120) & WRAP, False)
            assert nearest - sensor.newest(now) in (0, 1)
        else:
            told += 1
            assert newest == sensor.newest(now) == sensor.newest(now + 120)
    assert told > 240
    assert untold  # some of these looks do lie on an edge


def test_rest_keeps_up_over_an_outage_of_hours():
    sensor = Sensor(10_000_000)
    clock = SampleClock(10_000)
    follow(sensor, clock, 10_000_000, lambda now, answer, missing: None)
    now = 10_000_000
    for _ in range(20):
        now += 600_000_000
        clock.pass_time(now & WRAP)
    nearest = clock.locate(now & WRAP, now & WRAP, False)
    assert abs(nearest - sensor.newest(now)) <= 40  # 30 ppm of 1.2 million samples
    assert abs(clock.t_ms(nearest) - now // 1000) < 400


def test_forget_gives_a_new_phase_but_keeps_counting():
    sensor = Sensor(10_000_000)
    clock = SampleClock(10_000)
    follow(sensor, clock, 5_000_000, lambda now, answer, missing: None)
    clock.forget()
    assert not clock.known and not clock.narrow
    newest = clock.guess(5_400_000, 5_400_100, 5_399_000)
    assert newest == 539  # 5.39495 s after sample 0
    clock.start(newest, 5_400_000, 5_400_100, 5_399_000)
    assert clock.known
    assert abs(clock.age_us(newest, 5_400_100) - 550) <= 550
    assert abs(clock.t_ms(newest) - 5_394) <= 2


def test_guess_is_the_nearest_whole_number_of_periods():
    sensor = Sensor(10_000_000)
    clock = SampleClock(10_000)
    follow(sensor, clock, 5_000_000, lambda now, answer, missing: None)
    clock.forget()
    for late_us in range(0, 10_000, 500):
        now = 6_000_000 + late_us
        newest = clock.guess(now - 100, now, now - 1_000)
        assert abs((now - 500) - sensor.taken_us(newest)) <= 5_000 + 500


def test_refuses_a_period_that_cannot_be():
    for bad in (0, 999, 256_001, -10_000):
        try:
            SampleClock(bad)
        except ValueError as e:
            assert str(bad) in str(e)
        else:
            raise AssertionError(bad)


def test_allocates_nothing():
    import micropython

    sensor = Sensor(10_030_000)
    clock = SampleClock(10_000)
    follow(sensor, clock, 3_000_000, lambda now, answer, missing: None)
    times = [(3_010_000 + 23_700 * k) for k in range(40)]
    newest = [sensor.newest(now) for now in times]
    micropython.heap_lock()
    try:
        for k in range(40):
            now = times[k]
            clock.look(now & WRAP, (now + 100) & WRAP, newest[k])
            clock.age_us(newest[k], now & WRAP)
            clock.wait_us((now + 100) & WRAP, 20_000)
    finally:
        micropython.heap_unlock()
    assert abs(clock.age_us(newest[-1], now & WRAP) - (now - sensor.taken_us(newest[-1]))) < 1_500
