"""Lightweight deepfake detection that anyone can reproduce."""

import os

MAX_PIXELS = 8192 * 4320  # of a frame or a picture
# Read by OpenCV when it is loaded: it knows formats whose headers nothing else here reads.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
