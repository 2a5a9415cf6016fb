"""The built-in demo data set: talking heads rendered from a parametric head model,
forged by imitations of the five FaceForensics++ methods, written as an FF++ folder.
"""

from litefake.demo.build import NOTE, build, clear
from litefake.demo.params import DemoParams

__all__ = ["NOTE", "DemoParams", "build", "clear"]
