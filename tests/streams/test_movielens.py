from __future__ import annotations

import csv
import hashlib
import importlib.util
import subprocess
import zipfile
from pathlib import Path

import pytest

from streams.errors import InputError
from streams.movielens import RECBOLE, Package, obtain_movielens, pip_download

FOLDER = "tiny/data"
RATINGS = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "7\t50\t5\t881250949\n"
    "8\t1\t3\t881250900\n"
    "7\t1\t4\t881250949\n"
    "9\t3\t1\t881250100\n"
)
FILMS = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "1\tToy Story\t1995\tAnimation Children's Comedy\n"
    "2\tunkonwn\tunkonwn\tunknown\n"
    "3\tLand Before Time III: The Time of the Great Giving (1995)\tV\tAnimation\n"
    "50\tHorseman on the Roof, The (Hussard sur le toit, Le)\t1995\tDrama\n"
)
METADATA = "Metadata-Version: 2.1\nName: tiny-films\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
INFO = "tiny_films-1.0.dist-info"

needs_pip = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None, reason="this Python has no pip"
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class FakeIndex:
    """A wheel in a folder, in place of a package index."""

    def __init__(self, folder: Path) -> None:
        self.wheel = folder / "tiny_films-1.0-py3-none-any.whl"
        self.n_downloads = 0
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr(f"{FOLDER}/ml-100k.inter", RATINGS)
            archive.writestr(f"{FOLDER}/ml-100k.item", FILMS)
            archive.writestr(f"{INFO}/METADATA", METADATA)
            archive.writestr(f"{INFO}/WHEEL", WHEEL)
            archive.writestr(f"{INFO}/RECORD", "")
        self.package = Package(
            requirement="tiny-films==1.0",
            folder=FOLDER,
            wheel_sha256=sha256(self.wheel.read_bytes()),
            ratings_sha256=sha256(RATINGS.encode()),
            films_sha256=sha256(FILMS.encode()),
        )

    def download(self, requirement: str, folder: Path, timeout_s: float) -> Path:
        assert requirement == self.package.requirement
        assert timeout_s > 0
        self.n_downloads += 1
        copy = folder / self.wheel.name
        copy.write_bytes(self.wheel.read_bytes())
        return copy


@pytest.fixture
def index(tmp_path: Path) -> FakeIndex:
    folder = tmp_path / "index"
    folder.mkdir()
    return FakeIndex(folder)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / "movielens-100k"


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_events_are_in_the_order_of_time_and_ties_in_the_order_of_the_source(
    index: FakeIndex, cache: Path
) -> None:
    found = obtain_movielens(cache, package=index.package, download=index.download)
    assert found.events == cache / "events.csv"
    assert found.events.read_bytes() == (
        b"user_id,content_id,rating,timestamp\n"
        b"9,3,1,881250100\n8,1,3,881250900\n7,50,5,881250949\n7,1,4,881250949\n"
    )


def test_titles_carry_their_year_and_genres_are_joined_by_a_bar(
    index: FakeIndex, cache: Path
) -> None:
    found = obtain_movielens(cache, package=index.package, download=index.download)
    assert rows(found.content) == [
        ["content_id", "title", "release_year", "genres"],
        ["1", "Toy Story (1995)", "1995", "Animation|Children's|Comedy"],
        ["2", "unkonwn", "", ""],
        ["3", "Land Before Time III: The Time of the Great Giving (1995)", "1995", "Animation"],
        ["50", "Horseman on the Roof, The (Hussard sur le toit, Le) (1995)", "1995", "Drama"],
    ]


def test_the_licence_and_the_citation_stand_beside_the_data(index: FakeIndex, cache: Path) -> None:
    obtain_movielens(cache, package=index.package, download=index.download)
    text = (cache / "README.txt").read_text()
    assert "forbids redistribution" in text
    assert "10.1145/2827872" in text


def test_a_second_call_downloads_nothing(index: FakeIndex, cache: Path) -> None:
    first = obtain_movielens(cache, package=index.package, download=index.download)
    second = obtain_movielens(cache, package=index.package, download=index.download)
    assert first == second
    assert index.n_downloads == 1


@pytest.mark.parametrize("name", ["events.csv", "content.csv", "README.txt", "SHA256SUMS"])
@pytest.mark.parametrize("damage", ["changed", "lost"])
def test_a_damaged_cache_is_made_again(
    index: FakeIndex, cache: Path, name: str, damage: str
) -> None:
    obtain_movielens(cache, package=index.package, download=index.download)
    intact = (cache / name).read_bytes()
    if damage == "lost":
        (cache / name).unlink()
    else:
        (cache / name).write_bytes(b"\xff" + intact[1:])
    obtain_movielens(cache, package=index.package, download=index.download)
    assert index.n_downloads == 2
    assert (cache / name).read_bytes() == intact


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("wheel_sha256", "tiny-films==1.0"),
        ("ratings_sha256", "ml-100k.inter"),
        ("films_sha256", "ml-100k.item"),
    ],
)
def test_data_with_another_hash_are_refused_and_not_kept(
    index: FakeIndex, cache: Path, field: str, name: str
) -> None:
    hashes = {key: getattr(index.package, key) for key in Package.__dataclass_fields__}
    package = Package(**{**hashes, field: "0" * 64})
    with pytest.raises(InputError, match=f"{name} is not the expected one: SHA-256"):
        obtain_movielens(cache, package=package, download=index.download)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_an_input_error(index: FakeIndex, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be kept in"):
        obtain_movielens(
            tmp_path / "file" / "cache", package=index.package, download=index.download
        )


def test_the_real_package_is_pinned_by_version_and_hashes() -> None:
    assert RECBOLE.requirement == "recbole==1.2.1"
    for name in ("wheel_sha256", "ratings_sha256", "films_sha256"):
        assert len(bytes.fromhex(getattr(RECBOLE, name))) == 32


@needs_pip
def test_pip_fetches_the_wheel(
    index: FakeIndex, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.wheel.parent))
    found = obtain_movielens(cache, package=index.package)
    assert len(rows(found.events)) == 5


@needs_pip
def test_a_package_that_pip_cannot_find_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InputError, match=r"cannot download tiny-films==1\.0 .*No matching"):
        pip_download("tiny-films==1.0", tmp_path, 60)


def test_pip_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr("streams.movielens.importlib.util.find_spec", lambda _: object())
    monkeypatch.setattr("streams.movielens.subprocess.run", hang)
    with pytest.raises(InputError, match=r"cannot download tiny-films==1\.0: no answer in 2 s"):
        pip_download("tiny-films==1.0", tmp_path, 2)


def test_a_python_without_pip_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.movielens.importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="this Python has no pip"):
        pip_download("tiny-films==1.0", tmp_path, 2)
