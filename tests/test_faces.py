"""Detection, the geometry of the crop, and what is counted when there is no face."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litefake import cropping, faces, params
from litefake.errors import DataMissing, NoFaceFound, ParamsInvalid
from litefake.faces import Box, Square
from tests.clips import draw_face


def crop_params(**change: object) -> faces.CropParams:
    values = {
        "scale_factor": 1.2,
        "min_neighbors": 5,
        "min_size": 0.15,
        "detection_width": 640,
        "margin": 0.3,
        "size": 48,
        "format": "png",
        "quality": 95,
    }
    return params.validate("faces", values | change, faces.CropParams)


class Fixed:
    """A detector that always answers the same."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = list(boxes)

    def detect(self, image: np.ndarray) -> list[Box]:
        return self.boxes


def test_the_biggest_box_wins():
    small, big, same = Box(0, 0, 10, 10), Box(5, 5, 12, 12), Box(9, 9, 12, 12)
    assert faces.biggest([small, big, same]) == big
    assert faces.biggest([]) is None


def test_only_the_biggest_face_is_located():
    detector = Fixed(Box(0, 0, 10, 10), Box(50, 40, 20, 20))
    assert faces.locate(draw_face(), detector, margin=0.5) == Square(45, 35, 30)
    assert faces.locate(draw_face(), Fixed(), margin=0.5) is None


@given(
    box=st.builds(Box, *[st.integers(-50, 400)] * 2, *[st.integers(1, 300)] * 2),
    margin=st.floats(0, 2),
)
def test_the_square_grows_evenly_about_the_centre_of_the_box(box, margin):
    x, y, side = faces.square_around(box, margin)
    assert side == max(1, round(max(box.width, box.height) * (1 + margin)))
    assert abs((x + side / 2) - (box.x + box.width / 2)) <= 0.5
    assert abs((y + side / 2) - (box.y + box.height / 2)) <= 0.5


@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    square=st.builds(Square, st.integers(-90, 90), st.integers(-90, 90), st.integers(1, 90)),
    size=st.integers(16, 64),
)
def test_a_crop_has_its_size_wherever_the_square_lies(shape, square, size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    cropped = faces.cut(image, square, size)
    assert cropped.shape == (size, size, 3)
    assert cropped.dtype == np.uint8


def test_a_square_inside_the_frame_is_cut_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert np.array_equal(faces.cut(image, Square(7, 11, 32), 32), image[11:43, 7:39])


def test_past_the_border_the_edge_is_repeated():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    cropped = faces.cut(image, Square(-8, -4, 32), 32)
    assert np.array_equal(cropped[4:, 8:], image[:28, :24])
    assert np.array_equal(cropped[4:, :8], np.repeat(image[:28, :1], 8, axis=1))
    assert np.array_equal(cropped[:4, 8:], np.repeat(image[:1, :24], 4, axis=0))
    assert (cropped[:4, :8] == image[0, 0]).all()


def test_a_smaller_crop_averages_what_it_covers():
    image = np.zeros((64, 64, 3), np.uint8)
    image[::2] = 200
    assert (faces.cut(image, Square(0, 0, 64), 32) == 100).all()


def test_crop_applies_margin_and_size():
    image = np.zeros((100, 100, 3), np.uint8)
    image[35:65, 35:65] = 255
    p = crop_params(margin=1.0, size=60)
    cropped = faces.crop(image, Box(35, 35, 30, 30), p)
    assert (cropped[15:45, 15:45] == 255).all()
    assert cropped.sum() == 255 * 3 * 30 * 30


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def frame_rows(key: str, count: int) -> list[dict]:
    return [
        {"key": key, "method": key.split("/")[0], "frame": i, "path": f"{key}/{i:06d}.png"}
        for i in range(count)
    ]


@pytest.fixture
def clips(tmp_path: Path) -> list[cropping.ClipFaces]:
    """One clip with a face in two of three frames, one without any."""
    rows = [frame_rows("youtube/000", 3), frame_rows("youtube/001", 2)]
    blank = np.full((240, 320, 3), 90, np.uint8)
    images = [draw_face(), blank, draw_face(), blank, blank]
    for row, image in zip([*rows[0], *rows[1]], images, strict=True):
        save(tmp_path / "frames" / row["path"], image)
    root, out = tmp_path / "frames", tmp_path / "faces"
    return [cropping.crop_clip(clip, root, out, crop_params()) for clip in rows]


def test_faces_are_written_and_frames_without_one_counted(clips, tmp_path):
    counts = cropping.summary(clips)
    assert (counts["frames"], counts["faces"], counts["without_face"]) == (5, 2, 3)
    assert counts["share_lost"] == pytest.approx(0.6)
    assert counts["clips_without_face"] == 1
    assert counts["clips_without_face_names"] == ["youtube/001"]
    assert counts["per_method"]["youtube"]["faces"] == 2
    written = sorted(p.relative_to(tmp_path / "faces") for p in (tmp_path / "faces").rglob("*.png"))
    assert [str(path) for path in written] == [
        "youtube/000/000000.png",
        "youtube/000/000002.png",
    ]
    assert cv2.imread(str(tmp_path / "faces" / written[0])).shape == (48, 48, 3)


def test_the_index_says_where_each_crop_was_cut(clips, tmp_path):
    frames = pd.DataFrame(frame_rows("youtube/000", 3) + frame_rows("youtube/001", 2))
    table = cropping.index(frames, clips)
    assert list(table["frame"]) == [0, 2]
    row = table.iloc[0]
    frame = cv2.imread(str(tmp_path / "frames" / row.path))
    cropped = cv2.imread(str(tmp_path / "faces" / row.path))
    assert np.array_equal(faces.cut(frame, Square(row.x, row.y, row.side), 48), cropped)


def test_a_class_without_any_face_is_an_error(clips):
    with pytest.raises(NoFaceFound, match="youtube: no face in any frame; lower"):
        cropping.index(pd.DataFrame(frame_rows("youtube/001", 2)), clips[1:])


def test_ready_crops_are_resized_whole_and_damaged_ones_counted(tmp_path):
    rows = [
        frame_rows("youtube/000", 1),
        frame_rows("youtube/001", 1),
        frame_rows("youtube/002", 1),
    ]
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    save(tmp_path / rows[0][0]["path"], image)
    (tmp_path / rows[1][0]["path"]).parent.mkdir(parents=True)
    (tmp_path / rows[1][0]["path"]).write_bytes(b"no image")
    out = tmp_path / "faces"
    results = [cropping.crop_clip(r, tmp_path, out, crop_params(), ready=True) for r in rows]
    counts = cropping.summary(results)
    assert (counts["faces"], counts["unreadable"], counts["without_face"]) == (1, 2, 0)
    assert counts["unreadable_images"] == ["youtube/001/000000.png", "youtube/002/000000.png"]
    written = cv2.cvtColor(cv2.imread(str(out / rows[0][0]["path"])), cv2.COLOR_BGR2RGB)
    assert np.array_equal(written, image)


def test_a_method_of_damaged_images_alone_is_told_from_one_without_a_face(tmp_path):
    rows = frame_rows("youtube/000", 2)
    clips = [cropping.crop_clip(rows, tmp_path, tmp_path / "faces", crop_params(), ready=True)]
    frames = pd.DataFrame(rows)
    line = r"000000\.png: cannot be read, nor any other .* youtube; replace them, or take youtube"
    with pytest.raises(DataMissing, match=line):
        cropping.index(frames, clips)


def test_a_ready_crop_that_would_become_a_huge_square_is_counted_and_not_made(tmp_path):
    rows = frame_rows("youtube/000", 1)
    save(tmp_path / rows[0]["path"], np.zeros((1, cropping.LONGEST + 1, 3), np.uint8))
    clip = cropping.crop_clip(rows, tmp_path, tmp_path / "faces", crop_params(), ready=True)
    assert (clip.rows, clip.unreadable) == ([], ["youtube/000/000000.png"])


def test_a_ready_crop_that_is_not_square_is_not_distorted(tmp_path):
    image = np.zeros((20, 48, 3), np.uint8)
    image[:, 14:34] = 255
    cropped = faces.cut(image, faces.whole(image), 48)
    assert np.array_equal(cropped[14:34], image)


def test_a_contact_sheet_shows_crops_of_the_whole_table(tmp_path):
    rows = []
    for number in range(100):
        save(tmp_path / f"faces/{number}.png", np.full((48, 48, 3), number, np.uint8))
        rows.append({"method": "FaceSwap", "path": f"{number}.png"})
    cropping.write_contact_sheets(pd.DataFrame(rows), tmp_path / "faces", tmp_path / "sheets")
    sheet = cv2.imread(str(tmp_path / "sheets/FaceSwap.png"))
    tile = cropping.SHEET_TILE
    assert sheet.shape == (6 * tile, 8 * tile, 3)
    shown = sheet[tile // 2 :: tile, tile // 2 :: tile, 0].ravel()
    assert (shown[0], shown[-1]) == (0, 99)
    assert (np.diff(shown.astype(int)) > 0).all()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"scale_factor": 1.0}, "faces.scale_factor"),
        ({"margin": -0.1}, "faces.margin"),
        ({"size": 112.5}, "faces.size"),
        ({"min_size": 40}, "faces.min_size"),
        ({"format": "gif"}, "faces.format"),
    ],
)
def test_wrong_params_are_one_line(change, line):
    with pytest.raises(ParamsInvalid, match=line):
        crop_params(**change)
