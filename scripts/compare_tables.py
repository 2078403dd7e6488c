#!/usr/bin/env python3
"""Compare fastmlp's errors on tables with gradient boosting and other multilayer perceptrons."""

from __future__ import annotations

import sys
from pathlib import Path

# The clone's own fastmlp is measured, whatever is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from table_peers.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
