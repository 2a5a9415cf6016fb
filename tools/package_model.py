"""Put the pipeline's 8-bit model into the package: ``python -m tools.package_model``.

The packaged file is the pipeline's own, byte for byte, so its lineage needs no claim: the hash
of its content is the one in dvc.lock, and a test compares them.
"""

import hashlib
import shutil
from pathlib import Path

import yaml

from litefake import errors, shipped
from litefake.artifacts import replacing
from litefake.errors import LitefakeError
from tools.stage_code import ROOT

MODEL = "models/prune_kd_int8.onnx"


def main() -> None:
    """Copy MODEL when it is what dvc.lock says. Raises LitefakeError."""
    source = ROOT / MODEL
    if not source.is_file() or md5(source) != locked_md5():
        raise LitefakeError(f"{MODEL}: not the model of dvc.lock; run `dvc repro export` first")
    with replacing(shipped.MODEL) as temporary:
        shutil.copyfile(source, temporary)
    print(f"{shipped.MODEL.relative_to(ROOT)}: is {MODEL} of dvc.lock, {locked_md5()}")


def locked_md5(lock: str | None = None) -> str:
    """The hash of MODEL in dvc.lock, or in the ``lock`` given as text.

    Raises LitefakeError when the stage never ran.
    """
    text = (ROOT / "dvc.lock").read_text(encoding="utf-8") if lock is None else lock
    stages = yaml.safe_load(text)["stages"]
    outs = stages.get("export", {}).get("outs", [])
    found = [out["md5"] for out in outs if out["path"] == MODEL]
    if not found:
        raise LitefakeError(f"dvc.lock: has no {MODEL}; run `dvc repro export`")
    return str(found[0])


def md5(path: Path) -> str:
    """MD5 of a file's content, in hexadecimal: the hash that DVC uses."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


if __name__ == "__main__":
    errors.run(main)
