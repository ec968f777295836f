"""What scores lose on average over splits, with intervals."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from semantoks.scores.intervals import holm, paired_difference

HOW = ("left_out", "shuffled")


def summarise(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Average the losses over the splits of a scheme.

    Parameters
    ----------
    rows : DataFrame
        See `losses_by_split`.
    metric : str
        Name of the metric.

    Returns
    -------
    DataFrame
        One row per scheme and part, single networks first, each from the largest loss when left
        out: ``scheme``, ``splits``, ``network``, ``other``, ``columns``, ``metric``, ``score``
        (with all columns); for ``left_out`` and ``shuffled`` the ``_loss``, its 95 % interval
        (``_low``, ``_high``) by the corrected t of Nadeau and Bengio, and ``_p``, adjusted by
        Holm for all networks, or all pairs.
    """
    tables = [
        _adjusted(pd.DataFrame(_losses(of_level, metric)))
        for _, of_scheme in rows.groupby("scheme", sort=False)
        for _, of_level in of_scheme.groupby(of_scheme["other"] != "", sort=True)
    ]
    return pd.concat(tables, ignore_index=True)


def _losses(rows: pd.DataFrame, metric: str) -> Iterator[dict[str, object]]:
    """Yield the losses of each part under one scheme."""
    for (network, other), fits in rows.groupby(["network", "other"], sort=False):
        test_to_train = float((fits["test_people"] / fits["train_people"]).mean())
        values: dict[str, object] = {}
        for how in HOW:
            loss = paired_difference(fits["score"].to_list(), fits[how].to_list(), test_to_train)
            values |= {f"{how}_{'loss' if k == 'mean' else k}": v for k, v in loss.items()}
        yield {
            "scheme": fits["scheme"].iloc[0],
            "splits": len(fits),
            "network": network,
            "other": other,
            "columns": int(fits["columns"].iloc[0]),
            "metric": metric,
            "score": float(fits["score"].mean()),
            **values,
        }


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust p-values for the number of parts, and sort by the loss."""
    adjusted = {f"{how}_p": holm(table[f"{how}_p"].to_list()) for how in HOW}
    return table.assign(**adjusted).sort_values("left_out_loss", ascending=False, kind="stable")
