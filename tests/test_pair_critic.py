"""Pairs judged by networks that know deepfakes: what is asked, and what is answered."""

import cv2
import numpy as np
import pytest

from litefake import models, params
from litefake.errors import DataMissing, NoFaceFound, ParamsInvalid
from litefake.pairs import PairParams
from tests.heads import rendered_head
from tools import pair_critic
from tools.pair_sheet import PROFILE


def faces(*levels: int) -> list[np.ndarray]:
    return [np.full((40, 40, 3), level, np.uint8) for level in levels]


def brightness(images: np.ndarray) -> np.ndarray:
    return images.mean(axis=(1, 2, 3), keepdims=True).reshape(-1, 1) * 10


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of a head in different light, and one of nobody."""
    folder = tmp_path / "people"
    folder.mkdir()
    for number in range(3):
        lit = np.clip(rendered_head().image * (0.8 + 0.1 * number), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), lit[..., ::-1])
    cv2.imwrite(str(folder / "wall.png"), np.full((160, 160, 3), 120, np.uint8))
    return folder


def test_the_answer_is_the_auc_of_the_halves_and_what_lies_between_them(student):
    card = student[1].model_copy(update={"mean": [0.0] * 3, "std": [1.0] * 3})
    real, fake = faces(51, 102, 153), faces(102, 153, 204)
    auc, apart = pair_critic.answer(brightness, card, real, fake)
    assert auc == pytest.approx((1.5 + 2.5 + 3) / 9)
    assert apart == pytest.approx(2.0, abs=1e-4)  # each fake is a fifth brighter
    assert pair_critic.answer(brightness, card, real, real) == (0.5, 0.0)


def test_every_way_is_asked_for_alone_and_nothing_else_changes():
    pairing = params.section("pairs", PairParams, PROFILE)
    found = dict(pair_critic.ways(pairing))
    assert list(found) == ["all", "own", "donor", "expression"]
    assert found["all"] == pairing
    for way in pair_critic.WAYS:
        blend = found[way].blend
        assert {name: getattr(blend, name).share for name in pair_critic.WAYS} == {
            name: float(name == way) for name in pair_critic.WAYS
        }
        put_back = {name: getattr(pairing.blend, name) for name in pair_critic.WAYS}
        assert blend.model_copy(update=put_back) == pairing.blend


def test_a_folder_of_faces_is_judged_way_by_way(pictures, student, tmp_path, capsys):
    before = sorted(pictures.iterdir())
    file = tmp_path / "critic.safetensors"
    models.save(*student, file)
    other = tmp_path / "elsewhere" / file.name
    other.parent.mkdir()
    models.save(*student, other)
    pair_critic.main(pictures, [file, other], {"pairs.blend.misfit": 0.05}, published=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 faces of 4 pictures")
    assert lines[1:3] == [f"1: {file}", f"2: {other}"]
    assert [line.split()[0] for line in lines[3:]] == ["all", "own", "donor", "expression"]
    for line in lines[3:]:
        _, first, second = line.split("|")
        assert first.strip() == second.strip()  # one network under two names
    assert sorted(pictures.iterdir()) == before  # crops are not left beside the pictures


def test_what_cannot_be_judged_is_said(pictures, student, tmp_path):
    file = tmp_path / "critic.safetensors"
    models.save(*student, file)
    with pytest.raises(DataMissing, match="no such folder"):
        pair_critic.main(tmp_path / "nowhere", [file], {}, published=False)
    with pytest.raises(ParamsInvalid, match="misfits: is not in"):
        pair_critic.main(pictures, [file], {"pairs.blend.misfits": 1.0}, published=False)
    for number in range(3):
        (pictures / f"{number}.png").unlink()
    with pytest.raises(NoFaceFound, match="no face, and in none of 1 pictures"):
        pair_critic.main(pictures, [file], {}, published=False)


def test_a_change_is_a_key_of_pairs_and_a_value():
    assert pair_critic.change("pairs.blend.misfit=0.06") == ("pairs.blend.misfit", 0.06)
    assert pair_critic.change("pairs.before.crf=[20, 24]") == ("pairs.before.crf", [20, 24])
    with pytest.raises(ParamsInvalid, match="is no value as YAML has them"):
        pair_critic.change("pairs.before.crf=[20,")
    for word in ("pairs.blend.misfit", "faces.size=3"):
        with pytest.raises(ParamsInvalid, match=r"is not pairs\.KEY=VALUE"):
            pair_critic.change(word)
