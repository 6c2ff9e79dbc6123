"""What was understood of a query, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable

from models.memberships import MembershipState
from models.people import UserStatus
from models.query.tree import (
    AllOf,
    Between,
    Comparison,
    Everybody,
    Language,
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
    Sort,
    Term,
    Tie,
    Tied,
    Today,
    Unplaced,
    Word,
    is_about_participant,
    is_about_users,
    is_excluded,
    states_of,
)
from models.query.vocabulary import SORT_FIELDS, WORDS
from models.query.writing import item_text

LINE_AT_MOST = 100  # characters; what is longer is told in lines


def in_words(query: Query, language: Language) -> str:
    """What the query finds, as a sentence; a long one is broken into lines."""
    found = _found(query, language)
    rest = list(_rest(query, language))
    sentence = "; ".join([", ".join(found), *rest])
    if len(sentence) <= LINE_AT_MOST:
        return sentence
    return "\n".join([found[0], *(f"  {line}" for line in found[1:] + rest)])


# --- What is found


_ALL = {
    Language.USERS: "All users",
    Language.PROGRAMS: "All programs",
    Language.PARTICIPANTS: "All memberships",
}
_HEADS = {
    Language.USERS: "Users",
    Language.PROGRAMS: "Programs",
    Language.PARTICIPANTS: "Memberships",
}


def _found(query: Query, language: Language) -> list[str]:
    """The groups, each that another is taken away from by a line of its own."""
    anything = (AllOf((Everybody(),)),) if language is not Language.PROGRAMS else ()
    if query.anyof in ((), anything):
        return [_ALL[language]]
    given = [_group(group, language) for group in query.anyof if not _only_taken_away(group)]
    taken = [_group(group, language) for group in query.anyof if _only_taken_away(group)]
    head = f"{_HEADS[language]} {given[0]}" if given else _ALL[language]
    return [head, *(f"or {group}" for group in given[1:]), *(f"but only those {group}" for group in taken)]


def _only_taken_away(group: AllOf) -> bool:
    return all(is_excluded(term) for term in group.terms)


def _group(group: AllOf, language: Language) -> str:
    match language:
        case Language.USERS:
            phrases = [f"who {_about_people(term)}" for term in group.terms]
        case Language.PARTICIPANTS:
            phrases = [
                f"of users who {_about_people(term)}" if is_about_users(term) else _about_membership(term)
                for term in group.terms
            ]
        case Language.PROGRAMS:
            phrases = list(_of_program(group))
    return " and ".join(phrases)


# --- Users

# Given, and excluded.
_OF_USERS = {
    Noun.PROGRAMS: ("are or were in the program or kind", "never were in the program or kind"),
    Noun.KIND: ("are or were in a program of the kind", "never were in a program of the kind"),
    Noun.PROGRAM_KIND_ACTIVE: (
        "are active in a program of the kind",
        "are not active in a program of the kind",
    ),
    Noun.USERS: ("are the user", "are not the user"),
    Noun.GROUPS: ("are in the group", "are not in the group"),
    Noun.CHANNELS: ("are in the channel", "are not in the channel"),
    Noun.LABELS: ("have the label", "do not have the label"),
    Noun.ACTIVE: ("are active in the program or kind", "are not active in the program or kind"),
    Noun.COHORTS: ("sit in the cohort", "do not sit in the cohort"),
}

# Where memberships are that are in some of the states.
_IN_PLACE = {
    Noun.PROGRAMS: "in the program or kind",
    Noun.KIND: "in a program of the kind",
    Noun.COHORTS: "in the cohort",
}

_TIES = {
    Tie.FOLLOWERS: "follow",
    Tie.FOLLOWING: "are followed by",
    Tie.DIRECT: "are in a direct relation with",
    Tie.RELATED: "are related to",
    Tie.COHORT: "share a cohort with",
    Tie.PROGRAM: "share a program with",
}


def _about_people(term: Term, *, positive: bool = False) -> str:
    """What users do or are, to stand behind "who"; positive: as if it were given."""
    match term:
        case Listed(noun, items, excluded, states):
            negative = excluded and not positive
            named = _any_of(map(item_text, items))
            if states:
                return f"are {'not ' if negative else ''}{_any_of(states)} {_IN_PLACE[noun]} {named}"
            return f"{_OF_USERS[noun][negative]} {named}"
        case Unplaced():
            return "are active in a program without a cohort"
        case Everybody(admins):
            return "are administrators" if admins else "are anybody"
        case Somebody(user_id):
            return f"are {_user(user_id)}"
        case Tied(tie, user_id):
            return f"{_TIES[tie]} {_user(user_id)}"
        case ProgramTerm(phase, days, states):
            state = _any_of(states) if states else "or were"
            return f"are {state} in a program that {_SINGULAR[phase]} {_range(days)}"


def _user(user_id: object) -> str:
    return "the current user" if user_id is None else f"the user {user_id}"


# --- Memberships


def _about_membership(term: Term) -> str:
    match term:
        case Listed(noun, items, excluded, states):
            state = f"{_any_of(states)} " if states else ""
            return f"{'not ' if excluded else ''}{state}{_IN_PLACE[noun]} {_any_of(map(item_text, items))}"
        case Unplaced():
            return "without a cohort"
        case ProgramTerm(phase, days, states):
            state = f"{_any_of(states)} " if states else ""
            return f"{state}in a program that {_SINGULAR[phase]} {_range(days)}"
    raise AssertionError(term)


# --- Programs

_LISTED_PROGRAMS = {
    Noun.PROGRAMS: ("that are the program or kind", "that are not the program or kind"),
    Noun.KIND: ("of the kind", "not of the kind"),
    Noun.COHORTS: ("with the cohort", "without the cohort"),
}

_SINGULAR = {
    Phase.STARTING: "starts",
    Phase.ENDING: "ends",
    Phase.ACTIVE: "runs",
    Phase.OPEN: "is open and runs",
}
_PLURAL = {
    Phase.STARTING: "start",
    Phase.ENDING: "end",
    Phase.ACTIVE: "run",
    Phase.OPEN: "are open and run",
}


def _about_program(term: Term) -> str:
    match term:
        case Listed(noun, items, excluded):
            return f"{_LISTED_PROGRAMS[noun][excluded]} {_any_of(map(item_text, items))}"
        case ProgramTerm(phase, days):
            return f"that {_PLURAL[phase]} {_range(days)}"
    raise AssertionError(term)


def _of_program(group: AllOf) -> Iterable[str]:
    """Phrases about the program, and one about a member, where the terms give one."""
    about_member = [term for term in group.terms if is_about_participant(term)]
    gives_member = not all(map(is_excluded, about_member))
    told = False
    for term in group.terms:
        if term not in about_member:
            yield _about_program(term)
        elif not gives_member:
            members = "members" if states_of(term) else _members(group)
            yield f"without {members} who {_about_member(term, positive=True)}"
        elif not told:
            told = True
            said = [f"who {_about_member(one)}" for one in about_member if one != Everybody()]
            yield " ".join([f"with {_members(group)}", " and ".join(said)]).rstrip()
    if _states(group) and not gives_member:
        yield f"with {_members(group)}"


def _about_member(term: Term, *, positive: bool = False) -> str:
    return "sit in no cohort" if isinstance(term, Unplaced) else _about_people(term, positive=positive)


def _members(group: AllOf) -> str:
    named = _states(group)
    if not named:
        return "members"
    both = [state for state in named[0] if all(state in states for states in named)]
    return f"{_any_of(both)} members" if both else "members in no state"


def _states(group: AllOf) -> list[tuple[MembershipState, ...]]:
    """The states that each term names of those who are wanted, where it names any."""
    return [states_of(term) for term in group.terms if states_of(term) and not is_excluded(term)]


# --- Days


def _range(days: Range) -> str:
    match days:
        case Between(OnDay(day), end) if days.start == end:
            return f"on {day}"
        case Between(start, end) if start == end:
            return _point(start)
        case Between(start, end):
            return f"between {_point(start)} and {_point(end)}"
    return f"within a {days.unit} from {_point(days.start)} on"


def _point(point: Point) -> str:
    match point:
        case Today() | Shift(number=0):
            return "today"
        case OnDay(day):
            return str(day)
        case Shift(number, unit):
            count = f"{abs(number)} {unit}{'' if abs(number) == 1 else 's'}"
            return f"{count} {'from today' if number > 0 else 'ago'}"


# --- The rest

_STATUS = {UserStatus.ACTIVE: "not retired", UserStatus.RETIRED: "retired", None: "retired or not"}
_WHOSE = {Language.USERS: "", Language.PROGRAMS: "members ", Language.PARTICIPANTS: "users "}


def _rest(query: Query, language: Language) -> Iterable[str]:
    if language is not Language.PROGRAMS or _looks_at_members(query):
        yield _WHOSE[language] + _STATUS[query.status]
    if query.role is not None:
        yield f"taking part as {query.role}s"
    if query.search is not None:
        of_one = "such a" if _gives_members(query) else "one"
        subject = f"where of {of_one} member" if language is Language.PROGRAMS else _SEARCHED[language]
        yield f"{subject} {_search(query.search)}"
    if query.sort:
        yield f"by {', then '.join(_sorted(sort, language) for sort in query.sort)}"
    if query.limit is not None:
        yield f"at most {query.limit}"


def _sorted(sort: Sort, language: Language) -> str:
    return f"{SORT_FIELDS[language][sort.field]}{', descending' if sort.descending else ''}"


def _looks_at_members(query: Query) -> bool:
    if query.role is not None or query.search is not None:
        return True
    return any(_states(group) or any(map(is_about_participant, group.terms)) for group in query.anyof)


def _gives_members(query: Query) -> bool:
    return any(
        _states(group) or any(is_about_participant(term) and not is_excluded(term) for term in group.terms)
        for group in query.anyof
    )


_SEARCHED = {
    Language.USERS: "where",
    Language.PARTICIPANTS: "where of the user",
}

_OPERATORS = {
    Operator.IS: "is",
    Operator.NOT: "is not",
    Operator.STARTS: "starts with",
    Operator.ENDS: "ends with",
    Operator.CONTAINS: "contains",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
}


def _search(search: Search) -> str:
    return ", or ".join(" and ".join(map(_comparison, group)) for group in search.groups)


def _comparison(comparison: Comparison) -> str:
    of_any = comparison.word is Word.ANY
    match comparison.operator, comparison.match:
        case Operator.EMPTY, _:
            return "all texts are empty" if of_any else f"{WORDS[comparison.word].help} is empty"
        case Operator.NOT, "":
            return "some text is not empty" if of_any else f"{WORDS[comparison.word].help} is not empty"
        case Operator.NOT, str(text) if of_any:
            return f'no text is "{text}"'
        case operator, match:
            subject = "some text" if of_any else WORDS[comparison.word].help
            return f"{subject} {_OPERATORS[operator]} {_match(match)}"


def _match(match: str | Point | None) -> str:
    assert match is not None
    return f'"{match}"' if isinstance(match, str) else _point(match)


def _any_of(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else str(last)
