import numpy as np
import pandas as pd

from semantoks.report.figures import motion_counts


def test_scans_are_counted_by_motion_without_bars_of_few_participants() -> None:
    scans = pd.DataFrame({"mean_fd": np.r_[np.full(7, 0.2), np.full(6, 0.3), 9.0]})
    scans["participant_id"] = [*"abcdefg", *"aaaabb", "c"]
    counts, edges = motion_counts(scans, 0.5)
    assert counts.sum() == 14 and counts[-1] == 1 and edges[-1] == 1.0
    counts, _ = motion_counts(scans, 0.5, smallest=5)
    assert counts[counts > 0].tolist() == [5]  # 7, rounded
