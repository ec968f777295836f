import numpy as np
import pandas as pd

from semantoks.report.figures.scans import BARS, Measure, bar_counts, distributions_figure, round_up


def test_scans_are_counted_by_motion_without_bars_of_few_participants() -> None:
    scans = pd.DataFrame({"mean_fd": np.r_[np.full(7, 0.2), np.full(6, 0.3), 9.0, np.nan]})
    scans["participant_id"] = [*"abcdefg", *"aaaabb", "c", "d"]
    counts, edges = bar_counts(scans, "mean_fd", 1.0)
    assert counts.sum() == 14 and counts[-1] == 1 and edges[-1] == 1.0
    assert len(counts) == BARS
    counts, _ = bar_counts(scans, "mean_fd", 1.0, smallest=5)
    assert counts[counts > 0].tolist() == [5]  # 7, rounded


def test_only_measures_that_are_known_are_drawn() -> None:
    scans = pd.DataFrame({"participant_id": ["a"], "tsnr": [50.0], "dvars": [np.nan]})
    measures = [Measure(column, column) for column in ("mean_fd", "tsnr", "dvars")]
    figure = distributions_figure(scans, measures)
    assert figure is not None and ">tsnr<" in figure and ">dvars<" not in figure
    assert distributions_figure(scans, measures[:1]) is None


def test_edges_are_round_numbers() -> None:
    assert [round_up(value) for value in (0.0, 0.9, 1.2, 360, 7100)] == [1, 1, 1.5, 500, 10000]
