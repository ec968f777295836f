import re
import shutil
from pathlib import Path

import pytest

from semantoks.artifacts.files import read_json, write_json
from semantoks.config import Report
from tests.unit.report.conftest import write_page


def test_the_page_is_self_contained_and_complete(results: Path) -> None:
    page = write_page(results, Report(participants=True))
    # Links lead to its own parts and to other results; nothing is fetched.
    for target in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert re.match(r"#|scores\.tsv$|scans/|\.\./(benchmarks|scores|splits)/", target), target
    # Random splits and sites of one phenotype, and sites of another, whose r is not computed over
    # random splits; a learning curve; scans; training.
    assert page.count("<svg") == 6
    assert "r and R² are not computed in 3 of 3 splits" in page
    assert "not compared (has no features)" in page
    assert "Few participants" in page and "Read these scores with caution" in page
    assert "Leave one site out" in page
    words = " ".join(page.split())
    assert "10 of its participants are scored, 5 of each class, and as many of all other" in words
    assert "10 of its participants are scored, and as many of all other sites" in words
    assert "Comparison with published scores" in page
    assert "same recording" in page
    assert "Label efficiency" not in page  # no model is among the representations
    assert "23 scans of 23 participants are used" in page
    assert "Excluded scans: 1." in page
    assert "sub-23_task-rest" in page
    assert "head motion: too much" in page
    assert '<td class="text">baseline</td>' in page


def test_a_phenotype_that_is_a_confound_is_marked(results: Path) -> None:
    task = read_json(results / "group.json")
    assert task["determined_by"] == []
    folder = results / "copies"
    shutil.copytree(results, folder, ignore=shutil.ignore_patterns("copies", "few"))
    write_json(folder / "group.json", task | {"determined_by": ["mean_fd", "site"]})
    page = " ".join(write_page(folder, Report()).split())
    assert page.count("This phenotype is a copy of head motion and of site, or goes") == 1


def test_the_page_says_which_confounds_are_used(results: Path) -> None:
    page = " ".join(write_page(results, Report()).split()).replace("&#39;", "'")
    assert (
        "Confounds that are used: age (column 'age'), head motion (of the scans), scan length (of "
        "the scans), sex (column 'sex'); not found: site (site_column)." in page
    )


def test_text_of_the_user_is_escaped(results: Path) -> None:
    for shown in (Report(), Report(participants=True)):
        page = write_page(results, shown)
        assert page.count("<script") == 1 and "<script>alert" not in page
        assert "<b>BrainLM" not in page
    assert "&lt;script&gt;" in page


def test_names_and_small_counts_are_hidden_unless_the_user_allows_them(results: Path) -> None:
    page = write_page(results, Report())
    open_page = write_page(results, Report(participants=True))
    assert "sub-" not in page
    assert "head motion" in page
    assert '<td>head motion</td><td class="text">of fewer than 5 participants</td>' in page
    assert "fewer than 5 participants (no usable scan)." in page
    assert "1 participant (no usable scan)." in open_page
    assert "fewer than 5" not in open_page
    assert "numbers of participants and scans are rounded to multiples of 5" in page
    assert "About 25 scans of about 25 participants are used" in page
    assert "23 scans of 23 participants are used" in open_page
    assert "Excluded scans: of fewer than 5 participants." in page
    assert "Excluded scans: 1." in open_page


def test_small_counts_cannot_be_computed_from_others(results: Path) -> None:
    """9 of 12 in a class leave 3 for the other, and a chance level of 1/3 means 3 sessions."""
    task, toy_card = read_json(results / "group.json"), read_json(results / "cards/toy/fc.json")
    folder = results / "few"
    write_json(folder / "group.json", task | {"people": 12, "classes": {"control": 9, "case": 3}})
    retest = {"people": 3, "identification": 1.0, "chance": 1 / 3, "icc": 0.5}
    write_json(folder / "cards/toy/fc.json", toy_card | {"retest": retest})
    for name in ("trait.json", "toy.parquet", "small/metrics.parquet"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(results / name, folder / name)
    page = write_page(folder, Report())
    open_page = write_page(folder, Report(participants=True))
    assert "about 10 participants (case: fewer than 5, control: about 10)." in page
    assert "identification" not in page
    assert "12 participants (case: 3, control: 9)." in open_page
    assert "identification" in open_page


def test_bars_of_few_participants_are_hidden(results: Path) -> None:
    note = "Bars of fewer than 5 participants are not shown"
    assert note in write_page(results, Report())
    assert note not in write_page(results, Report(participants=True), "named.html")


def test_the_same_scores_give_the_same_page(results: Path) -> None:
    assert write_page(results, Report()) == write_page(results, Report(), "again.html")


def test_participants_without_features_stand_beside_their_scores(
    results: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    sentence = "No features in connectivity (Pearson): "
    assert sentence not in write_page(folder, Report(participants=True))
    for path, change in (
        (folder / "group.json", lambda x: x["schemes"][0]["representations"][0]),
        (folder / "cards/toy/fc.json", lambda x: x),
    ):
        content = read_json(path)
        change(content)["people_without_features"] = 2
        write_json(path, content)
    page = write_page(folder, Report(participants=True))
    assert page.count(f"{sentence}2 participants") == 2
    assert write_page(folder, Report()).count(f"{sentence}fewer than 5 participants") == 2


@pytest.mark.parametrize(
    ("protocol", "said", "not_said"),
    [
        (
            "exact",
            ["Scores are those of linear probes", "L2 penalty", "“p (permutation)”"],
            ["SGD"],
        ),
        ("paper", ["Scores are those of the head of"], ["those of linear probes", "stacks"]),
        (
            "both",
            ["Rows without a mark are those of linear", "Rows marked “paper’s head” are those of"],
            ["Scores are those"],
        ),
    ],
)
def test_the_page_explains_the_protocol_that_was_used(
    results: Path, protocol: str, said: list[str], not_said: list[str]
) -> None:
    page = " ".join(write_page(results, Report(), f"{protocol}.html", protocol).split())
    explained = page[page.rindex("</section>", 0, page.index('id="overlap"')) :]
    explained = explained[: explained.index("Confounds are age")]
    assert all(sentence in explained for sentence in said)
    assert not any(sentence in explained for sentence in not_said)
    by_card = "a logistic or ridge regression with L2 penalty covariates"
    assert (by_card in page) == (protocol == "paper")


def test_rows_of_the_papers_head_are_marked(results: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    task = read_json(folder / "group.json")
    (fc,) = (r for r in task["schemes"][0]["representations"] if r["representation"] == "fc")
    marked = fc | {"representation": "fc@paper", "protocol": "paper"}
    task["schemes"][0]["representations"].append(marked)
    task["schemes"][0]["validation_people"] = 5
    write_json(folder / "group.json", task | {"protocol": "both"})
    page = write_page(folder, Report(participants=True), protocol="both")
    assert "<td>connectivity (Pearson) (paper’s head)</td>" in page
    assert page.count('<td class="text">baseline</td>') == 4  # of which one by the paper's head
    assert "fc@paper\tpaper" in (folder / "scores.tsv").read_text()


def test_the_page_says_which_connectivity_was_chosen(results: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    task = read_json(folder / "group.json")
    rows = task["schemes"][0]["representations"]
    (fc,) = (row for row in rows if row["representation"] == "fc")
    chosen = {"tangent": 2, "fc": 1}
    rows.append(fc | {"representation": "best_connectivity", "chosen": chosen})
    write_json(folder / "group.json", task | {"baseline": "best_connectivity"})
    page = " ".join(write_page(folder, Report(participants=True)).split())
    assert "<th>difference from<br>best connectivity</th>" in page
    assert (
        "Best connectivity is, for each of the splits, the connectivity with the least loss in the "
        "inner folds of the training part: tangent connectivity 2 of 3, connectivity (Pearson) 1 "
        "of 3." in page
    )


def test_a_metric_that_nobody_has_is_no_table(results: Path, tmp_path: Path) -> None:
    """Of fewer than 20 participants no r is computed; a table of dashes would say nothing."""
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    page, task = write_page(folder, Report(participants=True)), read_json(folder / "group.json")
    names = "mean", "sd", "low", "high"
    for scheme in task["schemes"]:
        for row in scheme["representations"]:
            row[task["metric"]] = dict.fromkeys(names, float("nan"))
    write_json(folder / "group.json", task)
    without = write_page(folder, Report(participants=True))
    tables = [text.count('data-name="toy group random"') for text in (page, without)]
    assert tables == [1, 0]
    others = [text.count("<summary>Other metrics</summary>") for text in (page, without)]
    assert others[1] == others[0] + len(task["schemes"])


def test_a_metric_that_some_rows_lack_is_a_dash(results: Path, tmp_path: Path) -> None:
    """Chance has no correlation within sites, and the others may."""
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    task = read_json(folder / "trait.json")
    known = dict.fromkeys(("mean", "sd", "low", "high"), 0.25)
    first, *others = task["schemes"][0]["representations"]
    first["pearson_r_within_sites"] = known
    assert others and not any("pearson_r_within_sites" in row for row in others)
    write_json(folder / "trait.json", task)
    page = write_page(folder, Report(participants=True))
    table = page[page.index('data-name="toy trait random metrics"') :]
    cells = re.findall(r"<td>(.*?)</td>", table[: table.index("</table>")])
    assert "<th>r within sites</th>" in table and "0.250" in cells and "–" in cells


def test_every_table_can_be_wider_than_a_phone(results: Path) -> None:
    page = write_page(results, Report(participants=True))
    tables = [page[match.start() - 60 : match.start()] for match in re.finditer("<table", page)]
    assert tables and all('<div class="wide' in before for before in tables)
