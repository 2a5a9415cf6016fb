"""Which files of the repository a stage imports, directly or through others.

``python -m tools.stage_code`` writes the ``deps`` on code of every stage into dvc.yaml;
a test compares them, both ways.
"""

import ast
from pathlib import Path

from ruamel.yaml import YAML

from tools.pipeline import ROOT


def imported_files(script: Path, root: Path = ROOT) -> set[str]:
    """The repository's Python files that ``script`` needs, itself included."""
    seen: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _direct(path, root) + _packages(path, root)
    return {str(path.relative_to(root)) for path in seen}


def _direct(path: Path, root: Path) -> list[Path]:
    found: list[Path] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            raise ValueError(f"{path}: relative import; write the whole name")
        else:
            continue
        found += [file for name in names if (file := _file(name, root))]
    return found


def _file(module: str, root: Path) -> Path | None:
    for base in (root / "src", root):
        stem = base.joinpath(*module.split("."))
        for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _packages(path: Path, root: Path) -> list[Path]:
    """The ``__init__.py`` of every package that holds ``path``."""
    parents = [parent / "__init__.py" for parent in path.parents if root in parent.parents]
    return [init for init in parents if init.is_file()]


def is_code(dep: str) -> bool:
    """Whether a dependency in dvc.yaml is a Python file of the repository."""
    return dep.endswith(".py")


def main() -> None:
    """Rewrite the code dependencies in dvc.yaml; everything else stays as it is."""
    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    file = ROOT / "dvc.yaml"
    pipeline = yaml.load(file)
    for name, stage in pipeline["stages"].items():
        others = [dep for dep in stage["deps"] if not is_code(dep)]
        code = sorted(imported_files(ROOT / "stages" / f"{name}.py"))
        stage["deps"] = others + code
    yaml.dump(pipeline, file)


if __name__ == "__main__":
    main()
