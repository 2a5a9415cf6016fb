"""Draw what training sees: ``python -m tools.pair_sheet OUT.png MODEL PICTURE...``.

A column a picture of a real face; the rows: the real half, the fake, where it was made, both as a
network gets them, and where MODEL (a safetensors file of layout portraits) finds what makes it
say fake. docs/pairs.png shows heads of the built-in data set, of data/frames/youtube, so that
no portrait has to be in the repository.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from torch import nn

from litefake import cropping, images, inputs, models, params, portraits, saliency, transforms
from litefake.card import Card
from litefake.errors import NoFaceFound
from litefake.pairs import PairMaker, PairParams
from litefake.web.pictures import overlay

PROFILE = Path("profiles/portraits.yaml")
TILE = 160  # px


def main(out: str, model: str, pictures: list[str]) -> None:
    network, card = models.load(model)
    pairing = params.section("pairs", PairParams, PROFILE)
    stored = portraits.larger(card.crop, pairing)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number, picture in enumerate(pictures):
            frame = {"key": str(number), "method": "", "frame": 0, "path": picture}
            clip = cropping.crop_clip([frame], Path.cwd(), Path(folder), stored)
            if not clip.rows:
                raise NoFaceFound(f"{picture}: no face")
            rows += clip.rows
        crops, _ = portraits.prepare(Path(folder), pd.DataFrame(rows), card.crop, pairing)
        maker = PairMaker(Path(folder), set(crops["path"]))
        columns = [column(maker, path, n, network, card) for n, path in enumerate(crops["path"])]
    images.write(out, np.hstack(columns))


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
