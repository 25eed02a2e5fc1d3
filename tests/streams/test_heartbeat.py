import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.errors import SettingsError
from streams.heartbeat import Heartbeat, complaint, files_of, forget, main


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "beat"


def age(file, age_s):
    """Make a file look as if it was touched so long ago."""
    file.touch()
    then = time.time() - age_s
    os.utime(file, (then, then))


def test_the_file_is_there_from_the_start(file, clock):
    Heartbeat(str(file), clock=clock)
    assert file.exists()


def test_it_is_touched_at_most_once_a_second(file, clock):
    heartbeat = Heartbeat(str(file), clock=clock)
    age(file, 50)
    old = file.stat().st_mtime
    clock.now_s += 0.9
    heartbeat.beat()
    assert file.stat().st_mtime == old
    clock.now_s += 0.1
    heartbeat.beat()
    assert file.stat().st_mtime > old + 40
    age(file, 50)
    heartbeat.beat()
    assert file.stat().st_mtime < old + 40


def test_without_a_file_nothing_happens(tmp_path, clock, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heartbeat = Heartbeat("", clock=clock)
    clock.now_s += 5
    heartbeat.beat()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_made_is_a_wrong_setting(file, clock):
    with pytest.raises(SettingsError, match=r"worker\.heartbeat_file"):
        Heartbeat(str(file / "below"), clock=clock)


def test_a_file_that_cannot_be_touched_later_stops_nobody(tmp_path, clock):
    folder = tmp_path / "folder"
    folder.mkdir()
    heartbeat = Heartbeat(str(folder / "beat"), clock=clock)
    (folder / "beat").unlink()
    folder.rmdir()
    clock.now_s += 5
    heartbeat.beat()


def test_a_fresh_file_is_healthy(file):
    age(file, 3)
    assert main([str(file), "10"]) == 0


def test_an_old_file_is_not(file, capsys):
    age(file, 60)
    assert main([str(file), "10"]) == 1
    assert "60 s ago, more than 10 s" in capsys.readouterr().err


def test_a_file_from_the_future_is_not(file):
    age(file, -3_600)
    assert main([str(file), "10"]) == 1


def test_a_missing_file_is_not(file, capsys):
    assert main([str(file), "10"]) == 1
    assert capsys.readouterr().err == "no heartbeat file\n"


def test_all_processes_must_be_fresh(file):
    for index in range(3):
        age(Path(f"{file}.{index}"), 1)
    assert main([str(file), "10"]) == 0
    age(Path(f"{file}.1"), 60)
    assert main([str(file), "10"]) == 1


def test_a_file_that_goes_away_during_the_check_is_a_complaint(file):
    assert complaint([file], 10, 0.0) == f"{file}: No such file or directory"


def test_what_an_earlier_run_left_is_forgotten(file):
    others = [Path(f"{file}.log"), Path(f"{file}2")]
    for path in [file, Path(f"{file}.0"), Path(f"{file}.17"), *others]:
        path.touch()
    forget(file)
    assert files_of(file) == []
    assert all(path.exists() for path in others)


@pytest.mark.parametrize("arguments", [[], ["file"], ["file", "soon"], ["a", "1", "b"]])
def test_a_wrong_call_shows_the_usage(arguments, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_the_check_is_a_program(file):
    def check():
        command = [sys.executable, "-m", "streams.heartbeat", str(file), "30"]
        return subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode

    age(file, 0)
    assert check() == 0
    file.unlink()
    assert check() == 1
