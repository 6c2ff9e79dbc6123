"""The power goes at any moment, while callers write: what was not synced is gone, or is torn."""

from __future__ import annotations

import pytest

from tests.faults.rounds import READY_SECONDS, Trial

ROUNDS = 8
FEW = 20  # calls that may all have been answered without a write
MOST = 12  # rounds in which a server that syncs too little is found out; it mostly is in the first or second

pytestmark = pytest.mark.xdist_group("faults")


def test_what_was_acknowledged_outlives_power_cuts(world, disk, seed):
    with Trial(world, seed, disk) as trial:
        rounds = [trial.round() for _ in range(ROUNDS)]

    assert [] == [text for round in rounds for text in round.findings]
    assert max(round.ready.own for round in rounds) < READY_SECONDS
    written = [round.cuts[0] for round in rounds if round.answered > FEW]
    assert written
    assert all(cut.writes and cut.syncs for cut in written)
    assert sum(cut.lost for round in rounds for cut in round.cuts) > 0


@pytest.mark.parametrize("synchronous", ["normal", "off"])
def test_a_server_that_syncs_too_little_is_found_out(synchronous, world, disk, seed):
    with Trial(world, seed, disk, synchronous=synchronous) as trial:
        found = next((found for _ in range(MOST) if (found := trial.round().findings)), [])

    assert [text for text in found if text.startswith(("lost:", "damaged:", "the server does not start"))]
