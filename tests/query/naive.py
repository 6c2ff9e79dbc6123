"""The query languages in plain Python over plain rows: slow, and as plainly right as can be.

Written from what the languages promise and not from the compiler, to which it is a second opinion.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, TypeGuard
from uuid import UUID

from models import clock
from models.cohorts import Cohort
from models.memberships import Membership, MembershipState
from models.people import (
    Channel,
    Group,
    Label,
    Relation,
    RelationKind,
    User,
    UserChannel,
    UserGroup,
    UserLabel,
    UserRole,
    email_key,
)
from models.programs import Mode, Program, ProgramKind
from models.query.tree import (
    AllOf,
    Between,
    Comparison,
    Everybody,
    Language,
    Lasting,
    Listed,
    Noun,
    OnDay,
    Operator,
    Phase,
    Point,
    ProgramTerm,
    Query,
    Range,
    Search,
    Shift,
    Somebody,
    SortField,
    Term,
    Tie,
    Tied,
    Today,
    Unit,
    Unplaced,
    Word,
)
from models.rows import BaseModel

Row = SimpleNamespace  # a row's columns; a foreign key holds the id


class Refused(Exception):
    """The query can't be answered; `at` are the places that may be blamed."""

    def __init__(self, at: set[int]) -> None:
        super().__init__(f"refused at {sorted(at)}")
        self.at = at


class Rows:
    """All that queries look at: each table of the connected database as a list."""

    def __init__(self) -> None:
        self.users = _all(User)
        self.groups = _all(Group)
        self.labels = _all(Label)
        self.channels = _all(Channel)
        self.in_groups = _all(UserGroup)
        self.under_labels = _all(UserLabel)
        self.in_channels = _all(UserChannel)
        self.relations = _all(Relation)
        self.kinds = _all(ProgramKind)
        self.programs = _all(Program)
        self.cohorts = _all(Cohort)
        self.memberships = _all(Membership)


def _all(model: type[BaseModel]) -> list[Row]:
    return [Row(**row) for row in model.select().dicts()]


def find(
    rows: Rows,
    language: Language,
    query: Query,
    current: UUID | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[UUID]:
    """The ids of the users, programs or memberships that the query finds, in their order."""
    _check(query, current)
    finder = FINDERS[language](rows, query, current)
    found = finder.in_order(finder.found())
    ids = [row.id for row in found]
    ids = ids if query.limit is None else ids[: query.limit]
    ids = ids[offset:]
    return ids if limit is None else ids[:limit]


class Finder:
    """What the three languages share: terms about users, and how sets are put together."""

    def __init__(self, rows: Rows, query: Query, current: UUID | None) -> None:
        self.rows = rows
        self.query = query
        self.current = current
        self.user = {user.id: user for user in rows.users}
        self.program = {program.id: program for program in rows.programs}
        self.kind = {kind.id: kind for kind in rows.kinds}
        self.memberships = {
            user.id: [row for row in rows.memberships if row.user == user.id] for user in rows.users
        }

    def all(self) -> list[Row]:
        """The rows that could be found."""
        raise NotImplementedError

    def is_met(self, term: Term, group: AllOf, row: Row) -> bool:
        """Whether the row is one that the term, as if it were given, finds within its group."""
        raise NotImplementedError

    def settings_hold(self, row: Row) -> bool:
        """Whether status, role and `where` let the row through."""
        raise NotImplementedError

    def found(self) -> list[Row]:
        given = [group for group in self.query.anyof if not _is_only_except(group)]
        taken = [group for group in self.query.anyof if _is_only_except(group)]
        return [
            row
            for row in self.all()
            if (any(self.group_holds(group, row) for group in given) or not given)
            and all(self.group_holds(group, row) for group in taken)
            and self.settings_hold(row)
        ]

    def group_holds(self, group: AllOf, row: Row) -> bool:
        return all(self.is_met(term, group, row) != _is_except(term) for term in group.terms)

    # --- Order

    def usual(self, row: Row) -> Any:
        """What rows are ordered by where the query says nothing."""
        raise NotImplementedError

    def sorted_by(self, row: Row, field: SortField) -> str | date | None:
        raise NotImplementedError

    def in_order(self, found: Iterable[Row]) -> list[Row]:
        ordered = sorted(found, key=self.usual)
        for sort in reversed(self.query.sort):  # equal ones stay as they are, so the first counts most
            keys = {row.id: _folded(self.sorted_by(row, sort.field)) for row in ordered}
            with_value = [row for row in ordered if keys[row.id] not in (None, "")]
            without = [row for row in ordered if keys[row.id] in (None, "")]
            ordered = sorted(with_value, key=lambda row: keys[row.id], reverse=sort.descending) + without
        return ordered

    # --- Users

    def has_status(self, user: Row) -> bool:
        return self.query.status is None or user.status == self.query.status

    def is_person(self, term: Term, user: Row) -> bool:
        """Whether a term about users finds this one."""
        match term:
            case Everybody(admins):
                return user.role == UserRole.ADMIN if admins else True
            case Somebody(user_id):
                return user.id == self.meant(user_id)
            case Tied(tie, user_id):
                return self.is_tied(tie, user, self.meant(user_id))
            case Listed(Noun.USERS, items):
                return any(_is_user(user, item) for item in items)
            case Listed(Noun.GROUPS, items):
                groups = [link.group for link in self.rows.in_groups if link.user == user.id]
                return any(row.id in groups and _is_called(row, items) for row in self.rows.groups)
            case Listed(Noun.LABELS, items):
                labels = [link.label for link in self.rows.under_labels if link.user == user.id]
                return any(row.id in labels and _is_called(row, items) for row in self.rows.labels)
            case Listed(Noun.CHANNELS, items):
                channels = [link.channel for link in self.rows.in_channels if link.user == user.id]
                return any(row.id in channels and _is_called(row, items) for row in self.rows.channels)
            case Listed(Noun.ACTIVE | Noun.PROGRAM_KIND_ACTIVE):
                return self.is_active(term, self.of_user(user.id))
        raise AssertionError(term)

    def is_active(self, term: Listed, memberships: Iterable[Row]) -> bool:
        """Whether one of the memberships is active in what the term lists."""
        return any(
            row.state == MembershipState.ACTIVE
            and (
                self.is_of_kind(row.program, term.items)
                or (term.noun is Noun.ACTIVE and self.is_program(row.program, term.items))
            )
            for row in memberships
        )

    def meant(self, user_id: UUID | None) -> UUID:
        """The user that a term names, or the current one."""
        named = user_id or self.current
        assert named is not None
        return named

    def is_tied(self, tie: Tie, user: Row, other_id: UUID) -> bool:
        if user.id == other_id:
            return False
        match tie:
            case Tie.FOLLOWERS:
                return self.are_related(user.id, other_id, RelationKind.FOLLOWS)
            case Tie.FOLLOWING:
                return self.are_related(other_id, user.id, RelationKind.FOLLOWS)
            case Tie.DIRECT | Tie.RELATED:
                kind = RelationKind.DIRECT if tie is Tie.DIRECT else RelationKind.RELATED
                return self.are_related(user.id, other_id, kind) or self.are_related(other_id, user.id, kind)
            case Tie.COHORT:
                cohorts = {row.cohort for row in self.of_user(other_id)} - {None}
                return any(row.cohort in cohorts for row in self.of_user(user.id))
            case Tie.PROGRAM:
                programs = {row.program for row in self.of_user(other_id)}
                return any(row.program in programs for row in self.of_user(user.id))

    def are_related(self, user_id: UUID, other_id: UUID, kind: RelationKind) -> bool:
        return any(
            row.user == user_id and row.other == other_id and row.kind == kind for row in self.rows.relations
        )

    def of_user(self, user_id: UUID) -> list[Row]:
        return self.memberships.get(user_id, [])

    # --- Programs

    def is_program(self, program_id: UUID, items: Iterable[str]) -> bool:
        """Whether items name this program: by its id, or by the handle of its kind."""
        kind = self.kind[self.program[program_id].kind]
        return any(program_id == UUID(item) if _is_id(item) else _is_handle(kind, item) for item in items)

    def is_of_kind(self, program_id: UUID, items: Iterable[str]) -> bool:
        return _is_called(self.kind[self.program[program_id].kind], items)

    def is_in_phase(self, term: ProgramTerm, program_id: UUID) -> bool:
        program = self.program[program_id]
        first, last = days_of(term.range, clock.today(program.timezone))
        overlaps = program.start_date <= last and program.end_date >= first
        match term.phase:
            case Phase.STARTING:
                return first <= program.start_date <= last
            case Phase.ENDING:
                return first <= program.end_date <= last
            case Phase.ACTIVE:
                return overlaps
            case Phase.OPEN:
                return overlaps and program.mode == Mode.OPEN

    # --- Memberships

    def is_membership(self, term: Term, row: Row) -> bool:
        """Whether a term about memberships finds this one, of whatever role."""
        match term:
            case Unplaced():
                return row.cohort is None
            case Listed(states=states) if states and row.state not in states:
                return False
            case Listed(Noun.PROGRAMS, items):
                return self.is_program(row.program, items)
            case Listed(Noun.KIND, items):
                return self.is_of_kind(row.program, items)
            case Listed(Noun.COHORTS, items):
                return any(row.cohort == UUID(item) for item in items)
            case ProgramTerm(states=states):
                return self.is_in_phase(term, row.program) and (not states or row.state in states)
        raise AssertionError(term)

    def has_role(self, row: Row) -> bool:
        return self.query.role is None or row.role == self.query.role


class Users(Finder):
    """A participant query of the users' memberships, as it were, of which only those in the role count."""

    def all(self) -> list[Row]:
        return self.rows.users

    def is_met(self, term: Term, group: AllOf, user: Row) -> bool:
        memberships = [row for row in self.of_user(user.id) if self.has_role(row)]
        if isinstance(term, Unplaced):
            return any(row.cohort is None and row.state == MembershipState.ACTIVE for row in memberships)
        if _is_of_memberships(term):
            return any(self.is_membership(term, row) for row in memberships)
        if _is_of_activity(term):
            return self.is_active(term, memberships)
        return self.is_person(term, user)

    def settings_hold(self, user: Row) -> bool:
        takes_part = self.query.role is None or any(self.has_role(row) for row in self.of_user(user.id))
        return takes_part and self.has_status(user) and is_searched(self.query.search, user)

    def usual(self, user: Row) -> Any:
        return user.created_at, str(user.id)

    def sorted_by(self, user: Row, field: SortField) -> str | date | None:
        return _sorted_user(user, field)


class Participants(Finder):
    def all(self) -> list[Row]:
        return self.rows.memberships

    def is_met(self, term: Term, group: AllOf, row: Row) -> bool:
        if _is_of_memberships(term):
            return self.is_membership(term, row)
        return self.is_person(term, self.user[row.user])

    def settings_hold(self, row: Row) -> bool:
        user = self.user[row.user]
        return self.has_role(row) and self.has_status(user) and is_searched(self.query.search, user)

    def usual(self, row: Row) -> Any:
        return str(row.id)

    def sorted_by(self, row: Row, field: SortField) -> str | date | None:
        match field:
            case SortField.START:
                return self.program[row.program].start_date
            case SortField.END:
                return self.program[row.program].end_date
        return _sorted_user(self.user[row.user], field)


class Programs(Finder):
    def all(self) -> list[Row]:
        return self.rows.programs

    def found(self) -> list[Row]:
        given = [group for group in self.query.anyof if not _is_only_except(group)] or [AllOf(())]
        taken = [group for group in self.query.anyof if _is_only_except(group)]
        return [
            program
            for program in self.all()
            if any(self.is_given(group, program) for group in given)
            and not any(self.is_excluded(term, program, ()) for group in taken for term in group.terms)
        ]

    def is_given(self, group: AllOf, program: Row) -> bool:
        """Whether the program is as the group says, and somebody in it whom the query asks for."""
        wanted = [term for term in group.terms if not _is_except(term)]
        unwanted = [term for term in group.terms if _is_except(term)]
        if not all(self.is_program_so(term, program) for term in wanted if not _is_of_participants(term)):
            return False
        if any(self.is_program_so(term, program) for term in unwanted if not _is_of_participants(term)):
            return False
        states = [term.states for term in wanted if isinstance(term, ProgramTerm | Listed) and term.states]
        is_one = [term for term in wanted if _is_of_participants(term)]
        is_not = [term for term in unwanted if _is_of_participants(term)]
        if not is_one:
            if any(self.is_excluded(term, program, states) for term in is_not):
                return False
            if not states and self.query.role is None and self.query.search is None:
                return True  # whether anybody is in it or not
            is_not = []
        return any(
            all(self.is_so(term, row) for term in is_one)
            and not any(self.is_so(term, row) for term in is_not)
            and all(row.state in named for named in states)
            and is_searched(self.query.search, self.user[row.user])
            for row in self.participants(program)
        )

    def is_excluded(self, term: Listed, program: Row, states: Iterable[Any]) -> bool:
        """Whether the program, or anybody in it (in these states), is what the term names."""
        if not _is_of_participants(term):
            return self.is_program_so(term, program)
        among = () if term.states else states
        return any(
            self.is_so(term, row)
            for row in self.participants(program)
            if all(row.state in named for named in among)
        )

    def participants(self, program: Row) -> list[Row]:
        """The memberships that count."""
        return [
            row
            for row in self.rows.memberships
            if row.program == program.id and self.has_role(row) and self.has_status(self.user[row.user])
        ]

    def is_so(self, term: Term, row: Row) -> bool:
        """Whether the participant of this membership is, or it is itself, what the term names."""
        if _is_of_memberships(term):
            return self.is_membership(term, row)
        return self.is_person(term, self.user[row.user])

    def is_program_so(self, term: Term, program: Row) -> bool:
        match term:
            case Listed(Noun.PROGRAMS, items):
                return self.is_program(program.id, items)
            case Listed(Noun.KIND, items):
                return self.is_of_kind(program.id, items)
            case Listed(Noun.COHORTS, items):
                cohorts = [row.id for row in self.rows.cohorts if row.program == program.id]
                return any(UUID(item) in cohorts for item in items)
            case ProgramTerm():
                return self.is_in_phase(term, program.id)
        raise AssertionError(term)

    def usual(self, program: Row) -> Any:
        return program.start_date, program.name, str(program.id)

    def sorted_by(self, program: Row, field: SortField) -> str | date | None:
        match field:
            case SortField.NAME:
                return program.name
            case SortField.START:
                return program.start_date
            case SortField.END:
                return program.end_date
        raise AssertionError(field)


FINDERS: dict[Language, type[Finder]] = {
    Language.USERS: Users,
    Language.PROGRAMS: Programs,
    Language.PARTICIPANTS: Participants,
}


def _folded(value: str | date | None) -> Any:
    return value.casefold() if isinstance(value, str) else value


# --- What terms are


def _terms(query: Query) -> list[Term]:
    return [term for group in query.anyof for term in group.terms]


def _is_except(term: Term) -> bool:
    return isinstance(term, Listed) and term.excluded


def _is_only_except(group: AllOf) -> bool:
    return all(map(_is_except, group.terms))


def _is_of_memberships(term: Term) -> bool:
    """Whether it is about what a membership is of: a program, a kind, a cohort, a range of days."""
    if isinstance(term, Listed):
        return term.noun in (Noun.PROGRAMS, Noun.KIND, Noun.COHORTS)
    return isinstance(term, ProgramTerm | Unplaced)


def _is_of_participants(term: Term) -> bool:
    """In a program query: whether it is about somebody in the program, and not the program."""
    if isinstance(term, Listed) and term.states and (term.excluded or term.noun is Noun.COHORTS):
        return True
    return isinstance(term, Unplaced) or not _is_of_memberships(term)


def _is_of_activity(term: Term) -> TypeGuard[Listed]:
    return isinstance(term, Listed) and term.noun in (Noun.ACTIVE, Noun.PROGRAM_KIND_ACTIVE)


# --- Items

_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def _is_id(item: str) -> bool:
    return _ID.fullmatch(item) is not None


def _is_called(row: Row, items: Iterable[str]) -> bool:
    """Whether one of the items is the row's id or handle; what looks like an id is nothing else."""
    return any(row.id == UUID(item) if _is_id(item) else _is_handle(row, item) for item in items)


def _is_handle(row: Row, item: str) -> bool:
    """Whether a row has this handle, but for spelling."""
    return row.handle is not None and _compared(row.handle) == _compared(item)


def _compared(text: str) -> list[str]:
    seen = unicodedata.normalize("NFKC", "".join(one for one in text if one not in INVISIBLE)).casefold()
    return unicodedata.normalize("NFKC", seen).split()


INVISIBLE = "\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def _is_user(user: Row, item: str) -> bool:
    return user.id == UUID(item) if _is_id(item) else user.email_key == email_key(item)


# --- Days


def days_of(days: Range, today: date) -> tuple[date, date]:
    """The first and the last day of a range, seen from a day near UTC's."""
    match days:
        case Between(start, end):
            first, last = sorted([day_of(start, today), day_of(end, today)])
            return first, last
    first = day_of(days.start, today)
    try:
        return first, last_of(first, days.unit)
    except ValueError:
        return first, date.max


def day_of(point: Point, today: date) -> date:
    match point:
        case Today():
            return today
        case OnDay(day):
            return day
        case Shift(number, unit):
            try:
                return moved(today, number, unit)
            except ValueError:
                return date.max if number > 0 else date.min


def moved(day: date, number: int, unit: Unit) -> date:
    """The day so many units later; ValueError when the calendar does not have it."""
    if unit in (Unit.DAY, Unit.WEEK):
        ordinal = day.toordinal() + number * (7 if unit is Unit.WEEK else 1)
        if not date.min.toordinal() <= ordinal <= date.max.toordinal():
            raise ValueError(ordinal)
        return date.fromordinal(ordinal)
    months = day.year * 12 + day.month - 1 + number * (12 if unit is Unit.YEAR else 1)
    year, month = months // 12, months % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise ValueError(year)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def last_of(first: date, unit: Unit) -> date:
    """The last day of a unit that begins on a day; ValueError when the calendar does not have it."""
    if unit is Unit.DAY:
        return first
    if unit is Unit.WEEK:
        return moved(first, 6, Unit.DAY)
    months = 12 if unit is Unit.YEAR else 1
    if first.day == 1:  # ends with a month, which may be the calendar's last
        month = moved(first, months - 1, Unit.MONTH)
        return month.replace(day=monthrange(month.year, month.month)[1])
    return moved(first, months, Unit.MONTH) - timedelta(days=1)


# --- Search


def is_searched(search: Search | None, user: Row) -> bool:
    if search is None:
        return True
    return any(all(is_so(one, user) for one in group) for group in search.groups)


TEXTS: dict[Word, Callable[[Row], str | None]] = {
    Word.FIRST: lambda user: user.first,
    Word.LAST: lambda user: user.last,
    Word.NAME: lambda user: shown_name(user),
    Word.EMAIL: lambda user: user.email,
    Word.PHONE: lambda user: user.mobile,
    Word.TIMEZONE: lambda user: user.timezone,
    Word.EXTERNAL: lambda user: user.external_id,
    Word.MEMBERSHIP: lambda user: user.external_status,
    Word.ID: lambda user: str(user.id),
}
ANY = [text for word, text in TEXTS.items() if word is not Word.ID]


def shown_name(user: Row) -> str | None:
    """The name, or first and last joined where there is none."""
    return user.name or " ".join(part for part in (user.first, user.last) if part) or None


def is_so(comparison: Comparison, user: Row) -> bool:
    """Whether the comparison holds for the user."""
    match comparison.word:
        case Word.JOINED:
            return is_day(comparison, user.created_at.date())  # stored in UTC
        case Word.LOGIN:
            at = user.last_sign_in_at
            return is_day(comparison, None if at is None else at.date())
        case Word.ANY:
            texts = [text(user) for text in ANY]
        case word:
            texts = [TEXTS[word](user)]
    match comparison.operator, comparison.match:
        case Operator.EMPTY, _:
            return all(not text for text in texts)
        case Operator.NOT, "":
            return any(texts)
        case Operator.NOT, str(given):
            return not any(compares(Operator.IS, text, given) for text in texts)
        case operator, str(given):
            return any(compares(operator, text, given) for text in texts)
    raise AssertionError(comparison)


def compares(operator: Operator, text: str | None, given: str) -> bool:
    if text is None:
        return False
    text, given = text.casefold(), given.casefold()
    match operator:
        case Operator.IS:
            return text == given
        case Operator.STARTS:
            return text.startswith(given)
        case Operator.ENDS:
            return text.endswith(given)
        case Operator.CONTAINS:
            return given in text
    raise AssertionError(operator)


def is_day(comparison: Comparison, day: date | None) -> bool:
    if comparison.operator is Operator.EMPTY:
        return day is None
    assert comparison.match is not None
    assert not isinstance(comparison.match, str)
    given = day_of(comparison.match, clock.today())
    if day is None:
        return comparison.operator is Operator.NOT
    match comparison.operator:
        case Operator.IS:
            return day == given
        case Operator.NOT:
            return day != given
        case Operator.BEFORE:
            return day < given
        case Operator.AFTER:
            return day > given
    raise AssertionError(comparison)


def _sorted_user(user: Row, field: SortField) -> str | None:
    match field:
        case SortField.FIRST:
            return user.first
        case SortField.LAST:
            return user.last
        case SortField.NAME:
            return shown_name(user)
    raise AssertionError(field)


# --- What can't be answered


def _check(query: Query, current: UUID | None) -> None:
    """Refuse days that no calendar has, and `current` where there is nobody."""
    at: set[int] = set()
    points: list[Point] = []
    for term in _terms(query):
        match term:
            case Somebody(None) | Tied(_, None) if current is None:
                at.add(term.at)
            case ProgramTerm(_, Between(start, end)):
                points += [start, end]
            case ProgramTerm(_, Lasting(start, unit)):
                points.append(start)
                try:
                    last_of(day_of(start, clock.today()), unit)
                except ValueError:
                    at.add(start.at)
    for group in query.search.groups if query.search else ():
        points += [one.match for one in group if isinstance(one.match, Today | Shift | OnDay)]
    for point in points:
        if isinstance(point, Shift):
            try:
                moved(clock.today(), point.number, point.unit)
            except ValueError:
                at.add(point.at)
    if at:
        raise Refused(at)
