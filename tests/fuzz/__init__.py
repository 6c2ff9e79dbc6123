"""A fuzz of the whole server over HTTP: `python -m tests.fuzz`."""
