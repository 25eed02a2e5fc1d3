"""Pages name files, commands and options that are there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from streams.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND_PAGES = [page for page in PAGES if page.name != "CHANGELOG.md"]

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", flags=re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>[^`\n]+)`")
HEADING = re.compile(r"^#+ (?P<title>.+)$", flags=re.MULTILINE)
LONG_OPTION = re.compile(r"--[a-z][a-z0-9-]*")
SHELLS = {"sh", "shell", "bash", "console"}


def prose(text):
    """Give a page without its fenced blocks."""
    return FENCE.sub("", text)


def anchors(text):
    """Give what a link to a heading of the page may say after ``#``."""
    titles = (heading["title"].lower() for heading in HEADING.finditer(prose(text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def broken_links(page, text):
    """Give the relative links of a page whose file or heading is not there."""
    for link in LINK.finditer(prose(text)):
        path, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = page.parent / path
        if path and not target.exists():
            yield link["target"]
        elif anchor:
            headings = anchors(target.read_text(encoding="utf-8") if path else text)
            if anchor not in headings:
                yield link["target"]


def shell_lines(text):
    """Give the lines of a page's shell blocks, continued ones joined, without prompts."""
    for block in FENCE.finditer(text):
        if block["kind"] in SHELLS:
            joined = block["text"].replace("\\\n", " ")
            yield from (line.removeprefix("$ ") for line in joined.splitlines())


def driftline_calls(text):
    """Give the words after each ``driftline`` in shell blocks and in code within the prose."""
    inline = (code["text"] for code in INLINE.finditer(prose(text)))
    for line in (*shell_lines(text), *inline):
        words = shlex.split(line.replace("…", ""), comments=True) if "driftline" in line else []
        if words[:1] == ["driftline"] and len(words) > 1:
            yield words[1:]


def unknown_words(words):
    """Give the command or options of a call that the command line does not have."""
    context = click.Context(main)
    command = main
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and word != "-":
            name, _, value = word.partition("=")
            option = option_of(command, context, name)
            if option is None:
                yield name
            elif not (option.is_flag or option.count or value) and rest:
                rest.pop(0)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                yield word
                return
            command = found


def option_of(command, context, name):
    """Give the option of a command that goes by a name, the help option included."""
    for option in command.get_params(context):
        if isinstance(option, click.Option) and name in (*option.opts, *option.secondary_opts):
            return option
    return None


def all_options(command=main):
    """Give every long option of the command line."""
    context = click.Context(command)
    names = {name for parameter in command.get_params(context) for name in parameter.opts}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            names |= all_options(command.get_command(context, name))
    return names


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    assert list(broken_links(page, page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=name_of)
def test_every_command_in_the_docs_exists_with_its_options(page):
    calls = list(driftline_calls(page.read_text(encoding="utf-8")))
    assert [(call, bad) for call in calls for bad in unknown_words(call)] == []


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=name_of)
def test_every_option_named_in_the_prose_exists(page):
    inline = (code["text"] for code in INLINE.finditer(prose(page.read_text(encoding="utf-8"))))
    named = {option for code in inline for option in LONG_OPTION.findall(code)}
    assert named - all_options() == set()


def test_the_readme_shows_how_to_replay():
    calls = driftline_calls((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"validate", "replay", "recommend"} <= {call[0] for call in calls}


def test_every_option_of_replay_is_on_its_page():
    text = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    context = click.Context(main)
    replay = main.get_command(context, "replay")
    options = {name for parameter in replay.params for name in parameter.opts if "--" in name}
    assert options - set(LONG_OPTION.findall(text)) == set()


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path.name for path in folder.glob("0*.md"))
    assert [link["target"] for link in LINK.finditer(index) if link["target"][0] == "0"] == (
        decisions
    )


def test_the_changelog_has_a_section_for_what_is_not_released():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]$", text, flags=re.MULTILINE)


BAD_PAGE = """
# A page
[gone](gone.md), [no heading](#nowhere), [heading](#a-page), [web](https://example.org/x)
`driftline replai log` and `driftline replay log --frm 1`
```sh
driftline replay log.csv --map user_id=uid --no-such  # driftline is fine here
driftline --set engine.k=5 config sho
```
```text
driftline ignored
[not a link](here.md)
```
"""


def test_a_broken_link_is_found():
    assert list(broken_links(ROOT / "page.md", BAD_PAGE)) == ["gone.md", "#nowhere"]


def test_an_unknown_command_or_option_is_found():
    found = [bad for call in driftline_calls(BAD_PAGE) for bad in unknown_words(call)]
    assert found == ["--no-such", "sho", "replai", "--frm"]
