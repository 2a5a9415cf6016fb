"""Film a person's takes and forge them: frames of real clips, fakes and null controls."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from litefake.demo import manipulations, motion, person, scene
from litefake.demo.assets import FloatArray
from litefake.demo.clips import Frame
from litefake.demo.manipulations import Shot
from litefake.demo.motion import Pose
from litefake.demo.params import DemoParams
from litefake.demo.person import Person
from litefake.demo.render import Window, face_window, render
from litefake.demo.scene import Scene
from litefake.demo.schedule import Purpose, random_stream


@dataclass(frozen=True)
class Take:
    """A performance before a camera: one pose a frame, in one scene."""

    scene: Scene
    poses: list[Pose]


@dataclass(frozen=True)
class Filmed:
    """A frame of a real clip, and its face window as the manipulations want it."""

    frame: Frame
    window: Window
    shot: Shot

    def with_window(self, content: FloatArray) -> Frame:
        """The frame (H, W, 3) with the window's content (h, w, 3) replaced."""
        changed = self.frame.copy()
        changed[self.window.slices] = to_bytes(content)
        return changed


def to_bytes(image: FloatArray) -> Frame:
    """An image in [0, 1], clipped, as 8 bit."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def stage_take(number: int, take: int, p: DemoParams) -> Take:
    """The scene and the motion of one take of person ``number``."""
    return Take(
        scene.sample(random_stream(p.seed, Purpose.SCENE, number, take), p.size),
        motion.sample(
            random_stream(p.seed, Purpose.MOTION, number, take), p.frames, p.fps / p.tempo
        ),
    )


def film(actor: Person, take: Take, rng: np.random.Generator, p: DemoParams) -> list[Filmed]:
    """Film a take: every frame rendered, with sensor noise, as 8 bit."""
    filmed = []
    for pose in take.poses:
        view = render(actor, pose, take.scene, p.supersampling)
        grain = rng.standard_normal(view.image.shape, dtype=np.float32)
        frame = to_bytes(view.image + np.float32(take.scene.noise) * grain)
        window = face_window(view, p.size)
        inside = frame[window.slices].astype(np.float32) / 255
        shot = Shot(inside, view.inside(window), take.scene.noise)
        filmed.append(Filmed(frame, window, shot))
    return filmed


@dataclass(frozen=True)
class Forger:
    """What a take is forged with: the donor, the actor with the donor's features blended
    in, the take's scene, and the same scene with its lights misjudged.
    """

    actor: Person
    donor: Person
    blend: Person
    scene: Scene
    misjudged: Scene
    params: DemoParams

    @classmethod
    def hire(
        cls, actor: Person, donor: Person, take: Take, rng: np.random.Generator, p: DemoParams
    ) -> Self:
        """Prepare to put ``donor`` in the place of ``actor``."""
        blend = person.blend(actor, donor, p.faceshifter_identity)
        misjudged = take.scene.relit(rng, p.faceswap_light_error)
        return cls(actor, donor, blend, take.scene, misjudged, p)

    def forge(
        self, real: Filmed, pose: Pose, donor_pose: Pose, rng: np.random.Generator
    ) -> dict[str, Frame]:
        """All five fakes of one frame; ``donor_pose`` lends the expression to reenactment."""
        p, shot = self.params, real.shot
        ss, window = p.supersampling, real.window
        swapped = render(self.donor, pose, self.misjudged, ss, window)
        reenacted = render(self.actor, pose.with_actions_of(donor_pose), self.scene, ss, window)
        shifted = render(self.blend, pose, self.scene, ss, window)
        contents = {
            "Deepfakes": manipulations.deepfakes(
                shot, swapped, rng, p.deepfakes_bottleneck, p.deepfakes_jitter
            ),
            "Face2Face": manipulations.face2face(shot, reenacted, rng, p.face2face_detail),
            "FaceShifter": manipulations.faceshifter(shot, shifted, rng, p.faceshifter_detail),
            "FaceSwap": manipulations.faceswap(shot, swapped, rng, p.faceswap_feather),
            "NeuralTextures": manipulations.neural_textures(shot, reenacted, rng, p.neural_residue),
        }
        return {method: real.with_window(content) for method, content in contents.items()}


def rewarp(filmed: list[Filmed], rng: np.random.Generator) -> list[Frame]:
    """The null control of a take."""
    return [real.with_window(manipulations.null_control(real.shot, rng)) for real in filmed]
