from __future__ import annotations

import sys
from pathlib import Path

# problems.py is imported by name, as tests/reference.py is.
sys.path.insert(0, str(Path(__file__).parent))
