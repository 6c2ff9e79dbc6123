"""Cohorts, those of a file that we wrote and those that enrollments name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from models.cohorts import Cohort
from models.programs import Program
from models.roster.columns import COHORTS
from models.roster.rows import Refused, Row, Step, by_id, columns_among, missing, without_taken_ids
from models.text import name_key


class Cohorts(Step):
    """Cohorts, those of a file that we wrote and those that enrollments name."""

    file = COHORTS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.ids_by_name: dict[tuple[UUID, str], UUID] = {}  # by program and folded name
        self._programs: dict[str, Program] = {}  # by the sourcedId of the class

    def store(self, rows: list[Row]) -> None:
        self.fetch_programs(rows)
        wanted: dict[tuple[UUID, str], dict[str, Any]] = {}
        for row in rows:
            try:
                values = self.read_cells(row, row.given)
                program = self.program_of(row)
                key = name_key(values.get("name", ""))
                if not key:
                    raise missing("name")
            except Refused as refused:
                self.refuse(row, refused)
                continue
            self.count(False)
            attributes = ((self.columns[name].attribute, value) for name, value in values.items())
            wanted.setdefault((program.id, key), {name: value for name, value in attributes if name})
        self.confirm(wanted)

    def confirm(self, wanted: Mapping[tuple[UUID, str], Mapping[str, Any]]) -> None:
        """Know the ids of the cohorts with these programs and folded names; those missing are made."""
        unknown = [pair for pair in wanted if pair not in self.ids_by_name]
        if not unknown:
            return
        programs, keys = map(set, zip(*unknown, strict=True))
        found = columns_among(Cohort, "program_id", "name_key", "id", program_id=programs, name_key=keys)
        self.ids_by_name.update(((program, key), cohort) for program, key, cohort in found)
        absent = [pair for pair in unknown if pair not in self.ids_by_name]
        made = [Cohort(program=pair[0], name_key=pair[1], **wanted[pair]) for pair in absent]
        without_taken_ids(Cohort, made)
        Cohort.insert_rows(made)
        self.ids_by_name.update(((row.program_id, row.name_key), row.id) for row in made)
        self.report.of("cohorts").created += len(made)

    def fetch_programs(self, rows: Iterable[Row]) -> None:
        """Know the programs of the classes that rows name."""
        names = {row.given.get("classSourcedId", "").strip() for row in rows}
        ids = {name: self.ids.of("class", name) for name in names - self._programs.keys()}
        found = by_id(Program, ids.values())
        self._programs.update({name: found[id] for name, id in ids.items() if id in found})

    def program_of(self, row: Row) -> Program:
        program = self._programs.get(row.name_in("classSourcedId"))
        if program is None:
            raise Refused("classSourcedId", "UNKNOWN_CLASS", "There is no such class.")
        return program
