"""What the server costs beside others, measured: `python -m tests.benchmarks`."""
