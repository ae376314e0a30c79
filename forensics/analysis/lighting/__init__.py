"""Where does the light on this face come from, in the camera's frame, and does it stay there as the head turns?

The brightness of the skin in linear light is explained by the direction in which each piece of the landmark mesh
faces: first-order spherical harmonics, an even part plus one that grows towards the light, fitted robustly and pooled
over pictures. Azimuth is positive to the picture's right, elevation positive up, both from the viewing direction.
Where the direction jumps and stays is an event. As the head turns, the changes of each piece's brightness are set
against those that light which stays would make; the colour of the skin turns with the head and drops out.
Reference: Ramamoorthi & Hanrahan 2001; Johnson & Farid 2007; Kee & Farid 2010.
Not to be trusted: under several lights, with hard shadows, beards, masks or make-up, filters that smooth or relight,
or where the camera's tone curve is extreme. The mesh is a learned average, so its normals err by some degrees.
A direction is a fact about the picture; by itself it says nothing about alteration.
"""

from forensics.analysis.lighting.charts import charts
from forensics.analysis.lighting.direction import (
    beside,
    direction,
    fit_lights,
    holds,
    landmark_error,
    measure_light,
    outline,
    pooled_light,
)
from forensics.analysis.lighting.highlights import Highlights, best_pairs, measure_highlights
from forensics.analysis.lighting.questions import ALTERNATIVES, LIMITS
from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.analysis.lighting.signal import LUMINANCE, Skin, face_cells, luminance, normals
from forensics.analysis.lighting.surround import Rim, contrast, measure_surround, rims
from forensics.analysis.lighting.verdict import ANALYSIS, assess, fit_refusals

__all__ = [
    "ALTERNATIVES",
    "ANALYSIS",
    "LIMITS",
    "LUMINANCE",
    "METHOD",
    "Highlights",
    "Rim",
    "Settings",
    "Skin",
    "assess",
    "beside",
    "best_pairs",
    "charts",
    "contrast",
    "direction",
    "face_cells",
    "fit_lights",
    "fit_refusals",
    "holds",
    "landmark_error",
    "luminance",
    "measure_highlights",
    "measure_light",
    "measure_surround",
    "normals",
    "outline",
    "pooled_light",
    "rims",
]
