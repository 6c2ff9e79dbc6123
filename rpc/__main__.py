"""`python -m rpc` is `core-rpc`."""

from rpc.cli import main

if __name__ == "__main__":
    main()
