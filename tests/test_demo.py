"""The built-in demo data set: an exact FF++ tree, the same bytes for any number of workers,
and manipulations that change the face and nothing else.
"""

import functools
import json
import operator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from litefake import demo
from litefake.artifacts import digest
from litefake.demo import DemoParams, build, clips, filming, manipulations, schedule
from litefake.demo.assets import Part, load_head
from litefake.demo.identity import local_axes
from litefake.demo.motion import YAW_LIMIT
from litefake.demo.person import prepare
from litefake.demo.render import Window, render
from litefake.demo.schedule import Purpose, random_stream
from litefake.errors import DataMissing, ParamsInvalid
from litefake.params import validate

TINY = {
    "seed": 3,
    "identities": 6,
    "val_identities": 2,
    "test_identities": 2,
    "real_clips": 2,
    "control_share": 0.2,
    "frames": 3,
    "fps": 25,
    "tempo": 3.0,
    "size": 128,
    "supersampling": 1.0,
    "crf": 23,
    "deepfakes_bottleneck": 32,
    "deepfakes_jitter": 0.5,
    "face2face_detail": 0.7,
    "faceshifter_identity": 0.6,
    "faceshifter_detail": 0.5,
    "faceswap_light_error": 0.2,
    "faceswap_feather": 1.0,
    "neural_residue": 0.01,
}
YOUTUBE = Path("original_sequences/youtube/c23/videos")


@pytest.fixture(scope="module")
def params() -> DemoParams:
    return DemoParams(**TINY)


@pytest.fixture(scope="module")
def built(tmp_path_factory, params) -> tuple[Path, dict]:
    root = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEFAKE_WORKERS", "1")
        return root, build(root, params)


@pytest.fixture(scope="module")
def forged(params):
    """Two people; the first one's take, its forger and the donor's poses."""
    plan = schedule.plan(params.seed, params.split_sizes, 1, 0.0)
    target, source = plan.pairs["train"][0]
    actor, donor = prepare(plan.people[target]), prepare(plan.people[source])
    take = filming.stage_take(target, 0, params)
    filmed = filming.film(actor, take, random_stream(params.seed, Purpose.SENSOR, 0), params)
    rng = random_stream(params.seed, Purpose.FAKES, target)
    forger = filming.Forger.hire(actor, donor, take, rng, params)
    lent = filming.stage_take(source, 0, params).poses
    fakes = [
        forger.forge(real, pose, other, rng)
        for real, pose, other in zip(filmed, take.poses, lent, strict=True)
    ]
    return filmed, fakes


def decode(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def read_pairs(root: Path) -> dict[str, list[list[str]]]:
    return {
        split: json.loads((root / "splits" / f"{split}.json").read_text())
        for split in ("train", "val", "test")
    }


def test_writes_exactly_the_ffpp_tree(built):
    root, _ = built
    pairs = [pair for split in read_pairs(root).values() for pair in split]
    expected = {Path("people.json"), *(Path(f"splits/{s}.json") for s in ("train", "val", "test"))}
    expected |= {YOUTUBE / f"{number:03d}.mp4" for number in range(15)}
    for a, b in pairs:
        for method in ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures"):
            folder = Path("manipulated_sequences") / method / "c23" / "videos"
            expected |= {folder / f"{a}_{b}.mp4", folder / f"{b}_{a}.mp4"}
    assert {p.relative_to(root) for p in root.rglob("*") if p.is_file()} == expected


def test_splits_pair_every_identity_once(built):
    root, _ = built
    members = {
        split: [number for pair in pairs for number in pair]
        for split, pairs in read_pairs(root).items()
    }
    assert sorted(functools.reduce(operator.iadd, members.values(), [])) == [
        f"{number:03d}" for number in range(6)
    ]
    assert {split: len(numbers) for split, numbers in members.items()} == {
        "train": 2,
        "val": 2,
        "test": 2,
    }


def test_sidecar_names_exactly_the_further_clips(built):
    root, _ = built
    people = json.loads((root / "people.json").read_text())
    assert sorted(people) == [f"{number:03d}" for number in range(6, 15)]
    assert [people[f"{number:03d}"]["person"] for number in range(6, 12)] == [
        f"{number:03d}" for number in range(6)
    ]
    assert sum(entry["control"] for entry in people.values()) == 3


def test_every_split_has_its_share_of_controls(built):
    _, summary = built
    assert summary["splits"] == {
        split: {"identities": 2, "real_clips": 4, "control_clips": 1, "fake_clips": 10}
        for split in ("train", "val", "test")
    }
    assert summary["frames"] == 3 * (12 + 3 + 30)


def test_every_clip_decodes(built):
    root, _ = built
    for path in sorted(root.rglob("*.mp4")):
        assert decode(path).shape == (3, 128, 128, 3), path


def test_bytes_do_not_depend_on_the_workers(built, tmp_path, params, monkeypatch):
    root, _ = built
    monkeypatch.setenv("LITEFAKE_WORKERS", "2")
    build(tmp_path, params)
    first = {p.relative_to(root): digest(p) for p in root.rglob("*") if p.is_file()}
    again = {p.relative_to(tmp_path): digest(p) for p in tmp_path.rglob("*") if p.is_file()}
    assert again == first


def test_another_seed_gives_other_people(params):
    one = schedule.plan(1, params.split_sizes, 1, 0.0).people
    other = schedule.plan(2, params.split_sizes, 1, 0.0).people
    assert all(a.texture_seed != b.texture_seed for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("method", manipulations.METHODS)
def test_a_fake_equals_its_real_clip_outside_the_face(forged, method):
    filmed, fakes = forged
    for real, fake in zip(filmed, fakes, strict=True):
        changed = (fake[method] != real.frame).any(axis=2)
        assert not changed[outside_face(real)].any()


@pytest.mark.parametrize("method", manipulations.METHODS)
def test_a_fake_changes_the_face(forged, method):
    filmed, fakes = forged
    for real, fake in zip(filmed, fakes, strict=True):
        region = real.shot.view.lower_face if method == "NeuralTextures" else real.shot.view.face
        difference = np.abs(fake[method].astype(int) - real.frame)[real.window.slices]
        assert difference[region > 0.9].mean() > 1.5


def test_a_null_control_changes_only_the_face(forged):
    filmed, _ = forged
    for seed in range(8):
        for real, frame in zip(
            filmed, filming.rewarp(filmed, np.random.default_rng(seed)), strict=True
        ):
            changed = (frame != real.frame).any(axis=2)
            assert changed.any()
            assert not changed[outside_face(real)].any()
            assert np.abs(frame.astype(int) - real.frame).mean() < 1.0


def outside_face(real: filming.Filmed) -> np.ndarray:
    """Pixels further from the face than a jaw drops or a feather reaches."""
    face = np.zeros(real.frame.shape[:2], np.float32)
    face[real.window.slices] = np.maximum(real.shot.view.face, real.shot.hull())
    reach = 2 * round(0.15 * np.ptp(real.shot.view.landmarks[:, 0])) + 1
    return cv2.dilate(face, np.ones((reach, reach), np.uint8)) < 0.01


def test_a_window_shows_the_pixels_of_the_whole_frame(params):
    plan = schedule.plan(params.seed, params.split_sizes, 1, 0.0)
    actor, take = prepare(plan.people[0]), filming.stage_take(0, 0, params)
    window = Window(left=20, top=10, width=50, height=60)
    whole = render(actor, take.poses[0], take.scene, 1.5).inside(window)
    cut = render(actor, take.poses[0], take.scene, 1.5, window)
    np.testing.assert_array_equal(cut.image, whole.image)
    np.testing.assert_array_equal(cut.face, whole.face)
    np.testing.assert_allclose(cut.landmarks, whole.landmarks, atol=1e-3)


def test_look_alikes_are_paired():
    plan = schedule.plan(1, {"train": 24, "val": 12, "test": 12}, 2, 0.25)
    for numbers, pairs in zip(
        (range(24), range(24, 36), range(36, 48)), plan.pairs.values(), strict=True
    ):
        assert sorted(n for pair in pairs for n in pair) == list(numbers)
        tones = [abs(np.log(plan.people[a].skin / plan.people[b].skin).mean()) for a, b in pairs]
        assert np.median(tones) < 0.25


def test_poses_stay_frontal(params):
    for number in range(20):
        for pose in filming.stage_take(number, 0, params).poses:
            assert abs(pose.rotation[1]) <= YAW_LIMIT


def test_the_asset_is_whole():
    head = load_head()
    assert head.vertices.shape == (6508, 3)
    assert head.triangles.shape == (12322, 3)
    assert head.triangles.max() == 6507
    assert len(head.targets) == 366
    assert {Part(part) for part in np.unique(head.part)} == set(Part)
    assert all(axis.negative != axis.positive for axis in local_axes())


def test_an_odd_split_is_refused():
    with pytest.raises(ParamsInvalid, match="must be even and at least 2"):
        validate("demo", TINY | {"identities": 7}, DemoParams)


@pytest.mark.parametrize(
    "there", ["FaceForensics++/splits/test.json", "original_sequences/youtube/c23/videos/000.mp4"]
)
def test_what_somebody_else_put_where_the_demo_goes_is_not_removed(tmp_path, there):
    file = tmp_path / "videos" / there
    file.parent.mkdir(parents=True)
    file.write_text("precious")
    with pytest.raises(DataMissing, match="is not of make_demo, which would empty it; move it"):
        demo.clear(tmp_path / "videos")
    (tmp_path / "link").symlink_to(tmp_path / "videos")
    with pytest.raises(DataMissing, match="is not of make_demo"):
        demo.clear(tmp_path / "link")
    assert file.read_text() == "precious"


def test_an_older_demo_is_removed(tmp_path):
    (tmp_path / "splits").mkdir()
    (tmp_path / "people.json").write_text("{}")
    demo.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / demo.NOTE).write_text("Empty")
    demo.clear(tmp_path)
    demo.clear(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_processor_with_avx_512_encodes_as_one_without(tmp_path, monkeypatch):
    if not clips._same_bytes():
        pytest.skip("a processor without AVX2 has other code")
    sample = Path(__file__).parent.parent / "src/litefake/web/samples/rendered_real.mp4"
    with av.open(str(sample)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    clips.write_clip(tmp_path / "as_it_is.mp4", frames, 25, 23)
    monkeypatch.setattr(clips, "_same_bytes", lambda: {"x264-params": "asm=avx2"})
    clips.write_clip(tmp_path / "avx2.mp4", frames, 25, 23)
    assert digest(tmp_path / "as_it_is.mp4") == digest(tmp_path / "avx2.mp4")
