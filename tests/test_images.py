"""Pictures are read by their bytes, whatever their names, and within limits."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from litefake import detection, images
from litefake.errors import LitefakeError

PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def test_a_picture_comes_back_as_it_was_written(tmp_path):
    images.write(tmp_path / "a.png", PICTURE)
    assert np.array_equal(images.read(tmp_path / "a.png"), PICTURE)
    assert np.array_equal(images.decode((tmp_path / "a.png").read_bytes()), PICTURE)


def test_a_name_that_is_no_text_is_read_like_any_other(tmp_path):
    """OpenCV itself ends the process on it."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    try:
        path.write_bytes(cv2.imencode(".png", PICTURE[..., ::-1])[1].tobytes())
    except OSError:
        pytest.skip("this file system takes no such name")
    assert np.array_equal(images.read(path), PICTURE)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_none(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert images.read(tmp_path / "a.png") is None
    assert images.read(tmp_path / "absent.png") is None
    assert images.read(tmp_path) is None


def test_a_file_beyond_every_picture_is_not_read_into_memory(tmp_path, monkeypatch):
    images.write(tmp_path / "a.png", PICTURE)
    size = (tmp_path / "a.png").stat().st_size
    monkeypatch.setattr(images, "MAX_BYTES", size)
    assert images.read(tmp_path / "a.png") is not None
    monkeypatch.setattr(images, "MAX_BYTES", size - 1)
    assert images.read(tmp_path / "a.png") is None


@pytest.mark.parametrize(("side", "code"), [(1000, 0), (12_000, 1)])
def test_a_format_that_only_opencv_knows_keeps_to_the_limit(tmp_path, side, code):
    radiance(tmp_path / "a.jpg", side)
    script = "import sys; from litefake import images; sys.exit(images.read(sys.argv[1]) is None)"
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.jpg")], check=False)
    assert run.returncode == code


def test_a_picture_of_a_foreign_format_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    """What is in it only its decoder could tell, and by then it is in memory."""
    radiance(tmp_path / "a.jpg", 100)
    monkeypatch.setattr(images, "read", None)
    with pytest.raises(LitefakeError, match=r"a\.jpg: cannot be read as an image \(JPEG, PNG"):
        detection.look_at_image(tmp_path / "a.jpg", None, None)


def radiance(path, side):
    """A picture of ``side`` x ``side`` pixels of one colour, run-length coded: small as a file."""
    runs = (bytes([128 + 127]) + b"\x01") * (side // 127) + bytes([128 + side % 127]) + b"\x01"
    row = bytes([2, 2, side >> 8, side & 255]) + 4 * runs
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {side} +X {side}\n".encode()
    path.write_bytes(head + side * row)
