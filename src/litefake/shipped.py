"""What comes with the package: a model (``tools/package_model.py`` makes it) and detectors."""

from pathlib import Path
from typing import Literal

MODEL = Path(__file__).parent / "packaged" / "default.onnx"
FaceDetector = Literal["haar", "blazeface", "blazeface_full"]  # those that need no further file
