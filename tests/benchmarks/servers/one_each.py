"""Our server with a transaction for each write: what group commit is measured against."""

from __future__ import annotations

import sys

from models.writer import Writer
from rpc.cli import main
from tests.benchmarks.servers import port

if __name__ == "__main__":
    Writer.GROUP_SECONDS = Writer.TURN_SECONDS = 0.0
    sys.argv = ["core-rpc", "serve", "--port", str(port())]
    main()
