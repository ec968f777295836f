import numpy as np
import pandas as pd

from semantoks.data.index.shards import shard_of
from semantoks.report.groups import counts_of
from semantoks.report.outliers import outliers


def test_scans_that_are_worse_than_the_others_are_listed_with_their_pictures() -> None:
    people = [f"sub-{i}" for i in range(20)]
    scans = pd.DataFrame({"scan": [f"{p}_task-rest" for p in people], "participant_id": people})
    scans["mean_fd"] = np.r_[np.linspace(0.1, 0.2, 19), 0.45]
    scans["tsnr"] = np.r_[np.linspace(60, 70, 19), 200]  # better than the others
    scans["censored"] = np.r_[np.zeros(19), 0.1]  # most are the same, so there is no scale
    scans["dvars"] = np.nan
    (outlier,) = outliers("my data", scans, 4)
    assert (outlier.scan, outlier.measure, outlier.value) == (
        "sub-19_task-rest",
        "mean FD",
        "0.45 mm",
    )
    number = shard_of("sub-19", 4)
    assert outlier.page == f"scans/my%20data/shard-{number:04d}.html#sub-19_task-rest"


def test_people_are_counted_by_word_or_interval() -> None:
    assert counts_of(pd.Series(["a", "b", "a", None])) == {"a": 2, "b": 1}
    counts = counts_of(pd.Series(np.arange(0, 80.0)))
    assert list(counts.values()) == [10] * 8
    many = counts_of(pd.Series([f"site {i}" for i in range(20)]))
    assert len(many) == 13 and many["8 others"] == 8
