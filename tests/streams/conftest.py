import pytest

from tests.stores import Bucket, Folder, Objects


@pytest.fixture(params=["folder", "objects", "bucket"])
def kind(request):
    """Give each kind of store that snapshots may be in."""
    if request.param == "folder":
        return Folder(request.getfixturevalue("tmp_path"))
    return Objects() if request.param == "objects" else Bucket(request.getfixturevalue("s3"))


@pytest.fixture
def folder(kind):
    """Give an empty folder in each kind of store."""
    return kind.open()
