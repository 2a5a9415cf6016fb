"""Params.yaml with some values overridden: comments stay, an unknown key is refused."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from litefake import params, preflight
from litefake.errors import ParamsInvalid


def apply(text: str, overrides: Mapping[str, Any], source: Path) -> str:
    """``text`` with ``overrides``, validated. Raises ParamsInvalid, naming ``source``."""
    yaml = YAML()
    yaml.width = 100
    loaded = yaml.load(text)
    for key, value in overrides.items():
        *sections, last = key.split(".")
        place = loaded
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise ParamsInvalid(f"{source}, {key}: is not in params.yaml")
        place[last] = _relative(place[last], value)
    written = io.StringIO()
    yaml.dump(loaded, written)
    for name, kind in preflight.SECTIONS.items():
        params.validate(name, loaded.get(name), kind, source)
    return written.getvalue()


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


def value(text: str, key: str) -> Any:
    """One value of ``text`` by its dotted name."""
    found = YAML(typ="safe").load(text)
    for part in key.split("."):
        found = found[part]
    return found
