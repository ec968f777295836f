import pandas as pd

from semantoks.config import Config
from semantoks.report.overlap import overlaps


def test_participants_in_pretraining_are_counted_by_id_and_by_scan() -> None:
    phenotypes = {"age": "regression"}
    config = Config.model_validate(
        {
            "datasets": {
                "large": {"path": "a"},
                "small": {"path": "b", "phenotypes": phenotypes},
            },
            "models": {
                "both": {},
                "other": {"datasets": ["large"]},
                "random": {"training": {"epochs": 0}},
                "given": {"checkpoint": "model.pth"},
            },
        }
    )
    small = pd.DataFrame({"participant_id": list("xyz"), "fingerprint": list("123")})
    large = pd.DataFrame({"participant_id": list("uvw"), "fingerprint": list("345")})
    scans = {"small": small.assign(status="ok"), "large": large.assign(status="ok")}
    rows = {row.model: row for row in overlaps(scans, config)}
    counts = {name: (row.participants, row.same_id, row.same_scan) for name, row in rows.items()}
    assert counts.pop("both") == (3, 3, 3)
    assert counts.pop("other") == (3, 0, 1)
    assert counts == dict.fromkeys(["random", "given"], (3, 0, 0))
    assert [name for name, row in rows.items() if not row.known] == ["given"]
