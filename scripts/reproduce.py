#!/usr/bin/env python3
"""Run the five reference systems with fastmlp, and show what it reaches beside what they did."""

from __future__ import annotations

import sys
from pathlib import Path

# The clone's own fastmlp reproduces, whatever is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from systems.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
