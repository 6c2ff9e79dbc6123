"""The words that the wire has for states, roles and the like."""

from __future__ import annotations

from enum import StrEnum


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class How(StrEnum):
    API = "api"
    SYNC = "sync"
    IMPORT = "import"
    TICKET = "ticket"


class ImportOutcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Language(StrEnum):
    USERS = "users"
    PROGRAMS = "programs"
    PARTICIPANTS = "participants"


class MembershipRole(StrEnum):
    MEMBER = "member"
    TRAINER = "trainer"
    OBSERVER = "observer"


class MembershipState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    GRADUATED = "graduated"
    INCOMPLETE = "incomplete"
    WITHDRAWN = "withdrawn"
    DROPPED = "dropped"
    REFUNDED = "refunded"


class Mode(StrEnum):
    FIXED = "fixed"
    OPEN = "open"


class RelationKind(StrEnum):
    FOLLOWS = "follows"
    DIRECT = "direct"
    RELATED = "related"


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class SyncMode(StrEnum):
    CLOSED = "closed"
    OPEN = "open"


class TicketState(StrEnum):
    READY = "ready"
    CONSUMED = "consumed"
    CANCELED = "canceled"


class UnknownNames(StrEnum):
    REFUSE = "refuse"
    IGNORE = "ignore"


class UserRole(StrEnum):
    USER = "user"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
