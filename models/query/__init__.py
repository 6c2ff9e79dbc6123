"""The query languages."""
