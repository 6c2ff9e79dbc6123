"""The documented core.* functions, one file a noun."""

from rpc.core import cohorts, memberships, programs, tickets, users

__all__ = ["cohorts", "memberships", "programs", "tickets", "users"]
