"""Our server, as `core-rpc serve` starts it; CORE_RPC_DATABASE says on which database."""

from __future__ import annotations

import sys

from rpc.cli import main
from tests.benchmarks.servers import port

if __name__ == "__main__":
    sys.argv = ["core-rpc", "serve", "--port", str(port())]
    main()
