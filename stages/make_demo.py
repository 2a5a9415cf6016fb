"""Render the built-in demo data set, unless params.yaml names a real one."""

from pathlib import Path

from litefake import demo, errors, params
from litefake.artifacts import write_json
from litefake.locks import alone

OUT = Path("data/videos")


@alone("make_demo")
def main() -> None:
    recipe = params.section("demo", demo.DemoParams)
    root = Path(params.text("dataset.root"))

    demo.clear(OUT)
    if root.resolve() == OUT.resolve():
        summary = demo.build(OUT, recipe)
    else:
        note = f"Empty: dataset.root in params.yaml is {root}, so no demo data are rendered.\n"
        (OUT / demo.NOTE).write_text(note, encoding="utf-8")
        summary = {}
    write_json("metrics/make_demo.json", {"rendered": bool(summary)} | summary)


if __name__ == "__main__":
    errors.run(main)
