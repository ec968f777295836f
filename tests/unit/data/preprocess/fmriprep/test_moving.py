"""Outputs of all versions of fMRIPrep end up in the layout of the current one."""

from __future__ import annotations

from semantoks.data.layout import generated_by
from tests.stand_ins.sandbox import Sandbox


def test_names_and_folders_of_version_20_1(sandbox: Sandbox) -> None:
    sandbox.fail(old=True)
    table = sandbox.run()
    assert list(table["status"]) == ["ok"] * 4
    name = "sub-01/func/sub-01_task-rest_desc-confounds_regressors.tsv"
    assert (sandbox.out / name).exists()
    assert (sandbox.out / "sourcedata/freesurfer/sub-01").is_dir()
    assert generated_by(sandbox.out) == "fMRIPrep 20.1.3"
