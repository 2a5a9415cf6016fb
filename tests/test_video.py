"""Frames are exact, whatever the clip's timing, rotation or damage."""

import contextlib
import math
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from av.stream import Disposition
from hypothesis import given
from hypothesis import strategies as st

from litefake import extraction, params, video
from litefake.errors import ParamsInvalid, VideoUnreadable
from tests.clips import (
    HEIGHT,
    WIDTH,
    number_in,
    numbered,
    raw_clip,
    rotate_header,
    write_clip,
    write_matrix,
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", [numbered(i) for i in range(60)])


def sampling(**change: object) -> extraction.SamplingParams:
    values = {
        "real": {"every": 30},
        "fake": {"random": 10},
        "seed": 0,
        "format": "png",
        "quality": 95,
    }
    return params.validate("frames", values | change, extraction.SamplingParams)


def extract(
    path: Path, folder: Path, p: extraction.SamplingParams, key: str = ""
) -> extraction.Extraction:
    key = key or f"youtube/{path.stem}"
    row = {"key": key, "method": key.split("/")[0], "path": path.name}
    return extraction.extract(row, path.parent, folder, "youtube", p)


# --- rules -------------------------------------------------------------------------------


@given(n=st.integers(1, 40), count=st.integers(0, 500), seed=st.text(max_size=5))
@pytest.mark.parametrize("kind", ["random", "spread"])
def test_counted_rules_give_that_many_distinct_frames_in_order(kind, n, count, seed):
    chosen = extraction.Rule(**{kind: n}).choose(count, seed)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(n, count)
    assert all(0 <= frame < count for frame in chosen)


@given(n=st.integers(1, 40), count=st.integers(0, 500))
def test_every_takes_each_nth_frame_from_the_first(n, count):
    assert extraction.Rule(every=n).choose(count, "") == [i for i in range(count) if i % n == 0]


def test_spread_covers_the_whole_clip_and_not_its_beginning():
    assert extraction.Rule(spread=4).choose(400, "") == [50, 150, 250, 350]
    assert extraction.Rule(spread=3).choose(24, "") == [4, 12, 20]
    assert extraction.Rule(spread=8).choose(3, "") == [0, 1, 2]


@given(n=st.integers(1, 40), count=st.integers(40, 500))
def test_spread_leaves_no_gap_longer_than_one_part(n, count):
    edges = [-1, *extraction.Rule(spread=n).choose(count, ""), count]
    assert max(np.diff(edges)) <= math.ceil(count / n) + 1


def test_random_depends_on_seed_and_clip_alone():
    rule = extraction.Rule(random=5)
    first = rule.choose(300, "0/Deepfakes/000_003")
    rule.choose(300, "0/FaceSwap/000_003")
    assert rule.choose(300, "0/Deepfakes/000_003") == first
    assert rule.choose(300, "0/FaceSwap/000_003") != first
    assert rule.choose(300, "1/Deepfakes/000_003") != first


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({}, "exactly one"),
        ({"every": 3, "spread": 3}, "exactly one"),
        ({"spread": 0}, "frames.real.spread"),
        ({"spread": "8"}, "frames.real.spread"),
        ({"first": 8}, "frames.real.first: is not a known key"),
    ],
)
def test_a_wrong_rule_is_one_line(rule, reason):
    with pytest.raises(ParamsInvalid, match=reason):
        sampling(real=rule)


# --- exact frames ------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [{}, {"bf": "3", "g": "250"}, {"bf": "0", "g": "1"}])
def test_every_index_is_the_frame_of_that_number(tmp_path, codec):
    path = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(60)], **codec)
    wanted = {0, 1, 17, 18, 44, 59}
    got = list(video.read_frames(path, wanted))
    assert [frame.index for frame in got] == sorted(wanted)
    assert [number_in(frame.image) for frame in got] == sorted(wanted)
    assert all(f.image.shape == (HEIGHT, WIDTH, 3) and f.image.dtype == np.uint8 for f in got)


def test_variable_frame_rate_is_indexed_by_frame_and_not_by_time(tmp_path):
    times = np.cumsum([0, *([40] * 20), 1500, *([7] * 20), *([200] * 18)]).tolist()
    path = write_clip(tmp_path / "vfr.mp4", [numbered(i) for i in range(60)], times)
    got = list(video.read_frames(path))
    assert [number_in(frame.image) for frame in got] == list(range(60))
    assert [round(1000 * frame.seconds) for frame in got] == times
    assert video.count_packets(path) == 60


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rotation_in_the_header_is_honoured(tmp_path, turns):
    picture = numbered(0)
    picture[:20, :40] = 255  # the top left corner as stored
    path = write_clip(tmp_path / "phone.mp4", [picture] * 3)
    rotate_header(path, turns)
    image = next(video.read_frames(path)).image
    upright = np.rot90(picture, -turns)
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).mean() < 4


@pytest.mark.parametrize(
    ("shown", "change"),
    [
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda image: image.swapaxes(0, 1)[::-1, ::-1]),
    ],
)
def test_a_mirrored_clip_is_mirrored_and_not_turned(tmp_path, shown, change):
    picture = numbered(0)
    picture[:20, :40] = 255
    path = write_clip(tmp_path / "selfie.mp4", [picture] * 3)
    write_matrix(path, *shown)
    image = next(video.read_frames(path)).image
    assert image.shape == change(picture).shape
    assert np.abs(image.astype(int) - change(picture)).mean() < 4


def test_of_several_streams_the_one_that_players_show_is_read(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for number, stream in enumerate(streams):
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.options = {"crf": "10"}
            stream.disposition = av.stream.Disposition(number)  # default is 1
        for place in range(4):
            for number, stream in enumerate(streams):
                frame = av.VideoFrame.from_ndarray(numbered(100 * number + place), "rgb24")
                frame.pts, frame.time_base = place, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    assert [number_in(frame.image) for frame in video.read_frames(path)] == [100, 101, 102, 103]


@pytest.mark.parametrize(("kept", "early"), [(1.0, False), (0.6, True)])
def test_a_matroska_file_that_ends_early_is_known_by_what_it_says_of_its_length(
    tmp_path, kept, early
):
    path = write_clip(tmp_path / "a.mkv", [numbered(i) for i in range(60)])
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    health = video.Health()
    frames = list(video.read_frames(path, health=health))
    assert (len(frames) < 60) == early
    assert health.truncated == early


def test_matroska_is_read_too(tmp_path):
    path = write_clip(tmp_path / "a.mkv", [numbered(i) for i in range(9)])
    assert [number_in(frame.image) for frame in video.read_frames(path)] == list(range(9))


# --- damaged and hostile files -----------------------------------------------------------


def test_a_whole_clip_is_in_good_health(clip):
    health = video.Health()
    assert len(list(video.read_frames(clip, {5}, health))) == 1
    assert health == video.Health(frames=60)


def test_a_cut_clip_gives_its_beginning_and_says_so(clip):
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 3 // 4])
    health = video.Health()
    got = list(video.read_frames(clip, None, health))
    assert 0 < len(got) < 60
    assert [number_in(frame.image) for frame in got] == list(range(len(got)))
    assert health.truncated
    assert health.frames == len(got)


def test_a_broken_packet_is_passed_over(clip):
    with av.open(str(clip)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        start, size = packets[30].pos, packets[30].size
    data = bytearray(clip.read_bytes())
    data[start : start + size] = b"\xff" * size
    clip.write_bytes(data)
    health = video.Health()
    numbers = [number_in(frame.image) for frame in video.read_frames(clip, None, health)]
    assert health.bad_packets >= 1
    assert not health.truncated
    assert numbers[-12:] == list(range(48, 60))
    assert len(numbers) == health.frames >= 50


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits_never_crash_and_never_pass_for_health(clip, seed):
    rng = np.random.default_rng(seed)
    data = bytearray(clip.read_bytes())
    for place in rng.integers(0, len(data), 40):
        data[place] ^= 1 << int(rng.integers(8))
    clip.write_bytes(data)
    health = video.Health()
    with contextlib.suppress(VideoUnreadable):
        assert len(list(video.read_frames(clip, None, health))) == health.frames
    assert health != video.Health(frames=60)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"this is no video\n" * 100,
        b"#EXTM3U\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile clip.mp4\n",
    ],
    ids=["empty", "text", "playlist", "concat"],
)
def test_a_file_that_is_no_video_is_one_line_with_its_name(clip, content):
    path = clip.with_name("bad.mp4")
    path.write_bytes(content)
    for read in (video.count_packets, lambda p: list(video.read_frames(p))):
        with pytest.raises(VideoUnreadable, match=r"bad\.mp4: .*cannot be opened"):
            read(path)


def test_a_clip_cut_before_its_index_is_unreadable(tmp_path, clip):
    data = clip.read_bytes()
    clip.write_bytes(data[: data.index(b"moov") + 20])
    with pytest.raises(VideoUnreadable, match=r"clip\.mp4"):
        list(video.read_frames(clip))


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(VideoUnreadable, match=r"none\.mp4"):
        list(video.read_frames(tmp_path / "none.mp4"))


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(VideoUnreadable, match=r"sound\.mp4: has no video stream"):
        list(video.read_frames(path))


def test_an_absurd_size_is_refused(clip, monkeypatch):
    monkeypatch.setattr(video, "MAX_PIXELS", WIDTH * HEIGHT - 1)
    with pytest.raises(VideoUnreadable, match=r"clip\.mp4"):
        list(video.read_frames(clip))


# --- one clip to disk --------------------------------------------------------------------


def test_extract_writes_the_chosen_frames(clip, tmp_path):
    result = extract(clip, tmp_path / "frames", sampling(real={"spread": 4}))
    assert result.error == ""
    assert [row["frame"] for row in result.rows] == [7, 22, 37, 52]
    assert result.rows[1]["path"] == "youtube/clip/000022.png"
    for row in result.rows:
        pixels = cv2.imread(str(tmp_path / "frames" / row["path"]))
        assert number_in(pixels) == row["frame"]
        assert row["seconds"] == pytest.approx(row["frame"] / 25)


def test_frames_can_be_stored_as_jpeg(clip, tmp_path):
    def size(quality: int) -> int:
        p = sampling(real={"spread": 1}, format="jpg", quality=quality)
        path = tmp_path / "frames" / extract(clip, tmp_path / "frames", p).rows[0]["path"]
        assert path.suffix == ".jpg"
        assert number_in(cv2.imread(str(path))) == 30
        return path.stat().st_size

    assert size(20) < size(95)


def test_each_class_has_its_rule(clip, tmp_path):
    p = sampling(real={"every": 30}, fake={"random": 10})
    assert [r["frame"] for r in extract(clip, tmp_path / "f", p).rows] == [0, 30]
    assert len(extract(clip, tmp_path / "f", p, "Deepfakes/000_003").rows) == 10


def test_spread_covers_what_can_be_decoded_of_a_damaged_clip(tmp_path):
    frames = [numbered(i) for i in range(60)]
    clip = write_clip(tmp_path / "clip.mp4", frames, bf="0", sc_threshold="0")
    with av.open(str(clip)) as container:
        starts = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(clip.read_bytes())
    for start, size in starts[:36]:  # the first three groups of pictures
        data[start : start + size] = b"\xff" * size
    clip.write_bytes(data)
    result = extract(clip, tmp_path / "frames", sampling(real={"spread": 4}))
    assert result.health.frames == 24
    assert [row["frame"] for row in result.rows] == [3, 9, 15, 21]
    written = sorted(path.name for path in (tmp_path / "frames").rglob("*.png"))
    assert written == ["000003.png", "000009.png", "000015.png", "000021.png"]
    assert number_in(cv2.imread(str(tmp_path / "frames" / result.rows[0]["path"]))) == 39


def test_four_methods_of_one_pair_are_four_clips(clip, tmp_path):
    methods = ["Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"]
    p = sampling(fake={"spread": 2})
    results = [extract(clip, tmp_path / "f", p, f"{m}/000_003") for m in methods]
    clips = pd.DataFrame([{"key": r.key, "method": r.method} for r in results])
    table = extraction.index(clips, results)
    assert table["key"].nunique() == 4
    assert table["path"].is_unique
    assert len(list((tmp_path / "f").rglob("*.png"))) == 8


def test_an_unreadable_clip_is_counted_and_named_and_has_no_row(clip, tmp_path):
    bad = clip.with_name("bad.mp4")
    bad.write_bytes(b"text")
    p = sampling()
    results = [extract(path, tmp_path / "f", p) for path in (clip, bad)]
    clips = pd.DataFrame([{"key": r.key, "person": "000"} for r in results])
    counts = extraction.summary(results)
    assert set(extraction.index(clips, results)["key"]) == {"youtube/clip"}
    assert (counts["videos"], counts["frames"], counts["unreadable"]) == (2, 2, 1)
    assert list(counts["unreadable_videos"]) == ["youtube/bad"]
    assert counts["per_method"] == {"youtube": {"videos": 2, "frames": 2, "unreadable": 1}}


def test_a_truncated_clip_is_named_and_left_out(clip, tmp_path):
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 3 // 4])
    counts = extraction.summary([extract(clip, tmp_path / "f", sampling())])
    assert counts["truncated_videos"] == ["youtube/clip"]
    assert "truncated after" in counts["unreadable_videos"]["youtube/clip"]
    assert counts["frames"] == 0
    assert not list((tmp_path / "f").rglob("*.png"))


def test_a_class_without_a_readable_clip_is_an_error(clip, tmp_path):
    clip.write_bytes(b"text")
    results = [extract(clip, tmp_path / "f", sampling())]
    with pytest.raises(VideoUnreadable, match="youtube: all 1 clips unreadable"):
        extraction.index(pd.DataFrame([{"key": "youtube/clip"}]), results)


def test_pixels_that_nothing_converts_are_one_line(tmp_path):
    source = raw_clip(tmp_path / "a.mkv", b"BGR\x04")
    with pytest.raises(VideoUnreadable, match=r"a\.mkv: pixels of the kind bgr4 cannot be conv"):
        list(video.read_frames(source, [0]))
    with pytest.raises(VideoUnreadable, match=r"a\.mkv: pixels of the kind bgr4"):
        list(video.read_frames(source))


def test_frames_that_an_avi_leaves_out_are_not_missing(tmp_path):
    """Its header counts the empty places as frames; a clip that is cut off is told all the same."""
    source = tmp_path / "gap.avi"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(60):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts, frame.time_base = number + 10 * (number >= 30), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(source)) as container:
        assert container.streams.video[0].frames == 70
    health = video.Health()
    assert len(list(video.read_frames(source, health=health))) == 60
    assert not health.truncated
    assert len(extract(source, tmp_path / "f", sampling()).rows) == 2
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 3 // 4])
    cut = video.Health()
    list(video.read_frames(source, health=cut))
    assert cut.truncated


@pytest.mark.parametrize(("codec", "broken"), [("libx264", 0), ("libx264", 5), ("mpeg4", 0)])
def test_frames_of_an_avi_stand_in_the_order_of_their_times(tmp_path, codec, broken):
    """It has no times to show frames at, and B-frames are stored after what they come before."""
    source = tmp_path / "b.avi"
    with av.open(str(source), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.max_b_frames, stream.codec_context.gop_size = 2, 12
        packets = []
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        assert [packet.pts for packet in packets] != sorted(packet.pts for packet in packets)
        for place, packet in enumerate(packets):
            if not place or place != broken:
                container.mux(packet)
    frames = list(video.read_frames(source))
    shown = [round(frame.seconds * 25) for frame in frames]
    assert shown == sorted(set(shown))
    numbers = [number_in(frame.image) for frame in frames]
    late = [place for number, place in zip(numbers, shown, strict=True) if place - number != 1]
    assert len(late) <= (12 if broken else 0)  # a lost frame moves its own group of pictures
    wanted = [3, 20, 33]
    assert [one.seconds for one in video.read_frames(source, wanted)] == [
        frames[index].seconds for index in wanted
    ]


def test_the_cover_of_a_sound_file_is_no_clip(tmp_path):
    source = tmp_path / "song.m4a"
    with av.open(str(source), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=16000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(numbered(1), format="rgb24")
        container.mux(cover.encode(picture.reformat(format="yuvj420p")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 16000
        container.mux([*sound.encode(silence), *sound.encode(None)])
    with pytest.raises(
        VideoUnreadable, match=r"song\.m4a: is sound with a cover picture, no video"
    ):
        list(video.read_frames(source))
