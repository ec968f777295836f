"""BIDS data sets below the folder of a data set are found, or their key is suggested."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from semantoks.config import Dataset
from semantoks.config.folders import folders_hint, folders_of
from semantoks.config.listing import _listing, listing_of
from semantoks.errors import UserError


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def test_folders_hold_participants(tmp_path: Path) -> None:
    make(tmp_path, "MRI/Site-RU/sub-01", "MRI/Site-SI/sub-02", "MRI/Site-RU_Derivatives/x")
    make(tmp_path, "MRI/Site-RU/derivatives/sub-01", "sub-09/sub-01")
    (tmp_path / "MRI/Site-CUNY").touch()
    expected = [tmp_path / "MRI/Site-RU", tmp_path / "MRI/Site-SI"]
    assert folders_of(tmp_path, ["MRI/Site-*"]) == expected
    assert folders_of(tmp_path, ["MRI/Site-SI", "*/Site-RU"]) == expected
    assert folders_of(tmp_path, []) == [tmp_path]
    with pytest.raises(UserError, match=r"datasets.hbn.folders has 'Site-\*', .* no folder fits"):
        folders_of(tmp_path, ["Site-*"], "hbn")
    with pytest.raises(UserError, match="`folders` .* the folders that fit hold no sub-"):
        folders_of(tmp_path, ["MRI"])
    with pytest.raises(UserError, match="hold no sub-"):
        folders_of(tmp_path, ["*"])  # not that of sub-09


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["MRI/Site-RU", "MRI/Site-SI", "MRI/Site-CBIC"], '["MRI/Site-*"]'),
        (["R10/Site-RU", "R11/Site-SI"], '["R*/Site-*"]'),
        (["NYU", "KKI"], '["NYU", "KKI"]'),
        (["rawdata"], '["rawdata"]'),
    ],
)
def test_the_hint_has_the_right_value(tmp_path: Path, names: list[str], value: str) -> None:
    """What it names is right: other folders with people, such as derivatives, are not in it."""
    make(tmp_path, *(f"{name}/sub-01" for name in names))
    make(tmp_path, "derivatives/sub-01", "code/x", f"{names[0]}/sourcedata/sub-01")
    (tmp_path / "README").touch()
    hint = folders_hint(tmp_path)
    if names == ["NYU", "KKI"]:
        # One star would take the derivatives as well.
        assert hint.endswith('set `folders: ["KKI", "NYU"]` of the data set.')
    else:
        assert hint.endswith(f"set `folders: {value}` of the data set.")


def test_there_is_no_hint_where_nobody_is(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c/sub-01", "derivatives/sub-01")
    assert folders_hint(tmp_path) == ""


@pytest.mark.parametrize("pattern", ["/MRI", "MRI/", "../x", "**", "", "sub-*", "MRI/sub-01", "."])
def test_patterns_stay_below_the_data_set(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"must name folders below `path`|of participants"):
        Dataset(path="x", folders=[pattern])


def test_a_template_names_folders_by_itself() -> None:
    with pytest.raises(ValidationError, match="'folders' does not go with 'template'"):
        Dataset(path="x", source="fmriprep", template="{participant}.nii", folders=["a"])


def test_a_plan_notices_people_in_folders(tmp_path: Path) -> None:
    def listing() -> str:
        _listing.cache_clear()
        return listing_of(Dataset(path=str(tmp_path), folders=["MRI/Site-*"]))

    assert listing() == ""
    make(tmp_path, "MRI/Site-RU/sub-01")
    first = listing()
    (tmp_path / "MRI/Site-RU/README").touch()
    assert listing() == first
    make(tmp_path, "MRI/Site-SI/sub-01")
    assert listing() not in ("", first)
