"""Which columns belong to which networks."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.artifacts.representations import FeatureBlock
from semantoks.connectivity.triangles import to_triangle
from semantoks.errors import UserError
from semantoks.scores.network_importance.columns import column_networks
from semantoks.scores.represent.connectivity import fisher_z

NETWORK_C = ("B", "A", "B", "A", "C")


def names_of(part: str, content: str, features: int, **options: object) -> list[int]:
    networks = column_networks(content, (), features, NETWORK_C, **options)  # type: ignore[arg-type]
    parts = {"-".join(p.networks): p.columns_F for p in networks.parts()}
    return np.flatnonzero(parts[part]).tolist()


def test_connections_are_counted_as_the_representations_write_them() -> None:
    """Raise the correlation of two regions, and see which column says so."""
    rng = np.random.default_rng(0)
    timeseries_CT = rng.standard_normal((5, 4000))
    timeseries_CT[2] += timeseries_CT[0]
    largest = int(np.argmax(fisher_z(timeseries_CT)))
    assert names_of("B-B", "fc", 10) == [largest]
    matrix = np.zeros((5, 5))
    matrix[1, 4] = matrix[4, 1] = 1
    assert np.flatnonzero(to_triangle(matrix))[0] in names_of("A-C", "tangent", 15)
    # All connections of a network: within it, and with the others.
    matrix[:] = 0
    matrix[4] = matrix[:, 4] = 1
    assert np.flatnonzero(to_triangle(matrix)).tolist() == names_of("C", "coupling", 15)


def test_features_of_regions_and_of_networks() -> None:
    assert names_of("C", "amplitude", 5) == [4]
    assert names_of("A", "spectrum", 10) == [2, 3, 6, 7]
    assert names_of("B", "networks", 6) == [0, 1]
    assert names_of("B", "networks", 6, order=("C", "A", "B")) == [4, 5]


def test_blocks_of_full() -> None:
    blocks = (
        FeatureBlock("networks", 3),
        FeatureBlock("distilled", 2),
        FeatureBlock("coupling", 15),
        FeatureBlock("amplitude", 5),
    )
    columns = column_networks("full", blocks, 25, NETWORK_C)
    parts = {part.networks: part.columns_F for part in columns.parts()}
    everything = np.logical_or.reduce(list(parts.values()))
    assert np.flatnonzero(~everything).tolist() == [3, 4]  # what is distilled belongs to none
    assert np.flatnonzero(parts["C",]).tolist() == [2, 9, 13, 16, 18, 19, 24]
    # A pair has connections only.
    assert np.flatnonzero(parts["C", "C"]).tolist() == [19]


def test_what_would_leave_nothing_is_no_part() -> None:
    parts = column_networks("fc", (), 1, ("A", "B")).parts()
    assert list(parts) == []


def test_other_regions_and_single_networks_are_refused() -> None:
    with pytest.raises(UserError, match=r"The 12 features of fc do not belong .* \(10 expected\)"):
        column_networks("fc", (), 12, NETWORK_C)
    with pytest.raises(UserError, match=r"needs two or more, but the atlas has 1 \(A\)"):
        column_networks("fc", (), 1, ("A", "A"))
