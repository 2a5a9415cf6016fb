"""Draw what training sees of a portrait: ``python -m tools.pair_sheet OUT.png FACE...``.

A column a portrait, by its path in data/faces; rows: the real half, the fake, the mask, and both
halves as a network gets them. Needs ``crop_faces`` of a profile with layout portraits.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from litefake import images
from litefake.pairs import PairMaker

FACES, TILE = Path("data/faces"), 160


def main(out: str, paths: list[str]) -> None:
    maker = PairMaker(FACES, set(paths))
    columns = []
    for seed, path in enumerate(paths):
        pair = maker.pair(path, seed)
        mask = (255 * pair.mask).astype(np.uint8)[..., None].repeat(3, axis=2)
        seen = [maker.half(path, fake, seed) for fake in (False, True)]
        tiles = [pair.real, pair.fake, mask, *seen]
        columns.append(np.vstack([tile(one) for one in tiles]))
    images.write(out, np.hstack(columns))


def tile(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(f"usage: {sys.argv[0]} OUT.png FACE...")
    main(sys.argv[1], sys.argv[2:])
