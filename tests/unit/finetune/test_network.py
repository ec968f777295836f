"""Layers and their rates, and embeddings of windows of mixed lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.config import CardProbe, FinetuneTraining
from semantoks.finetune.network import Predictor, layer_of, parameter_groups
from semantoks.finetune.people import People
from semantoks.finetune.start import linear_start
from semantoks.finetune.training import participant_means
from semantoks.model.embed.embedding import embed_windows
from semantoks.model.network.encoder import Encoder
from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.probe.fit import fit_probe
from semantoks.scores.probe.targets import RegressionTargets, Targets, classes_of, inner_folds
from tests.unit.finetune.conftest import REGIONS, simulated


def test_each_layer_learns_more_slowly_than_the_next(encoder: Encoder) -> None:
    predictor = Predictor(encoder, 2)
    groups = parameter_groups(predictor, FinetuneTraining(learning_rate=1e-2, layer_decay=0.5))
    rate_of = {
        name: group["lr"]
        for group in groups
        for name, parameter in predictor.named_parameters()
        if any(parameter is other for other in group["params"])
    }
    assert rate_of.keys() == dict(predictor.named_parameters()).keys()
    assert rate_of["head.weight"] == 1e-2
    assert rate_of["encoder.norm.weight"] == rate_of["encoder.blocks.0.qkv.weight"] == 5e-3
    assert rate_of["encoder.tokenizers.1.dense.weight"] == rate_of["encoder.cls_embedding"] == 25e-4
    assert layer_of("encoder.blocks.11.qkv.weight", 12) == 12
    decaying = [p for group in groups if group["weight_decay"] for p in group["params"]]
    assert all(p.ndim > 1 and p is not predictor.encoder.network_embedding for p in decaying)


def test_embeddings_of_people_are_those_of_embed(encoder: Encoder) -> None:
    """Of scans that are longer and shorter than a window, and of people with two scans."""
    scans = simulated(np.zeros((6, 2 * REGIONS)))
    ids = [scan.participant_id for scan in scans[:3]]
    pairs = [
        *scans[:3],
        *(
            type(s)(s.scan, i, "", "", "", 2.0, s.timeseries_CT)
            for s, i in zip(scans[3:], ids, strict=True)
        ),
    ]
    people = People.of(pairs, ids, encoder)
    means = participant_means(Predictor(encoder, 1), people, np.arange(3), embedded=True)
    of_scans = np.stack([embed_windows(encoder, s.timeseries_CT).mean(axis=0) for s in scans])
    np.testing.assert_allclose(means, (of_scans[:3] + of_scans[3:]) / 2, atol=1e-5)


def test_who_has_no_usable_scan_is_not_known(encoder: Encoder) -> None:
    scans = simulated(np.zeros((2, 2 * REGIONS)))
    scans[0].timeseries_CT[:] = np.nan
    people = People.of(scans, [scan.participant_id for scan in scans], encoder)
    assert people.has_scan.tolist() == [False, True]
    predictor = Predictor(encoder, 2)
    torch.nn.init.ones_(predictor.head.bias)
    assert participant_means(predictor, people, np.arange(2)).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_head_starts_as_the_probe(classes: int) -> None:
    rng = np.random.default_rng(0)
    embedded_PF = rng.standard_normal((60, 5)) * [1, 2, 3, 4, 0] + 7
    value_P = embedded_PF[:, 0] + 0.5 * rng.standard_normal(60)
    cuts = np.quantile(value_P, np.arange(1, classes) / classes) if classes else []
    codes_P = np.searchsorted(cuts, value_P)
    targets: Targets = classes_of(codes_P.astype(str)) if classes else RegressionTargets(value_P)
    fold_P, settings = inner_folds(targets, None, 5), CardProbe()
    values = linear_start(embedded_PF, targets, fold_P, settings)
    standard_PF = (embedded_PF - values["mean_F"]) / values["deviation_F"]
    outputs_PK = standard_PF @ values["head.weight"].T + values["head.bias"]
    expected = fit_probe(
        rotate(embedded_PF, embedded_PF), targets, fold_P, settings.strengths
    ).logits_HK
    if not classes:
        outputs_PK = outputs_PK * value_P.std() + value_P.mean()
    # Logits are known up to a constant.
    differences = outputs_PK - outputs_PK[:, :1] if classes else outputs_PK
    expected = expected - expected[:, :1] if classes else expected
    np.testing.assert_allclose(differences, expected, atol=5e-3)
