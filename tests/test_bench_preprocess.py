"""The ways from a clip to its faces look at the same frames, and their times add up."""

import numpy as np
import pytest

from litefake import images
from litefake.video import opened
from tests.clips import draw_face, write_clip
from tests.test_faces import crop_params
from tools import bench_preprocess, preprocess_ways

WAYS = ["naive", "one_pass", "two_stages"]
FRAMES = 61  # of which the published rule takes three


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "face.mp4", [draw_face()] * FRAMES)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_crops_the_same_frames(clip, tmp_path, way):
    result = getattr(preprocess_ways, way)(clip, tmp_path, crop_params())
    assert result["faces"] == 3
    written = sorted(tmp_path.glob("face*.png"))
    assert [path.name for path in written] == ["face0.png", "face30.png", "face60.png"]
    assert images.read(written[0]).shape == (48, 48, 3)
    parts = [value for key, value in result.items() if key not in ("faces", "cpu", "wall")]
    assert result["cpu"] == pytest.approx(sum(parts))
    assert len(list(tmp_path.glob("*.jpg"))) == (FRAMES if way == "naive" else 0)


def test_both_of_our_ways_give_the_same_crops(clip, tmp_path):
    crops = []
    for way in (preprocess_ways.one_pass, preprocess_ways.two_stages):
        folder = tmp_path / way.__name__
        folder.mkdir()
        way(clip, folder, crop_params())
        crops.append([images.read(path) for path in sorted(folder.glob("face*.png"))])
    assert np.array_equal(*crops)


def test_a_clip_gets_the_keyframes_that_were_asked_for(tmp_path):
    path = bench_preprocess.encode(tmp_path / "a.mp4", [draw_face()] * 25, 10)
    with opened(path) as (container, stream):
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert [n for n, packet in enumerate(packets) if packet.is_keyframe] == [0, 10, 20]


def test_the_table_shows_how_many_times_faster_each_way_is():
    row = {"decode": 1.5, "detect": 0.5, "cpu": 2.0, "wall": 2.0, "faces": 10.0}
    row |= bench_preprocess._relations(row, {"cpu": 10.5})
    assert (row["limited_by"], row["share"]) == ("decode", {"decode": 0.75, "detect": 0.25})
    results = {"keyframes": {"250": {"one pass": row}}}
    text = bench_preprocess.markdown(results)
    assert "| one pass | 1.5 |  |  | 0.5 |  | 2 | 2 | 5.25 | 33.3 | 10 | decode |" in text
