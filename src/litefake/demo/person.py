"""A person ready to be posed: the deformed mesh, its hair, ambient occlusion and textures."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from litefake.demo import textures
from litefake.demo.assets import FloatArray, Head, Part, load_head
from litefake.demo.identity import Identity
from litefake.demo.motion import Pose
from litefake.demo.raster import rasterize, vertex_normals
from litefake.demo.textures import Textures, smoothstep

# Where the middle between the eyes is put, so that all people stand alike.
BETWEEN_EYES = np.array([0, 7.284, 1.22], np.float32)
NECK_PIVOT = np.array([0, 6.1, 0.35], np.float32)
# The hair line of the base mesh: height (dm) by angle from the front (radians).
HAIR_LINE_ANGLE = (0, 0.55, 0.85, 1.15, 1.45, 1.7, 2.2, 3.15)
HAIR_LINE_HEIGHT = (8.02, 7.96, 7.75, 7.5, 7.45, 6.95, 6.55, 6.45)
OCCLUSION_DIRECTIONS = 36
OCCLUSION_SIDE = 160
OCCLUSION_CENTRE = np.array([0, 7.2, 0.6], np.float32)
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


@dataclass(frozen=True)
class Person:
    """vertices (N, 3) at rest, triangles (M, 3) shown and their part (M,),
    hair (N,) coverage of the skin by short hair, kept (N,) positive where long hair is
    not cut, openness (N,) to ambient light.
    """

    identity: Identity
    vertices: FloatArray
    triangles: NDArray[np.int32]
    part: NDArray[np.uint8]
    hair: FloatArray
    kept: FloatArray
    openness: FloatArray
    textures: Textures

    def posed(self, pose: Pose) -> FloatArray:
        """The vertices (N, 3) with facial actions, gaze and head rotation applied."""
        head = load_head()
        actions = {f"expression/{name}": w for name, w in pose.actions.items() if w > 1e-3}
        vertices = head.deform(self.vertices, actions)
        gaze = rotation(pose.gaze[0], pose.gaze[1], 0)
        for eyeball in head.eyeballs():
            centre = vertices[eyeball].mean(axis=0)
            vertices[eyeball] = (vertices[eyeball] - centre) @ gaze.T + centre
        turned = (vertices - NECK_PIVOT) @ rotation(*pose.rotation).T + NECK_PIVOT
        share = _turning_share(head)[:, None]
        shift = np.array(pose.shift, np.float32)
        return np.asarray(vertices * (1 - share) + turned * share + shift, np.float32)


def prepare(identity: Identity) -> Person:
    """Everything about ``identity`` that does not change between frames."""
    head = load_head()
    vertices = head.deform(head.vertices, identity.shape)
    left, right = head.eyeballs()
    middle = (vertices[left].mean(axis=0) + vertices[right].mean(axis=0)) / 2
    vertices += BETWEEN_EYES - middle
    hair = np.zeros(len(vertices), np.float32) if identity.bald else _hair_cover(head, identity)
    normals = vertex_normals(vertices, head.triangles[head.part == Part.SKIN])
    vertices += normals * (hair * np.float32(identity.hair_volume))[:, None]
    shown = (head.part != Part.HAIR) | (identity.hair_length is not None)
    triangles, kept = head.triangles[shown], _hair_kept(head, identity)
    return Person(
        identity=identity,
        vertices=vertices,
        triangles=triangles,
        part=head.part[shown],
        hair=hair,
        kept=kept,
        openness=_openness(vertices, triangles, kept) * _cavity_shade(head),
        textures=textures.paint(identity),
    )


def blend(target: Person, donor: Person, share: float) -> Person:
    """``target`` with ``share`` of the donor's face: shape, skin tone, brows and eyes.

    Hair, beard and lip colour stay the target's.
    """
    own, other = target.identity, donor.identity
    mixed = replace(own, skin=own.skin * (1 - share) + other.skin * share, iris=other.iris)
    return replace(
        target,
        identity=mixed,
        vertices=target.vertices * np.float32(1 - share) + donor.vertices * np.float32(share),
        openness=target.openness * np.float32(1 - share) + donor.openness * np.float32(share),
        textures=target.textures._replace(brow=donor.textures.brow),
    )


def rotation(pitch: float, yaw: float, roll: float) -> FloatArray:
    """The rotation matrix roll · yaw · pitch (about z, y and x), angles in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos((pitch, yaw, roll)), np.sin((pitch, yaw, roll))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, np.float32)


def _turning_share(head: Head) -> FloatArray:
    """How much a vertex follows the head: 0 at the shoulders, 1 above the neck."""
    height = head.vertices[:, 1] - 0.25 * (head.vertices[:, 2] - 0.5)
    return smoothstep(height, 5.3, 6.6).astype(np.float32)


def _angle_from_front(points: FloatArray) -> FloatArray:
    return np.abs(np.arctan2(points[:, 0], points[:, 2] - 0.35))


def _hair_cover(head: Head, identity: Identity) -> FloatArray:
    line = np.interp(_angle_from_front(head.vertices), HAIR_LINE_ANGLE, HAIR_LINE_HEIGHT)
    cover = smoothstep(head.vertices[:, 1] - line - identity.hair_line, -0.04, 0.2)
    cover *= 1 - np.clip(2 * head.masks["ears"], 0, 1)
    cover *= (head.vertex_part == Part.SKIN) & (head.masks["inside_mouth"] < 0.5)
    return cover.astype(np.float32)


def _hair_kept(head: Head, identity: Identity) -> FloatArray:
    """Where long hair is cut: (N,), positive where it stays; 1 for all but hair.

    Interpolated over a triangle it cuts smooth locks, not whole triangles.
    """
    kept = np.ones(len(head.vertices), np.float32)
    if identity.hair_length is not None:
        hair = head.vertex_part == Part.HAIR
        height = head.vertices[hair, 1]
        beside_face = _angle_from_front(head.vertices[hair]) - identity.fringe
        above_face = height - 8.0 - 0.1 * identity.hair_line
        ragged = np.random.default_rng(identity.texture_seed).normal(0, 0.07, len(height))
        kept[hair] = (
            np.minimum(height - identity.hair_length, np.maximum(beside_face, above_face)) + ragged
        )
    return kept


def _cavity_shade(head: Head) -> FloatArray:
    return np.where(head.masks["inside_mouth"] > 0.5, 0.5, 1).astype(np.float32)


def _openness(vertices: FloatArray, triangles: NDArray[np.int32], kept: FloatArray) -> FloatArray:
    """Ambient occlusion (N,), 1 = sees the whole sky, from depth maps of all directions."""
    normals = vertex_normals(vertices, triangles)
    reached, total = np.zeros(len(vertices)), np.full(len(vertices), 1e-3)
    for towards in _sphere(OCCLUSION_DIRECTIONS):
        facing = np.clip(normals @ towards, 0, 1) * (1 + 0.5 * towards[1])
        reached += facing * _visible(vertices, triangles, kept, towards)
        total += facing
    return np.asarray(0.25 + 0.75 * reached / total, np.float32)


def _visible(
    vertices: FloatArray, triangles: NDArray[np.int32], kept: FloatArray, towards: FloatArray
) -> NDArray[np.bool_]:
    """Whether each vertex (N,) is seen from far away in the direction ``towards``."""
    up = np.array([1, 0, 0] if abs(towards[1]) > 0.9 else [0, 1, 0], np.float32)
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    centred = vertices - OCCLUSION_CENTRE
    side = OCCLUSION_SIDE
    column = ((centred @ right / 2.2 + 0.5) * side).astype(np.float32)
    row = ((centred @ np.cross(towards, right) / 2.2 + 0.5) * side).astype(np.float32)
    closeness = (centred @ towards + 10).astype(np.float32)
    _, _, nearest = rasterize(column, row, closeness, kept, triangles, side, side)
    x = np.clip(np.rint(column).astype(int), 0, side - 1)
    y = np.clip(np.rint(row).astype(int), 0, side - 1)
    return np.asarray(nearest[y, x] <= closeness + 0.05)


def _sphere(count: int) -> FloatArray:
    """``count`` evenly spread unit vectors (a Fibonacci lattice)."""
    y = 1 - 2 * (np.arange(count) + 0.5) / count
    radius, angle = np.sqrt(1 - y * y), np.arange(count) * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), y, radius * np.sin(angle)], 1).astype(np.float32)
