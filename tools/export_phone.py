"""A finished student for phones: ``python -m tools.export_phone RUNTIME [RUN]``.

RUNTIME is ``executorch`` or ``litert``; each has requirements and an environment of its own
(docs/decisions/phone.md). RUN is the folder of a run of the pipeline, this one or
build/portraits, whose student is the packaged model before its 8 bits. Writes the student in
fp32 and in 8 bit to RUN/models/phone and adds to metrics/bench/phone.json, of each, the size,
how far its logits of the validation faces are from PyTorch's, and its time on this machine.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any, cast

import torch
from sklearn.metrics import roc_auc_score

from litefake import dataset, errors, models, params, quantization, scoring
from litefake.artifacts import rounded, write_json
from litefake.errors import ParamsInvalid
from litefake.quantization import ExportParams
from tools import package_model
from tools.phone import PhoneRuntime, figures, milliseconds, single

RUNTIMES = ("executorch", "litert")
STUDENT = "prune_kd"
REPORT = Path("metrics/bench/phone.json")


def main(name: str, run: Path) -> None:
    torch.set_num_threads(1)
    if run == Path(package_model.RUN):
        package_model.require_locked(["data/split.csv", f"models/{STUDENT}.safetensors"])
    found = export(runtime(name), run, params.section("export", ExportParams))
    write_json(REPORT, added(REPORT, run, name, found))
    print(rounded(found))


def runtime(name: str) -> PhoneRuntime:
    """Raises ParamsInvalid when it is none of RUNTIMES."""
    if name not in RUNTIMES:
        raise ParamsInvalid(f"{name}: no such runtime; there are {', '.join(RUNTIMES)}")
    return cast(PhoneRuntime, importlib.import_module(f"tools.phone_{name}"))


def export(phone: PhoneRuntime, run: Path, settings: ExportParams) -> dict[str, Any]:
    """Write both files of the student of ``run``; their figures beside PyTorch's."""
    model, card = models.load(run / f"models/{STUDENT}.safetensors")
    places = (run / "data/faces", run / "data/split.csv")
    val = dataset.read_split(*places, "val", card)
    train = dataset.read_split(*places, "train", card)
    faces = quantization.balanced(train, settings.faces, settings.seed)
    folder = run / "models/phone"
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: folder / f"{STUDENT}{end}" for kind, end in ends(phone.SUFFIX).items()}
    example = torch.zeros(1, 3, card.image_size, card.image_size)
    phone.write(model, example, faces, files["fp32"], files["int8"])
    wanted = scoring.logits(model, val)
    image = next(single(val))
    return {
        "faces": len(val),
        "image_size": card.image_size,
        "pytorch": {
            "auc": float(roc_auc_score(val.table["label"], wanted)),
            "x86_ms": milliseconds(lambda: model(image)),
        },
        **{kind: figures(file, phone.runner(file), val, wanted) for kind, file in files.items()},
    }


def ends(suffix: str) -> dict[str, str]:
    """What the names of the two files end in."""
    return {"fp32": suffix, "int8": f"_int8{suffix}"}


def added(report: Path, run: Path, name: str, found: dict[str, Any]) -> dict[str, Any]:
    """What ``report`` holds, by run and runtime, with ``found`` in its place."""
    known = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
    of_run = known.get(run.name or "built-in", {}) | {name: found}
    return known | {run.name or "built-in": of_run}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(f"usage: {sys.argv[0]} {' | '.join(RUNTIMES)} [RUN]")
    errors.run(lambda: main(sys.argv[1], Path(*sys.argv[2:])))
