"""FaceForensics++ (Rössler et al., ICCV 2019) as its download script leaves it.

<root>/original_sequences/youtube/<compression>/videos/<target>.mp4
<root>/manipulated_sequences/<method>/<compression>/videos/<target>_<source>.mp4
<root>/splits/{train,val,test}.json
<root>/people.json                      optional, see ``rows.read_people``
"""

import re
from collections.abc import Sequence
from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, SPLITS, Clip, Row, entries, read_json, read_people, row

COMPRESSIONS = ("raw", "c23", "c40")
METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")
ORIGINALS, MANIPULATED = "original_sequences", "manipulated_sequences"


def fits(root: Path) -> bool:
    """Whether ``root`` looks like this layout."""
    return (root / ORIGINALS).is_dir() or (root / MANIPULATED).is_dir()


def rows(
    root: Path, methods: Sequence[str], compression: str, lists: dict[str, str] | None = None
) -> list[Row]:
    """Every clip of ``methods`` and of the real class at one ``compression``.

    ``lists`` maps a person to a split; by default those of ``splits/``, when there are any.
    Raises DataMissing when the root, a method or a list is absent or ill-formed.
    """
    if not fits(root):
        raise DataMissing(
            f"{root}: no FaceForensics++ layout ({ORIGINALS}/, {MANIPULATED}/);"
            " check dataset.root and dataset.layout in params.yaml"
        )
    people = read_people(root / "people.json")
    if lists is None:
        lists = official_splits(root) if (root / "splits").is_dir() else {}
    found = []
    for method in (*sorted(methods), REAL):
        for path in _videos(folder_of(root, method), compression):
            target, source = _parse_name(path, method)
            clip = people.get(target, Clip(person=target))
            donor = people.get(source, Clip(person=source))
            found.append(
                row(root, path, f"{method}/{path.stem}", method)
                | {"target": target, "source": source, "person": clip.person}
                | {"source_person": donor.person, "control": clip.control and method == REAL}
                | {"given_split": _split_of_pair(clip.person, donor.person, lists)}
            )
    return found


def present(root: Path) -> dict[str, list[str]]:
    """The methods that ``root`` has a folder of videos of, for each compression in it."""
    folders = [path.parent for path in root.glob(f"{MANIPULATED}/*/*/videos") if any(entries(path))]
    folders += [path.parent for path in root.glob(f"{ORIGINALS}/{REAL}/*/videos")]
    return {
        level: sorted({path.parent.name for path in folders if path.name == level} - {REAL})
        for level in COMPRESSIONS
        if any(path.name == level for path in folders)
    }


def official_splits(root: Path | str) -> dict[str, str]:
    """Person number -> ``train``, ``val`` or ``test``, from the lists of pairs in ``splits/``.

    Raises DataMissing when a list is absent, ill-formed or shares a person with another.
    """
    people: dict[str, str] = {}
    for split, pairs in read_lists(root).items():
        for person in (person for pair in pairs for person in pair):
            if people.setdefault(person, split) != split:
                path = Path(root) / "splits" / f"{split}.json"
                raise DataMissing(f"{path}: {person} is also in {people[person]}.json")
    return people


def read_lists(root: Path | str) -> dict[str, list[tuple[str, str]]]:
    """The pairs of every split as they stand in ``splits/``. Raises DataMissing."""
    wanted = "a list of pairs of clip numbers"
    return {
        split: read_json(Path(root) / "splits" / f"{split}.json", list[tuple[str, str]], wanted)
        for split in SPLITS
    }


def read_sources(root: Path) -> dict[str, str]:
    """Clip number -> YouTube video, from ``conversion_dict.json``; empty without the file.

    ``{"331": "R03Sko97IDE 0", "332": "R03Sko97IDE 1"}``: two sequences of one video.
    Raises DataMissing when the file is ill-formed.
    """
    path = root / "conversion_dict.json"
    if not path.exists():
        return {}
    wanted = 'a mapping such as {"331": "R03Sko97IDE 0"}'
    sequences = read_json(path, dict[str, str], wanted)
    return {number: sequence.rsplit(" ", 1)[0] for number, sequence in sequences.items()}


def folder_of(root: Path, method: str) -> Path:
    """Where the compressions of ``method``, or of the real class, lie."""
    return root / (ORIGINALS if method == REAL else MANIPULATED) / method


def _split_of_pair(person: str, donor: str, lists: dict[str, str]) -> str:
    """The split that holds both people (a real clip has no donor), else nothing."""
    split = lists.get(person, "")
    return split if donor in ("", person) or lists.get(donor) == split else ""


def _videos(folder: Path, compression: str) -> list[Path]:
    videos = folder / compression / "videos"
    found = sorted(path for path in entries(videos) if path.suffix.lower() == ".mp4")
    if found:
        return found
    others = [name for name in COMPRESSIONS if (folder / name / "videos").is_dir()]
    hint = f" (there is {', '.join(others)})" if others and compression not in others else ""
    raise DataMissing(
        f"{videos}: no .mp4 file{hint}; download it, or change dataset.methods or"
        " dataset.compression in params.yaml"
    )


def _parse_name(path: Path, method: str) -> tuple[str, str]:
    """Target and source of a clip; a real clip has no source."""
    if method == REAL:
        return path.stem, ""
    # DeepFakeDetection appends a scene: 01_02__walking_outside__ABCDEFGH.mp4
    match = re.match(r"([0-9]+)_([0-9]+)(?:__|$)", path.stem)
    if not match:
        raise DataMissing(f"{path}: not named <target>_<source>.mp4; rename or remove it")
    return match[1], match[2]
