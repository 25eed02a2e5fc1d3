"""The text of ``docs/settings.md``, made from the table of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.settings import SECTIONS, Setting, section_rows

if TYPE_CHECKING:
    import msgspec

_PAGE_HEAD = """\
# Settings

<!-- Written by `python -m streams.settings`; a test compares. -->

A value is taken from the first of these that gives it: a flag of the command (`--set
SECTION.NAME=VALUE` reaches every setting), the environment variable, the TOML file, the default.
The file is the one given by `--config FILE`, else by `DRIFTLINE_CONFIG`, else `driftline.toml` in
the working directory when there is one. Unknown names are refused. `driftline config show` prints
the values in effect and where each came from.
"""

_PAGE_STORE = """
## [snapshot_store]

Options of object storage, passed to obstore as they are, where `worker.snapshot_folder` is a URL:
`aws_endpoint = "https://minio:9000"` in the file, `DRIFTLINE_SNAPSHOT_STORE_AWS_ENDPOINT` in the
environment. They win over the variables of the clouds (`AWS_*`, `GOOGLE_*`, `AZURE_*`), which are
read as well; with an option of the connection (`allow_http`, `timeout`, `proxy_url`, …) those of
the connection are all taken from here. A secret may stand in a file of its own, named by the
variable with `_FILE` at its end (`DRIFTLINE_SNAPSHOT_STORE_AWS_SECRET_ACCESS_KEY_FILE`); secrets
are masked wherever settings are shown.
"""

_PAGE_KAFKA = """
## [kafka]

Properties of librdkafka, passed on as they are: `bootstrap.servers = "…"` in the file, or
`KAFKA_BOOTSTRAP_SERVERS` in the environment (dots become underscores). Properties that driftline
itself decides are refused by name. A secret may stand in a file of its own, named by the variable
with `_FILE` at its end (`KAFKA_SASL_PASSWORD_FILE`); secrets are masked wherever settings are
shown.
"""


def settings_page() -> str:
    """Give the text of ``docs/settings.md``."""
    sections = [_page_section(name, kind) for name, kind in SECTIONS.items()]
    return _PAGE_HEAD + "".join(sections) + _PAGE_KAFKA + _PAGE_STORE


def _page_section(section: str, kind: type[msgspec.Struct]) -> str:
    head = f"\n## [{section}]\n\n{kind.__doc__}\n\n"
    columns = "| name | default | unit | allowed | meaning |\n|---|---|---|---|---|\n"
    return head + columns + "".join(_page_row(row) for row in section_rows(section, kind))


def _page_row(row: Setting) -> str:
    field = row.name.partition(".")[2]
    default = "(empty)" if row.default == "" else f"`{row.default}`"
    note = " Results never depend on it." if row.is_neutral else ""
    meaning = f"{row.meta.description}{note}"
    return f"| `{field}` | {default} | {row.unit} | {row.allowed} | {meaning} |\n"
