"""The DVC stages: one small script each, run as ``python -m stages.NAME``.

The path is set here, not by an installed package: an experiment in a temporary
directory must run its own code and not the workspace's.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
