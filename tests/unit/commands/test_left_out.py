"""Nobody is left out in silence, and a model is not trained again without a word."""

from __future__ import annotations

import logging
from pathlib import Path

from semantoks.artifacts.files import write_json
from semantoks.commands.left_out import left_out_lines
from semantoks.commands.retrained import retrained_lines
from semantoks.commands.status import status
from semantoks.config import Config
from semantoks.people.ids import NO_ROW
from semantoks.system.messages import WithoutCommands

INPUTS = ("timeseries/a/x.parquet", "scans/a.parquet", "scans/held.parquet")


def test_every_participant_and_scan_that_is_not_used_is_listed(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "index/my-data").mkdir(parents=True)
    (results / "scans").mkdir()
    (results / "index/my-data/left_out.tsv").write_text(
        "participant_id\treason\nsub-1\tno scan\nsub-2\tno scan\n"
    )
    (results / "scans/my-data_excluded.tsv").write_text(
        "scan\tparticipant_id\treason\nsub-3_a\tsub-3\ttoo short\nsub-4_a\tsub-4\tno TR\n"
    )
    lines = list(left_out_lines(results, "my-data", listed=1))
    assert "2 participant(s) left out: no scan" in lines[0]
    assert "2 scan(s) excluded" in lines[1]
    assert lines[2:] == ["  sub-3_a: too short", "  … and 1 more"]
    assert "  sub-4_a: no TR" in list(status(results))
    assert not list(left_out_lines(results, "other"))


def test_people_who_are_not_in_the_table_hide_no_other_scan(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    rows = [f"sub-{i}\tsub-{i}\t{NO_ROW}\n" for i in range(99)] + ["sub-x\tsub-x\ttoo short\n"]
    table = tmp_path / "scans/big_excluded.tsv"
    table.write_text("scan\tparticipant_id\treason\n" + "".join(rows))
    first, *others = left_out_lines(tmp_path, "big")
    assert "100 scan(s) excluded" in first
    assert others == [f"  99 scan(s): {NO_ROW}", "  sub-x: too short"]


def test_a_model_on_all_data_sets_is_trained_again_with_a_word(tmp_path: Path) -> None:
    record = tmp_path / "models/small/encoder.safetensors.provenance.json"
    write_json(record, {"inputs": {f"results/{x}": "0" for x in INPUTS}})
    datasets = {name: {"path": name} for name in ("a", "b")}
    content = {"datasets": datasets, "models": {"small": {}, "other": {}}}
    (line,) = retrained_lines(Config.model_validate(content), tmp_path)
    assert "Model small" in line and "b added" in line and "[a]" in line
    content["models"] = {"small": {"datasets": ["a"]}}
    assert not list(retrained_lines(Config.model_validate(content), tmp_path))


def test_after_a_sentence_there_is_no_command() -> None:
    message = (
        'RuleException:\nCalledProcessError in file "/x/data.smk", line 53:\n'
        "Command 'set -euo pipefail; python -m semantoks index --settings '{\"a\": 1}'' returned "
        "non-zero exit status 1.\n"
    )
    for text, expected in (
        (message, "The job returned non-zero exit status 1; its message is above and in logs/."),
        ("Something else: Command '", "Something else: Command '"),
    ):
        record = logging.LogRecord("snakemake", logging.ERROR, "", 0, text, None, None)
        assert WithoutCommands().filter(record)
        assert record.msg == expected
