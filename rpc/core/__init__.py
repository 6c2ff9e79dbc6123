"""The documented core.* functions, one file a noun."""

from rpc.core import cohorts, memberships, programs, queries, tickets, users

__all__ = ["cohorts", "memberships", "programs", "queries", "tickets", "users"]
