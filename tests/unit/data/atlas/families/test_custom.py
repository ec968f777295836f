import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import cifti2

from semantoks.config import AtlasFiles
from semantoks.data.atlas.families.custom import build
from semantoks.errors import UserError
from tests.unit.data.atlas.conftest import write_and_read


def test_image_and_table_are_read(custom_files: AtlasFiles, tmp_path: Path) -> None:
    atlas = write_and_read("mine", tmp_path / "out", custom_files)
    assert atlas.space == "MNI152Lin"
    assert atlas.image.get_data_dtype() == np.int16
    assert list(atlas.regions["hemisphere"]) == ["L", "L", "R", "R"]
    assert list(atlas.regions["network"]) == ["A", "None", "A", "None"]


def test_table_without_networks_raises(custom_files: AtlasFiles, tmp_path: Path) -> None:
    table = pd.read_csv(custom_files.table, sep="\t").drop(columns="network")
    table.to_csv(tmp_path / "mine.csv", index=False)
    files = custom_files.model_copy(update={"table": str(tmp_path / "mine.csv")})
    with pytest.raises(UserError, match=r"no column 'network' \(columns: index, name\)"):
        write_and_read("mine", tmp_path / "out", files)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"index": [1, 2, 3, 5]}, r"Atlas mine: 1 of 4 regions of the table have no voxel .*\b5\)"),
        ({"index": [1, 2, 3, 3]}, r"label 3 more than once"),
        ({"index": ["1", "2", "3", "x"]}, "in line 5"),
        ({"network": ["A", "", "B", "B"]}, "in line 3"),
        ({"hemi": ["R", "R", "L", "L"]}, "flipped left-right relative to its table: 4 of 4"),
    ],
)
def test_inconsistent_table_raises(
    custom_files: AtlasFiles, tmp_path: Path, columns: dict[str, object], message: str
) -> None:
    table = pd.read_csv(custom_files.table, sep="\t", keep_default_na=False)
    table.assign(**columns).to_csv(custom_files.table, sep="\t", index=False)
    with pytest.raises(UserError, match=message):
        write_and_read("mine", tmp_path / "out", custom_files)
    assert not (tmp_path / "out").exists()


def test_label_without_row_raises(custom_files: AtlasFiles, tmp_path: Path) -> None:
    table = pd.read_csv(custom_files.table, sep="\t", keep_default_na=False)
    table.iloc[:3].to_csv(custom_files.table, sep="\t", index=False)
    with pytest.raises(UserError, match=r"1 of 4 labels of the image have no row .*labels 4"):
        write_and_read("mine", tmp_path / "out", custom_files)


def test_image_that_is_not_a_label_image_raises(custom_files: AtlasFiles, tmp_path: Path) -> None:
    image = nib.load(custom_files.image)
    undeclared = nib.Nifti1Image(image.get_fdata(), image.affine)
    undeclared.set_sform(image.affine, code=0)
    undeclared.set_qform(image.affine, code=0)
    two_maps = np.stack([image.get_fdata()] * 2, -1)
    for unsuitable, message in (
        (nib.Nifti1Image(image.get_fdata() / 2, image.affine), "values that are not labels"),
        (nib.Nifti1Image(two_maps, image.affine), r"shape \(10, 4, 4, 2\), .* single map"),
        (undeclared, "qform and sform codes are both 0"),
    ):
        nib.save(unsuitable, custom_files.image)
        with pytest.raises(UserError, match=message):
            write_and_read("mine", tmp_path / "out", custom_files)


def test_unreadable_image_raises(custom_files: AtlasFiles, tmp_path: Path) -> None:
    Path(custom_files.image).write_bytes(b"not an image")
    with pytest.raises(UserError, match="not readable"):
        write_and_read("mine", tmp_path / "out", custom_files)


def test_singular_affine_raises(custom_files: AtlasFiles, tmp_path: Path) -> None:
    content = bytearray(gzip.decompress(Path(custom_files.image).read_bytes()))
    content[280:296] = bytes(16)  # first row of the sform
    (tmp_path / "flat.nii").write_bytes(content)
    files = custom_files.model_copy(update={"image": str(tmp_path / "flat.nii")})
    with pytest.raises(UserError, match=r"flat.nii: The image's affine is not finite or not inv"):
        write_and_read("mine", tmp_path / "out", files)


def write_cifti(folder: Path, sides: tuple[str, str]) -> AtlasFiles:
    """Write a dlabel file with four vertices per structure: label 1, then label 2."""
    models = [cifti2.BrainModelAxis.from_mask(np.ones(4), name=f"Cortex{side}") for side in sides]
    names = cifti2.LabelAxis(["x"], [{i: (str(i), (0, 0, 0, 1)) for i in range(3)}])
    labels = np.repeat([[1.0, 2.0]], 4, axis=1).astype(np.float32)
    image, table = folder / "mine.dlabel.nii", folder / "mine.csv"
    cifti2.Cifti2Image(labels, (names, models[0] + models[1])).to_filename(image)
    table.write_text("index,name,network,hemisphere\n0,none,none,\n1,a,A,L\n2,b,B,R\n")
    return AtlasFiles(image=str(image), table=str(table), space="fsLR")


def test_cifti_image_is_copied_unchanged(tmp_path: Path) -> None:
    files = write_cifti(tmp_path, ("Left", "Right"))
    atlas = write_and_read("mine", tmp_path / "out", files)
    assert isinstance(atlas.image, cifti2.Cifti2Image)
    assert np.array_equal(atlas.image.get_fdata(), np.repeat([[1.0, 2.0]], 4, axis=1))
    written = (tmp_path / "out/atlas-mine_dseg.nii.gz").read_bytes()
    assert gzip.decompress(written) == Path(files.image).read_bytes()


def test_flipped_cifti_image_raises(tmp_path: Path) -> None:
    files = write_cifti(tmp_path, ("Right", "Left"))
    with pytest.raises(UserError, match="flipped.*in the other hemisphere"):
        write_and_read("mine", tmp_path / "out", files)


def test_cells_and_headers_of_the_table_are_stripped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("index , name,network\n1, a ,A\n 2,b,A \n")
    regions = build("mine", AtlasFiles(table=str(path))).regions
    assert regions["name"].tolist() == ["a", "b"] and set(regions["network"]) == {"A"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not a readable table"),
        ("index,name,network\n1,a,A,x,y\n2,b\n", "have more cells than its header"),
        ("index,name,network\n1,a\n", "no network in line 2"),
        ("index,name,network\n0,background,none\n", "lists no region"),
    ],
)
def test_damaged_tables_are_a_sentence(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=reason):
        build("mine", AtlasFiles(table=str(path)))
