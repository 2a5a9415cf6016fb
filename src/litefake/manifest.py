"""List a data set: one row per clip (FaceForensics++ layout) or per image (face crops).

Three layouts are understood. ``ffpp`` is FaceForensics++ as its download script leaves it::

    <root>/original_sequences/youtube/<compression>/videos/<target>.mp4
    <root>/manipulated_sequences/<method>/<compression>/videos/<target>_<source>.mp4
    <root>/splits/{train,val,test}.json
    <root>/people.json                      optional, see ``_read_people``

``faces`` holds ready crops: ``<root>/<split>/<youtube or method>/*.{jpg,jpeg,png}``.
``portraits`` is any folder of pictures of real faces, one person a file, at any depth.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, TypeAdapter, field_validator

from litefake.errors import DataMissing
from litefake.params import Section

DEMO_ROOT = Path("data/videos")
REAL = "youtube"
METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")
SPLITS = ("train", "val", "test")
IDENTITY = (
    "key",
    "method",
    "target",
    "source",
    "person",
    "source_person",
    "control",
    "given_split",
)
COLUMNS = (*IDENTITY, "path", "bytes", "mtime_ns")
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}

MethodName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class DatasetParams(Section):
    """Where the data set lies and which part of it is used."""

    root: str
    layout: Literal["ffpp", "faces", "portraits"]
    compression: Literal["raw", "c23", "c40"]
    methods: list[MethodName] = Field(min_length=1)

    @field_validator("methods")
    @classmethod
    def _distinct_fakes(cls, methods: list[str]) -> list[str]:
        if REAL in methods:
            raise ValueError(f"{REAL} is the real class and always used; name only the fakes")
        if len(set(methods)) < len(methods):
            raise ValueError("a method is named twice")
        return methods

    @property
    def held_ready(self) -> bool:
        """Whether the data set holds images, so that no frame is to be extracted."""
        return self.layout != "ffpp"


class _Clip(Section):
    person: str
    control: bool = False


def is_demo(p: DatasetParams) -> bool:
    """Whether the data set is the built-in one, which DVC tracks by content."""
    return Path(p.root).resolve() == DEMO_ROOT.resolve()


def list_videos(p: DatasetParams) -> pd.DataFrame:
    """Every clip (or image) of the data set with ``COLUMNS``, in a fixed order.

    ``key`` is unique and safe as a relative path; ``person`` is whose face is filmed,
    ``source_person`` whose face or expression was put in. ``path`` is relative to the root.
    Raises DataMissing when the root, a named method or the real class is absent or empty.
    """
    root = Path(p.root)
    if not root.is_dir() or not any(root.iterdir()):
        problem = "is empty" if root.is_dir() else "no such folder"
        raise DataMissing(f"{root}: {problem}; set dataset.root in params.yaml to a data set")
    listing = {"ffpp": _ffpp_rows, "faces": _faces_rows, "portraits": _portrait_rows}
    rows = listing[p.layout](root, p)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    twice = table["key"][table["key"].duplicated()]
    if len(twice):
        raise DataMissing(f"{root}: two files are named {twice.iloc[0]}; rename or remove one")
    return table


def read_table(path: Path | str) -> pd.DataFrame:
    """A CSV with the identity columns, numbers of clips and persons kept as text (``000``).

    Raises DataMissing when the file is absent.
    """
    text = dict.fromkeys((*IDENTITY, "path"), str)
    del text["control"]
    try:
        return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={"seconds": [""]})
    except FileNotFoundError:
        raise DataMissing(f"{path}: not found; run the stages before this one first") from None


def official_splits(root: Path | str) -> dict[str, str]:
    """Person number -> ``train``, ``val`` or ``test``, from the lists of pairs in ``splits/``.

    Raises DataMissing when a list is absent, ill-formed or shares a person with another.
    """
    people: dict[str, str] = {}
    for split in SPLITS:
        path = Path(root) / "splits" / f"{split}.json"
        pairs = _read_json(path, list[tuple[str, str]], "a list of pairs of clip numbers")
        for person in (person for pair in pairs for person in pair):
            if people.setdefault(person, split) != split:
                raise DataMissing(f"{path}: {person} is also in {people[person]}.json")
    return people


def _ffpp_rows(root: Path, p: DatasetParams) -> list[dict[str, Any]]:
    originals, manipulated = root / "original_sequences", root / "manipulated_sequences"
    if not originals.is_dir() and not manipulated.is_dir():
        raise DataMissing(
            f"{root}: no FaceForensics++ layout (original_sequences/, manipulated_sequences/);"
            " check dataset.root and dataset.layout in params.yaml"
        )
    people = _read_people(root / "people.json")
    lists = official_splits(root) if (root / "splits").is_dir() else {}
    rows = []
    for method in (*sorted(p.methods), REAL):
        sequences = originals if method == REAL else manipulated
        for path in _videos(sequences / method, p.compression):
            target, source = _parse_name(path, method)
            clip = people.get(target, _Clip(person=target))
            donor = people.get(source, _Clip(person=source))
            rows.append(
                _row(root, path, f"{method}/{path.stem}", method)
                | {"target": target, "source": source, "person": clip.person}
                | {"source_person": donor.person, "control": clip.control and method == REAL}
                | {"given_split": _split_of_pair(clip.person, donor.person, lists)}
            )
    return rows


def _split_of_pair(person: str, donor: str, lists: dict[str, str]) -> str:
    """The split that holds both people (a real clip has no donor), else nothing."""
    split = lists.get(person, "")
    return split if donor in ("", person) or lists.get(donor) == split else ""


def _videos(folder: Path, compression: str) -> list[Path]:
    videos = folder / compression / "videos"
    found = sorted(path for path in videos.glob("*.mp4") if not path.name.startswith("."))
    if found:
        return found
    others = [name for name in ("raw", "c23", "c40") if (folder / name / "videos").is_dir()]
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


def _read_people(path: Path) -> dict[str, _Clip]:
    """Who is seen in a clip, for clips whose number is not the person's own.

    ``{"060": {"person": "012", "control": true}}``: clip 060 shows person 012, re-warped only.
    FaceForensics++ has no such file; there a clip's number stands for the person.
    """
    if not path.exists():
        return {}
    wanted = 'a mapping such as {"060": {"person": "012", "control": true}}'
    people: dict[str, _Clip] = _read_json(path, dict[str, _Clip], wanted)
    return people


def _read_json(path: Path, kind: Any, wanted: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataMissing(f"{path}: not found; it must be {wanted}") from None
    except ValueError:
        raise DataMissing(f"{path}: must be {wanted}") from None


def _faces_rows(root: Path, p: DatasetParams) -> list[dict[str, Any]]:
    present = [split for split in SPLITS if (root / split).is_dir()]
    for split in ("train", "test"):
        if split not in present:
            raise DataMissing(f"{root / split}: no such folder; layout faces needs train and test")
    rows = []
    for split in present:
        for method in (*sorted(p.methods), REAL):
            for path in _images(root / split / method):
                row = _row(root, path, f"{method}/{split}/{path.stem}", method)
                rows.append(row | {"given_split": split})
    return rows


def _portrait_rows(root: Path, p: DatasetParams) -> list[dict[str, Any]]:
    """One row a portrait; the path without its suffix stands for the person."""
    found = _pictures(path for path in root.rglob("*") if path.is_file())
    if not found:
        raise DataMissing(f"{root}: no image; `make portraits` brings some, see docs/portraits.md")
    people = [path.relative_to(root).with_suffix("").as_posix() for path in found]
    return [
        _row(root, path, f"{REAL}/{person}", REAL) | {"target": person, "person": person}
        for path, person in zip(found, people, strict=True)
    ]


def _images(folder: Path) -> list[Path]:
    """The images of a category in natural order: 2.jpg before 10.jpg."""
    found = _pictures(folder.iterdir()) if folder.is_dir() else []
    if not found:
        raise DataMissing(f"{folder}: no image; add some or change dataset.methods in params.yaml")
    return sorted(found, key=lambda path: (_natural(path.name), path.name))


def _pictures(paths: Iterable[Path]) -> list[Path]:
    """Those of ``paths`` that are images by their names, sorted."""
    seen = (path for path in paths if not path.name.startswith("."))
    return sorted(path for path in seen if path.suffix.lower() in IMAGE_SUFFIXES)


def _natural(name: str) -> list[str | int]:
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if odd % 2 else part for odd, part in enumerate(parts)]


def _row(root: Path, path: Path, key: str, method: str) -> dict[str, Any]:
    state = path.stat()
    return dict.fromkeys(IDENTITY, "") | {
        "key": key,
        "method": method,
        "control": False,
        "path": path.relative_to(root).as_posix(),
        "bytes": state.st_size,
        "mtime_ns": state.st_mtime_ns,
    }


def summary(videos: pd.DataFrame) -> dict[str, Any]:
    """Counts for the metrics file: clips (or images) per method, null controls, bytes."""
    per_method = videos.groupby("method").size()
    return {
        "clips": len(videos),
        "controls": int(videos["control"].sum()),
        "bytes": int(videos["bytes"].sum()),
        "per_method": {method: int(count) for method, count in per_method.items()},
    }
