"""Lightweight deepfake detection that anyone can reproduce."""

import os

# Of a picture: more than any camera's. Read by OpenCV when it is loaded; its own limit is 2^30, and
# it knows formats whose headers nothing else here reads.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))
