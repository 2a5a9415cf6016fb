"""A person, a pose and a scene to a picture, whole or inside a window."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np

from litefake.demo import shading
from litefake.demo.assets import FloatArray, load_head
from litefake.demo.motion import Pose
from litefake.demo.person import Person
from litefake.demo.raster import rasterize, vertex_normals
from litefake.demo.scene import Scene


class Window(NamedTuple):
    """A rectangle of the frame in pixels; all four values are even."""

    left: int
    top: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window's rows and columns in a frame."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


@dataclass(frozen=True)
class View:
    """What a camera without noise sees in a window.

    image (H, W, 3) as displayed in [0, 1]; face, lower_face (H, W) coverage in
    [0, 1]; landmarks (K, 2): the face's vertices in pixels of the window.
    """

    image: FloatArray
    face: FloatArray
    lower_face: FloatArray
    landmarks: FloatArray

    def inside(self, window: Window) -> Self:
        """The part of a whole frame's view that lies in ``window``."""
        cut = window.slices
        corner = np.array([window.left, window.top], np.float32)
        return type(self)(
            self.image[cut], self.face[cut], self.lower_face[cut], self.landmarks - corner
        )


def face_window(view: View, size: int, margin: float = 0.15) -> Window:
    """The window around a face of a whole frame, ``margin`` face widths wider each side."""
    low, high = view.landmarks.min(axis=0), view.landmarks.max(axis=0)
    pad = margin * (high - low).max()
    # Even numbers fall on whole pixels of a frame that is supersampled 1.5 times.
    left, top = (2 * int(max(0, value) // 2) for value in low - pad)
    right, bottom = (2 * int(-(-min(size, value) // 2)) for value in high + pad)
    return Window(left, top, right - left, bottom - top)


def render(
    person: Person, pose: Pose, scene: Scene, supersampling: float, window: Window | None = None
) -> View:
    """Render ``person`` in ``window`` (default: the whole frame).

    ``supersampling`` times an even number must be whole: 1, 1.5, 2, ...
    A window shows exactly the pixels that the whole frame has there.
    """
    size = scene.background.shape[0]
    window = window or Window(0, 0, size, size)
    vertices = person.posed(pose)
    x, y, closeness = _project(vertices, scene, size * supersampling)
    x -= np.float32(window.left * supersampling)
    y -= np.float32(window.top * supersampling)
    height, width = round(window.height * supersampling), round(window.width * supersampling)
    seen, weights, _ = rasterize(x, y, closeness, person.kept, person.triangles, height, width)
    image, masks = shading.shade(
        _attributes(person, vertices),
        person.triangles,
        person.part,
        seen,
        weights,
        _surface(person, scene),
        _lighting(scene),
    )
    image, masks = (
        cv2.resize(a, (window.width, window.height), interpolation=cv2.INTER_AREA)
        for a in (image, masks)
    )
    corner = load_head().face_vertices()
    landmarks = np.stack([x[corner], y[corner]], axis=1) / np.float32(supersampling)
    shown = develop(image, scene, scene.background[window.slices])
    return View(shown, masks[..., 0], masks[..., 1], landmarks)


def develop(image: FloatArray, scene: Scene, background: FloatArray) -> FloatArray:
    """Linear RGB with coverage (H, W, 4) as displayed before ``background`` (H, W, 3)."""
    coverage = image[..., 3:]
    colour = image[..., :3] / np.maximum(coverage, 1e-3)
    displayed = np.sqrt(np.clip(colour * np.float32(scene.gain), 0, 1))  # gamma 2
    return np.asarray(displayed * coverage + background * (1 - coverage), np.float32)


def _project(
    vertices: FloatArray, scene: Scene, pixels: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    camera = scene.camera
    depth = camera.z - vertices[:, 2]
    scale = camera.focal * pixels / depth
    x = scale * (vertices[:, 0] - camera.x) + pixels / 2 - 0.5
    y = -scale * (vertices[:, 1] - camera.y) + pixels / 2 - 0.5
    return x.astype(np.float32), y.astype(np.float32), (1 / depth).astype(np.float32)


def _attributes(person: Person, vertices: FloatArray) -> FloatArray:
    """Vertex attributes (N, shading.ATTRIBUTES) in the order of shading's columns."""
    head = load_head()
    gaze = np.zeros_like(vertices)
    for eyeball in head.eyeballs():
        gaze[eyeball] = head.vertices[eyeball] - head.vertices[eyeball].mean(axis=0)
    single = [head.masks[name] for name in ("lips", "face", "eyelids", "inside_mouth")]
    normals = vertex_normals(vertices, person.triangles)
    columns = [head.vertices, np.stack(single, 1), gaze]
    columns += [np.stack([person.hair, person.openness], 1), normals, vertices]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _surface(person: Person, scene: Scene) -> shading.Surface:
    one = person.identity
    return shading.Surface(
        skin=one.skin,
        lips=one.lips,
        hair=one.hair,
        iris=one.iris,
        shirt=scene.shirt,
        beard=float(one.beard),
        eyelid_shadow=0.22 * (1 - 0.7 * one.masculinity),
        collar=float(scene.collar),
        stripe=float(scene.stripe),
        textures=person.textures,
    )


def _lighting(scene: Scene) -> shading.Lighting:
    camera = scene.camera
    eye = np.array([camera.x, camera.y, camera.z], np.float32)
    return shading.Lighting(scene.light_directions, scene.light_colours, scene.ambient, eye)
