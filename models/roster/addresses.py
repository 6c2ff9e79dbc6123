"""Owners of emails, decided over a whole file: swaps, addresses that are handed on, and shared ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Holder:
    """A user who has an email now, and whether they are active when the import is done."""

    user_id: UUID
    is_active: bool


@dataclass(frozen=True)
class Claim:
    """A user for whom a file gives an email, as it compares, that they do not have."""

    user_id: UUID
    sourced_id: str
    key: str
    is_active: bool
    gives_up: bool  # an email that they have now


@dataclass
class Assignment:
    """The outcome: claims that are won, users who are denied and by whom, and users who lose an email."""

    won: dict[str, Claim] = field(default_factory=dict)  # by email
    denied: dict[UUID, UUID] = field(default_factory=dict)  # user ids: who claims, and who has it
    losers: set[UUID] = field(default_factory=set)


def assign(claims: Iterable[Claim], holders: Mapping[str, Holder]) -> Assignment:
    """Decide who gets the emails that are claimed; the order of the claims means nothing.

    Whoever has an email keeps it, unless they get another one now, or are retired and an active user
    claims it. Of several claims to one email the first counts: those of active users come before those of
    retired ones, and then the sourcedId decides. Who does not get the email that they claim keeps the one
    that they have.
    """
    by_key: dict[str, list[Claim]] = {}
    for claim in sorted(claims, key=lambda claim: (not claim.is_active, claim.sourced_id)):
        by_key.setdefault(claim.key, []).append(claim)
    moving = {claim.user_id for group in by_key.values() for claim in group if claim.gives_up}
    found = Assignment()
    known = -1
    while known != len(found.denied):  # one who is denied keeps an email that somebody else may claim
        known = len(found.denied)
        for key, group in by_key.items():
            first, *others = group
            holder = holders.get(key)
            stays = holder is not None and not (
                holder.user_id in moving and holder.user_id not in found.denied
            )
            if holder is not None and stays and (holder.is_active or not first.is_active):
                found.denied |= {claim.user_id: holder.user_id for claim in group}
            else:
                found.denied |= {claim.user_id: first.user_id for claim in others}
    for key, (first, *_) in by_key.items():
        if first.user_id not in found.denied:
            found.won[key] = first
            if key in holders:
                found.losers.add(holders[key].user_id)
    return found
