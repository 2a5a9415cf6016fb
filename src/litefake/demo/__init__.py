"""The built-in demo data set: talking heads rendered from a parametric head model,
forged by imitations of the five FaceForensics++ methods, written as an FF++ folder.
"""

from litefake.demo.build import build
from litefake.demo.params import DemoParams

__all__ = ["DemoParams", "build"]
