"""What a source file imports, and which rules that breaks."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """Files under ``where`` never import ``what``, except those under ``unless``."""

    where: str
    what: frozenset[str]
    unless: tuple[str, ...] = ()

    def broken_by(self, path: str, source: str) -> list[str]:
        """Name the imports of a file that this rule forbids."""
        if not _is_under(path, self.where) or any(_is_under(path, p) for p in self.unless):
            return []
        return [
            f"{path}:{line} imports {module}"
            for line, module in imports_of(source)
            if any(_is_inside(module, name) for name in self.what)
        ]


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Give line and dotted name of every import, those inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def sources(root: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Give the text of every Python file of the packages by its path from the root."""
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
    }


def _is_under(path: str, where: str) -> bool:
    return where in (".", path) or path.startswith(where.rstrip("/") + "/")


def _is_inside(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")
