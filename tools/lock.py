"""`make lock`: requirements.in -> requirements.lock -> the pip list of environment.yml.

Options (such as --upgrade) are handed to uv. Without any, versions already locked stay.
"""

import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"

# One lock for every supported Python and platform: entries that only some need carry a marker, and each
# package has one version everywhere (`fewest`), so results do not depend on the interpreter's age.
COMPILE = (
    *("uv", "pip", "compile", "requirements.in", "--output-file", LOCK.name),
    *("--universal", "--python-version", "3.11", "--fork-strategy", "fewest"),
    *("--generate-hashes", "--no-emit-index-url", "--custom-compile-command", "make lock", "--quiet"),
)


def locked() -> list[Requirement]:
    """What the lock installs, in its (alphabetical) order."""
    return [
        Requirement(line.removesuffix("\\"))
        for line in LOCK.read_text().splitlines()
        if line and not line.startswith((" ", "#"))
    ]


def main() -> None:
    subprocess.run([sys.executable, "-m", *COMPILE, *sys.argv[1:]], cwd=ROOT, check=True)
    head, mark, _ = ENVIRONMENT.read_text().partition("  - pip:\n")
    if not mark:
        sys.exit(f"{ENVIRONMENT.name} has no line '  - pip:' to write the wheels under")
    ENVIRONMENT.write_text(head + mark + "".join(f"      - {_entry(r)}\n" for r in locked()))


def _entry(requirement: Requirement) -> str:
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{requirement.specifier}{marker}"


if __name__ == "__main__":
    main()
