from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from litefake import annotation, marks, video
from litefake.errors import VideoUnreadable
from litefake.faces import Square
from litefake.marks import COLOURS, FAKE, REAL, Mark, Timeline
from litefake.sightings import table
from litefake.verdict import Rule
from tests.clips import number_in, numbered, raw_clip, rotate_header, write_clip, write_matrix


def faces(*rows):
    return table(rows)


NOBODY = faces()
TIMES = [0, 40, 80, 200, 210, 900, 1000, 1010, 1500, 1540]  # ms: a variable frame rate


def with_sound(path, seconds=1.0):
    """Add a tone to the clip at ``path``."""
    silent = path.rename(path.with_name("silent.mp4"))
    with av.open(str(silent)) as source, av.open(str(path), "w") as made:
        pictures = made.add_stream_from_template(source.streams.video[0])
        tone = made.add_stream("aac", rate=16_000)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = pictures
                made.mux(packet)
        for number in range(int(seconds * 16_000 / 1024)):
            wave = np.sin(np.arange(1024) * 0.1, dtype=np.float32)[None] * 0.1
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, number * 1024
            frame.time_base = Fraction(1, 16_000)
            made.mux(tone.encode(frame))
        made.mux(tone.encode(None))
    return path


def sound_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_every_frame_comes_back_at_its_time(tmp_path):
    source = write_clip(tmp_path / "a b.mp4", [numbered(i) for i in range(10)], TIMES)
    made = tmp_path / "out é.mp4"
    assert annotation.annotate(source, made, NOBODY, Rule(0.5)) == 10
    ours = list(video.read_frames(made))
    assert [number_in(frame.image) for frame in ours] == list(range(10))
    assert [frame.seconds for frame in ours] == pytest.approx([t / 1000 for t in TIMES], abs=1e-3)


def test_the_sound_is_copied_packet_by_packet(tmp_path):
    source = with_sound(write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(25)]))
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    assert len(sound_of(source)) > 10
    assert sound_of(tmp_path / "b.mp4") == sound_of(source)


def test_a_browser_can_play_it(tmp_path):
    odd = [np.full((97, 161, 3), 90, np.uint8)] * 5
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 97, 161, "bgr0"
        for image in odd:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    with av.open(str(tmp_path / "b.mp4")) as made:
        codec = made.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.width, codec.height) == (
            "h264",
            "yuv420p",
            160,
            96,
        )
    data = (tmp_path / "b.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before it is loaded whole


def test_a_rotated_clip_is_written_upright(tmp_path):
    source = write_clip(tmp_path / "a.mp4", [numbered(5)] * 3)
    rotate_header(source, 1)
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    assert next(video.read_frames(tmp_path / "b.mp4")).image.shape == (160, 96, 3)


@pytest.mark.parametrize(("turns", "expected"), [(0, Fraction(16, 9)), (1, Fraction(9, 16))])
def test_pixels_that_are_not_square_stay_so(tmp_path, turns, expected):
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 9)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(numbered(number), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    rotate_header(source, turns)
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    with av.open(str(tmp_path / "b.mp4")) as made:
        assert made.streams.video[0].sample_aspect_ratio == expected


def test_a_mirrored_clip_is_copied_as_it_is_shown(tmp_path):
    source = write_clip(tmp_path / "a.mp4", [numbered(0b11110000)] * 3)
    write_matrix(source, -1, 0, 0, 1)
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    assert number_in(next(video.read_frames(tmp_path / "b.mp4")).image) == 0b00001111


def test_the_box_has_the_colour_of_the_answer_and_stays_inside_its_track(tmp_path):
    gray = [np.full((240, 320, 3), 128, np.uint8)] * 12
    source = write_clip(tmp_path / "a.mp4", gray)
    first = [(2, 0.08, 0, 50, 80, 100, 0.9), (8, 0.32, 0, 110, 80, 100, 0.9)]
    seen = faces(*first, (5, 0.2, 1, 200, 90, 60, 0.1), (5, 0.2, 2, 20, 10, 40, 0.6))
    annotation.annotate(source, tmp_path / "b.mp4", seen, Rule(0.8))
    pictures = [frame.image.astype(int) for frame in video.read_frames(tmp_path / "b.mp4")]

    def near(picture, x, y, colour):
        return np.abs(picture[y, x] - colour).max() < 40

    assert near(pictures[2], 50, 150, FAKE)
    assert near(pictures[5], 80, 150, FAKE)  # half-way
    assert near(pictures[8], 110, 150, FAKE)
    assert near(pictures[5], 200, 130, REAL)
    assert near(pictures[5], 20, 45, COLOURS["undecided"])
    for outside in (0, 1, 9, 11):
        assert np.abs(pictures[outside] - 128).max() < 10


def test_a_face_too_small_to_be_called_real_is_not_marked_so(tmp_path):
    gray = np.full((240, 320, 3), 128, np.uint8)
    for smallest, answer in ((40.0, "real"), (41.0, "undecided")):
        planes = marks._to_planes(gray)
        marks.draw(planes, [Mark(Square(50, 100, 40), 0.1)], Rule(0.8, smallest))
        shown = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
        assert np.abs(shown[120, 50].astype(int) - COLOURS[answer]).max() < 40


def test_marks_move_in_a_straight_line_between_looks():
    line = Timeline(faces((0, 0, 0, 0, 0, 10, 0.2), (10, 0.4, 0, 100, 50, 20, 0.8)))
    assert line.at(5, 0.2) == [Mark(Square(50, 25, 15), 0.2)]
    assert line.at(10, 0.4) == [Mark(Square(100, 50, 20), 0.8)]
    assert line.at(11, 0.44) == []


def test_marks_follow_the_time_and_not_the_number_of_a_frame():
    """Behind a damaged group the copy counts fewer frames than the looks did."""
    line = Timeline(faces((0, 0, 0, 0, 0, 10, 0.2), (10, 0.4, 0, 100, 50, 20, 0.8)))
    assert line.at(3, 0.4) == [Mark(Square(100, 50, 20), 0.8)]
    assert line.at(3, None) == []


@pytest.mark.parametrize("times", [(np.nan, np.nan), (0.4, 0.2), (0.0, np.nan)])
def test_marks_follow_the_number_where_times_tell_nothing(times):
    first, last = times
    line = Timeline(faces((0, first, 0, 0, 0, 10, 0.2), (10, last, 0, 100, 50, 20, 0.8)))
    assert line.at(5, None) == line.at(5, 9.0) == [Mark(Square(50, 25, 15), 0.2)]


def test_a_clip_with_a_destroyed_group_is_marked_where_the_faces_are(tmp_path):
    """The look at frame 96 needs nothing of the group 12 to 23; the copy lacks its pictures."""
    source = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(120)])
    _destroy(source, range(12, 24))
    wanted = [0, 48, 60, 96]
    looks = list(video.read_frames(source, wanted))
    assert [number_in(frame.image) for frame in looks] == wanted
    seen = faces(*((one.index, one.seconds, 0, 0, 70, 20, 0.9) for one in looks))
    assert annotation.annotate(source, tmp_path / "b.mp4", seen, Rule(0.5)) < 120
    marked = [
        number_in(frame.image)
        for frame in video.read_frames(tmp_path / "b.mp4")
        if np.abs(frame.image[80, 0].astype(int) - FAKE).max() < 40
    ]
    assert marked[0] == 0
    assert marked[-1] == 96


def _destroy(path, numbers):
    """Overwrite what is coded in the packets ``numbers`` of the clip."""
    with av.open(str(path)) as container:
        packets = [(one.pos, one.size) for one in container.demux(video=0) if one.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        place, size = packets[number]
        data[place + 5 : place + size] = b"\xff" * (size - 5)  # behind length and kind
    path.write_bytes(data)


def test_sound_that_goes_back_in_time_loses_that_packet(tmp_path):
    source = with_sound(write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(25)]))
    back = tmp_path / "back.mkv"
    with av.open(str(source)) as whole, av.open(str(back), "w") as made:
        streams = [made.add_stream_from_template(one) for one in whole.streams]
        for packet in whole.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    data = bytearray(back.read_bytes())
    sound = bytes([0x80 + 2])  # of track 2, in a block: number, two bytes of time, flags
    blocks = [
        place
        for place in range(3, len(data) - 4)
        if data[place : place + 1] == sound and 0xA3 in data[place - 4 : place]
    ]
    assert len(blocks) > 10
    data[blocks[8] + 1 : blocks[8] + 3] = bytes(2)
    back.write_bytes(data)
    assert annotation.annotate(back, tmp_path / "b.mp4", NOBODY, Rule(0.5)) == 25
    assert len(sound_of(tmp_path / "b.mp4")) == len(sound_of(source)) - 1


def test_frames_nearer_than_a_tick_of_the_copy_keep_their_order(tmp_path):
    source = tmp_path / "a.mp4"
    clock = {"video_track_timescale": "1000000"}
    with av.open(str(source), "w", options=clock) as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1_000_000)
        for number in range(8):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = 3 * number, Fraction(1, 1_000_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5)) == 8
    times = [frame.seconds for frame in video.read_frames(tmp_path / "b.mp4")]
    assert times == sorted(set(times))


def picture_clip(path, width, times):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, 64, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame(width, 64, "yuvj420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("width", "times"),
    [(20_000, [0, 40]), (1, [0, 40]), (64, [0, 2 * 10**17])],
    ids=["too wide for H.264", "no even side", "times beyond every clock"],
)
def test_what_can_be_read_but_not_written_again_is_one_line(tmp_path, width, times):
    source = picture_clip(tmp_path / "a.mkv", width, times)
    with pytest.raises(VideoUnreadable, match=r"a\.mkv: no marked copy can be made"):
        annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    assert list(tmp_path.iterdir()) == [source]


def test_planes_that_nothing_converts_are_one_line(tmp_path):
    source = raw_clip(tmp_path / "a.mkv", b"BGR\x04")
    with pytest.raises(VideoUnreadable, match=r"a\.mkv: no marked copy"):
        annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))


def test_a_failure_leaves_nothing_behind(tmp_path):
    source = tmp_path / "a.mp4"
    source.write_bytes(b"no video")
    with pytest.raises(VideoUnreadable, match=r"a\.mp4"):
        annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    assert list(tmp_path.iterdir()) == [source]


def test_a_box_beyond_the_border_is_cut_off_and_the_label_is_read_in_white():
    planes = marks.planes_of(av.VideoFrame.from_ndarray(np.full((240, 320, 3), 128, np.uint8)))
    marks.draw(
        planes, [Mark(Square(-41, -33, 401), 0.9), Mark(Square(101, 81, 60), 0.9)], Rule(0.5)
    )
    image = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420).astype(int)
    assert image.shape == (240, 320, 3)
    assert np.abs(image[120, 100] - FAKE).max() < 40  # an odd side starts at the even pixel
    assert np.abs(image[238, 200] - 128).max() < 5  # the large box shows no edge but its label's
    label = image[60:80, 100:170]
    assert label.min(axis=2).max() > 240  # white, not a shade of the colour
    assert image[:, :, 0].max() <= 255


@pytest.mark.parametrize("x", [-60, 300])
def test_the_label_of_a_face_at_the_border_is_read_whole(x, monkeypatch):
    label, pasted = np.full((20, 90, 3), 255, np.uint8), []
    monkeypatch.setattr(marks, "_label", lambda *_: label)
    monkeypatch.setattr(marks, "_paste", lambda _, patch, left, top: pasted.append((patch, left)))
    planes = np.zeros((360, 320), np.uint8)
    marks.draw(planes, [Mark(Square(x, 100, 80), 0.9)], Rule(0.5))
    (left,) = (left for patch, left in pasted if patch is label)
    assert left == (0 if x < 0 else 320 - 90)


def test_a_frame_of_its_own_planes_is_copied_without_a_change():
    source = np.random.default_rng(0).integers(16, 236, (96, 64), dtype=np.uint8)
    assert (marks.planes_of(av.VideoFrame.from_ndarray(source, "yuv420p")) == source).all()


def of_planes(path, planes, kind):
    """A clip of one frame of 64 x 48 px, said to be in the colours of BT.709."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, kind
        stream.codec_context.colorspace = 1
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, kind)))
        container.mux(stream.encode(None))
    return path


def test_what_the_planes_mean_is_kept(tmp_path):
    source = of_planes(tmp_path / "a.mp4", np.full((72, 64), 90, np.uint8), "yuv420p")
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    with av.open(str(source)) as one, av.open(str(tmp_path / "b.mp4")) as other:
        codecs = [file.streams.video[0].codec_context for file in (one, other)]
        assert [int(codec.colorspace) for codec in codecs] == [1, 1]


def test_planes_that_were_made_anew_are_said_to_be_so(tmp_path):
    planes = np.stack([np.full((48, 64), value, np.uint8) for value in (100, 80, 200)])
    source = of_planes(tmp_path / "a.mp4", planes, "yuv444p")
    annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5))
    with av.open(str(tmp_path / "b.mp4")) as copy:
        codec = copy.streams.video[0].codec_context
        assert (int(codec.colorspace), int(codec.color_range)) == (6, 1)
    shown = [next(video.read_frames(path)).image[20, 20] for path in (source, tmp_path / "b.mp4")]
    assert np.abs(shown[0].astype(int) - shown[1]).max() <= 4


def test_sound_of_a_rate_that_no_standard_names_is_kept(tmp_path):
    silent = write_clip(tmp_path / "silent.mp4", [numbered(i) for i in range(25)])
    source = tmp_path / "a.mkv"
    with av.open(str(silent)) as pictures, av.open(str(source), "w") as made:
        shown = made.add_stream_from_template(pictures.streams.video[0])
        tone = made.add_stream("libmp3lame", rate=8000, layout="mono")
        for packet in pictures.demux(video=0):
            if packet.size:
                packet.stream = shown
                made.mux(packet)
        for number in range(7):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, 1152 * number, Fraction(1, 8000)
            made.mux(tone.encode(frame))
        made.mux(tone.encode(None))
    assert annotation.annotate(source, tmp_path / "b.mp4", NOBODY, Rule(0.5)) == 25
    assert sound_of(tmp_path / "b.mp4")
