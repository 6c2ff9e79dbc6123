"""Our server as `core-rpc serve` starts it: `python -m tests.faults.serve PORT`, with what only tests set.

FAULTS_CHECKPOINT_PAGES   pages of the log from which on it is brought into the database, so that it happens
                          many times in a second of writing
FAULTS_SYNCHRONOUS        how durable commits are: less than full, to see that the check sees it
"""

from __future__ import annotations

import os
import sys

from models.database import PRAGMAS
from models.writer import Checkpoints
from rpc.cli import main

if __name__ == "__main__":
    Checkpoints.FROM_PAGES = int(os.environ["FAULTS_CHECKPOINT_PAGES"])
    PRAGMAS["synchronous"] = os.environ["FAULTS_SYNCHRONOUS"]
    sys.argv = ["core-rpc", "serve", "--port", sys.argv[1]]
    main()
