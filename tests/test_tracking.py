from hypothesis import given
from hypothesis import strategies as st

from litefake.faces import Box
from litefake.tracking import LONGEST_GAP, Tracker, overlap

LEFT, RIGHT = Box(0, 0, 100, 100), Box(300, 0, 100, 100)


def moved(box, by):
    return box._replace(x=box.x + by)


def test_two_faces_keep_their_tracks_whatever_the_order_they_are_found_in():
    tracker = Tracker()
    assert tracker.look([LEFT, RIGHT]) == [0, 1]
    assert tracker.look([moved(RIGHT, -20), moved(LEFT, 20)]) == [1, 0]
    assert tracker.look([moved(LEFT, 40)]) == [0]


def test_a_face_that_is_missed_for_a_moment_is_the_same_one_later_another():
    tracker = Tracker()
    tracker.look([LEFT])
    for _ in range(LONGEST_GAP):
        tracker.look([])
    assert tracker.look([LEFT]) == [0]
    for _ in range(LONGEST_GAP + 1):
        tracker.look([])
    assert tracker.look([LEFT]) == [1]


def test_a_cut_to_another_place_starts_a_new_track():
    tracker = Tracker()
    assert tracker.look([LEFT]) == [0]
    assert tracker.look([RIGHT]) == [1]


def test_a_track_goes_to_the_box_that_covers_it_best():
    tracker = Tracker()
    tracker.look([LEFT])
    assert tracker.look([moved(LEFT, 30), moved(LEFT, 5)]) == [1, 0]


def test_overlap_of_known_boxes():
    assert overlap(LEFT, LEFT) == 1
    assert overlap(LEFT, RIGHT) == 0
    assert overlap(LEFT, moved(LEFT, 50)) == 50 / 150


BOXES = st.lists(
    st.builds(
        Box, st.integers(0, 300), st.integers(0, 300), st.integers(1, 99), st.integers(1, 99)
    ),
    max_size=5,
)


@given(st.lists(BOXES, max_size=8))
def test_no_two_faces_of_a_look_share_a_track_and_every_track_is_where_it_was_seen_last(looks):
    tracker = Tracker()
    last = {}
    for number, boxes in enumerate(looks, start=1):
        numbers = tracker.look(boxes)
        assert len(set(numbers)) == len(boxes)
        last |= {track: (number, box) for track, box in zip(numbers, boxes, strict=True)}
    where = {one.number: (one.last_look, one.last_box) for one in tracker._open}
    # One that was seen too long ago is forgotten; its number is not given again.
    assert where.items() <= last.items()
    assert set(where) >= {number for number, (look, _) in last.items() if look == len(looks)}
    assert sorted(last) == list(range(len(last)))
