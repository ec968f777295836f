import sys
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.errors import UserError
from tests.unit.data.atlas.conftest import write_and_read


def write_cbig_files(folder: Path, prefix: str) -> Path:
    """Write image and table of 100 regions, named as CBIG does."""
    names = [f"{prefix}_{side}_Vis_{i}" for side in ("LH", "RH") for i in range(50)]
    table = pd.DataFrame({"index": range(1, 101), "name": names})
    stem = "Schaefer2018_100Parcels_7Networks_order"
    table.to_csv(folder / f"{stem}.txt", sep="\t", index=False, header=False)
    labels = np.arange(1, 101, dtype=np.int16).reshape(100, 1, 1)
    affine = np.diag([1.0, 1, 1, 1])
    affine[0, 3] = -49.5
    nib.save(nib.Nifti1Image(labels, affine), folder / f"{stem}_FSLMNI152_2mm.nii.gz")
    return folder


def test_files_from_a_local_folder(tmp_path: Path) -> None:
    folder = write_cbig_files(tmp_path, "7Networks")
    atlas = write_and_read("schaefer100x7", tmp_path / "out", atlas_dir=folder)
    assert set(atlas.regions["network"]) == {"Vis"}
    assert list(atlas.regions["hemisphere"]) == ["L"] * 50 + ["R"] * 50


def test_missing_files_are_named(tmp_path: Path) -> None:
    expected = r"contains neither tpl-MNI152NLin6Asym_res-02_.*100Parcels17Networks"
    with pytest.raises(UserError, match=expected):
        write_and_read("schaefer100x17", tmp_path / "out", atlas_dir=tmp_path)


def test_table_of_another_version_raises(tmp_path: Path) -> None:
    folder = write_cbig_files(tmp_path, "17Networks")
    with pytest.raises(UserError, match=r"100 of 100 region names do not begin with '7Networks_'"):
        write_and_read("schaefer100x7", tmp_path / "out", atlas_dir=folder)


def test_failing_templateflow_is_reported_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(*_: str, **__: str) -> Path:
        raise ConnectionError("no route")

    api = SimpleNamespace(get=get)
    monkeypatch.setitem(sys.modules, "templateflow", SimpleNamespace(api=api))
    with pytest.raises(UserError, match=r"400Parcels7Networks.*no route.*`atlas_dir`"):
        write_and_read("schaefer400x7", tmp_path)
    api.get = lambda *_, **__: []
    with pytest.raises(UserError, match=r"lacks 700 and 900 regions.*atlas_dir"):
        write_and_read("schaefer700x7", tmp_path)
