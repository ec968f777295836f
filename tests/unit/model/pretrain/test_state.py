"""The initial state of a training."""

from __future__ import annotations

from semantoks.model.pretrain.state import build_model, weight_decay_groups
from tests.unit.model.pretrain.conftest import NETWORKS, make_settings


def test_biases_norms_and_embeddings_do_not_decay() -> None:
    model = build_model(make_settings(), NETWORKS)
    names = {id(p): name for name, p in model.named_parameters()}
    decaying, others = (
        {names[id(p)] for p in group["params"]} for group in weight_decay_groups(model)
    )
    assert all(n.endswith(("weight", "skip_HC")) or "kernels" in n for n in decaying)
    assert not any("norm" in n or "embedding" in n or "scale" in n for n in decaying)
    assert {"student.mask_embedding", "student.cls_embedding", "student.network_embedding"} < others
    assert decaying | others == {n for n, p in model.named_parameters() if p.requires_grad}
