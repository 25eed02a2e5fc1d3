"""The compose file and the Dockerfile, as tests read them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
OURS = ("topics", "worker", "simulation", "publisher")
WATCHING = ("prometheus", "grafana")
LASTING = ("kafka", "worker", *WATCHING)
INNER = "kafka:19092"
_DURATION = re.compile(r"(\d+)(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@cache
def compose() -> dict[str, Any]:
    """Give the compose file."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def service(name: str) -> dict[str, Any]:
    """Give a service of it, anchors resolved."""
    found: dict[str, Any] = compose()["services"][name]
    return found


def environment(name: str) -> dict[str, str]:
    """Give the variables that a service gets from the image and from the compose file."""
    return {**image_environment(), **service(name).get("environment", {})}


def mounts(name: str) -> dict[str, str]:
    """Give the named volumes of a service by the folder where they are mounted."""
    found = (volume.split(":") for volume in service(name).get("volumes", []))
    return {where: volume for volume, where, *_ in found if not volume.startswith(".")}


def seconds(duration: str) -> float:
    """Read a duration of the compose file.

    Raises
    ------
    ValueError
        It is none.
    """
    parts = _DURATION.findall(duration)
    if "".join(n + unit for n, unit in parts) != duration or not parts:
        raise ValueError(duration)
    return sum(int(n) * _UNIT_S[unit] for n, unit in parts)


@cache
def dockerfile() -> list[tuple[str, str]]:
    """Give the instructions of the Dockerfile and what they say, continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(word.upper(), " ".join(rest.split())) for word, rest in pairs]


def last_stage() -> list[tuple[str, str]]:
    """Give the instructions of the image that is kept."""
    found = dockerfile()
    begins = [i for i, (word, _) in enumerate(found) if word == "FROM"]
    return found[begins[-1] :]


def image_environment() -> dict[str, str]:
    """Give what the image sets, paths aside."""
    text = " ".join(rest for word, rest in last_stage() if word == "ENV")
    pairs = (pair.partition("=") for pair in text.split())
    return {name: value for name, _, value in pairs if name != "PATH"}


def said(word: str) -> Any:
    """Give the exec form of the last instruction of this name."""
    return json.loads([rest for name, rest in last_stage() if name == word][-1])
