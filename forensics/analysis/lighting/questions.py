"""What is asked of the light: the hypotheses, the limits of every answer, and its other explanations."""

from __future__ import annotations

from forensics.analysis.lighting.settings import HIGHLIGHTS_METHOD, METHOD, SURROUND_METHOD
from forensics.finding import Question

DIRECTION = Question(
    "lighting.direction",
    "The face was lit in another place than the rest of the picture.",
    "The face was lit where it is seen.",
    METHOD,
    (
        "One direction stands for all light; several lamps or a window and a lamp give a direction between them.",
        "Skin of uneven colour, beards and make-up shift the direction; so does a filter that evens the face.",
        "Only directions within about 60 degrees of the camera were validated.",
        "Appearances in other shots are left out: each shot has its own light. Where the light jumps, the pooled "
        "direction is that of the longest time without a jump.",
    ),
    ("Lamps that move or change, clouds, screens that light the face, automatic exposure, retouching filters.",),
)
HEAD_FIXED = Question(
    "lighting.head_fixed",
    "The shading turns with the head, as on an animated picture or a pasted face.",
    "The shading stays with the place while the head turns.",
    METHOD,
    (
        "Skin that is dark where the shading is, as a beard under light from above, reads as shading on the head.",
        "Software that makes the whole face anew also makes its shading anew: a low value does not show a recording.",
    ),
    (
        "A lamp or screen carried with the head, a cap or hair that shades the face, light that changes as the head "
        "turns, retouching filters, strong compression.",
    ),
)
BETWEEN_FACES = Question(
    "lighting.between_faces",
    "One of two faces seen at the same time was lit in another place than the other.",
    "Both faces were lit where they are seen.",
    METHOD,
    (
        "A lamp as near as the persons are apart lights them from different sides, and one may shade the other.",
        "Compared with the person seen beside this one longest, while both are in view.",
    ),
    ("Several lamps, a window at one person's side, a screen before one of them; a split screen shows two places.",),
)
SURROUND = Question(
    "lighting.surround",
    "The inner face comes from another picture than the skin around it.",
    "The face and the skin around it were recorded together.",
    SURROUND_METHOD,
    (
        "Forehead and neck differ from the cheeks in colour, shade and detail in untouched recordings too.",
        "Skin around the face is told from hair, collar and background by its colour alone, so that a difference of "
        "colour larger than that is not measured but leaves nothing to compare.",
        "Whoever replaces the whole head, or gives the face the same colour and noise, leaves nothing here.",
    ),
    ("Make-up, beards, tan, a shadow of chin or hat, shallow depth of field, filters that smooth the face.",),
)
HIGHLIGHTS = Question(
    "lighting.highlights",
    "The eyes were generated or come from different pictures.",
    "Both eyes mirror the same place.",
    HIGHLIGHTS_METHOD,
    (
        "Of several highlights in each eye those two are compared that agree best: the difference is a lower bound.",
        "The place is read against the iris's centre as the landmarks have it; untouched eyes differ by a tenth of the "
        "iris (median of 27 clips), and what generated eyes differ by was not told from it.",
        "Generated eyes may mirror one place as well: agreement does not show a recording.",
    ),
    (
        "A lamp near the face, eyes that converge or squint, glasses and contact lenses, a lid, brow or nose that "
        "hides a lamp from one eye.",
    ),
)
#: Of the analysis as a whole: what was said of the direction stands for all.
LIMITS, ALTERNATIVES = DIRECTION.limits, DIRECTION.alternatives
QUESTIONS = (DIRECTION, HEAD_FIXED, BETWEEN_FACES, SURROUND, HIGHLIGHTS)
