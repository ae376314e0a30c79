"""The way in: the lists of what gets installed agree, and name neither a machine nor a registry."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def entries(lines: str) -> list[str]:
    """The lines without their comments, without empty ones."""
    return [entry for line in lines.splitlines() if (entry := line.partition("#")[0].strip())]


@pytest.fixture(scope="module")
def lock() -> dict[Requirement, list[str]]:
    """What the lock installs, each with its hashes."""
    found = {}
    for block in re.split(r"^(?=\w)", read("requirements.lock"), flags=re.MULTILINE)[1:]:
        requirement = Requirement(block.splitlines()[0].removesuffix("\\"))
        found[requirement] = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)
    return found


@pytest.fixture(scope="module")
def versions(lock) -> dict[str, str]:
    return {requirement.name: str(requirement.specifier).removeprefix("==") for requirement in lock}


def test_every_wheel_is_locked_once_to_one_version_with_hashes(lock, versions):
    assert len(versions) == len(lock) > 100
    for requirement, hashes in lock.items():
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, f"{requirement} has no hash"


def test_the_lock_holds_what_the_project_asks_for(versions):
    for asked in map(Requirement, entries(read("requirements.in"))):
        assert asked.specifier.contains(versions[asked.name]), asked


def test_the_package_depends_on_the_runtime_part():
    runtime = read("requirements.in").partition("# Runtime")[2].partition("# Extra")[0]
    asked = entries(runtime.partition("\n")[2])
    assert asked == tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]


def test_the_extras_are_locked_and_asked_for_in_both_lists(versions):
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    for name, extra in extras.items():
        part = read("requirements.in").lower().partition(f"# extra `{name}`")[2].partition("\n# ")[0]
        assert extra and entries(part.partition("\n")[2]) == extra, name
        assert {Requirement(e).name for e in extra} <= versions.keys()


def test_conda_gets_the_locked_wheels(lock):
    environment = yaml.safe_load(read("environment.yml"))
    (wheels,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert sorted(map(str, map(Requirement, wheels))) == sorted(map(str, lock))


def test_both_opencv_wheels_are_one_version(versions):
    """They write the same folder; two versions would leave a mixture."""
    assert versions["opencv-python"] == versions["opencv-contrib-python"]


def test_no_torch(versions):
    assert not {"torch", "torchvision", "torchaudio"} & versions.keys()


@pytest.mark.parametrize("name", ["requirements.in", "requirements.lock", "environment.yml", "NOTICE"])
def test_no_registry_and_no_machine_is_named(name):
    named = re.findall(
        r"\S*://\S*"  # an address
        r"|\b[\w-]+\.(?:com|dev|io|net|org)\b"  # a host
        r"|--(?:extra-)?index-url|--find-links|--trusted-host"
        r"|(?<![^\s\"'=@])/\w\S*",  # a path from the root
        read(name),
    )
    assert not named


def test_notice_lists_the_locked_wheels(versions):
    listed = re.findall(r"^([\w-]+) (\d\S*): \S", read("NOTICE"), flags=re.MULTILINE)
    assert dict(listed) == versions


def test_notice_names_the_model_and_the_reason_for_the_licence():
    for words in (
        "face_landmarker.task",
        "3,758,596 bytes",
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        "praat-parselmouth",
    ):
        assert words in read("NOTICE")


def test_readme_s_line_installs_the_debian_packages():
    (line,) = re.findall(r"^apt-get install --no-install-recommends (.*)$", read("README.md"), re.MULTILINE)
    assert line.split() == entries(read("debian-packages.txt")) != []
