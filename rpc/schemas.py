"""How values look on the wire: the fields and the base schemas that every method is declared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import marshmallow
from marshmallow import ValidationError, fields

from models import clock
from models.ids import TextUUID
from models.people import email_key
from models.text import (  # noqa: F401
    COMMENTS,
    DAY_TEXT,
    FORBIDDEN,
    INSTANT_TEXT,
    NAME,
    QUERY,
    UUID_TEXT,
    instant_text,
)
from rpc.nearest import Names

MANY = 2**53  # the largest bound of a whole number: above it doubles are not exact
ADMIN_LIST = 1000  # rows of an admin.* list unless a limit is given


def camel(name: str) -> str:
    """The wire's name of one of ours: program_id → programId."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class Id(fields.UUID):
    """A UUID with dashes, any letter case in, lower case out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return TextUUID(value.lower())


class Text(fields.String):
    """Text kept exactly as sent, at most so many characters."""

    def __init__(self, at_most: int = NAME, **options: Any) -> None:
        super().__init__(**options)
        self.at_most = at_most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if len(value) > self.at_most:
            raise ValidationError(f"Must have at most {self.at_most} characters.")
        if FORBIDDEN.search(value):
            raise ValidationError("Must have no control characters and no lone surrogates.")
        return value


class Filled(Text):
    """Text that says something."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip():
            raise ValidationError("Must not be empty.")
        return text


class Email(Text):
    """An email address: exactly one @, no blank inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            email_key(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return text


class Timezone(Text):
    """The name of an IANA time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in clock.timezones():
            raise ValidationError("Must be the name of an IANA time zone, such as Europe/Berlin.")
        return text


class Day(fields.Date):
    """A day as YYYY-MM-DD and nothing else."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if isinstance(value, str) and DAY_TEXT.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("Must be a date as YYYY-MM-DD.")


class Instant(fields.DateTime):
    """A UTC instant, ISO 8601 with Z; always three fraction digits out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if isinstance(value, str) and INSTANT_TEXT.fullmatch(value):
                instant = datetime.fromisoformat(value)
                return instant.replace(microsecond=instant.microsecond // 1000 * 1000)  # as it is kept
        except ValueError:
            pass
        raise ValidationError("Must be a UTC time as YYYY-MM-DDTHH:MM:SS.sssZ.")

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else instant_text(value)


class Whole(fields.Integer):
    """A whole number between two bounds; 7.0 is one, since Lua cannot tell."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise ValidationError("Must be a whole number.")
        if not self.least <= value <= self.most:
            raise ValidationError(f"Must be between {self.least} and {self.most}.")
        return int(value)


class Flag(fields.Boolean):
    """true or false, and nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Choice(fields.Enum):
    """One of the words of a StrEnum, or of some of them."""

    def __init__(self, words: type[StrEnum], only: tuple[StrEnum, ...] = (), **options: Any) -> None:
        super().__init__(words, by_value=fields.String, **options)
        self.words = only or tuple(words)
        self.choices_text = ", ".join(self.words)
        self._by_text = {word.value: word for word in self.words}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or value not in self._by_text:
            raise self.make_error("unknown", choices=self.choices_text)
        return self._by_text[value]


class OneOf(fields.Field):
    """A result that is of one shape or another; a test on the value picks the field."""

    def __init__(self, pick: Any, *shapes: fields.Field, **options: Any) -> None:
        super().__init__(**options)
        self.pick = pick
        self.shapes = shapes

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        shape = self.shapes[self.pick(value)]
        return shape.serialize("value", {"value": value})


class WireSchema(marshmallow.Schema):
    """Members are called in camelCase on the wire; this alone turns one into the other."""

    class Meta:
        unknown = marshmallow.RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field) -> None:
        if field_obj.data_key is None:
            field_obj.data_key = camel(field_name)


_EMPTY_TABLE: list[Any] = [[]]  # an object without members, as Lua may write it


class Params(WireSchema):
    """The parameters of a method, in the documented order.

    null means "not given". Members in `emptied` may be emptied by naming them in `clear`; handlers
    get None for those, and nothing for members that were not given and have no `load_default`. Of
    the members in `any_of`, at least one must be given.
    """

    emptied: ClassVar[tuple[str, ...]] = ()
    any_of: ClassVar[tuple[str, ...]] = ()

    error_messages = {"unknown": "There is no such member.", "type": "Must be an object or an array."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.wire = {field.data_key: field for field in self.fields.values()}
        ids = [name for name, field in self.wire.items() if isinstance(field, Id)]
        self.sole_id = ids[0] if len(ids) == 1 and "id" not in self.wire else None
        self._names = Names(str(name) for name in self.wire)
        self._quick = _Quick(self)

    def named(self, params: list[Any] | Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters by name, whichever of the documented forms they came in."""
        if isinstance(params, Mapping):
            return params
        if len(params) == 1 and isinstance(params[0], dict):
            return params[0]
        if params == _EMPTY_TABLE:
            return {}
        order = [str(name) for name in self.wire] + ["clear"] * bool(self.emptied)
        if any(value is not None for value in params[len(order) :]):
            raise ValidationError({"params": [f"There are at most {len(order)} values by position."]})
        return dict(zip(order, params, strict=False))

    def loaded(self, params: list[Any] | Mapping[str, Any]) -> dict[str, Any]:
        """Typed values by our names. ValidationError tells everything that is wrong at once."""
        values = self._quick.loaded(params)
        return self.carefully_loaded(params) if values is None else values

    def carefully_loaded(self, params: list[Any] | Mapping[str, Any]) -> dict[str, Any]:
        """As `loaded`, through marshmallow's own load, whatever comes."""
        given = {name: value for name, value in self.named(params).items() if self._is_given(name, value)}
        alias_errors = self._resolve_alias(given)
        cleared, clear_errors = self._cleared(given)
        messages: dict[str, list[Any]] = {**alias_errors, **clear_errors, **self._lacking(given)}
        # marshmallow would copy all errors so far for each such member: seconds, where there are many.
        for number, name in enumerate([name for name in given if name not in self.wire]):
            del given[name]
            messages.setdefault(name, []).append(self._no_member(name, thoroughly=number == 0))
        try:
            values = self.load(given)
        except ValidationError as error:
            for name, found in error.normalized_messages().items():
                messages[name] = [found, *messages.get(name, [])]
        if messages:
            raise ValidationError(messages)
        values.update(dict.fromkeys(cleared))
        return values

    def _no_member(self, name: str, *, thoroughly: bool) -> str:
        nearest = self._names.nearest(name) if thoroughly else self._names.alike(name)
        unknown = self.error_messages["unknown"]
        return unknown if nearest is None else f"{unknown} Did you mean {nearest}?"

    def _is_given(self, name: str, value: Any) -> bool:
        return value is not None or not (name in self.wire or name in ("clear", "id"))

    def _resolve_alias(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """`id` stands for the sole documented id; both are refused unless equal."""
        if self.sole_id is None or "id" not in given:
            return {}
        alias = given.pop("id")
        other = given.setdefault(self.sole_id, alias)
        if str(alias).lower() != str(other).lower():
            return {"id": [f"Must be left out, or equal to {self.sole_id}."]}
        return {}

    def _lacking(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """What is wrong when none of the members is given of which one must be."""
        names = [camel(name) for name in self.any_of]
        if not names or any(name in given for name in names):
            return {}
        return {names[0]: [f"{' or '.join(names)} is required."]}

    def _cleared(self, given: dict[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
        """Our names of the members to be emptied."""
        if not self.emptied or "clear" not in given:
            return [], {}
        names = given.pop("clear")
        names = [] if names == {} else names  # Lua may send an empty table so
        allowed = {camel(name): name for name in self.emptied}
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return [], {"clear": ["Must be an array of member names."]}
        wrong = []
        for name in names:
            if name not in allowed:
                wrong.append(f"{name} can't be emptied; these can: {', '.join(allowed)}.")
            elif name in given:
                wrong.append(f"{name} is given as well.")
        return [allowed[name] for name in names if name in allowed], {"clear": wrong} if wrong else {}


class _Quick:
    """Loads the usual call, where all is well, without marshmallow's way through schema and errors.

    It is made of the schema's own fields, each of which checks its value as ever; a load takes a
    third of the time. Whatever is unusual or wrong in a call is left to the schema, and so is every
    call where the schema has more to say than its fields. A property test holds both equal.
    """

    def __init__(self, schema: Params) -> None:
        self._order = [str(name) for name in schema.wire]
        self._fields = {
            str(name): (str(field.attribute or field.name), _loader(field))
            for name, field in schema.wire.items()
        }
        self._needed = frozenset(name for name, field in schema.wire.items() if field.required)
        self._any_of = frozenset(camel(name) for name in schema.any_of)
        self._usual = {
            str(field.attribute or field.name): field.load_default
            for field in schema.wire.values()
            if field.load_default is not marshmallow.missing
        }
        self._applies = not any(schema._hooks.values())

    def loaded(self, params: list[Any] | Mapping[str, Any]) -> dict[str, Any] | None:
        """The typed values, or nothing where the schema must look."""
        if isinstance(params, list):
            if len(params) == 1 and isinstance(params[0], dict):
                params = params[0]
            elif params == _EMPTY_TABLE:
                params = {}
            elif len(params) > len(self._order):
                return None
            else:
                params = dict(zip(self._order, params, strict=False))
        if not self._applies or not params.keys() >= self._needed:
            return None
        if self._any_of and self._any_of.isdisjoint(params):
            return None
        values = self._usual.copy()
        try:
            for name, value in params.items():
                if value is None:
                    return None
                own_name, load = self._fields[name]
                values[own_name] = load(value, name, params)
        except (KeyError, ValidationError):
            return None
        return values


def _loader(field: fields.Field) -> Callable[[Any, str | None, Any], Any]:
    """What makes a typed value of a value that is given: all of the field that then has a say."""
    if field.pre_load or field.validators or field.post_load:
        return field.deserialize
    return field._deserialize


def required(field: type[fields.Field], help: str, **options: Any) -> Any:
    """A parameter that must be given."""
    return field(required=True, metadata={"help": help}, **options)


def optional(field: type[fields.Field], help: str, default: Any = None, **options: Any) -> Any:
    """A parameter that may be left out; the handler gets the default then."""
    return field(load_default=default, metadata={"help": help}, **options)


def extra(field: type[fields.Field], help: str, default: Any = None, **options: Any) -> Any:
    """As `optional`, for one that the documentation does not have."""
    return field(load_default=default, metadata={"help": help, "extension": True}, **options)


def change(field: type[fields.Field], help: str, **options: Any) -> Any:
    """A parameter of a partial update: left out, the handler does not get it and it stays as it is."""
    return field(metadata={"help": help}, **options)


def limit(most: int = 10_000, default: int | None = None) -> Any:
    """The `limit` of a list."""
    return extra(Whole, "at most so many rows", default, least=1, most=most)


def offset() -> Any:
    """The `offset` of a list."""
    return extra(Whole, "rows to leave out first", 0, least=0, most=MANY)
