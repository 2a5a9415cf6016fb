"""What dvc.yaml declares and dvc.lock holds, for whoever works on the pipeline."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILLED_IN = re.compile(r"\$\{([\w.]+)\}")  # DVC's templating: a dotted key of params.yaml


def stages(root: Path = ROOT, values: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Every stage of dvc.yaml below ``root``, in its order.

    ``values`` are filled in; by default those of its params.yaml.
    """
    filled = values or yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))

    def value(match: re.Match[str]) -> str:
        return str(reduce(lambda part, key: part[key], match[1].split("."), filled))

    declared = (root / "dvc.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(FILLED_IN.sub(value, declared))["stages"]
    return found


def producers(root: Path = ROOT) -> dict[str, str]:
    """The stage that makes each of the ``outs``, by path."""
    return {
        out if isinstance(out, str) else next(iter(out)): name
        for name, stage in stages(root).items()
        for out in stage["outs"]
    }


def locked(lock: str) -> dict[str, str]:
    """The MD5 of every output, by path, in the text of a dvc.lock."""
    ran: dict[str, dict[str, Any]] = yaml.safe_load(lock)["stages"]
    return {out["path"]: out["md5"] for stage in ran.values() for out in stage.get("outs", [])}
