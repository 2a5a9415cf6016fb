"""Plain folders of videos, without any list.

<root>/real/*.mp4
<root>/fake/*.mp4                       the method is called fake
<root>/fake/<method>/*.mp4
<root>/people.json                      optional, see ``rows.read_people``
"""

from collections.abc import Sequence
from pathlib import Path

from litefake.errors import DataMissing
from litefake.layouts.rows import REAL, Clip, Row, entries, read_people, remedy, row, videos

UNNAMED = "fake"  # the method of videos right in fake/
SEPARATORS = "_-. "


def fits(root: Path) -> bool:
    """Whether ``root`` looks like this layout."""
    return (root / "real").is_dir() and (root / "fake").is_dir()


def rows(root: Path, methods: Sequence[str]) -> list[Row]:
    """Every video of ``methods`` and of the real class.

    A fake whose name starts with that of a real clip (``000_003``, ``000-fake``) was made from
    it and shows the same person; otherwise each clip counts as a person of its own. Raises
    DataMissing when a class or a method has no video, or a folder a name with another meaning.
    """
    _refuse_taken_names(root)
    people = read_people(root / "people.json")
    reals = {path.stem for path in _some(root, REAL)}
    found = []
    for method in (*sorted(methods), REAL):
        for path in _some(root, method):
            target = path.stem if method == REAL else _original(path.stem, reals)
            source = path.stem[len(target) :].strip(SEPARATORS) if method != REAL else ""
            source = source if source in reals else ""
            clip = people.get(path.stem, people.get(target, Clip(person=target)))
            donor = people.get(source, Clip(person=source))
            found.append(
                row(root, path, f"{method}/{path.stem}", method)
                | {"target": target, "source": source, "person": clip.person}
                | {"source_person": donor.person, "control": clip.control and method == REAL}
            )
    return found


def present(root: Path) -> list[str]:
    """The methods that have a folder of their own, and ``fake`` for videos right in it.

    Raises DataMissing when one of them has a name with another meaning.
    """
    _refuse_taken_names(root)
    named = sorted(path.name for path in entries(root / "fake") if videos(path))
    return ([UNNAMED] if videos(root / "fake") else []) + named


def _refuse_taken_names(root: Path) -> None:
    for name, meaning in {UNNAMED: "videos right in fake/ are", REAL: "the real class is"}.items():
        if videos(root / "fake" / name):
            folder = root / "fake" / name
            raise DataMissing(f"{folder}: {name} is what {meaning} called; rename the folder")


def _folder(root: Path, method: str) -> Path:
    if method == REAL:
        return root / "real"
    return root / "fake" if method == UNNAMED else root / "fake" / method


def _some(root: Path, method: str) -> list[Path]:
    folder = _folder(root, method)
    found = videos(folder)
    if not found:
        said = "real clips must lie there" if method == REAL else remedy(method)
        raise DataMissing(f"{folder}: no video; {said}; pictures are of layout faces or portraits")
    return found


def _original(stem: str, reals: set[str]) -> str:
    """The longest name of a real clip that ``stem`` starts with, else ``stem`` itself."""
    ends = [place for place, letter in enumerate(stem) if letter in SEPARATORS] + [len(stem)]
    return next((stem[:end] for end in reversed(ends) if stem[:end] in reals), stem)
