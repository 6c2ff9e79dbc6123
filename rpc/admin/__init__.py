"""The admin.* functions, what the documentation has no function for; one file a noun or two."""

from rpc.admin import catalog, people, tokens

__all__ = ["catalog", "people", "tokens"]
