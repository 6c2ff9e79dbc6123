"""The admin.* functions, what the documentation has no function for; one file a noun or two."""

from rpc.admin import audit, catalog, people, tokens

__all__ = ["audit", "catalog", "people", "tokens"]
