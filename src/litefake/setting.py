"""What the training stages read from params.yaml, read once for all of them."""

from dataclasses import dataclass
from typing import Any, Self

from litefake import params, reproducibility
from litefake.checkpoints import Run
from litefake.faces import CropParams
from litefake.params import Section
from litefake.recipe import Recipe
from litefake.reproducibility import Reproducibility
from litefake.transforms import Augmentation


@dataclass(frozen=True)
class Setting:
    """The sections that every training stage shares."""

    reproducibility: Reproducibility
    faces: CropParams
    augment: Augmentation
    train: Recipe
    finetune: Recipe
    trained_on: str

    @classmethod
    def read(cls) -> Self:
        """From params.yaml; fixes the thread count too. Raises ParamsInvalid."""
        setting = cls(
            params.section("reproducibility", Reproducibility),
            params.section("faces", CropParams),
            params.section("augment", Augmentation),
            params.section("train", Recipe),
            params.section("finetune", Recipe),
            _trained_on(params.text("dataset.root"), params.value("dataset.also")),
        )
        reproducibility.setup(setting.reproducibility)
        return setting

    @property
    def seed(self) -> int:
        """The seed of all training."""
        return self.reproducibility.seed

    def phases(self, factor: float) -> list[Recipe]:
        """Training, then fine-tuning, each ``factor`` times as long as params say."""
        return [self.train.longer(factor), self.finetune.longer(factor)]

    def run(self, stage: str, own: dict[str, Section], inputs: list[str]) -> Run:
        """The resumable run of ``stage``; ``own`` are the sections it alone reads."""
        sections = {**vars(self), **own}
        return Run(stage, self.seed, sections, inputs)


def _trained_on(root: str, also: list[dict[str, Any]]) -> str:
    """The roots of all data sets of the run, the first one first."""
    return ", ".join([root, *(source["root"] for source in also)])
