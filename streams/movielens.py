"""Obtain MovieLens-100K at run time and lay it out as a log and a catalogue.

The data come out of a Python package that contains them, by pip, and are checked by SHA-256.
Their licence forbids redistribution: the files stay in a cache folder on the machine of the
person who asked for them and belong in no repository, image or wheel. ``README.txt`` beside
them says so and gives the citation.

``events.csv`` is in the order of time (rows of one second stay in the order of the source).
Files are written aside and renamed, their hashes last: a run that was interrupted, or a file
that was changed, is noticed by the next call, which makes them again.

References
----------
Harper, Konstan (2015), The MovieLens Datasets: History and Context, ACM TiiS 5(4), article 19,
doi 10.1145/2827872.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from streams.errors import InputError

HASHES = "SHA256SUMS"
README = """\
MovieLens-100K: 100,000 ratings of 1,682 films by 943 users, 1997-1998.

The data were collected by GroupLens Research at the University of Minnesota. Their licence
allows research use and forbids redistribution without permission: do not commit, publish or
ship these files. Publications that use them cite:

F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context.
ACM Transactions on Interactive Intelligent Systems (TiiS) 5, 4, Article 19 (December 2015).
https://doi.org/10.1145/2827872

events.csv and content.csv were written by driftline: rows in the order of time, the year of
release in the title, genres joined by a bar.
"""
_YEAR = re.compile(r"\((\d{4})\)$")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that contains MovieLens-100K, and the SHA-256 of what is expected.

    Parameters
    ----------
    requirement
        What pip is asked for.
    folder
        Where the two files are in the wheel.
    wheel_sha256, ratings_sha256, films_sha256
        Hexadecimal digests.
    """

    requirement: str
    folder: str
    wheel_sha256: str
    ratings_sha256: str
    films_sha256: str


RECBOLE = Package(
    requirement="recbole==1.2.1",
    folder="recbole/dataset_example/ml-100k",
    wheel_sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    ratings_sha256="4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    films_sha256="51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
)


@dataclass(frozen=True, slots=True)
class MovieLens:
    """Where the log and the catalogue are."""

    events: Path
    content: Path


# requirement, folder, time limit in seconds -> path of the wheel
Download = Callable[[str, Path, float], Path]


def obtain_movielens(
    cache: Path,
    *,
    package: Package = RECBOLE,
    timeout_s: float = 120.0,
    download: Download | None = None,
) -> MovieLens:
    """Return the log and the catalogue in a cache folder, after making them if need be.

    Parameters
    ----------
    cache
        Folder of ``events.csv`` and ``content.csv``; made if it is not there.
    package
        Where the data are.
    timeout_s
        Longest time to wait for the download.
    download
        Fetches the wheel; pip by default.

    Raises
    ------
    InputError
        If pip or the network is missing or too slow, the package is not the expected one, or the
        folder cannot be written. The sentence says which.
    """
    found = MovieLens(cache / "events.csv", cache / "content.csv")
    try:
        if _is_intact(cache):
            return found
        with tempfile.TemporaryDirectory() as folder:
            wheel = (download or pip_download)(package.requirement, Path(folder), timeout_s)
            ratings, films = _read_wheel(wheel, package)
        cache.mkdir(parents=True, exist_ok=True)
        _write_all(
            cache,
            {
                "README.txt": README,
                found.events.name: _csv(
                    ("user_id", "content_id", "rating", "timestamp"), _events(ratings)
                ),
                found.content.name: _csv(
                    ("content_id", "title", "release_year", "genres"), _films(films)
                ),
            },
        )
    except OSError as error:
        raise InputError(f"MovieLens-100K cannot be kept in {cache}: {error}") from error
    return found


def pip_download(requirement: str, folder: Path, timeout_s: float) -> Path:
    """Download the wheel of a requirement into a folder and return its path.

    Raises
    ------
    InputError
        If there is no pip, it fails, or it takes too long.
    """
    if importlib.util.find_spec("pip") is None:
        raise InputError(f"cannot download {requirement}: this Python has no pip")
    options = ("--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "15")
    quiet = ("--no-input", "--disable-pip-version-check", "--quiet")
    command = [sys.executable, "-m", "pip", "download", *options, *quiet]
    try:
        done = subprocess.run(  # noqa: S603 - this Python, with constants
            [*command, "--dest", str(folder), requirement],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"cannot download {requirement}: no answer in {timeout_s:g} s") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise InputError(f"cannot download {requirement} (is there a network?); pip: {said[-1]}")
    return wheels[0]


def _read_wheel(wheel: Path, package: Package) -> tuple[str, str]:
    data = wheel.read_bytes()
    _check(data, package.wheel_sha256, package.requirement)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        ratings = archive.read(f"{package.folder}/ml-100k.inter")
        films = archive.read(f"{package.folder}/ml-100k.item")
    _check(ratings, package.ratings_sha256, "ml-100k.inter")
    _check(films, package.films_sha256, "ml-100k.item")
    return ratings.decode(), films.decode()


def _check(data: bytes, sha256: str, name: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise InputError(f"{name} is not the expected one: SHA-256 {found} instead of {sha256}")


def _events(ratings: str) -> list[list[str]]:
    rows = [line.split("\t") for line in ratings.splitlines()[1:]]
    return sorted(rows, key=lambda row: float(row[3]))


def _films(films: str) -> Iterable[list[str]]:
    for line in films.splitlines()[1:]:
        content_id, name, year, genres = line.split("\t")
        title, year = _title_and_year(name, year)
        known_genres = "|".join(genre for genre in genres.split() if genre != "unknown")
        yield [content_id, title, year, known_genres]


def _title_and_year(name: str, year: str) -> tuple[str, str]:
    if year.isdigit():
        return f"{name} ({year})", year
    # the source misread two years: of one film the title has it, of the other nobody knows
    in_name = _YEAR.search(name)
    return name, in_name[1] if in_name else ""


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _write_all(cache: Path, texts: dict[str, str]) -> None:
    (cache / HASHES).unlink(missing_ok=True)
    sums = ""
    for name, text in texts.items():
        sums += f"{_write(cache / name, text)}  {name}\n"
    _write(cache / HASHES, sums)


def _write(path: Path, text: str) -> str:
    data = text.encode()
    aside = path.with_name(f"{path.name}.part")
    aside.write_bytes(data)
    aside.replace(path)
    return hashlib.sha256(data).hexdigest()


def _is_intact(cache: Path) -> bool:
    if not (cache / HASHES).exists():
        return False
    lines = (cache / HASHES).read_text(errors="replace").splitlines()
    sums = {line[66:]: line[:64] for line in lines}
    return {"events.csv", "content.csv"} <= sums.keys() and all(
        (cache / name).is_file()
        and hashlib.sha256((cache / name).read_bytes()).hexdigest() == sha256
        for name, sha256 in sums.items()
    )
