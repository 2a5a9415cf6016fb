"""A clean data set passes; each that leaks in one way has that one finding."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from test_layouts import make_celebdf, make_dfdc
from typer.testing import CliRunner

from litefake import cli, errors
from litefake.audit import command, leaks, listing, losses, run, table, tells
from litefake.audit.probe import probe
from litefake.errors import DataMissing, ParamsInvalid
from litefake.extraction import Rule, SamplingParams
from tests.clips import draw_face, write_clip

PAIRS = {
    "train": [("000", "001"), ("002", "003")],
    "val": [("004", "005")],
    "test": [("006", "007")],
}
SAMPLING = SamplingParams(
    real=Rule(spread=3), fake=Rule(spread=3), seed=0, format="png", quality=95
)
CROP = run.CROP.model_copy(update={"detector": "haar", "scale_factor": 1.1, "min_size": 0.2})
SETTINGS = run.Settings(SAMPLING, CROP, clips=2)
REALS = "original_sequences/youtube/c23/videos"
FAKES = "manipulated_sequences/Deepfakes/c23/videos"


def film(path: Path, number: int, face: bool = True, side: int = 128, **codec: str) -> Path:
    """Eight frames that no other number gives."""
    picture = draw_face(side, 160, 80) if face else np.full((side, 160, 3), 128, np.uint8)
    picture[:8, 8 * (number % 20) : 8 * (number % 20) + 8] = 255 - number
    return write_clip(path, [np.roll(picture, i, axis=1) for i in range(8)], **codec)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clean") / "FF++ é"
    (root / "splits").mkdir(parents=True)
    for split, pairs in PAIRS.items():
        (root / "splits" / f"{split}.json").write_text(json.dumps(pairs))
    for number in range(8):
        film(root / REALS / f"{number:03}.mp4", number)
        film(root / FAKES / f"{number:03}_{number ^ 1:03}.mp4", 10 + number)
    sources = {f"{number:03}": f"video{number} 0" for number in range(8)}
    (root / "conversion_dict.json").write_text(json.dumps(sources))
    return root


@pytest.fixture
def clean(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / original.name))


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEFAKE_WORKERS", "1")


def found(root: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in run.audit(root, None, SETTINGS).findings]


def kinds(root: Path) -> list[str]:
    return [kind for kind, _ in found(root)]


def test_a_clean_data_set_has_no_finding(original):
    audit = run.audit(original, None, SETTINGS)
    assert audit.layout == "ffpp"
    assert audit.findings == []
    assert len(audit.parts[0].clips) == 16
    assert {tell.property for tell in audit.parts[0].tells} == set(tells.PROPERTIES)
    assert [(loss.frames, loss.lost) for loss in audit.parts[0].losses] == [(6, 0), (6, 0)]


def test_unreadable_and_truncated_clips(clean):
    (clean / REALS / "000.mp4").write_bytes(b"text")
    cut = clean / FAKES / "002_003.mp4"
    cut.write_bytes(cut.read_bytes()[:-200])
    audit = run.audit(clean, None, SETTINGS)
    assert [one.kind for one in audit.findings] == ["unreadable"]
    assert audit.findings[0].items == [f"{FAKES}/002_003.mp4", f"{REALS}/000.mp4"]


def test_two_files_of_one_name_are_one_line(tmp_path):
    for name in ("real/a.mp4", "real/a.mkv", "fake/b.mp4"):
        film(tmp_path / name, 0)
    with pytest.raises(DataMissing, match=r"real/a\.mkv and real/a\.mp4 have one name; rename"):
        run.audit(tmp_path, None, SETTINGS)


def test_a_pipe_is_named_and_not_waited_for(clean):
    (clean / REALS / "000.mp4").unlink()
    os.mkfifo(clean / REALS / "000.mp4")
    with pytest.raises(DataMissing, match=r"000\.mp4: is no regular file; rename or remove it"):
        run.audit(clean, None, SETTINGS)


def test_one_content_under_two_names_in_two_splits(clean):
    shutil.copy(clean / REALS / "000.mp4", clean / REALS / "006.mp4")
    [(kind, text)] = found(clean)
    assert kind == "duplicate"
    assert text.startswith("2 files have the same content, in different splits: ")


def test_one_content_as_real_and_fake_behind_another_header(clean, tmp_path):
    """The header alone differs: metadata and fast start change no picture."""
    film(clean / REALS / "000.mp4", 10)
    data = (clean / REALS / "000.mp4").read_bytes() + b"\0\0\0\x10free" + bytes(8)
    (clean / REALS / "000.mp4").write_bytes(data)
    [(kind, text)] = found(clean)
    assert (kind, "real and fake at once" in text) == ("duplicate", True)


def test_a_person_in_two_lists(clean):
    (clean / "splits/test.json").write_text(json.dumps([("006", "007"), ("001", "000")]))
    [(kind, text)] = found(clean)
    assert (kind, text) == ("shared_identity", "2 people stand in more than one split: 000; 001")


def test_a_youtube_video_across_the_official_split(clean):
    sources = {"000": "abc 0", "006": "abc 1", "004": "def 0"}
    (clean / "conversion_dict.json").write_text(json.dumps(sources))
    [(kind, text)] = found(clean)
    assert kind == "shared_source"
    assert text == "1 YouTube videos cross the official split: abc: 000 (train), 006 (test)"


def test_listed_files_that_are_absent(clean):
    (clean / FAKES / "000_001.mp4").unlink()
    assert found(clean) == [("absent", f"1 files are listed, but not there: {FAKES}/000_001.mp4")]


@pytest.mark.parametrize(
    ("change", "properties"),
    [
        ({"side": 96}, {"frame size"}),
        ({"crf": "30"}, {"codec settings"}),
        ({"g": "1"}, {"codec settings", "keyframe interval", "GOP position"}),
    ],
)
def test_what_tells_fakes_from_reals_but_is_no_manipulation(clean, change, properties):
    for number, path in enumerate(sorted((clean / FAKES).iterdir())):
        film(path, 10 + number, **change)
    findings = run.audit(clean, None, SETTINGS._replace(clips=0)).findings
    assert {one.kind for one in findings} == {"tell"}
    assert {one.items[1] for one in findings} >= properties
    assert all(one.items[0] == "Deepfakes" for one in findings)


def test_another_frame_rate_is_a_tell(clean):
    for number, path in enumerate(sorted((clean / FAKES).iterdir())):
        pictures = [np.roll(draw_face(128, 160, 80), i + number, axis=1) for i in range(8)]
        write_clip(path, pictures, times=[50 * i for i in range(8)])
    findings = run.audit(clean, None, SETTINGS._replace(clips=0)).findings
    assert "frame rate" in {one.items[1] for one in findings}


def test_a_sampling_rule_that_differs_by_class_is_a_tell(original):
    """Reals give their first frame, a keyframe; fakes frames from the middle."""
    apart = SAMPLING.model_copy(update={"real": Rule(every=8), "fake": Rule(spread=1)})
    findings = run.audit(original, None, SETTINGS._replace(sampling=apart, clips=0)).findings
    assert [list(one.items) for one in findings] == [["Deepfakes", "GOP position"]]


def test_faces_that_are_lost_in_one_method(clean):
    for number, path in enumerate(sorted((clean / FAKES).iterdir())):
        film(path, 10 + number, face=False)
    assert found(clean) == [
        ("faces_lost", "no face in 6 of 6 frames of Deepfakes; see faces in params.yaml")
    ]


def test_fewer_than_six_clips_of_a_class_are_no_tell(clean):
    """Another frame size tells all of them apart, as it would by chance."""
    for number, path in enumerate(sorted((clean / FAKES).iterdir())):
        film(path, 10 + number, side=96)
    settings = SETTINGS._replace(clips=0)
    assert "tell" in {one.kind for one in run.audit(clean, None, settings).findings}
    for path in sorted((clean / FAKES).iterdir())[5:]:
        path.unlink()
    audit = run.audit(clean, None, settings)
    assert [one.kind for one in audit.findings] == ["absent"]
    assert audit.parts[0].tells == []


def test_a_finding_says_in_which_compression_it_is(clean):
    for folder in (REALS, FAKES):
        (clean / folder.replace("c23", "c40")).mkdir(parents=True)
        for path in (clean / folder).iterdir():
            shutil.copy(path, clean / folder.replace("c23", "c40"))
    (clean / FAKES.replace("c23", "c40") / "000_001.mp4").write_bytes(b"text")
    [finding] = run.audit(clean, None, SETTINGS._replace(clips=0)).findings
    assert finding.text.startswith("c40: clips that cannot be read: 1; the first: ")
    assert finding.as_dict()["part"] == "c40"


def test_videos_that_the_layout_does_not_read_are_counted_by_folder(clean):
    deeper = clean / FAKES / "too deep"
    deeper.mkdir()
    shutil.copy(clean / REALS / "000.mp4", deeper)
    shutil.copy(clean / REALS / "000.mp4", clean / "stray.MKV")
    (deeper / ".hidden.mp4").write_bytes(b"")
    (deeper / "notes.txt").write_bytes(b"")
    audit = run.audit(clean, None, SETTINGS._replace(clips=0))
    assert audit.leftovers == {".": 1, f"{FAKES}/too deep": 1}
    said = f"does not read them: 2 files in . (1); {FAKES}/too deep (1)"
    assert any(line.endswith(said) for line in table.lines(audit))
    assert table.as_dict(audit)["not_looked_at"] == audit.leftovers
    assert audit.findings == []


def test_nothing_to_look_at_is_one_line(tmp_path):
    (tmp_path / "original_sequences").mkdir()
    with pytest.raises(DataMissing, match=r"no video in any compression \(raw, c23, c40\)"):
        run.audit(tmp_path, None, SETTINGS)
    film(tmp_path / "own/real/a.mp4", 0)
    (tmp_path / "own/fake").mkdir()
    with pytest.raises(DataMissing, match="own: no folder of fakes with a file in it"):
        run.audit(tmp_path / "own", None, SETTINGS)


def test_the_position_in_its_gop_counts_from_the_last_keyframe(tmp_path):
    film(tmp_path / "a.mp4", 0, g="3", bf="0", sc_threshold="0")
    every = SAMPLING.model_copy(update={"real": Rule(every=1)})
    one = probe({"key": "a", "method": "youtube", "path": "a.mp4"}, tmp_path, every)
    assert one["gop_positions"] == (0, 1, 2, 0, 1, 2, 0, 1)
    assert (one["keyframe_interval"], one["frames"], one["fps"]) == (3, 8, 25.0)
    assert "crf=10.0" in one["settings"]
    assert "threads=" not in one["settings"]


def test_celebdf_shares_people_and_misses_a_listed_clip(tmp_path):
    root = make_celebdf(tmp_path)
    with (root / "List_of_testing_videos.txt").open("a") as file:
        file.write("1 Celeb-real/id9_0000.mp4\n")
    assert [one.items for one in listing.list_findings(root, "celebdf")] == [
        ["Celeb-real/id9_0000.mp4"]
    ]
    [(_, clips)] = listing.list_parts(root, "celebdf")
    assert [one.items for one in leaks.shared_people(clips)] == [["id0", "id1"]]


def test_dfdc_misses_a_listed_clip(tmp_path):
    (make_dfdc(tmp_path) / "dfdc_train_part_0/aa.mp4").unlink()
    assert [one.items for one in listing.list_findings(tmp_path, "dfdc")] == [
        ["dfdc_train_part_0/aa.mp4"]
    ]


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        errors.run(lambda: cli.app(["audit", *words], standalone_mode=False))
    return int(ended.value.code or 0)


def test_exit_codes_and_files_of_the_command(clean, tmp_path, capsys, monkeypatch):
    files = [str(tmp_path / "a.json"), str(tmp_path / "a.csv")]
    monkeypatch.chdir(tmp_path)  # without a params.yaml
    words = [str(clean), "--clips", "0"]
    assert call(*words) == 1  # the published rule differs by class: see the test above
    shutil.copy(clean / REALS / "000.mp4", clean / REALS / "006.mp4")
    assert call(*words, "--json", files[0], "--csv", files[1]) == 1
    report = json.loads(Path(files[0]).read_text())
    assert "duplicate" in {finding["kind"] for finding in report["findings"]}
    assert report["parts"]["all"]["methods"]["youtube"]["sizes"] == {"160x128": 8}
    assert len(Path(files[1]).read_text().splitlines()) == 17
    assert "FOUND duplicate: 2 files" in capsys.readouterr().out
    assert call(str(tmp_path / "nowhere")) == 2
    assert call(str(clean), "--layout", "holiday") == 2
    assert "holiday: no such layout; one of ffpp" in capsys.readouterr().err
    assert call(*words, "--params", "none.yaml") == 2
    assert "none.yaml: not found" in capsys.readouterr().err


def test_what_cannot_be_written_is_said_before_the_data_set_is_read(tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path, tmp_path / "file/a.json"):
        assert call(str(tmp_path / "nowhere"), "--json", str(place)) == 2
        assert "nowhere" not in capsys.readouterr().err.split("error: ")[1]


def test_the_params_file_of_another_project_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = Path("params.yaml")
    file.write_text("train: {lr: 1}\n")
    assert run.Settings.read(None, 3) == run.Settings(clips=3)
    file.write_text("frames: {}\n")  # ours, and broken
    with pytest.raises(ParamsInvalid, match=r"params.yaml, frames"):
        run.Settings.read(None, 3)
    file.write_text("train: {lr: 1}\n")
    with pytest.raises(ParamsInvalid, match=r"frames: section is missing"):
        run.Settings.read(file, 3)


def test_a_clean_data_set_ends_with_0(original, tmp_path):
    rules = {"real": {"spread": 3}, "fake": {"spread": 3}, "seed": 0, "format": "png"}
    file = tmp_path / "params.yaml"
    file.write_text(json.dumps({"frames": rules | {"quality": 95}, "faces": CROP.model_dump()}))
    result = CliRunner().invoke(cli.app, ["audit", str(original), "--params", str(file)])
    assert result.exit_code == 0, result.output
    assert "nothing found" in result.output


def test_a_compression_without_reals_is_a_finding_and_the_rest_is_audited(clean):
    more = clean / "manipulated_sequences/Deepfakes/c40/videos"
    more.mkdir(parents=True)
    film(more / "000_001.mp4", 40)
    audit = run.audit(clean, None, SETTINGS)
    assert [len(part.clips) for part in audit.parts] == [16]
    (absent,) = [one.text for one in audit.findings if one.items == ["Deepfakes/c40"]]
    assert absent == "c40 has no real clip, so nothing of it is looked at"
    assert audit.leftovers == {"manipulated_sequences/Deepfakes/c40/videos": 1}


def test_a_name_cannot_write_a_line_of_its_own(clean):
    (clean / "more\nFOUND nothing").mkdir()
    film(clean / "more\nFOUND nothing" / "x.mp4", 50)
    said = list(table.lines(run.audit(clean, None, SETTINGS)))
    assert not [line for line in said if "\n" in line]
    assert any("more?FOUND nothing" in line for line in said)


def test_a_clip_that_ends_the_search_for_faces_is_a_finding(clean, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(losses, "read_frames", fail)
    ((kind, text),) = found(clean)
    assert kind == "unsearched"
    assert "no face could be looked for: 4; the first: " in text
    assert text.endswith(".mp4: MemoryError")
    assert losses.killed_by({"method": "A", "path": "a.mp4"}).error.startswith("a.mp4: killed")


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataMissing, match="no such folder"):
        command.audit(tmp_path / "none", "portraits", None, None, 0, None)
