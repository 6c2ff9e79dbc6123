"""The admin.* functions, what the documentation has no function for; one file a noun or two."""

from rpc.admin import audit, catalog, imports, people, tokens

__all__ = ["audit", "catalog", "imports", "people", "tokens"]
