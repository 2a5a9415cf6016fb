"""Put the 8-bit student of ``profiles/portraits.yaml`` into the package.

``make packaged`` brings the portraits, runs the profile and calls this. The packaged file is the
pipeline's own, byte for byte, so its lineage needs no claim: the hash of its content is the one in
``profiles/portraits.lock``, and a test compares them.
"""

import hashlib
import shutil
from pathlib import Path

from litefake import errors, shipped
from litefake.artifacts import replacing
from litefake.errors import LitefakeError
from tools import pipeline
from tools.pipeline import ROOT

PROFILE = "portraits"
LOCK = f"profiles/{PROFILE}.lock"
RUN = f"build/{PROFILE}"  # where tools.run_profile ran it
MODEL = "models/prune_kd_int8.onnx"


def main() -> None:
    """Copy MODEL when it is what the lock says. Raises LitefakeError."""
    source = ROOT / RUN / MODEL
    if not source.is_file() or md5(source) != locked_md5():
        raise LitefakeError(f"{RUN}/{MODEL}: not the model of {LOCK}; run `make packaged`")
    with replacing(shipped.MODEL) as temporary:
        shutil.copyfile(source, temporary)
    print(f"{shipped.MODEL.relative_to(ROOT)}: is {MODEL} of {LOCK}, {locked_md5()}")


def locked_md5(lock: str | None = None, path: str = MODEL) -> str:
    """The hash of ``path``, an output of some stage, in LOCK, or in the ``lock`` given as text.

    Raises LitefakeError when the stage never ran.
    """
    text = (ROOT / LOCK).read_text(encoding="utf-8") if lock is None else lock
    found = pipeline.locked(text).get(path)
    if found is None:
        raise LitefakeError(f"{LOCK}: has no {path}; run `make packaged`")
    return found


def require_locked(paths: list[str]) -> None:
    """Raise LitefakeError unless ``paths`` of RUN are those of LOCK.

    While the profile runs anew, its models and its split may be of two runs: then people that
    a model was trained on would stand in its validation split.
    """
    for path in paths:
        file = ROOT / RUN / path
        if not file.is_file() or md5(file) != locked_md5(path=path):
            raise LitefakeError(f"{RUN}/{path}: not the one of {LOCK}; run `make packaged`")


def md5(path: Path) -> str:
    """MD5 of a file's content, in hexadecimal: the hash that DVC uses."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


if __name__ == "__main__":
    errors.run(main)
