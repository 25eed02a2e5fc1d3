import ast
from pathlib import Path

import pytest

from tests.architecture.imports import sources

SOURCES = sources(Path(__file__).parents[2], ("models", "streams"))
MODULES = {"np.random", "numpy.random"}
SEEDED = {"default_rng", "Generator", "BitGenerator", "SeedSequence", "PCG64", "Philox"}


def global_draws(source):
    """Give the uses of numpy's global generator and of generators without a seed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            is_seeded = bool(node.args or node.keywords)
            found = ast.unparse(node.func).endswith("random.default_rng") and not is_seeded
        elif isinstance(node, ast.Attribute):
            found = ast.unparse(node.value) in MODULES and node.attr not in SEEDED
        else:
            found = False
        if found:
            yield ast.unparse(node)


def test_randomness_is_always_seeded():
    assert {path: draws for path, text in SOURCES.items() if (draws := [*global_draws(text)])} == {}


@pytest.mark.parametrize(
    ("line", "n_found"),
    [
        ("np.random.shuffle(x)", 1),
        ("np.random.default_rng()", 1),
        ("np.random.default_rng(seed)", 0),
        ("x: np.random.Generator", 0),
    ],
)
def test_the_search_for_global_randomness_finds_it(line, n_found):
    assert len([*global_draws(line)]) == n_found
