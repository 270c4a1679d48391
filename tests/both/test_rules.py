"""Rule gestures: each movement gives its one event, others give none; the network goes first."""
from array import array

import micropython

from feedback.rule_list import RULES, parse
from feedback.rules import NONE, Rules

G = 8192  # counts at 4 g
REST = (0, 0, G)


class Hand:
    """Frames at 100 Hz for Rules; `events` are (name, index) as they become due."""

    def __init__(self, text, rate_hz=100, accel_g=4):
        self.rules = Rules(text, rate_hz, accel_g)
        self.row = array("h", bytes(12))
        self.index = 0
        self.events = []

    def go(self, *frames):
        rules, row = self.rules, self.row
        for frame in frames:
            for i in range(3):
                row[i] = max(-32768, min(32767, frame[i]))
            micropython.heap_lock()
            try:
                rules.push(row, 0, self.index)
                due = rules.take()
            finally:
                micropython.heap_unlock()
            if due != NONE:
                self.events.append((rules.names[due], rules.index))
            self.index += 1
        return self

    def rest(self, n=150):
        return self.go(*[REST] * n)

    def tap(self):
        return self.go((0, 0, 3 * G), (0, 0, -G // 2), (0, 0, 5 * G // 4))

    def shake(self, times=4, size=2 * G):
        for _ in range(times):
            self.go(*[(size, 0, G)] * 12).go(*[(-size, 0, G)] * 12)
        return self

    def names(self):
        return [name for name, _ in self.events]


ALL = "tap,double_tap,shake,face_down,free_fall"


def test_each_movement_is_one_event():
    assert Hand(ALL).rest().tap().rest().names() == ["tap"]
    assert Hand(ALL).rest().tap().rest(20).tap().rest().names() == ["double_tap"]
    assert Hand(ALL).rest().shake().rest().names() == ["shake"]
    assert Hand(ALL).rest().shake(30).rest().names() == ["shake"]
    assert Hand(ALL).rest().go(*[(0, 0, -G)] * 200).names() == ["face_down"]
    falling = Hand(ALL).rest().go(*[(100, 50, 200)] * 40).go((0, 0, 4 * G)).rest()
    assert falling.names() == ["free_fall"]


def test_a_rule_that_is_off_says_nothing():
    for off in RULES:
        on = ",".join(name for name in RULES if name != off)
        hand = Hand(on).rest().tap().rest().tap().rest(20).tap().rest().shake().rest()
        hand.go(*[(0, 0, -G)] * 200).rest().go(*[(0, 0, 200)] * 40).rest()
        assert off not in hand.names(), off
        assert len(hand.names()) >= 4, (off, hand.names())


def test_what_only_resembles_them_is_nothing():
    slow = Hand(ALL).rest()  # turned back and forth, without force
    for i in range(300):
        a = i % 100
        slow.go((80 * (a if a < 50 else 100 - a), 0, G))
    assert slow.rest().names() == []
    assert Hand("shake").rest().shake(1).rest().names() == []  # too few turns
    assert Hand(ALL).rest().shake(4, G // 2).rest().names() == []  # too weak
    for size, n in ((2 * G, 5), (4 * G, 3)):  # knocks, one after the other
        assert knocks(Hand("shake").rest(), size, n).rest().names() == []
    walk = Hand("shake")
    for _ in range(20):  # in full swing, as one walks: there was no calm before it
        walk.go(*[(G // 2, 0, G)] * 20).go(*[(-G // 2, 0, G)] * 20)
    assert walk.shake().rest().names() == []
    assert walk.rest().shake().rest().names() == ["shake"]
    down = [(0, 0, G - i * G // 5) for i in range(5)]
    hop = Hand(ALL).rest().go(*down).go(*[(0, 0, 100)] * 10).go(*down[::-1])
    assert hop.rest().names() == []
    moved = Hand("tap,double_tap").rest().tap().tap().tap().tap().tap()
    assert moved.rest().names() == []
    assert Hand(ALL).go(*[(0, 0, -G)] * 300).names() == []  # it always lay so


def knocks(hand, size, n):
    for _ in range(6):
        hand.go(*[(size, 0, G)] * n).go(*[(-size, 0, G)] * n).rest(10)
    return hand


def test_face_down_again_only_after_it_was_lifted():
    hand = Hand("face_down").rest().go(*[(0, 0, -G)] * 200)
    hand.go(*[(0, G // 2, -G * 7 // 8)] * 50).go(*[(0, 0, -G)] * 200)
    assert hand.names() == ["face_down"]
    assert hand.rest().go(*[(0, 0, -G)] * 200).names() == ["face_down"] * 2
    tilted = (0, G * 64 // 100, -G * 77 // 100)  # 40 degrees
    assert Hand("face_down").rest().go(*[tilted] * 200).names() == []
    assert Hand("face_down=45").rest().go(*[tilted] * 200).names() == ["face_down"]


def test_the_network_goes_before_a_rule_of_the_same_movement():
    hand = Hand("tap").rest().tap().rest(30)
    assert hand.rules.network() and hand.rest().names() == [] and hand.rules.yielded <= 1
    hand.rest().shake()
    shake = Hand("shake").rest().shake()
    assert shake.rules.network() and shake.rest().names() == []
    assert shake.rules.yielded == 1 and shake.shake().rest().names() == ["shake"]


def test_after_a_rule_the_network_has_nothing_to_add():
    hand = Hand("shake").rest().shake().rest(45)
    assert hand.names() == ["shake"]
    assert not hand.rules.network() and hand.rules.silenced == 1
    assert hand.rest().rules.network()
    counters = {}
    hand.rules.counters(counters)
    assert counters == {"rules_yielded": 0, "rules_silenced": 1}


def test_with_both_neither_waits():
    hand = Hand("shake,both").rest().shake()
    assert hand.names() == ["shake"] and hand.rules.network()
    assert Hand("shake").rest().shake().names() == []


def test_a_gap_parts_movements():
    hand = Hand("double_tap,tap").rest().tap().rest(20)
    hand.rules.push(hand.row, 50, hand.index)
    assert hand.rest().tap().rest().names() == ["tap"]


def test_other_rates_and_ranges():
    for rate_hz, accel_g in ((50, 2), (200, 16), (104, 8)):
        g = 32768 // accel_g
        hand = Hand("shake,free_fall", rate_hz, accel_g)
        n = 3 * rate_hz // 2
        hand.go(*[(0, 0, g)] * n)
        for _ in range(4):
            hand.go(*[(2 * g, 0, g)] * (12 * rate_hz // 100))
            hand.go(*[(-2 * g, 0, g)] * (12 * rate_hz // 100))
        hand.go(*[(0, 0, g)] * n).go(*[(0, 0, 0)] * (rate_hz // 3)).go(*[(0, 0, g)] * n)
        assert hand.names() == ["shake", "free_fall"], (rate_hz, accel_g, hand.names())


def test_the_setting():
    assert parse("") == ({}, False)
    assert parse(" tap , shake=2000,both") == ({"tap": 900, "shake": 2000}, True)
    for text, said in (
        ("tip", "rules: no rule is called 'tip'; there are double_tap, face_down"),
        ("tap=5", "rules: tap must be 200 to 16000 mg, not '5'"),
        ("tap=", "rules: tap must be"),
        ("face_down=90", "rules: face_down must be 5 to 60 degrees, not '90'"),
        ("shake=1.5", "rules: shake must be"),
        ("both", "rules: both needs a rule"),
        ("both=1,tap", "rules: no rule is called 'both'"),
    ):
        try:
            parse(text)
        except ValueError as fault:
            assert str(fault).startswith(said), fault
        else:
            raise AssertionError(text)
