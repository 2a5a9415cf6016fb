"""A tool of the project as its users start it."""

import os
import subprocess
import sys
from pathlib import Path

from tools.pipeline import ROOT


def run_tool(name: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``python -m tools.NAME WORDS`` in ``cwd``, with what it said."""
    return subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
