"""Triangles to pixels: a z-buffer rasteriser and vertex normals, compiled by numba.

One thread and no fast-math: the same bits for every number of processes.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from litefake.demo.assets import FloatArray

NOTHING = -1
EDGE_TOLERANCE = -1e-5


@njit(cache=True, error_model="numpy")
def vertex_normals(vertices: FloatArray, triangles: NDArray[np.int32]) -> FloatArray:
    """Unit normals (N, 3): the area-weighted mean over the triangles of a vertex."""
    normals = np.zeros_like(vertices)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = _difference(vertices, b, a)
        vx, vy, vz = _difference(vertices, c, a)
        for corner in (a, b, c):
            normals[corner, 0] += uy * vz - uz * vy
            normals[corner, 1] += uz * vx - ux * vz
            normals[corner, 2] += ux * vy - uy * vx
    for n in range(normals.shape[0]):
        x, y, z = normals[n, 0], normals[n, 1], normals[n, 2]
        scale = 1 / (np.sqrt(x * x + y * y + z * z) + 1e-12)
        for i in range(3):
            normals[n, i] *= scale
    return normals


@njit(cache=True, error_model="numpy")
def _difference(points: FloatArray, end: int, start: int) -> tuple[float, float, float]:
    return (
        points[end, 0] - points[start, 0],
        points[end, 1] - points[start, 1],
        points[end, 2] - points[start, 2],
    )


@njit(cache=True, error_model="numpy")
def rasterize(
    x: FloatArray,
    y: FloatArray,
    closeness: FloatArray,
    kept: FloatArray,
    triangles: NDArray[np.int32],
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Which triangle each pixel centre shows.

    x, y (N,): projected vertices in pixels; closeness (N,): 1 / depth, which is
    linear on the screen; kept (N,): a point of a triangle is cut away where its
    interpolation is negative. Returns the triangle map (height, width) with NOTHING where
    no triangle falls, the perspective-correct weights (height, width, 2) of the
    second and third corner, and the closeness of what is seen (0 where nothing is).
    """
    seen = np.full((height, width), NOTHING, np.int32)
    weights = np.zeros((height, width, 2), np.float32)
    nearest = np.zeros((height, width), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = x[a], y[a]
        bx, by = x[b] - ax, y[b] - ay
        cx, cy = x[c] - ax, y[c] - ay
        area = bx * cy - cx * by
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.ceil(ax + min(0, bx, cx))))
        right = min(width - 1, int(np.floor(ax + max(0, bx, cx))))
        top = max(0, int(np.ceil(ay + min(0, by, cy))))
        bottom = min(height - 1, int(np.floor(ay + max(0, by, cy))))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                px, py = column - ax, row - ay
                second = (px * cy - cx * py) / area
                third = (bx * py - px * by) / area
                first = 1 - second - third
                if min(first, second, third) < EDGE_TOLERANCE:
                    continue
                z = first * closeness[a] + second * closeness[b] + third * closeness[c]
                cut = first * kept[a] + second * kept[b] + third * kept[c] < 0
                if z > nearest[row, column] and not cut:
                    nearest[row, column] = z
                    seen[row, column] = t
                    weights[row, column, 0] = second * closeness[b] / z
                    weights[row, column, 1] = third * closeness[c] / z
    return seen, weights, nearest
