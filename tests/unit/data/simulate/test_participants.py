import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.config import Simulation
from semantoks.data.simulate.activity import load_regions
from semantoks.data.simulate.participants import HEAVY_MOTION, draw_participants


def table_of_participants(n: int = 28, **more: int) -> pd.DataFrame:
    networks = load_regions().network_names
    participants = draw_participants(Simulation(participants=n, **more), networks)
    return pd.DataFrame([{**vars(p), "label": p.label} for p in participants])


def test_group_and_null_are_counterbalanced() -> None:
    table = table_of_participants()
    counts = pd.crosstab(table["group"], table["null"])
    assert counts.to_numpy().tolist() == [[7, 7], [7, 7]]
    pairs = table["group"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_more_participants_do_not_change_the_others() -> None:
    pd.testing.assert_frame_equal(table_of_participants(28), table_of_participants(29)[:28])


def test_faulty_scans_belong_to_participants_with_one_session() -> None:
    table = table_of_participants()
    faulty = table[table["fault"] != ""]
    assert sorted(faulty["fault"]) == ["motion", "truncated"]
    assert faulty["sessions"].map(len).tolist() == [1, 1]
    assert (table["sessions"].map(len) == 2).sum() == 2
    assert faulty.set_index("fault")["mean_fd"]["motion"] == HEAVY_MOTION


def test_too_few_participants_for_the_faulty_scans_raise() -> None:
    with pytest.raises(ValidationError, match="participants must be at least 5"):
        Simulation(participants=4, two_sessions=3)


def test_trait_shifts_the_spectrum_of_a_single_network() -> None:
    table = table_of_participants(200)
    ln_centre = np.log(pd.DataFrame(table["centre_hz"].tolist()))
    r = ln_centre.corrwith(table["trait"]).abs()
    assert r["Visual"] > 0.9
    assert r.drop("Visual").max() < 0.25
