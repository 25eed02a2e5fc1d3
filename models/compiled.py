"""The decorator of every kernel: numba, cached on disk under a digest of the kernels' sources.

Numba renews a cached kernel when its own file changes, not when a function it calls or a constant
it reads in another file does. Under a folder named by the digest of all files that have kernels,
and of all that these import, a kernel is never older than any of its parts.

Numba uses only a folder that it can write to. Where the program is installed read-only, as in the
image, ``NUMBA_CACHE_DIR`` names another one, and the kernels made at installation are copied
there: 10 MB, instead of half a minute of compiling at every start.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
_KERNEL = re.compile(r"^@(compiled|uncounted)$", re.MULTILINE)
_IMPORTED = re.compile(r"^from models\.(\w+) import|^from models import (\w+)", re.MULTILINE)


def kernel_sources(folder: Path) -> list[Path]:
    """Return the files of a folder that have kernels, and all that they import from it, sorted."""
    text = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.py")}
    found: set[str] = set()
    ahead = {name for name, source in text.items() if _KERNEL.search(source)}
    while ahead:
        found |= ahead
        named = (_IMPORTED.findall(text[known]) for known in ahead)
        ahead = {a or b for pairs in named for a, b in pairs} - found
    return sorted(folder / f"{name}.py" for name in found)


def source_digest() -> str:
    """Return a short digest of the sources that kernels are made of."""
    digest = hashlib.sha256()
    for file in kernel_sources(Path(__file__).parent):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def seed(folder: Path, installed: Path) -> None:
    """Fill the folder of the cache with the kernels made at installation, unless it is there.

    Processes that start at once may all try: the first rename wins.
    """
    if folder.exists() or not installed.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent))
    shutil.copytree(installed, aside, dirs_exist_ok=True)
    try:
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside)


def _use_folder(given: str) -> None:
    digest = source_digest()
    installed = Path(__file__).parent / "__pycache__" / digest
    folder = Path(given, digest) if given else installed
    seed(folder, installed)
    numba.config.CACHE_DIR = str(folder)


_use_folder(numba.config.CACHE_DIR)


def compiled(function: Kernel) -> Kernel:
    """Compile a function of arrays and numbers at its first call; kept on disk.

    It runs without Python's lock, so that whoever asks how things are need not wait for its end:
    no other thread may change the arrays meanwhile.
    """
    return cast("Kernel", numba.njit(cache=True, nogil=True)(function))


def uncounted(function: Kernel) -> Kernel:
    """Compile a function of arrays that makes none, returns none and keeps none.

    Numba counts references to every array of a tuple that a function reads, and to every row that
    it looks at, with atomic instructions: in a short kernel with many arrays these take four fifths
    of the time. Whoever calls holds the arrays meanwhile. A function that makes an array does not
    compile so; one that returned an array would return it without a reference of its own.
    """
    return cast("Kernel", numba.njit(cache=True, nogil=True, _nrt=False)(function))
