"""Reading by groups of pictures gives what decoding the whole clip gives, to the bit."""

import functools
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake import gops, video
from tests.clips import HEIGHT, WIDTH, rotate_header, write_clip

FRAMES = 60
VARIABLE = np.cumsum([0, *([40] * 20), 1500, *([7] * 20), *([200] * 18)]).tolist()
CLOSED = {"g": "12", "sc_threshold": "0"}
H264 = {
    "plain": {"bf": "0"},
    "b-frames": {"bf": "3", "x264-params": "b-pyramid=normal"},
    "strict pyramid": {"bf": "5", "x264-params": "b-pyramid=strict:b-adapt=0"},
    "open groups": {"bf": "3", "x264-params": "open-gop=1"},
    "intra refresh": {"bf": "0", "x264-params": "intra-refresh=1"},
    "slices": {"bf": "2", "x264-params": "slices=3"},
    "repeated headers": {"bf": "2", "x264-params": "repeat-headers=1"},
    "keyframes only": {"g": "1"},
}


def scene(number: int) -> np.ndarray:
    """A textured picture that moves, so that a wrong reference frame shows."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8)
    large = np.kron(texture, np.ones((4, 4, 1), np.uint8))
    return np.roll(large, (number, 2 * number), (0, 1))


@functools.cache
def scenes() -> tuple[np.ndarray, ...]:
    return tuple(scene(number) for number in range(FRAMES))


def write_other(path: Path, codec: str, **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = options
        for image in scenes():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def packets_of(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def without_start(source: Path, target: Path) -> Path:
    """A clip with an edit list: its first 20 frames are kept but not shown, as phones cut."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        start = int(0.8 / stream.time_base)
        for packet in given.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts - start, packet.dts - start
                packet.stream = copy
                made.mux(packet)
    return target


def overwritten(path: Path, packet: int, value: int, share: float) -> Path:
    """The end of a packet filled with ``value``."""
    start, size = packets_of(path)[packet]
    kept = round(size * (1 - share))
    data = bytearray(path.read_bytes())
    data[start + kept : start + size] = bytes([value]) * (size - kept)
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")

    def clip(name: str, times=None, **options: str) -> Path:
        return write_clip(folder / name, scenes(), times, **CLOSED | options)

    made = {
        name: clip(f"{number}.mp4", **options)
        for number, (name, options) in enumerate(H264.items())
    }
    made["variable rate"] = clip("vfr.mp4", VARIABLE, bf="3")
    made["matroska"] = clip("a.mkv", bf="3")
    made["avi"] = write_other(folder / "a.avi", "libx264", g="12", bf="0")
    made["rotated"] = clip("rotated.mp4", bf="2")
    rotate_header(made["rotated"], 1)
    made["edit list"] = without_start(made["b-frames"], folder / "edited.mp4")
    made["cut short"] = clip("cut.mp4", bf="2")
    made["cut short"].write_bytes(made["cut short"].read_bytes()[:-3000])
    for packet in (0, 5, 12, 30):
        for value, share in ((255, 1), (0, 1), (0, 0.5), (85, 0.3)):
            name = f"packet {packet}, {share:.0%} {value}"
            made[name] = overwritten(clip(f"{name}.mp4", bf="2"), packet, value, share)
    silent = "log-level=none:pools=1:frame-threads=1:keyint=12:min-keyint=12:scenecut=0"
    for name, extra in (("", "open-gop=0"), (" open groups", "open-gop=1:bframes=4")):
        params = {"x265-params": f"{silent}:{extra}"}
        made[f"h265{name}"] = write_other(folder / f"265{name}.mp4", "libx265", **params)
    made["vp9"] = write_other(folder / "9.mkv", "libvpx-vp9", g="12", deadline="realtime")
    return made


@pytest.fixture(scope="module")
def whole(clips) -> dict[str, tuple[list[video.Frame], video.Health]]:
    """What decoding on through each clip gives."""
    found = {}
    for name, path in clips.items():
        health = video.Health()
        found[name] = (list(video.read_frames(path, None, health)), health)
    return found


def same(ours: list[video.Frame], theirs: list[video.Frame]) -> None:
    assert [frame.index for frame in ours] == [frame.index for frame in theirs]
    np.testing.assert_equal([f.seconds for f in ours], [f.seconds for f in theirs])
    for one, other in zip(ours, theirs, strict=True):
        assert np.array_equal(one.image, other.image), one.index


@settings(max_examples=5)
@given(data=st.data())
def test_any_choice_of_frames_is_exact(clips, whole, data):
    for name, path in clips.items():
        everything, health = whole[name]
        wanted = data.draw(st.frozensets(st.integers(0, FRAMES + 3), max_size=6), label=name)
        found = video.Health()
        ours = list(video.read_frames(path, wanted, found))
        same(ours, [frame for frame in everything if frame.index in wanted])
        assert found.frames == health.frames, name
        if not found.skipped:
            assert found == health, name


@pytest.mark.parametrize("name", ["plain", "b-frames", "variable rate", "matroska", "rotated"])
def test_groups_without_a_wanted_frame_are_skipped(clips, name):
    health = video.Health()
    assert [frame.index for frame in video.read_frames(clips[name], {36}, health)] == [36]
    assert health.skipped == FRAMES - 1


@pytest.mark.parametrize("name", ["h265", "h265 open groups", "slices", "repeated headers"])
def test_groups_are_known_in_other_streams_too(clips, name):
    health = video.Health()
    list(video.read_frames(clips[name], {40}, health))
    assert FRAMES - 24 <= health.skipped < FRAMES


@pytest.mark.parametrize("name", ["open groups", "intra refresh"])
def test_what_only_seems_a_keyframe_is_no_place_to_start(clips, name):
    health = video.Health()
    list(video.read_frames(clips[name], {FRAMES - 1}, health))
    assert health.skipped < FRAMES / 2  # no more than pictures that no other refers to


@pytest.mark.parametrize("name", ["avi", "edit list", "cut short", "vp9"])
def test_a_clip_that_cannot_be_numbered_is_decoded_whole(clips, whole, name):
    health = video.Health()
    list(video.read_frames(clips[name], {40}, health))
    assert (health.skipped, health) == (0, whole[name][1])


def test_a_clip_with_an_edit_list_is_whole(clips):
    health = video.Health()
    assert len(list(video.read_frames(clips["edit list"], None, health))) == 40
    assert (video.count_packets(clips["edit list"]), health) == (40, video.Health(frames=40))


def test_a_truncated_clip_is_found_whatever_is_wanted(clips):
    health = video.Health()
    assert [frame.index for frame in video.read_frames(clips["cut short"], {0}, health)] == [0]
    assert health.truncated


@pytest.mark.parametrize("packet", [0, 5, 12, 30])
def test_an_overwritten_packet_is_found_whatever_is_wanted(clips, packet):
    health = video.Health()
    list(video.read_frames(clips[f"packet {packet}, 100% 255"], {0}, health))
    assert health.bad_packets + health.concealed > 0


def test_no_frame_wanted_is_no_frame_decoded(clips):
    health = video.Health()
    assert list(video.read_frames(clips["plain"], set(), health)) == []
    assert (health.frames, health.skipped) == (FRAMES, FRAMES)


def test_damage_seen_midway_does_not_repeat_a_frame(clips, whole):
    name = "packet 30, 50% 0"
    wanted = {0, 13, 31, 59}
    same(
        list(video.read_frames(clips[name], wanted)),
        [frame for frame in whole[name][0] if frame.index in wanted],
    )


# --- the plan ----------------------------------------------------------------------------


def picture(pts: int, entry: bool = False, disposable: bool = False, **more) -> gops.Picture:
    return gops.Picture(pts, 1, entry, more.get("leading", False), disposable, b"")


def test_a_leading_picture_is_decoded_from_the_entry_before():
    listed = [picture(0, True), picture(1), picture(4, True), picture(3, leading=True), picture(5)]
    assert gops.trusted(listed)
    assert gops.plan(listed, {2}) == [gops.Stretch([0, 1, 2, 3], [0, 1, 3, 2])]
    assert gops.plan(listed, {4}) == [gops.Stretch([2, 3, 4], [2, 4])]
    assert gops.plan(listed, {2, 4}) == [gops.Stretch([0, 1, 2, 3, 4], [0, 1, 3, 2, 4])]


def test_what_nothing_refers_to_is_decoded_only_when_wanted():
    listed = [
        picture(0, True),
        picture(3),
        picture(1, disposable=True),
        picture(2, disposable=True),
    ]
    assert gops.plan(listed, {3})[0].feed == [0, 1]
    assert gops.plan(listed, {2, 3})[0].feed == [0, 1, 3]


@pytest.mark.parametrize(
    "listed",
    [
        [],
        [picture(0)],
        [picture(0, True), picture(0)],
        [picture(3, True), picture(1, leading=True)],
        [picture(0, True), picture(9, True), picture(5)],
        [picture(0, True)._replace(parameters=b"a"), picture(1)._replace(parameters=b"b")],
    ],
    ids=["empty", "no entry", "same time", "lost leading", "before its entry", "new parameters"],
)
def test_packets_that_do_not_tell_the_frames_are_not_trusted(listed):
    assert not gops.trusted(listed)


AVCC = bytes([1, 100, 0, 31, 0xFF])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\0\0\0\2\x65\0", (True, False)),
        (b"\0\0\0\2\x41\0", (False, False)),
        (b"\0\0\0\2\x01\0", (False, True)),
        (b"\0\0\0\1\x09\0\0\0\2\x65\0", (True, False)),
        (b"\0\0\0\2\x06\0", None),  # no slice
        (b"\0\0\0\3\x65\0", None),  # longer than the packet
        (b"\0\0\0\0\x65\0", None),
        (b"\0\0\0\2\xe5\0", None),  # forbidden bit
        (b"\0\0", None),
    ],
)
def test_a_packet_says_what_its_picture_is(data, what):
    found = gops.picture(memoryview(data), 0, "h264", AVCC)
    assert (None if found is None else (found.entry, found.disposable)) == what


def test_a_packet_of_unknown_form_says_nothing():
    data = memoryview(b"\0\0\0\2\x65\0")
    assert gops.picture(data, None, "h264", AVCC) is None
    assert gops.picture(data, 0, "vp9", AVCC) is None
    assert gops.picture(data, 0, "h264", b"\0\0\0\1\x67") is None


def test_a_packet_of_countless_tiny_units_is_not_taken_apart():
    """Each would become an object a hundred times its size."""
    avcc = bytes([1, 0, 0, 0, 0xFC])  # lengths of one byte
    unit = bytes([1, 0x65])  # an IDR slice of no content
    few, many = (memoryview(unit * count) for count in (gops.MAX_UNITS, gops.MAX_UNITS + 1))
    assert gops.picture(few, 0, "h264", avcc).entry
    assert gops.picture(many, 0, "h264", avcc) is None
    tracemalloc.start()
    assert gops.picture(memoryview(unit * 10**6), 0, "h264", avcc) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20
