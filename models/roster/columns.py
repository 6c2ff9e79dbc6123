"""What becomes of each column: the one table that the import, the export and the page share."""

from __future__ import annotations

import csv
import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat

from models import clock
from models.memberships import MembershipRole, MembershipState
from models.people import Gender, UserRole, email_key
from models.programs import DURATION_AT_MOST, Mode
from models.roster.cells import BadCell
from models.roster.dates import day_as
from models.roster.options import Dates
from models.text import COMMENTS, INSTANT_TEXT, NAME, UUID_TEXT, trimmed

NAMESPACE = uuid.NAMESPACE_URL
PRIORITY_AT_MOST = 1_000_000


def row_id(source: str, kind: str, sourced_id: str) -> UUID:
    """The id of a row that an import makes; kind is course, class, user or enrollment."""
    return uuid_utils.compat.uuid5(NAMESPACE, f"{source}/{kind}/{sourced_id}")


class Status(StrEnum):
    """What a file says of a row as a whole."""

    ACTIVE = "active"
    TO_BE_DELETED = "tobedeleted"


# What cells mean. Text is kept exactly; around everything else blanks are let pass.


def text(at_most: int = NAME) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if len(cell) > at_most:
            raise BadCell("TOO_LONG", f"Must have at most {at_most} characters.")
        return cell

    return read


@dataclass(frozen=True)
class Email:
    """An email as it is spelled, and as it compares."""

    text: str
    key: str


@functools.lru_cache(maxsize=2**16)  # an import reads each some times: to decide, to compare, to store
def email(cell: str) -> Email:
    try:
        key = email_key(cell)
    except ValueError as error:
        raise BadCell("BAD_EMAIL", str(error)) from None
    return Email(text()(trimmed(cell)), key)


def an_id(cell: str) -> UUID:
    if not UUID_TEXT.fullmatch(cell.strip()):
        raise BadCell("BAD_ID", "Must be a UUID.")
    return UUID(cell.strip())


day = day_as(Dates.ISO)


def instant(cell: str) -> datetime:
    try:
        if INSTANT_TEXT.fullmatch(cell.strip()):
            found = datetime.fromisoformat(cell.strip())
            return found.replace(microsecond=found.microsecond // 1000 * 1000)  # as it is kept
    except ValueError:
        pass
    raise BadCell("BAD_TIME", "Must be a UTC time as YYYY-MM-DDTHH:MM:SS.sssZ.")


def flag(cell: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[cell.strip().lower()]
    except KeyError:
        raise BadCell("BAD_FLAG", "Must be true or false.") from None


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        digits = cell.strip()
        if not digits.removeprefix("-").isdecimal() or not digits.isascii() or len(digits) > 20:
            raise BadCell("BAD_NUMBER", "Must be a whole number.")
        if not least <= int(digits) <= most:
            raise BadCell("BAD_NUMBER", f"Must be between {least} and {most}.")
        return int(digits)

    return read


def word(words: type[StrEnum]) -> Callable[[str], Any]:
    known = {str(one): one for one in words}

    def read(cell: str) -> Any:
        try:
            return known[cell.strip().lower()]
        except KeyError:
            raise BadCell("BAD_WORD", f"Must be one of: {', '.join(known)}.") from None

    return read


def status(cell: str) -> Status:
    """A status; OneRoster 1.0 says inactive for what is to be deleted."""
    word = cell.strip().lower()
    if word not in _STATUSES:
        raise BadCell("BAD_WORD", f"Must be one of: {', '.join(_STATUSES)}.")
    return _STATUSES[word]


_STATUSES = {
    "active": Status.ACTIVE,
    "tobedeleted": Status.TO_BE_DELETED,
    "inactive": Status.TO_BE_DELETED,
}


def role(cell: str) -> MembershipRole:
    """The role in a program for a role of OneRoster: observer, unless student or teacher."""
    word = cell.strip().lower()
    if word not in ROLES_OF_THE_STANDARD and not word.startswith("ext:"):
        raise BadCell("UNKNOWN_ROLE", "Must be a role of OneRoster, such as student or teacher, or ext:….")
    return _ROLES.get(word, MembershipRole.OBSERVER)


def rank(role: MembershipRole) -> int:
    """The rank of a role: trainers above members above observers."""
    return (MembershipRole.OBSERVER, MembershipRole.MEMBER, MembershipRole.TRAINER).index(role)


_ROLES = {"student": MembershipRole.MEMBER, "teacher": MembershipRole.TRAINER}
# Of OneRoster 1.0 to 1.2, in lower case.
ROLES_OF_THE_STANDARD = frozenset(
    {
        *("administrator", "aide", "counselor", "districtadministrator", "guardian", "parent", "principal"),
        *("proctor", "relative", "siteadministrator", "student", "systemadministrator", "teacher"),
    }
)


def timezone(cell: str) -> str:
    if cell.strip() not in clock.timezones():
        raise BadCell("BAD_TIMEZONE", "Must be the name of an IANA time zone, such as Europe/Berlin.")
    return cell.strip()


def listed(cell: str) -> list[str]:
    """Items between commas, or between semicolons where there is no comma.

    One that contains either, or blanks around it, stands in quotes; then commas alone separate.
    """
    if '"' not in cell:
        items = [item.strip() for item in cell.split("," if "," in cell else ";")]
    else:
        try:
            items = next(csv.reader([cell], skipinitialspace=True, strict=True))
        except (csv.Error, StopIteration):
            raise BadCell("BAD_LIST", "Must be items between commas.") from None
    if max(map(len, items), default=0) > NAME:
        raise BadCell("TOO_LONG", f"Each item must have at most {NAME} characters.")
    return list(dict.fromkeys(filter(None, items)))


def imported(cell: str) -> str:
    """What was kept of a row: a JSON object of texts."""
    try:
        members = orjson.loads(cell)
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
        raise BadCell("BAD_JSON", "Must be a JSON object of texts.")
    return cell


def as_list(items: list[str]) -> str:
    """The cell that `listed` reads as these items."""
    quoted = any(item != item.strip() or set(item) & set(',;"\r\n') for item in items)
    return ",".join('"' + item.replace('"', '""') + '"' if quoted else item for item in items)


def as_cell(value: Any) -> str:
    """What stands in a file for a value."""
    return _CELLS.get(type(value), str)(value)


_CELLS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "",
    bool: lambda value: "true" if value else "false",
    datetime: lambda value: value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z",  # is UTC
    date: date.isoformat,
}


@dataclass(frozen=True)
class Column:
    """A column: what its cells mean, which attribute of a row follows it, and its line of the page.

    Columns without an attribute are dealt with by code of their own. What is `carried` counts only
    for a row that the import makes: those columns are for files that the export wrote.
    """

    name: str
    read: Callable[[str], Any]
    help: str
    attribute: str | None = None
    carried: bool = False


@dataclass(frozen=True)
class File:
    """A file: what its rows are called in ids, and the columns that are looked at."""

    name: str
    kind: str
    required: tuple[str, ...]
    columns: tuple[Column, ...]
    aliases: tuple[tuple[str, str], ...] = ()  # other names of columns, and those of the columns

    @functools.cached_property
    def follows(self) -> tuple[tuple[str, str], ...]:
        """The columns that follow attributes of our rows, and those."""
        return tuple((column.name, column.attribute) for column in self.columns if column.attribute)

    @property
    def attributes(self) -> set[str]:
        """The attributes of our rows that follow the file."""
        return {column.attribute for column in self.columns if column.attribute and not column.carried}


STATUS = Column("status", status, "`tobedeleted` or `inactive`: see below; `active` or nothing otherwise")
CARRIED = (
    Column("metadata.id", an_id, "id of the row", carried=True),
    Column("metadata.sourcedId", text(), "sourcedId of the row, where `metadata.id` is given", carried=True),
    Column("metadata.createdAt", instant, "createdAt", "created_at", carried=True),
    Column("metadata.updatedAt", instant, "updatedAt", "updated_at", carried=True),
    Column("metadata.imported", imported, "what the last import of the row said, as JSON", carried=True),
    Column("metadata.empty", listed, "columns that are empty text, and not nothing", carried=True),
)
# What says that we wrote a file; and the columns that count in no other, since other systems have columns of
# those names.
OURS = frozenset({"metadata.id", "metadata.imported"})
ERASED = Column("metadata.erasedAt", instant, "when the user was erased", "erased_at", carried=True)
FOR_OURS = frozenset({CARRIED[0], CARRIED[1], CARRIED[4], CARRIED[5], ERASED})
MADE = (
    Column("metadata.id", an_id, "its id", "id"),
    Column("metadata.createdAt", instant, "its createdAt", "created_at"),
    Column("metadata.updatedAt", instant, "its updatedAt", "updated_at"),
)
DURATION = Column("metadata.duration", whole(1, DURATION_AT_MOST), "duration, whatever the terms say")
ARCHIVED = Column("metadata.archived", flag, "archived, whatever status says")

SESSIONS = File(
    "academicSessions.csv",
    "academicSession",
    ("sourcedId", "startDate", "endDate"),
    (
        Column("sourcedId", text(), "what classes name it by"),
        STATUS,
        Column("startDate", day, "first day of the programs of its classes"),
        Column("endDate", day, "the day after their last day"),
    ),
)

COURSES = File(
    "courses.csv",
    "course",
    ("sourcedId",),
    (
        Column("sourcedId", text(), "sourcedId, and the id is made of it"),
        STATUS,
        Column("title", text(), "name; a new kind needs one", "name"),
        Column("courseCode", text(), "handle", "handle"),
        Column("metadata.group", text(), "group", "group"),
        Column("metadata.parent", text(), "parentId: the sourcedId of another course"),
        Column("metadata.mode", word(Mode), "mode: `fixed` unless given", "mode"),
        Column("metadata.duration", whole(1, DURATION_AT_MOST), "duration: 1 unless given", "duration"),
        Column(
            "metadata.priority",
            whole(-PRIORITY_AT_MOST, PRIORITY_AT_MOST),
            "priority: 0 unless given",
            "priority",
        ),
        ARCHIVED,
        *CARRIED,
    ),
)

CLASSES = File(
    "classes.csv",
    "class",
    ("sourcedId",),
    (
        Column("sourcedId", text(), "sourcedId, and the id is made of it"),
        STATUS,
        Column("title", text(), "name: the kind's unless given", "name"),
        Column("courseSourcedId", text(), "programKind; stays what it was first; without one: see below"),
        Column("termSourcedIds", listed, "startDate and duration: from the earliest start to the latest end"),
        DURATION,
        Column("metadata.mode", word(Mode), "mode: the kind's unless given", "mode"),
        Column("metadata.timezone", timezone, "timezone: UTC unless given", "timezone"),
        Column("metadata.parent", text(), "parentId: the sourcedId of another class"),
        ARCHIVED,
        *CARRIED,
    ),
    (("termSourcedId", "termSourcedIds"),),
)

LABELS = File(
    "metadata.labels.csv",
    "label",
    ("handle",),
    (
        Column("handle", text(), "handle of a label, which is made if there is none", "handle"),
        Column("name", text(), "its name: the handle unless given", "name"),
        Column("sourcedId", text(), "its sourcedId", "sourced_id"),
        *MADE,
    ),
)

USERS = File(
    "users.csv",
    "user",
    ("sourcedId",),
    (
        Column("sourcedId", text(), "sourcedId, and the id is made of it"),
        STATUS,
        Column("enabledUser", flag, "`false`: status retired"),
        Column("role", role, "role of an enrollment that says none (OneRoster 1.1)"),
        Column("givenName", text(), "first", "first"),
        Column("familyName", text(), "last", "last"),
        Column("email", email, "email: see below for who gets one that several have", "email"),
        Column("sms", text(), "mobile", "mobile"),
        Column("phone", text(), "mobile, where sms is empty"),
        Column("metadata.name", text(), "name", "name"),
        Column("metadata.title", text(), "title", "title"),
        Column("metadata.gender", word(Gender), "gender", "gender"),
        Column("metadata.dob", day, "dob", "dob"),
        Column("metadata.timezone", timezone, "timezone", "timezone"),
        Column("metadata.externalId", text(), "externalId", "external_id"),
        Column("metadata.externalStatus", text(), "externalStatus", "external_status"),
        Column("metadata.lastSignInAt", instant, "lastSignInAt", "last_sign_in_at"),
        Column("metadata.labels", listed, "handles of labels, which are made where missing"),
        Column("metadata.role", word(UserRole), "role: `user` unless given", "role", carried=True),
        ERASED,
        *CARRIED,
    ),
)

ROLES = File(
    "roles.csv",
    "role",
    ("userSourcedId", "role"),
    (
        STATUS,
        Column("userSourcedId", text(), "whose role it is"),
        Column("roleType", text(), "`primary` comes before others"),
        Column("role", role, "role of an enrollment that says none (OneRoster 1.2)"),
    ),
)

COHORTS = File(
    "metadata.cohorts.csv",
    "cohort",
    ("classSourcedId", "name"),
    (
        Column("classSourcedId", text(), "program of a cohort, which is made if there is none"),
        Column("name", text(), "its name", "name"),
        *MADE,
    ),
)

ENROLLMENTS = File(
    "enrollments.csv",
    "enrollment",
    ("sourcedId", "classSourcedId", "userSourcedId"),
    (
        Column("sourcedId", text(), "sourcedId, and the id is made of it"),
        STATUS,
        Column("classSourcedId", text(), "program"),
        Column("userSourcedId", text(), "user"),
        Column("role", role, "role: student → member, teacher → trainer, others → observer"),
        Column("beginDate", day, "date: the program's startDate unless given"),
        Column("endDate", day, "effectiveDate in the history, where the state is an ended one"),
        Column("metadata.state", word(MembershipState), "state: `active` unless given"),
        Column("metadata.cohort", text(), "name of the cohort, which is made where missing"),
        Column("metadata.comments", text(COMMENTS), "comments", "comments"),
        Column("metadata.stateDetail", text(), "stateDetail", "state_detail"),
        Column("metadata.changedAt", instant, "at in the history", carried=True),
        Column("metadata.effectiveDate", day, "effectiveDate in the history", carried=True),
        *CARRIED,
    ),
)

# In the order in which they are read, each after those that it names rows of.
FILES = (SESSIONS, COURSES, CLASSES, LABELS, USERS, ROLES, COHORTS, ENROLLMENTS)
