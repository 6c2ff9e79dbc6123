"""Labels, those of a file that we wrote and those that users have."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from models import actor
from models.people import Label, User, UserLabel
from models.roster.columns import LABELS, USERS
from models.roster.rows import News, Row, Step, among, columns_among, missing, read_cell, without_taken_ids
from models.text import name_key

_LABELS = next(column for column in USERS.columns if column.name == "metadata.labels")


class Labels(Step):
    """Labels, those of a file that we wrote and those that users have."""

    file = LABELS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.ids_by_key: dict[str, UUID] = {}  # by the form in which handles compare

    def store(self, rows: list[Row]) -> None:
        wanted: dict[str, dict[str, Any]] = {}
        for row in rows:
            values = self.read_cells(row, row.given)
            if "handle" not in values:
                self.refuse(row, missing("handle"))
                continue
            self.count(False)
            handle = values["handle"]
            wanted[handle] = {"name": handle} | {
                str(self.columns[name].attribute): value for name, value in values.items()
            }
        self.confirm(wanted)

    def confirm(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Know the ids of the labels with these handles; those that are missing are made."""
        spelled: dict[str, str] = {}  # the first spelling counts
        for handle in wanted:
            spelled.setdefault(name_key(handle), handle)
        unknown = [key for key in spelled if key not in self.ids_by_key]
        if not unknown:
            return
        self.ids_by_key.update(columns_among(Label, "handle_key", "id", handle_key=unknown))
        absent = [key for key in unknown if key not in self.ids_by_key]
        made = [Label(**{"handle": spelled[key], **wanted[spelled[key]]}) for key in absent]
        without_taken_ids(Label, made)
        Label.insert_rows(made)
        self.ids_by_key.update((key, label.id) for key, label in zip(absent, made, strict=True))
        self.report.of("labels").created += len(made)

    def relabel(self, labelled: Sequence[tuple[User, Labelling]], old: Collection[UUID]) -> set[UUID]:
        """Put on and take off labels; returns the users of whom that was not so already.

        Users who are not `old` are new here and have no labels yet.
        """
        handles = dict.fromkeys(one for _, labelling in labelled for one in labelling.put + labelling.taken)
        self.confirm({handle: {"name": handle} for handle in handles})
        ids = self.ids_by_key
        linked = [user.id for user, _ in labelled if user.id in old]
        links = columns_among(UserLabel, "user_id", "label_id", "id", user_id=linked)
        there = {(user, label): link for user, label, link in links}
        put, taken = (
            {(user.id, ids[name_key(one)]) for user, labelling in labelled for one in of(labelling)}
            for of in (attrgetter("put"), attrgetter("taken"))
        )
        put, taken = put - there.keys(), taken & there.keys()
        UserLabel.insert_rows([UserLabel(user=user, label=label) for user, label in put])
        if taken:
            gone = [there[pair] for pair in taken]
            actor.touch(itertools.chain(gone, *taken))
            UserLabel.delete().where(among(UserLabel.id, gone)).execute()
        return {user for user, _ in put | taken}


@dataclass(frozen=True)
class Labelling:
    """The labels that a file begins to give a user, and those that it gives no longer."""

    put: list[str]
    taken: list[str]

    @classmethod
    def by(cls, news: News) -> Labelling:
        """Labels that people put on or took off here are in neither list."""
        column = _LABELS.name
        if column not in news.fresh:
            return cls([], [])
        last = {name_key(one): one for one in read_cell(_LABELS, news.last.get(column, ""))}
        now = {name_key(one): one for one in news.fresh[column]}
        return cls(
            [one for key, one in now.items() if key not in last],
            [one for key, one in last.items() if key not in now],
        )
