"""Read params.yaml strictly: an unknown, missing or ill-typed value is one clear line."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from litefake.errors import ParamsInvalid

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """One section of params.yaml: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _EachOnce(yaml.SafeLoader):  # type: ignore[misc]  # the package has no types
    """As safe as its parent, and no key may be given twice: DVC refuses that too, but later."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                line = node.value[number][0].start_mark.line + 1
                raise yaml.YAMLError(f"{key} is given twice, again in line {line}")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


S = TypeVar("S", bound=Section)


def read(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The whole file as nested dictionaries.

    Raises ParamsInvalid when it is absent or no YAML mapping.
    """
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), _EachOnce)
    except FileNotFoundError:
        raise ParamsInvalid(f"{path}: not found; run from the repository's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsInvalid(f"{path}: not valid YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise ParamsInvalid(f"{path}: must be a mapping of sections, got {type(loaded).__name__}")
    return loaded


def section(name: str, kind: type[S], path: Path = PARAMS_FILE) -> S:
    """Section ``name`` of the file, validated as ``kind``. Raises ParamsInvalid."""
    loaded = read(path)
    if name not in loaded:
        raise ParamsInvalid(f"{path}, {name}: section is missing")
    return validate(name, loaded[name], kind, path)


def value(dotted: str, path: Path = PARAMS_FILE) -> Any:
    """One value by its dotted name, unchecked. Raises ParamsInvalid when it is absent."""
    found: Any = read(path)
    for key in dotted.split("."):
        if not isinstance(found, dict) or key not in found:
            raise ParamsInvalid(f"{path}, {dotted}: is missing")
        found = found[key]
    return found


def text(dotted: str, path: Path = PARAMS_FILE) -> str:
    """One text by its dotted name. Raises ParamsInvalid when it is absent or something else."""
    found = value(dotted, path)
    if not isinstance(found, str):
        raise ParamsInvalid(f"{path}, {dotted}: must be a text, got {found!r}")
    return found


def validate(name: str, values: Any, kind: type[S], path: Path = PARAMS_FILE) -> S:
    """``values`` as a ``kind``. Raises ParamsInvalid with the first problem found."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([name, *(str(part) for part in first["loc"])])
        raise ParamsInvalid(f"{path}, {where}: {_reason(first)}") from None


def _reason(problem: Any) -> str:
    got = problem["input"]
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "is not a known key"
    message = problem["msg"].removeprefix("Value error, ")
    text = f"{message[0].lower()}{message[1:]}".replace("input should be", "must be")
    if problem["type"] == "float_type" and isinstance(got, str):
        text += " (write 3.0e-4, not 3e-4: YAML reads the latter as text)"
    return text if isinstance(got, dict) else f"{text}, got {got!r}"  # not a whole section
