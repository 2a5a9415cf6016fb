"""The parameters of the demo data set."""

from typing import Self

from pydantic import Field, model_validator

from litefake.params import Section


class DemoParams(Section):
    """Section ``demo`` of params.yaml: everything that can change a pixel."""

    seed: int = Field(ge=0)
    identities: int = Field(ge=6)
    val_identities: int = Field(ge=2, multiple_of=2)
    test_identities: int = Field(ge=2, multiple_of=2)
    real_clips: int = Field(ge=1)
    control_share: float = Field(ge=0, le=0.5)
    frames: int = Field(ge=1)
    fps: int = Field(ge=1)
    tempo: float = Field(gt=0)
    size: int = Field(ge=96, multiple_of=2)
    supersampling: float = Field(ge=1, le=2, multiple_of=0.5)
    crf: int = Field(ge=0, le=51)
    deepfakes_bottleneck: int = Field(ge=16)
    deepfakes_jitter: float = Field(ge=0)
    face2face_detail: float = Field(gt=0, le=1)
    faceshifter_identity: float = Field(ge=0, le=1)
    faceshifter_detail: float = Field(ge=0, le=1)
    faceswap_light_error: float = Field(ge=0)
    faceswap_feather: float = Field(ge=0)
    neural_residue: float = Field(ge=0)

    @model_validator(mode="after")
    def _train_split_can_be_paired(self) -> Self:
        if self.split_sizes["train"] < 2 or self.split_sizes["train"] % 2:
            raise ValueError(
                "identities minus val_identities and test_identities must be even and at least 2"
            )
        return self

    @property
    def split_sizes(self) -> dict[str, int]:
        """Identities by split."""
        train = self.identities - self.val_identities - self.test_identities
        return {"train": train, "val": self.val_identities, "test": self.test_identities}
