"""The clips of a split of the built-in data set, for those who measure whole clips."""

import json
from pathlib import Path

from litefake.errors import DataMissing

DEMO = Path("data/videos")


def clips_of(split: str, root: Path = DEMO) -> list[tuple[Path, int]]:
    """Clip and label (1 = fake) of the people of ``split``. Raises DataMissing."""
    listed = root / "splits" / f"{split}.json"
    if not listed.is_file():
        raise DataMissing(f"{listed}: not found; run `make repro` first")
    pairs = json.loads(listed.read_text(encoding="utf-8"))
    folder = root / "original_sequences" / "youtube" / "c23" / "videos"
    clips = [(folder / f"{number}.mp4", 0) for pair in pairs for number in pair]
    names = {f"{a}_{b}.mp4" for pair in pairs for a, b in (pair, pair[::-1])}
    fakes = sorted((root / "manipulated_sequences").glob("*/c23/videos/*.mp4"))
    return clips + [(path, 1) for path in fakes if path.name in names]
