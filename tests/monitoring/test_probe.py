import subprocess
import sys

import pytest

from monitoring.exporter import Exporter
from monitoring.probe import complaint
from tests.monitoring.feeding import new_metrics
from tests.monitoring.server import free_port


@pytest.fixture
def address():
    with Exporter(new_metrics(), host="127.0.0.1", port=0) as exporter:
        yield exporter.address


def test_a_page_that_answers_with_success_is_well(address):
    assert complaint(f"{address}/healthz") is None


def test_a_page_that_says_no_is_not(address):
    assert "503" in complaint(f"{address}/readyz")


def test_nobody_there_is_not_well_either():
    assert "refused" in complaint(f"http://127.0.0.1:{free_port()}/healthz")


def test_other_schemes_are_no_addresses():
    with pytest.raises(ValueError, match="http"):
        complaint("file:///etc/passwd")


@pytest.mark.parametrize(("path", "code"), [("/healthz", 0), ("/readyz", 1)])
def test_the_program_ends_as_the_page_answers(address, path, code):
    words = [sys.executable, "-m", "monitoring.probe", address + path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("joining" in done.stderr or "503" in done.stderr) is bool(code)
