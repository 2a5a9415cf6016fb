"""The values of params.yaml with some of them overridden: an unknown key is refused."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from litefake import manifest, params, preflight
from litefake.errors import ParamsInvalid

Params = dict[str, Any]


def apply(base: Params, overrides: Mapping[str, Any], source: Path) -> Params:
    """A copy of ``base`` with ``overrides``, validated. Raises ParamsInvalid, naming ``source``."""
    changed = copy.deepcopy(base)
    for key, value in overrides.items():
        *sections, last = key.split(".")
        place: Any = changed
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise ParamsInvalid(f"{source}, {key}: is not in params.yaml")
        place[last] = _relative(place[last], value)
    for name, kind in preflight.SECTIONS.items():
        params.validate(name, changed.get(name), kind, source)
    _refuse_idle(changed, overrides, source)
    return changed


def _refuse_idle(changed: Params, overrides: Mapping[str, Any], source: Path) -> None:
    """Raise ParamsInvalid for a change of the built-in data where those are not used."""
    idle = [key for key in overrides if key.startswith("demo.")]
    dataset = params.validate("dataset", changed["dataset"], manifest.DatasetParams, source)
    if idle and not manifest.is_demo(dataset):
        raise ParamsInvalid(
            f"{source}, {idle[0]}: changes nothing, since dataset.root is {dataset.root}; "
            "of a folder of videos use dataset.compression"
        )


def _relative(old: Any, value: Any) -> Any:
    """``value``, where ``{times: f}`` and ``{without: x}`` are taken of ``old``."""
    match value:
        case {"times": factor}:
            return round(old * factor) if isinstance(old, int) else old * factor
        case {"without": item}:
            return [one for one in old if one != item]
        case int() if isinstance(old, float):
            return float(value)  # 1 and 1.0 are two values to DVC, and two trainings
        case _:
            return value
