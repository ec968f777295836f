"""Who was pretrained on and is tested, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def overlaps(scans: Mapping[str, pd.DataFrame], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Count, for each model and data set with phenotypes, the people that pretraining saw.

    Parameters
    ----------
    scans : mapping of data set to its scan table
    config : mapping
        The whole configuration.

    Returns
    -------
    list of dict
        ``model``, ``dataset``, ``known`` (whether the model was trained here, so that it is known
        on whom), ``people`` (with a usable scan), ``same_id`` (of those, known by
        data set and id to pretraining) and ``same_scan`` (with a scan that is the same to the last
        digit, whatever its name).
    """
    used = {name: table[table["status"] == "ok"] for name, table in scans.items()}
    found = []
    for model, about in config["models"].items():
        names = about["datasets"] or list(config["datasets"])
        trained = pd.concat([used[name] for name in names])
        if about["checkpoint"] or about["training"]["epochs"] == 0:
            trained = trained.iloc[:0]
        prints = set(trained["fingerprint"])
        for dataset, settings in config["datasets"].items():
            if settings["phenotypes"]:
                table = used[dataset]
                people = table["participant_id"].nunique()
                same = table[table["fingerprint"].isin(prints)]["participant_id"].nunique()
                found.append(
                    {
                        "model": model,
                        "dataset": dataset,
                        "known": not about["checkpoint"],
                        "people": people,
                        "same_id": people if dataset in names and len(trained) else 0,
                        "same_scan": same,
                    }
                )
    return found
