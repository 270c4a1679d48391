"""A task that is stopped for a while, however short that is."""

import asyncio

from ops.pausable import Pausable


def run(steps):
    """What was going on after each step, of a task that counts its turns: whether it works."""

    async def main():
        turns = [0, 0]

        async def work(at):
            turns[1] += 1
            while True:
                turns[at] += 1
                await asyncio.sleep(0)

        one = Pausable(work, 0)
        all_of_it = asyncio.create_task(one.run())
        found = []
        for step in steps:
            if step == "turn":
                before = turns[0]
                for _ in range(5):
                    await asyncio.sleep(0)
                found.append(turns[0] > before)
            else:
                getattr(one, step)()
        all_of_it.cancel()
        return found, turns[1]

    return asyncio.run(main())


def test_it_stops_and_goes_on():
    assert run(["turn", "pause", "turn", "turn", "resume", "turn"]) == (
        [True, False, False, True], 2)


def test_a_pause_that_is_over_before_it_began():
    assert run(["turn", "pause", "resume", "turn"]) == ([True, True], 2)
    assert run(["turn", "pause", "resume", "pause", "turn", "resume", "turn"]) == (
        [True, False, True], 2)


def test_a_pause_right_after_another_one():
    assert run(["turn", "pause", "turn", "resume", "pause", "turn", "resume", "turn"]) == (
        [True, False, False, True], 2)


def test_a_pause_before_it_runs():
    assert run(["pause", "turn", "resume", "turn"]) == ([False, True], 1)


def test_two_at_once_are_refused():
    try:
        run(["turn", "pause", "turn", "pause"])
    except ValueError as fault:
        assert "busy" in str(fault)
    else:
        raise AssertionError
