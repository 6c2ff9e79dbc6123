"""Every function that writes leaves one row of the audit, and it names what was written."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from models import sample
from models.audit import Audit
from models.migrations import MODELS
from models.repeats import KeptAnswer
from models.tokens import Scope, Token
from rpc.registry import METHODS, Lane

WRITES = {name: entry for name, entry in METHODS.items() if entry.lane is Lane.WRITE}

# Where the example changes nothing in the sample world, or would change something each time.
INSTEAD = {
    "core.ModifyProgramMembership": {"userId": sample.ADA, "programId": sample.NEXT_SUMMER},
    "core.ConfirmCohort": {"programId": sample.SPRING, "cohortName": "Wednesday group"},
    "core.AddUserLabel": {"userId": sample.EMMY, "labelId": sample.ALUMNI},
    "core.RemoveUserGroup": {"userId": sample.GRACE, "id": sample.STAFF},
    "core.CreateProgramTicket": {
        "userId": sample.ADA,
        "programKindId": sample.COOKING,
        "externalId": str(uuid4()),
    },
}

MAKE_ONE_EACH_TIME = {"admin.CreateToken"}


def params_of(name):
    return INSTEAD.get(name, WRITES[name].example)


def stored():
    """All rows but those of the audit and the answers that are kept for repetitions, by their ids."""
    models = [model for model in MODELS if model not in (Audit, KeptAnswer)]
    return {str(row["id"]): row for model in models for row in model.select().dicts()}


def ids_in(row):
    return {str(value) for value in (row or {}).values() if isinstance(value, UUID)}


@pytest.mark.sample
@pytest.mark.parametrize("name", WRITES)
def test_a_write_leaves_one_row_that_names_all_it_wrote(client, world, name):
    Audit.delete().execute()
    before = stored()

    client.call(name, **params_of(name))

    after = stored()
    written = {key for key in before | after if before.get(key) != after.get(key)}
    [row] = Audit.select()
    token = Token.with_secret(world.secrets[Scope.ADMIN])
    assert (name, token.id) == (row.method, row.token_id)
    assert row.request_id
    assert written
    assert written <= set(row.touched_ids)
    # And of links that were made or taken away, what they linked.
    assert set(row.touched_ids) - written <= {
        one for key in written for one in ids_in(before.get(key)) | ids_in(after.get(key))
    }


@pytest.mark.sample
@pytest.mark.parametrize("name", [name for name in WRITES if name not in MAKE_ONE_EACH_TIME])
def test_the_same_again_changes_nothing_and_leaves_no_row(client, name):
    params = params_of(name)
    answer = client.call(name, **params)
    if "id" in WRITES[name].params.fields and isinstance(answer, dict):  # which else would make another
        params = params | {"id": answer["id"]}
    before = stored(), Audit.select().count()

    client.call(name, **params)

    assert before == (stored(), Audit.select().count())
