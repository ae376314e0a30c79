"""The few picture operations we need: the only importer of ``cv2``.

Two wheels (opencv-python and opencv-contrib-python, which mediapipe pulls) own the same files, so both are pinned
to one version, and one adapter shows what is used of them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from forensics.errors import MediaError

cv2.setNumThreads(1)  # the workers are the parallelism


def scale(picture: np.ndarray, factor: float) -> np.ndarray:
    """``picture`` (h, w[, c]) scaled by ``factor``: area average when shrinking, linear when enlarging."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=how)


def cut_out(picture: np.ndarray, corner: np.ndarray, side: float, factor: float) -> np.ndarray:
    """A square of ``side`` px of ``picture`` with its upper left corner at ``corner`` (x, y), scaled by ``factor``.

    Cubic where enlarged, since linear sub-pixel shifts blur; averaged where shrunk; whole pixels are copied. Black
    outside.
    """
    larger = max(factor, 1.0)
    if larger == 1 and corner[0] == round(corner[0]) and corner[1] == round(corner[1]):
        cut = _copied(picture, int(corner[0]), int(corner[1]), max(1, round(side)))
    else:
        size = max(1, round(side * larger))
        # A pixel's centre lies at half px: x of the result is (X + 1/2) / larger + corner - 1/2.
        x, y = (c + 0.5 / larger - 0.5 for c in corner)
        inverse = np.array([[1 / larger, 0, x], [0, 1 / larger, y]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(picture, inverse, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return scale(cut, factor) if factor < 1 else cut


def _copied(picture: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """A square of whole pixels, black outside."""
    height, width = picture.shape[:2]
    cut = np.zeros((side, side, *picture.shape[2:]), picture.dtype)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x0 < x1 and y0 < y1:
        cut[y0 - top : y1 - top, x0 - left : x1 - left] = picture[y0:y1, x0:x1]
    return cut


def look_up(picture: np.ndarray, table: np.ndarray) -> np.ndarray:
    """``table`` (256,) at each value of ``picture`` uint8."""
    return cv2.LUT(picture, table)


def blur(picture: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma_px)


def average(picture: np.ndarray, side_px: int) -> np.ndarray:
    """Mean of ``picture`` float32 over a square around each pixel."""
    return cv2.blur(picture, (side_px, side_px))


def largest(picture: np.ndarray, reach_px: int) -> np.ndarray:
    """The largest value of ``picture`` within this reach of each pixel, sideways and up and down."""
    return cv2.dilate(picture, np.ones((2 * reach_px + 1,) * 2, np.uint8))


def filled(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Which pixels of a picture of ``shape`` lie inside the polygon ``outline`` (n, 2), x and y in px."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return mask > 0


def region(mask: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The connected part of ``mask`` bool that holds the pixel at ``place`` (row, column)."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return labels == labels[place]


def sample(picture: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Bilinear values of ``picture`` (h, w, c) float32 at pixel positions ``xy`` (n, 2): (n, c); NaN outside."""
    at = np.ascontiguousarray(xy, np.float32).reshape(-1, 1, 2)
    # None, not an empty array: given one, OpenCV 5.0 reads the map wrongly and values come out wrong or NaN.
    found = cv2.remap(
        picture,
        at,
        None,
        cv2.INTER_LINEAR,  # type: ignore[call-overload]
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(float("nan"),) * 4,
    )
    return np.asarray(found).reshape(len(xy), -1)


def laplacian_variance(grey: np.ndarray) -> float:
    """Variance of the Laplacian of ``grey`` (h, w) uint8: a usual focus measure (Pech-Pacheco et al. 2000)."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def grey(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def draw_points(rgb: np.ndarray, xy: np.ndarray, radius: int, colour: tuple[int, int, int]) -> None:
    """Small discs on ``rgb``, in place."""
    for x, y in np.round(xy).astype(int):
        cv2.circle(rgb, (int(x), int(y)), radius, colour, -1, cv2.LINE_AA)


def draw_box(rgb: np.ndarray, corners: tuple[int, int, int, int], colour: tuple[int, int, int], width: int) -> None:
    x0, y0, x1, y1 = corners
    cv2.rectangle(rgb, (x0, y0), (x1, y1), colour, width)


def as_jpeg(rgb: np.ndarray, quality: int = 88) -> bytes:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def read_grey(path: Path) -> np.ndarray:
    """A photograph as grey levels (h, w) uint8: for validation sets, never for evidence."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise MediaError("E_NOT_MEDIA", "The file is not a photograph in a supported format.", "Check the file.")
    return picture
