"""Indexes for what queries look for; those that they make needless go."""

from typing import Any

LINKS = ("group", "label", "channel")


def up(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.add_index("user", ("role",)),
        migrator.drop_index("membership", "membership_program_id_state"),
        migrator.add_index("membership", ("program_id", "id")),
        migrator.drop_index("membership", "membership_cohort_id"),
        migrator.add_index("membership", ("cohort_id", "user_id")),
        migrator.drop_index("relation", "relation_other_id"),
    )
    for name in LINKS:
        migrator.migrate(
            migrator.drop_index(f"user_{name}", f"user{name}_{name}_id"),
            migrator.add_index(f"user_{name}", (f"{name}_id", "user_id")),
        )
