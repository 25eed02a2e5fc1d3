"""Tables as they are printed on 80 columns."""

from __future__ import annotations

import io
from textwrap import dedent
from typing import Any

from rich.console import Console

from monitoring.tables import (
    new_console,
    print_data_quality,
    print_files,
    print_recommendations,
    print_scores,
    print_speed,
)


def printed(function: Any, *values: Any, **named: Any) -> str:
    """Print to a file, and strip what fills the lines."""
    file = io.StringIO()
    function(new_console(file), *values, **named)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def scores(recall: float | None, n_judged: int = 97_865) -> dict[str, Any]:
    def ranking(value: float | None) -> dict[str, Any]:
        error = None if value is None else 0.0013
        ndcg = None if value is None else value / 2
        return {"recall@10": value, "recall@10_se": error, "ndcg@10": ndcg, "ndcg@10_se": error}

    worse = None if recall is None else recall / 4
    return {
        "judged": n_judged,
        **ranking(recall),
        "baselines": {
            "popularity_30d": ranking(worse),
            "popularity_2d": ranking(None if worse is None else worse / 2),
            "popularity_all": ranking(worse),
            "random": {"recall@10": worse and 0.0101, "ndcg@10": worse and 0.0042},
        },
    }


def summary(best: str | None = "popularity_30d", recall: float | None = 0.2) -> dict[str, Any]:
    return {
        "k": 10,
        **scores(recall),
        "best_popularity": best,
        "halves": {"first": scores(0.21, 48_932), "second": scores(0.19, 48_933)},
        "segments": {"user:new": scores(1.0, 7), "title:new": scores(None, 0)},
    }


def test_scores_stand_beside_the_baselines() -> None:
    assert printed(print_scores, summary()) == dedent("""\
        How often the next title was in the list
                            all         first half  second half cold users  new titles
        recall@10
        driftline           .2000±.0013 .2100±.0013 .1900±.0013 1.000±.0013 –
        popularity 30 d     .0500±.0013 .0525±.0013 .0475±.0013 .2500±.0013 –
        popularity all time .0500±.0013 .0525±.0013 .0475±.0013 .2500±.0013 –
        random              .0101       .0101       .0101       .0101       –
        NDCG@10
        driftline           .1000       .1050       .0950       .5000       –
        popularity 30 d     .0250       .0262       .0238       .1250       –
        popularity all time .0250       .0262       .0238       .1250       –
        random              .0042       .0042       .0042       .0042       –
        events judged       97,865      48,932      48,933      7           0
        “popularity 30 d” is the best of 2 half-lives.
        ± is one standard error, taking events as independent.

        """)


def test_the_best_half_life_stands_there_also_when_popularity_of_all_time_is_better() -> None:
    found = summary("popularity_all")
    found["baselines"]["popularity_all"]["recall@10"] = 0.9
    text = printed(print_scores, found)
    assert "popularity 30 d     .0500" in text
    assert "popularity all time .9000" in text
    assert "“popularity 30 d” is the best of 2 half-lives." in text


def test_scores_of_nothing_are_printed() -> None:
    text = printed(print_scores, summary(None, None))
    assert "driftline           –      .2100±.0013" in text
    assert "is the best" not in text


def test_recommendations_have_titles_and_reasons() -> None:
    star_wars = {
        "content_id": "50",
        "title": "Star Wars (1977)",
        "reason": "because you watched Empire Strikes Back, The (1980), 41 %",
    }
    unknown = {"content_id": "181", "title": None, "reason": "popular now"}
    users = [{"user_id": "7", "items": [star_wars, unknown]}, {"user_id": "8", "items": [unknown]}]
    assert printed(print_recommendations, users) == dedent("""\
        For user 7
          title                              why
        1 Star Wars (1977)                   because you watched Empire Strikes Back,
                                             The (1980), 41 %
        2 181                                popular now

        For user 8
          title                              why
        1 181                                popular now

        """)


def test_titles_are_neither_markup_nor_commands() -> None:
    item = {"content_id": "1", "title": "[red]:smile:\x1b[2J\r\n", "reason": "[bold]\x07"}
    text = printed(print_recommendations, [{"user_id": "\x1b]0;x", "items": [item]}])
    assert "[red]:smile:�[2J��" in text
    assert "[bold]�" in text
    assert "For user �]0;x" in text


def test_data_quality_lists_what_happened() -> None:
    quality = {"decode": 3, "late": 0, "accepted": 99_997, "imputed_view_time": 99_997}
    assert printed(print_data_quality, quality, 100_000) == dedent("""\
        Data quality of 100,000 records
                            records   share
        dead letter: decode       3 0.003 %
        accepted             99,997   100 %
        imputed view time    99,997   100 %

        """)


def test_a_column_that_the_log_does_not_have_is_no_finding() -> None:
    quality = {"accepted": 1000, "missing_view_time": 1000, "missing_rating": 3}
    assert printed(print_data_quality, quality, 1000) == dedent("""\
        Data quality of 1,000 records
                       records share
        accepted         1,000 100 %
        missing rating       3 0.3 %
        The log has no view times, which is fine.

        """)


def test_flawless_data_say_so() -> None:
    text = printed(print_data_quality, {"decode": 0, "accepted": 1000}, 1000)
    assert text == "Data quality: none of 1,000 records was refused or repaired.\n\n"


def test_speed_and_memory_are_one_line() -> None:
    text = printed(
        print_speed,
        n_events=100_000,
        elapsed_s=74.2,
        events_per_s=13_456.7,
        peak_rss_bytes=311 << 20,
    )
    assert text == "100,000 events in 1:14, 13,457 events/s, peak memory 311 MiB\n\n"


def test_paths_are_never_broken() -> None:
    path = "/".join(["a folder"] * 20)
    text = printed(print_files, {"trace": path, "series": "out.csv"})
    assert text == f"trace   {path}\nseries  out.csv\n"


def test_no_files_print_nothing() -> None:
    assert printed(print_files, {}).strip() == ""


def test_every_line_fits_80_columns_and_is_plain() -> None:
    file = io.StringIO()
    print_scores(new_console(file), summary())
    assert max(map(len, file.getvalue().splitlines())) <= 80
    assert "\x1b" not in file.getvalue()


def test_a_terminal_gets_bold_titles() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system="standard")
    print_data_quality(console, {"late": 1}, 2)
    assert "\x1b[1mData quality" in file.getvalue()


def test_characters_that_an_encoding_lacks_become_question_marks() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, "ascii", write_through=True)
    print_scores(new_console(file), summary())
    assert b".2000?.0013" in raw.getvalue()
