"""Haar's square from the eyes and the mouth: the one box of all detectors that find points.

Where Haar puts its square was measured beside BlazeFace (``python -m tools.fit_face_box``,
docs/decisions/face-detectors.md): eyes and mouth predict it better than BlazeFace's boxes do,
whose centre leans to the side a head is turned to, and one rule serves every such detector.
"""

import numpy as np
from numpy.typing import NDArray

from litefake.faces import Box

FloatArray = NDArray[np.floating]

# Medians over the real clips of the built-in data set's training people, as the tool prints
# them: the place of the centre on the way from the eyes to the mouth, and the side in lengths
# of (eye to eye + eyes to mouth).
ALONG = 0.234
SIDES = 1.312


def haar_square(right_eye: FloatArray, left_eye: FloatArray, mouth: FloatArray) -> Box:
    """The square, in whole pixels, for three points (x, y); ``mouth`` is its middle."""
    eyes = (right_eye + left_eye) / 2
    side = max(1, round(SIDES * length(right_eye, left_eye, mouth)))
    x, y = (eyes + ALONG * (mouth - eyes) - side / 2).tolist()
    return Box(round(x), round(y), side, side)


def length(right_eye: FloatArray, left_eye: FloatArray, mouth: FloatArray) -> float:
    """How large a face is: eye to eye plus eyes to mouth, in pixels."""
    eyes = (right_eye + left_eye) / 2
    return float(np.linalg.norm(left_eye - right_eye) + np.linalg.norm(mouth - eyes))
