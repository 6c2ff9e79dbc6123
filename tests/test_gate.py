"""The gate: who is in, who stands in line, who is told to come back."""

from __future__ import annotations

import asyncio
import time

import pytest

from models.errors import Busy
from rpc.gate import Gate


async def test_places_are_taken_and_given_back():
    gate = Gate(places=2, line=0, seconds=1)

    entered = [gate.enter() for _ in range(3)]
    in_flight = gate.in_flight
    gate.leave()

    assert ([True, True, False], 2) == (entered, in_flight)
    assert (gate.enter(), gate.enter()) == (True, False)


async def test_who_stands_in_line_is_let_in_in_the_order_of_coming():
    gate, let_in = Gate(places=1, line=3, seconds=10), []
    gate.enter()

    async def wait(number: int) -> None:
        await gate.stand_in_line()
        let_in.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    stood = gate.waiting
    for task in waiting:
        gate.leave()
        await task

    assert (3, [0, 1, 2], 1) == (stood, let_in, gate.in_flight)


async def test_who_comes_when_the_line_is_full_is_sent_away_at_once():
    gate = Gate(places=1, line=1, seconds=10)
    gate.enter()
    waiting = asyncio.create_task(gate.stand_in_line())
    await asyncio.sleep(0)

    assert gate.is_full
    with pytest.raises(Busy):
        await gate.stand_in_line()

    gate.leave()
    await waiting


async def test_who_has_stood_long_enough_is_sent_away_and_the_place_is_not_lost():
    gate, began = Gate(places=1, line=5, seconds=0.1), time.monotonic()
    gate.enter()

    found = await asyncio.gather(*(gate.stand_in_line() for _ in range(5)), return_exceptions=True)

    assert [Busy] * 5 == [type(one) for one in found]
    assert time.monotonic() - began > 0.09
    assert 0 == gate.waiting
    gate.leave()
    assert gate.enter()


async def test_each_stands_as_long_as_the_others_whenever_they_came():
    gate = Gate(places=1, line=5, seconds=0.2)
    gate.enter()
    sent_away = []

    async def wait(after: float) -> None:
        await asyncio.sleep(after)
        began = time.monotonic()
        with pytest.raises(Busy):
            await gate.stand_in_line()
        sent_away.append(time.monotonic() - began)

    await asyncio.gather(wait(0), wait(0.1))

    assert all(seconds > 0.19 for seconds in sent_away)


async def test_who_leaves_the_line_takes_no_place():
    gate = Gate(places=1, line=5, seconds=10)
    gate.enter()
    gone, stays = (asyncio.create_task(gate.stand_in_line()) for _ in range(2))
    await asyncio.sleep(0)

    gone.cancel()
    gate.leave()
    await stays

    assert (1, 0) == (gate.in_flight, gate.waiting)


async def test_who_is_gone_when_the_place_comes_gives_it_on():
    gate = Gate(places=1, line=5, seconds=10)
    gate.enter()
    gone = asyncio.create_task(gate.stand_in_line())
    await asyncio.sleep(0)

    gate.leave()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    assert (0, True) == (gate.in_flight, gate.enter())


async def test_a_place_is_held_for_so_long_and_no_longer():
    gate = Gate(places=1, line=5, seconds=10)
    let_go = asyncio.Event()

    async def hold(at_most: float) -> None:
        async with gate.place(at_most):
            await let_go.wait()

    first = asyncio.create_task(hold(0.05))
    second = asyncio.create_task(hold(10))
    await asyncio.sleep(0)
    before = gate.waiting
    while gate.waiting:  # the second gets in while the first goes on
        await asyncio.sleep(0.01)
    let_go.set()
    await asyncio.gather(first, second)

    assert (1, 0) == (before, gate.in_flight)
