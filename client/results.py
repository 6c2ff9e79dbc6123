"""What functions answer: the wire's JSON objects, frozen, with typed attributes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any, NoReturn, get_type_hints
from uuid import UUID

from client.functions import camel
from client.words import (
    Gender,
    How,
    ImportOutcome,
    MembershipRole,
    MembershipState,
    Mode,
    RelationKind,
    Scope,
    TicketState,
    UserRole,
    UserStatus,
)


class Record(dict[str, Any]):
    """A JSON object as the wire has it, that cannot be changed.

    It equals and dumps as the plain dict does, `record["startDate"]` is the wire's text, and
    `record.start_date` the same as a date. A member that a newer server has and this client does not
    know is there by its wire name.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        for name in cls.__annotations__:
            setattr(cls, name, _Member(name))

    def _frozen(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _frozen
    update = pop = popitem = clear = setdefault = _frozen

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((self.get("id"), self.get("programId"), self.get("userId")))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"


class _Member:
    """An attribute that reads a member of the record."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wire = camel(name.removesuffix("_"))
        self.read: Callable[[Any], Any] | None = None

    def __get__(self, record: Record | None, owner: type[Record]) -> Any:
        if record is None:
            return self
        if self.wire not in record:
            raise AttributeError(f"the server sent no {self.wire}")
        if self.read is None:
            self.read = _reader(get_type_hints(owner)[self.name])
        value = record[self.wire]
        return None if value is None else self.read(value)

    def __set__(self, record: Record, value: Any) -> NoReturn:
        raise AttributeError(f"{self.name} cannot be changed")


def _reader(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of the type of the wire's."""
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind not in (type(None), ...)]
    [kind] = kinds
    if getattr(hint, "__origin__", None) is tuple:
        one = _reader(kind)
        return lambda values: tuple(one(value) for value in values)
    if kind in (str, int, bool):
        return lambda value: value
    if kind in (date, datetime):
        return kind.fromisoformat

    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            return value  # a word that only a newer server knows

    return read


class ProgramKind(Record):
    """A program kind: the definition that programs are runs of."""

    id: UUID
    name: str
    handle: str | None
    group: str | None
    parent_id: UUID | None
    mode: Mode
    duration: int
    priority: int
    archived: bool
    created_at: datetime
    updated_at: datetime


class ProgramInfo(Record):
    """A program: one dated run of a kind."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    start_date: date
    end_date: date
    duration: int
    mode: Mode
    timezone: str
    program_kind: UUID
    base_name: str
    base_handle: str | None
    program_kind_parent: UUID | None
    priority: int
    parent_id: UUID | None
    archived: bool


class Cohort(Record):
    """A cohort: a named part of one program."""

    id: UUID
    program_id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


class ProgramParticipation(Record):
    """A membership, with what its program, kind, user and cohort say of it."""

    program_name: str
    program_kind: UUID
    program_id: UUID
    program_group: str | None
    base_name: str
    base_handle: str | None
    cohort_id: UUID | None
    cohort_name: str | None
    state: MembershipState
    start_date: date
    end_date: date
    duration: int
    program_day: int
    participant_day: int
    mode: Mode
    role: MembershipRole
    user_id: UUID
    email: str | None
    user_name: str | None
    first_name: str | None
    last_name: str | None
    gender: Gender | None
    dob: date | None
    is_active: bool
    org_status: str | None
    same_program_completions: int
    all_program_completions: int
    same_program_incomplete: int
    all_program_incomplete: int
    parent_id: UUID | None
    program_kind_parent: UUID | None


class User(Record):
    """A person."""

    id: UUID
    email: str | None
    first: str | None
    last: str | None
    name: str | None
    mobile: str | None
    timezone: str | None
    created_at: datetime
    external_id: str | None
    external_status: str | None
    role: UserRole
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    gender: Gender | None
    title: str | None
    last_sign_in_at: datetime | None
    status: UserStatus


class ProgramTicket(Record):
    """A ticket: a right to take part in one program of a kind."""

    id: UUID
    user_id: UUID | None
    email: str | None
    program_kind_id: UUID
    external_id: UUID | None
    sku: str | None
    base_sku: str | None
    state: TicketState
    program_id: UUID | None
    created_at: datetime
    updated_at: datetime
    consumed_at: datetime | None
    canceled_at: datetime | None


class Standing(Record):
    """A membership's standing before or after a change."""

    role: MembershipRole
    state: MembershipState
    cohort_id: UUID | None
    date: date


class MembershipChange(Record):
    """One change of a membership, or something said about it."""

    id: UUID
    at: datetime
    effective_date: date | None
    token: UUID | None
    acting_user_id: UUID | None
    how: How
    from_: Standing | None
    to: Standing
    comments: str | None
    state_detail: str | None


class UnknownName(Record):
    """An item of a list in a query that names nothing; line and column count from 1."""

    list: str
    item: str
    line: int
    column: int


class Explanation(Record):
    """A query in words, and the names in it that name nothing."""

    words: str
    unknown: tuple[UnknownName, ...]


class AdminProgramKind(Record):
    """A program kind as those see it who keep the catalogue."""

    id: UUID
    name: str
    handle: str | None
    group: str | None
    parent_id: UUID | None
    mode: Mode
    duration: int
    priority: int
    archived: bool
    created_at: datetime
    updated_at: datetime
    sourced_id: str | None


class AdminProgramInfo(Record):
    """A program as those see it who keep the catalogue."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    start_date: date
    end_date: date
    duration: int
    mode: Mode
    timezone: str
    program_kind: UUID
    base_name: str
    base_handle: str | None
    program_kind_parent: UUID | None
    priority: int
    parent_id: UUID | None
    archived: bool
    sourced_id: str | None


class AdminUser(Record):
    """A person as those see them who keep the records."""

    id: UUID
    email: str | None
    first: str | None
    last: str | None
    name: str | None
    mobile: str | None
    timezone: str | None
    created_at: datetime
    external_id: str | None
    external_status: str | None
    role: UserRole
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    gender: Gender | None
    title: str | None
    last_sign_in_at: datetime | None
    status: UserStatus
    updated_at: datetime
    sourced_id: str | None
    erased_at: datetime | None


class Group(Record):
    """A group: a set of users that someone keeps by hand."""

    id: UUID
    handle: str
    name: str
    created_at: datetime
    updated_at: datetime
    sourced_id: str | None


class Label(Record):
    """A label: a word that is put on users."""

    id: UUID
    handle: str
    name: str
    created_at: datetime
    updated_at: datetime
    sourced_id: str | None


class Channel(Record):
    """A channel: a place where users talk."""

    id: UUID
    handle: str
    name: str
    created_at: datetime
    updated_at: datetime
    sourced_id: str | None


class Relation(Record):
    """What one user has to do with another."""

    id: UUID
    user_id: UUID
    other_user_id: UUID
    kind: RelationKind


class NewToken(Record):
    """A token that was made just now, with its secret, which is shown this once."""

    id: UUID
    name: str
    scope: Scope
    user_id: UUID | None
    expires_at: datetime | None
    created_at: datetime
    token: str

    def __repr__(self) -> str:
        return f"NewToken({dict(self) | {'token': '...'}!r})"


class Token(Record):
    """A token, without its secret."""

    id: UUID
    name: str
    scope: Scope
    user_id: UUID | None
    expires_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None


class Audit(Record):
    """What one call or command wrote: who, when, and the ids of the rows."""

    id: UUID
    at: datetime
    token_id: UUID | None
    acting_user_id: UUID | None
    request_id: str | None
    method: str
    touched: tuple[UUID, ...]


class Import(Record):
    """An import of a roster: when it ran, what became of it, and its report."""

    id: UUID
    at: datetime
    finished_at: datetime
    source: str
    request_id: str | None
    outcome: ImportOutcome
    error: str | None
    refused: int
    warnings: int
    report: dict


@cache
def shape_of(returns: str) -> Callable[[Any], Any]:
    """What makes a typed result of the wire's: `ProgramKind?`, `[ProgramInfo]`, `int`."""
    text = returns.rstrip("?")
    if text in ("bool", "int", "str"):
        return lambda value: value
    if not text.startswith("["):
        return _one(text)
    names = text[1:-1].split("|")
    if names == ["ProgramKind", "ProgramInfo"]:
        return lambda rows: _all(rows, lambda row: (ProgramInfo if "startDate" in row else ProgramKind)(row))
    [name] = names
    return lambda rows: _all(rows, globals()[name])


def _one(name: str) -> Callable[[Any], Any]:
    record = globals()[name]
    return lambda value: record(value) if isinstance(value, dict) else value


def _all(rows: Any, record: Callable[[Any], Any]) -> Any:
    if not isinstance(rows, list):
        return rows
    return [record(row) if isinstance(row, dict) else row for row in rows]
