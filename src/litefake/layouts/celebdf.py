"""Celeb-DF v2 (Li et al., CVPR 2020).

    <root>/Celeb-real/id0_0000.mp4              one of 59 celebrities
    <root>/YouTube-real/00000.mp4               anybody else
    <root>/Celeb-synthesis/id0_id1_0000.mp4     clip id0_0000 with the face of id1
    <root>/List_of_testing_videos.txt           "1 YouTube-real/00170.mp4": here 1 is REAL

The list names the test clips only: all others are training clips, none is for validation.
"""

import re
from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, Row, read_lines, row, videos

METHOD = "Celeb-synthesis"
REALS = ("Celeb-real", "YouTube-real")
LIST = "List_of_testing_videos.txt"


def fits(root: Path) -> bool:
    """Whether ``root`` looks like this layout."""
    return (root / METHOD).is_dir() or (root / REALS[0]).is_dir()


def rows(root: Path) -> list[Row]:
    """Every clip of the three folders.

    Raises DataMissing when a class has no clip, a name is foreign or the list is ill-formed.
    """
    tested = set(read_test_list(root))
    found = []
    for folder in (METHOD, *REALS):
        for path in videos(root / folder):
            clip = row(root, path, _key(folder, path), METHOD if folder == METHOD else REAL)
            found.append(clip | _people(path, folder) | {"given_split": _split(clip, tested)})
    for method, folders in ((METHOD, METHOD), (REAL, " and ".join(REALS))):
        if not any(clip["method"] == method for clip in found):
            raise DataMissing(f"{root}: no video in {folders}; check dataset.root in params.yaml")
    return found


def read_test_list(root: Path) -> list[str]:
    """The paths of the official test clips; empty without the list.

    Raises DataMissing when a line is no ``<label> <folder>/<name>`` or contradicts its folder,
    and when there is no line.
    """
    path = root / LIST
    if not path.exists():
        return []
    listed = []
    for number, line in enumerate(read_lines(path, "lines such as 1 YouTube-real/00170.mp4"), 1):
        if not line.strip():
            continue
        match = re.fullmatch(r"([01])\s+(([\w-]+)/.+\.mp4)\s*", line)
        if not match or match[3] not in (METHOD, *REALS):
            raise DataMissing(f"{path}, line {number}: must be such as 1 YouTube-real/00170.mp4")
        if (match[1] == "1") != (match[3] in REALS):
            raise DataMissing(
                f"{path}, line {number}: label {match[1]} for {match[2]}; in this list 1 is real"
                " and 0 is fake, so restore the official file"
            )
        listed.append(match[2])
    if not listed:
        raise DataMissing(f"{path}: names no clip; restore the official file or remove it")
    return listed


def _split(clip: Row, tested: set[str]) -> str:
    """Nothing when there is no list."""
    if not tested:
        return ""
    return "test" if clip["path"] in tested else "train"


def _key(folder: str, path: Path) -> str:
    return f"{METHOD}/{path.stem}" if folder == METHOD else f"{REAL}/{folder}/{path.stem}"


def _people(path: Path, folder: str) -> dict[str, str]:
    pattern, wanted = {
        METHOD: (r"(id\d+)_(id\d+)_(\d+)", "id0_id1_0000.mp4"),
        REALS[0]: (r"(id\d+)()_(\d+)", "id0_0000.mp4"),
        REALS[1]: (r"(\d+)()()", "00000.mp4"),
    }[folder]
    match = re.fullmatch(pattern, path.stem)
    if not match:
        raise DataMissing(f"{path}: not named like {wanted}; rename or remove it")
    person, donor, number = match.groups()
    if folder == REALS[1]:
        # Everybody there is seen once; a number alone could be another data set's.
        return {"target": path.stem, "person": f"youtube_{person}"}
    names = {"target": f"{person}_{number}", "source": donor}
    return names | {"person": person, "source_person": donor}
