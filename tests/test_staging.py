"""Files come together whole, work is not done twice, and nothing else is published."""

import shutil
from functools import partial

import pytest

from litefake import staging
from litefake.params import Section
from litefake.staging import Staging
from tests import fragile


class Setting(Section):
    value: int


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.setenv("LITEFAKE_WORKERS", "1")
    monkeypatch.delenv("LITEFAKE_SCHEDULER", raising=False)
    (tmp_path / "notes").mkdir()


def clip(folder, key):
    (folder / f"{key}.mp4").write_text("content")
    return {"key": key, "path": f"{key}.mp4", "mood": "", "seconds": float("nan")}


def make(folder, clips, value=1):
    """Do ``clips`` under a setting; the staging and what was made."""
    staging = Staging.of(folder / "output", folder, Setting(value=value))
    work = partial(fragile.make, notes=folder / "notes")
    return staging, staging.map(work, clips, fragile.killer)


def test_the_output_holds_what_was_made_and_nothing_stays_beside_it(tmp_path):
    (tmp_path / "output").mkdir()
    (tmp_path / "output/old").touch()
    staging, (made,) = make(tmp_path, [clip(tmp_path, "a")])
    staging.publish(made.paths)
    files = [p for p in (tmp_path / "output").rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == ["one", "two"]
    assert not list(tmp_path.glob(".*"))


def test_an_interrupted_stage_does_only_what_is_missing(tmp_path):
    one, two = clip(tmp_path, "a"), clip(tmp_path, "b")
    _, first = make(tmp_path, [one])
    _, both = make(tmp_path, [one, two])
    assert both[0] == first[0]
    assert [fragile.tries(tmp_path / "notes", key) for key in "ab"] == [1, 1]


def test_another_setting_or_another_clip_is_done_anew(tmp_path):
    one = clip(tmp_path, "a")
    make(tmp_path, [one])
    make(tmp_path, [one], value=2)
    (tmp_path / "a.mp4").write_text("other content")
    make(tmp_path, [one])
    assert fragile.tries(tmp_path / "notes", "a") == 3


def test_what_another_try_might_find_is_not_kept(tmp_path):
    one = clip(tmp_path, "a") | {"mood": "doubtful"}
    make(tmp_path, [one])
    make(tmp_path, [one])
    assert fragile.tries(tmp_path / "notes", "a") == 2


def test_files_of_clips_that_are_not_listed_any_more_are_not_published(tmp_path):
    one, two = clip(tmp_path, "a"), clip(tmp_path, "b")
    make(tmp_path, [one, two])
    staging, (made,) = make(tmp_path, [two])
    staging.publish(made.paths)
    assert not (tmp_path / "output/a/one").exists()
    assert (tmp_path / "output/b/two").read_text() == "b.mp4b.mp4"


def test_what_is_cached_or_hidden_beside_the_code_changes_nothing(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "__pycache__").mkdir(parents=True)
    (package / "code.py").write_text("1")
    monkeypatch.setattr(staging, "__file__", str(package / "staging.py"))
    first = make(tmp_path, [])[0]
    (package / "__pycache__" / "code.nbi").write_text("cached")
    (package / ".code.py.swp").write_text("hidden")
    assert make(tmp_path, [])[0] == first
    (package / "code.py").write_text("2")
    assert make(tmp_path, [])[0] != first


def test_a_kill_while_it_is_published_costs_work_and_no_file(tmp_path, monkeypatch):
    clips = [clip(tmp_path, key) for key in "abc"]
    staging, made = make(tmp_path, clips)
    removed = shutil.rmtree

    def die(path, *_, **__):
        if path == staging.folder.parent:
            raise KeyboardInterrupt  # the output has its name, what lies beside it does not go
        removed(path, ignore_errors=True)

    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        staging.publish([path for one in made for path in one.paths])
    monkeypatch.setattr(shutil, "rmtree", removed)
    again, made = make(tmp_path, clips)
    again.publish([path for one in made for path in one.paths])
    files = [path for path in (tmp_path / "output").rglob("*") if path.is_file()]
    assert len(files) == sum(len(one.paths) for one in made) == 6
