"""Commands for those who work on the project; nothing of the pipeline imports them."""

import os
import sys
from pathlib import Path

# A tool finds `dvc`, and its stages `python`, in the environment that it runs in, active or not.
os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
