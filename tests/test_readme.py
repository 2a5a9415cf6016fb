"""The README's commands, links and names exist."""

import json
import re

import pytest

from tools import pipeline
from tools.damage_tables import damage
from tools.pipeline import ROOT
from tools.readme import PART, graph, render, stages

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_make_target_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))
    assert {"repro", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_an_empty_part_is_filled_and_nothing_else_changes():
    text = "a\n<!-- generated: stages -->\n<!-- end -->\nb\n"
    filled = render(text)
    assert filled == f"a\n<!-- generated: stages -->\n{stages()}\n<!-- end -->\nb\n"
    assert render(filled) == filled


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not link.startswith("https://"):
            assert (page.parent / link).exists(), link


def test_every_parameter_named_in_the_readme_exists():
    from litefake import params

    for name in re.findall(r"`([a-z0-9_]+\.[a-z_]+)(?:: [a-z]+)?`", README):
        if name.split(".")[-1] not in ("yaml", "md", "csv", "json", "py"):
            params.value(name, ROOT / "params.yaml")


def test_the_generated_parts_are_up_to_date():
    """All but the table, which a run on another machine may change; CI checks that one."""
    parts = {name: body.strip() for _, name, body, _ in PART.findall(README)}
    assert set(parts) == {"table", "real", "stages", "graph"}
    assert parts["stages"] == stages()
    assert parts["graph"] == graph()
    assert len(PART.findall(README)) == 4


def test_the_graph_has_every_stage_and_no_edge_that_follows_from_others():
    edges = set(re.findall(r"(\w+) -->\|\w+\| (\w+)", graph()))
    assert {name for edge in edges for name in edge} == set(pipeline.stages())
    assert ("split", "train_b0") in edges
    assert not {("crop_faces", "train_b0"), ("train_b0", "prune_kd")} & edges


def test_damage_is_told_with_its_counts():
    outcomes = {"read": 3, "damaged": 2, "unreadable": 1, "crash": 0, "hang": 0, "untyped": 0}
    limits = {"cpu_seconds": 10, "memory_mb": 1024.0}
    clips = {"clips": 1006, "outcomes": outcomes, "limits": limits}
    clips["largest"] = {"cpu_seconds": 0.031, "memory_mb": 74.6}
    each = [{"died": True, "outlived_dvc": 4}, {"died": True, "outlived_dvc": 0}]
    each.append({"died": False, "outlived_dvc": 0})
    text = damage(json.dumps(clips), json.dumps({"kills": 3, "failed": 1, "each": each}))
    assert "1,006 damaged clips: 3 read, 2 read with counted damage, 1 refused" in text
    assert "0.03 s and 75 MB (allowed: 10 s, 1024 MB)" in text
    assert "3 kills at random moments, 2 of them before" in text
    assert "1 with processes that outlived DVC for a while: after 1 of them" in text
