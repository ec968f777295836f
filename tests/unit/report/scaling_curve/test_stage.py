"""Files of the curves of scores against pretraining people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json, write_json
from semantoks.artifacts.tables import write_table
from semantoks.config import Report, name_at
from semantoks.errors import UserError
from semantoks.report.rounding import rounded_comparison
from semantoks.report.scaling import scaling_sections
from semantoks.report.scaling_curve.settings import ScalingCurveSettings
from semantoks.report.scaling_curve.stage import scaling_curve
from semantoks.scores.benchmark.comparison import Comparison, SchemeResult

PARTS = {0.1: 21, 0.3: 63}


def write_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Scores that grow by 0.1 for each factor of ten of people, of two readouts."""
    scores, models = [], []
    for fraction in (*PARTS, 1.0):
        model, people = name_at("m", fraction), PARTS.get(fraction, 210)
        if fraction < 1:
            models.append(folder / f"models/{model}/config.json")
            models[-1].parent.mkdir(parents=True)
            write_json(models[-1], {"training": {"people": people, "people_of_all": 210}})
        for row in ("m", "m-networks"):
            mean = 0.6 + 0.1 * np.log10(people / 210) + (0.02 if row == "m" else 0)
            table = pd.DataFrame({"split": [f"random {i:02d}" for i in range(4)]}).assign(
                scheme="random",
                fraction=1.0,
                train_people=160,
                test_people=41,
                balanced_accuracy=mean + np.array([-0.03, -0.01, 0.01, 0.03]),
            )
            part = table.assign(fraction=0.5, balanced_accuracy=0.5)
            site = table.assign(scheme="site", split="site 00", balanced_accuracy=0.9)
            scores.append(folder / f"scores/{name_at(row, fraction)}.parquet")
            metadata = {"kind": "classification", "phenotype": "group"}
            write_table(scores[-1], pd.concat([table, part, site]), metadata)
    return scores, models


def comparison() -> Comparison:
    scheme = SchemeResult(
        scheme="random", splits=4, held_out=[], train_people=160, test_people=41, representations=[]
    )
    return Comparison(
        dataset="toy",
        phenotype="group",
        kind="classification",
        bins=None,
        people=201,
        classes={"a": 100, "b": 101},
        left_out={},
        protocol="exact",
        confounds="none",
        metric="balanced_accuracy",
        schemes=[scheme],
        curves={},
        permutation={},
    )


def test_the_curves_and_their_figure(tmp_path: Path) -> None:
    scores, models = write_files(tmp_path)
    out = tmp_path / "group.json"
    files = scaling_curve(
        ScalingCurveSettings(), scores=scores, models=models, dataset="toy", out=out
    )
    assert [path.name for path in files] == ["group.json", "group.svg"]
    content = read_json(out)
    assert content["curves"].keys() == {"m", "m-networks"}
    curve = content["curves"]["m"]
    assert [p["people"] for p in curve["points"]] == pytest.approx([21, 63, 210])
    assert curve["gain"]["mean"] == pytest.approx(0.1) and curve["splits"] == 4
    assert curve["fitted"][-1]["mean"] == pytest.approx(0.72)
    assert "extrapolated" in files[1].read_text()
    exact, shown = comparison(), rounded_comparison(comparison())
    (section,) = scaling_sections([out], [exact], Report(participants=True))
    assert section.curves.curves["m"].points[0].people == pytest.approx(21)
    (section,) = scaling_sections([out], [shown], Report())
    assert [p.people for p in section.curves.curves["m"].points] == [20, 65, 210]
    # Ten times 207 would tell the number that is shown as 205.
    content["curves"]["m"]["points"][-1]["people"] = 207
    write_json(out, content)
    (section,) = scaling_sections([out], [shown], Report())
    curve = section.curves.curves["m"]
    assert curve.points[-1].people == 205 and curve.fitted[-1].people == pytest.approx(2050)
    assert scaling_sections([], [exact], Report()) == []


def test_other_splits_and_equal_numbers_are_refused(tmp_path: Path) -> None:
    scores, models = write_files(tmp_path)
    write_json(models[0], {"training": {"people": 63, "people_of_all": 210}})
    with pytest.raises(UserError, match=r"Two parts of `scaling` of m .*\(63, 63, 210\)"):
        scaling_curve(
            ScalingCurveSettings(), scores=scores, models=models, dataset="t", out=tmp_path / "x"
        )
    table = pd.read_parquet(scores[0])
    metadata = {"kind": "classification", "phenotype": "group"}
    write_table(scores[0], table[table["split"] != "random 02"], metadata)
    with pytest.raises(UserError, match="m was scored on different splits"):
        scaling_curve(
            ScalingCurveSettings(), scores=scores, models=models, dataset="t", out=tmp_path / "x"
        )
