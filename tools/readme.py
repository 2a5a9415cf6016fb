"""Generate the parts of the README between ``<!-- generated: NAME -->`` and ``<!-- end -->``."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = "metrics/comparison.md"
PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    path = ROOT / "README.md"
    table = (ROOT / TABLE).read_text(encoding="utf-8")
    path.write_text(render(path.read_text(encoding="utf-8"), table), encoding="utf-8")


def render(text: str, table: str = "") -> str:
    """``text`` with every generated part made anew; ``table`` is what ``benchmark`` wrote."""
    makers = {"table": table.strip, "graph": graph, "stages": stages, "targets": targets}
    return PART.sub(lambda match: f"{match[1]}{makers[match[2]]()}\n{match[4]}", text)


def stages() -> str:
    """One line a stage, with the description in dvc.yaml."""
    return "\n".join(f"1. **{name}**: {stage['desc']}." for name, stage in _stages().items())


def targets() -> str:
    """What ``make help`` prints."""
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return f"```\n{done.stdout.rstrip()}\n```"


def graph() -> str:
    """The stages and what they hand on, as a mermaid graph."""
    made = {_name(out): name for name, stage in _stages().items() for out in stage["outs"]}
    edges = {
        (producer, name): out
        for name, stage in _stages().items()
        for dep in stage["deps"]
        for out, producer in made.items()
        if dep == out or dep.startswith(f"{out}/")
    }
    lines = [f"  {made_by} -->|{Path(out).stem}| {name}" for (made_by, name), out in edges.items()]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def _stages() -> dict[str, dict]:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    found: dict[str, dict] = pipeline["stages"]
    return found


def _name(out: str | dict) -> str:
    return out if isinstance(out, str) else next(iter(out))


if __name__ == "__main__":
    main()
