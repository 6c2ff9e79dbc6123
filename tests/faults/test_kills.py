"""kill -9 at any moment, while callers write."""

from __future__ import annotations

import pytest

from tests.faults.rounds import READY_SECONDS, Trial

ROUNDS = 15

pytestmark = pytest.mark.xdist_group("faults")


def test_what_was_acknowledged_outlives_kill_9(world, seed):
    with Trial(world, seed) as trial:
        rounds = [trial.round() for _ in range(ROUNDS)]

    assert [] == [text for round in rounds for text in round.findings]
    assert min(sum(round.answered for round in rounds), sum(round.lost for round in rounds)) > 0
    assert max(round.ready.own for round in rounds) < READY_SECONDS
