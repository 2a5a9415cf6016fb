"""The model that comes with the package; ``python -m tools.package_model`` makes it."""

from pathlib import Path

MODEL = Path(__file__).parent / "packaged" / "default.onnx"
