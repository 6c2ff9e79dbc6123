"""The functions as methods, under both their names, made of the table when they are asked for.

What a type checker sees is in surface.pyi, which `python -m tests.client.stub` writes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from client.functions import FUNCTIONS, Function

# What a caller does with a function and its parameters: call it, or put it into a batch.
Take = Callable[[Function, dict[str, Any]], Any]


class _Method:
    """A function in a class: on an instance, what calls it."""

    def __init__(self, function: Function, name: str) -> None:
        self.function = function
        self.__name__ = name
        self.__doc__ = function.help
        self.__signature__ = signature(function)

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self
        function, take = self.function, owner._take

        def method(*args: Any, **params: Any) -> Any:
            return take(function, function.named(args, params))

        method.__name__ = self.__name__
        method.__doc__ = self.__doc__
        method.__signature__ = self.__signature__  # type: ignore[attr-defined]
        return method


def signature(function: Function) -> inspect.Signature:
    """How a method is called: what cannot be left out first, as the documented order has it."""
    return inspect.Signature(
        [
            inspect.Parameter(
                parameter.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if parameter.name in function.asked_for else None,
                annotation=parameter.type,
            )
            for parameter in function.parameters
        ],
        return_annotation=function.returns,
    )


class _Namespace:
    def __init__(self, take: Take) -> None:
        self._take = take


class Core(_Namespace):
    """The core.* functions."""


class Admin(_Namespace):
    """The admin.* functions, for what the documentation has no function for; need scope admin.

    Each Save makes a row, or changes the one with the id given: what is left out stays, and `clear`
    names, as the wire does, the members to be emptied. Lists give at most 1,000 rows unless `limit`
    says otherwise.
    """


class Functions:
    """What has the functions: `core` and `admin` by both names, those of `core` also without it."""

    _take: Take

    @property
    def core(self) -> Core:
        return Core(self._take)

    @property
    def admin(self) -> Admin:
        return Admin(self._take)


for _function in FUNCTIONS.values():
    _owners: list[type] = [Core, Functions] if _function.namespace == "core" else [Admin]
    setattr(_owners[0], _function.pascal, _Method(_function, _function.pascal))
    for _owner in _owners:
        setattr(_owner, _function.snake, _Method(_function, _function.snake))

SyncFunctions = AsyncFunctions = BatchFunctions = Functions  # a type checker tells them apart
