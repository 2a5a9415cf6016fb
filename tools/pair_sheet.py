"""Draw what training sees: ``python -m tools.pair_sheet OUT.png MODEL PICTURE...``.

A column a picture of a real face; the rows: the real half, the fake, where it was made, both as a
network gets them, and where MODEL (a safetensors file of layout portraits) finds what makes it
say fake. docs/pairs.png shows heads of the built-in data set, of data/frames/youtube, so that
no portrait has to be in the repository.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from torch import nn

from litefake import cropping, images, inputs, models, params, portraits, saliency, transforms
from litefake.card import Card
from litefake.errors import NoFaceFound
from litefake.faces import CropParams
from litefake.pairs import PairMaker, PairParams
from litefake.web.pictures import overlay

PROFILE = Path("profiles/portraits.yaml")
TILE = 160  # px


def main(out: str, model: str, pictures: list[str]) -> None:
    network, card = models.load(model)
    pairing = params.section("pairs", PairParams, PROFILE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crops = prepared(folder, [Path(picture) for picture in pictures], card.crop, pairing)
        if lost := set(range(len(pictures))) - set(crops["key"].astype(int)):
            raise NoFaceFound(f"{pictures[min(lost)]}: no face")
        maker = PairMaker(folder, set(crops["path"]))
        columns = [column(maker, path, n, network, card) for n, path in enumerate(crops["path"])]
    images.write(out, np.hstack(columns))


def prepared(
    folder: Path, pictures: Sequence[Path], crop: CropParams, pairing: PairParams
) -> pd.DataFrame:
    """Crops and points in ``folder``; a row a picture with a face, ``key`` its number.

    Raises NoFaceFound when no picture has one.
    """
    links = folder / "pictures"
    links.mkdir()
    rows = []
    for number, picture in enumerate(pictures):
        path = f"{number}{picture.suffix}"
        (links / path).symlink_to(picture.absolute())
        frame = {"key": str(number), "method": "", "frame": 0, "path": path}
        rows += cropping.crop_clip([frame], links, folder, portraits.larger(crop, pairing)).rows
    if not rows:
        raise NoFaceFound(f"{pictures[0]}: no face, and in none of {len(pictures)} pictures")
    return portraits.prepare(folder, pd.DataFrame(rows), crop, pairing)[0]


def column(maker: PairMaker, path: str, seed: int, network: nn.Module, card: Card) -> np.ndarray:
    pair = maker.pair(path, seed)
    mask = (255 * pair.mask).astype(np.uint8)[..., None].repeat(3, axis=2)
    real, fake = (inputs.resize(maker.half(path, half, seed), TILE) for half in (False, True))
    batch = transforms.to_input([fake], card.image_size, card.mean, card.std)
    heat = cv2.resize(saliency.grad_cam(network, batch)[0], (TILE, TILE))
    tiles = [inputs.resize(tile, TILE) for tile in (pair.real, pair.fake, mask)]
    return np.vstack([*tiles, real, fake, overlay(fake, heat)])


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(f"usage: {sys.argv[0]} OUT.png MODEL PICTURE...")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
