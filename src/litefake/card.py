"""What a score depends on besides the weights; written into every model file."""

from typing import Literal

from pydantic import Field, PositiveFloat

from litefake.faces import CropParams
from litefake.params import Section
from litefake.scaling import Scaling

SingleBranch = Literal[
    "efficientnet_b0",
    "efficientnet_b0_no_se",
    "efficientnet_b0_relu6",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "tf_efficientnet_lite0",
]
Architecture = Literal[SingleBranch, "dual_efficientnet_b0"]
FORMAT = "litefake-1"  # the key of the card in a file's metadata


class Card(Section):
    """What a score depends on besides the weights; travels in the model file."""

    architecture: Architecture
    image_size: int = Field(ge=32, le=1024)
    mean: list[float] = Field(min_length=3, max_length=3)
    std: list[PositiveFloat] = Field(min_length=3, max_length=3)
    crop: CropParams
    threshold: float = Field(ge=0, le=1)
    temperature: float = Field(ge=0.001, le=1000)
    bias: float
    false_alarms: float = 1.0  # what the threshold was bound to, see ``starting.ModelParams``
    trained_on: str

    @property
    def scaling(self) -> Scaling:
        """How its logits become probabilities."""
        return Scaling(self.temperature, self.bias)
