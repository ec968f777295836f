import gzip
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import cifti2

from semantoks.artifacts.provenance import sha256
from semantoks.config import AtlasFiles
from semantoks.data.atlas import checks
from semantoks.data.atlas.download import Source, fetch
from semantoks.data.atlas.files import Atlas, read_regions, same_space
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas
from semantoks.data.preprocess.minimal.template import SPACE
from semantoks.errors import UserError
from tests.web import FOR_EVER, serving

SIZES = {
    "Vis": 61,
    "SomMot": 77,
    "DorsAttn": 46,
    "SalVentAttn": 47,
    "Limbic": 26,
    "Cont": 52,
    "Default": 91,
    "Subcortex": 50,
    "Cerebellum": 7,
}


def made(
    name: str, folder: Path, files: AtlasFiles | None = None, atlas_dir: Path | None = None
) -> Atlas:
    paths = folder / f"atlas-{name}_dseg.nii.gz", folder / f"atlas-{name}_dseg.tsv"
    settings = GetAtlasSettings(atlas=name, custom=files, atlas_dir=atlas_dir and str(atlas_dir))
    get_atlas(settings, out=paths[0], table=paths[1])
    return Atlas.read(name, *paths)


@pytest.fixture(scope="session")
def published(shared: Path) -> Path:
    return shared / "atlases"


@pytest.fixture(scope="session")
def paper(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return made("semantoks457", tmp_path_factory.mktemp("paper"), atlas_dir=published)


@pytest.fixture
def own(tmp_path: Path) -> AtlasFiles:
    """Two regions left, two right, in a folder of their own."""
    labels = np.zeros((10, 4, 4), np.float32)
    labels[1], labels[2], labels[7], labels[8] = 1, 2, 3, 4
    affine = np.diag([10.0, 10, 10, 1])
    affine[0, 3] = -45
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "mine.nii.gz")
    names = ["a_L", "b_L", "a_R", "b_R"]
    table = pd.DataFrame({"index": range(1, 5), "name": names, "network": ["A", "None"] * 2})
    table.to_csv(tmp_path / "mine.tsv", sep="\t", index=False)
    return AtlasFiles(
        image=str(tmp_path / "mine.nii.gz"), table=str(tmp_path / "mine.tsv"), space="MNI152Lin"
    )


def test_seitzman_has_300_regions_at_their_centres(tmp_path: Path) -> None:
    atlas = made("seitzman300", tmp_path)
    labels, table = np.asarray(atlas.image.dataobj), atlas.regions
    assert list(table["index"]) == list(range(1, 301))
    assert table["name"].is_unique
    assert table["network"].nunique() == 14  # 13 and "unassigned"
    assert (np.bincount(labels.ravel(), minlength=301)[1:] > 10).all()

    from nilearn.datasets import fetch_coords_seitzman_2018

    source = fetch_coords_seitzman_2018()
    truth = source["rois"][["x", "y", "z"]].to_numpy(float)
    centres = checks.centroids(atlas.image)[1:]
    assert np.linalg.norm(centres - truth, axis=1).max() < 4.0  # spheres that share voxels
    assert set(table["hemisphere"][truth[:, 0] < -1]) == {"L"}
    assert set(table["hemisphere"][np.abs(truth[:, 0]) < 1]) <= {""}


def test_left_is_left(tmp_path: Path) -> None:
    atlas = made("seitzman300", tmp_path)
    left = atlas.regions.loc[atlas.regions["structure"] == "cortexL", "index"]
    assert checks.centroids(atlas.image)[left, 0].mean() < -20


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = (made("seitzman300", tmp_path / folder) for folder in ("a", "b"))
    assert first.sha256 == second.sha256
    content = (tmp_path / "a/atlas-seitzman300_dseg.nii.gz").read_bytes()
    assert content[4:8] == bytes(4)  # the time in the header of gzip


def test_an_unknown_atlas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no atlas 'aal'"):
        made("aal", tmp_path)


def test_the_merged_atlas_is_the_papers(paper: Atlas, published: Path) -> None:
    expected = pd.read_csv(published / "atlas-Schaefer400x7nTianS3Buckner7_dseg.tsv", sep="\t")
    for column in ("index", "name", "network"):
        assert list(paper.regions[column]) == list(expected[column])
    assert list(paper.regions["hemisphere"]) == list(expected["hemi"].replace("B", ""))
    assert paper.regions["network"].value_counts(sort=False).to_dict() == SIZES
    assert paper.space == "MNI152NLin6Asym"
    assert paper.image.shape == (91, 109, 91)
    voxels = np.bincount(np.asarray(paper.image.dataobj).ravel(), minlength=458)[1:]
    assert len(voxels) == 457
    assert voxels.min() >= 40
    # The expected centroids were measured at 1 mm.
    away = checks.centroids(paper.image)[1:] - expected[["R", "A", "S"]].to_numpy()
    assert np.abs(away).max() < 1.0


def test_the_merged_atlas_is_not_to_be_passed_on(published: Path, tmp_path: Path) -> None:
    made("semantoks457", tmp_path, atlas_dir=published)
    about = json.loads((tmp_path / "atlas-semantoks457_dseg.json").read_text())
    assert "CC BY-ND" in about["licence"]
    assert "do not redistribute" in about["licence"]
    assert len(about["sources"]) == 3
    assert all(source["url"].startswith("https://") for source in about["sources"])


def test_cerebellum_takes_only_free_voxels(paper: Atlas, published: Path) -> None:
    name = "Schaefer2018_400Parcels_7Networks_order_Tian_Subcortex_S3_MNI152NLin6Asym_2mm.nii.gz"
    before = np.asarray(nib.load(published / name).dataobj)
    merged = np.asarray(paper.image.dataobj)
    assert (merged[before > 50] == before[before > 50] - 50).all()
    assert (merged[(before > 0) & (before <= 50)] > 400).all()
    assert (merged[before == 0] > 450).sum() == (merged > 450).sum()


def test_a_flipped_image_is_caught(paper: Atlas) -> None:
    flipped = nib.Nifti1Image(np.asarray(paper.image.dataobj)[::-1], paper.image.affine)
    checks.require_hemispheres(paper.image, paper.regions)
    with pytest.raises(UserError, match="flipped left-right against its table: 450 of 450"):
        checks.require_hemispheres(flipped, paper.regions)
    nameless = paper.regions.drop(columns="hemisphere")
    with pytest.raises(UserError, match="flipped"):
        checks.require_hemispheres(flipped, nameless)


def test_cc200_networks_are_those_of_the_real_data(
    published: Path, shared: Path, tmp_path: Path
) -> None:
    atlas = made("cc200", tmp_path, atlas_dir=published)
    assert len(atlas.regions) == 200
    assert atlas.regions["name"][0] == "cc200_1"
    rois = pd.read_csv(shared / "data/abide1_cc200/rois.tsv", sep="\t", keep_default_na=False)
    agree = atlas.regions["network"].to_numpy() == rois["network"].to_numpy()
    # Near ties may go either way with another grid; on this one all 200 agree.
    assert (agree | (rois["purity"] < 0.55)).all()
    assert agree.mean() >= 0.98
    sided = atlas.regions["hemisphere"] != ""
    assert (rois["R"][sided] < 0).eq(atlas.regions["hemisphere"][sided] == "L").all()


def test_a_region_that_overlaps_nothing_has_no_network() -> None:
    from semantoks.data.atlas.craddock import networks_by_overlap

    a, b = np.zeros((2, 4, 4, 4), np.int16)
    a[0, 0, 0], a[3, 3, 3], b[0, 0, 0] = 5, 9, 1
    regions = pd.DataFrame({"index": [1], "network": ["Vis"]})
    images = (nib.Nifti1Image(labels, np.eye(4)) for labels in (a, b))
    assert networks_by_overlap(*images, regions).to_dict() == {5: "Vis", 9: "None"}


def schaefer_folder(folder: Path, prefix: str) -> Path:
    names = [f"{prefix}_{side}_Vis_{i}" for side in ("LH", "RH") for i in range(50)]
    table = pd.DataFrame({"index": range(1, 101), "name": names})
    stem = "Schaefer2018_100Parcels_7Networks_order"
    table.to_csv(folder / f"{stem}.txt", sep="\t", index=False, header=False)
    labels = np.arange(1, 101, dtype=np.int16).reshape(100, 1, 1)
    affine = np.diag([1.0, 1, 1, 1])
    affine[0, 3] = -49.5
    nib.save(nib.Nifti1Image(labels, affine), folder / f"{stem}_FSLMNI152_2mm.nii.gz")
    return folder


def test_schaefer_from_a_local_folder(tmp_path: Path) -> None:
    atlas = made(
        "schaefer100x7", tmp_path / "out", atlas_dir=schaefer_folder(tmp_path, "7Networks")
    )
    assert set(atlas.regions["network"]) == {"Vis"}
    assert list(atlas.regions["hemisphere"]) == ["L"] * 50 + ["R"] * 50
    with pytest.raises(UserError, match=r"no tpl-MNI152NLin6Asym_res-02_.*100Parcels17Networks"):
        made("schaefer100x17", tmp_path / "out", atlas_dir=tmp_path)


def test_seven_and_seventeen_networks_are_not_mixed_up(tmp_path: Path) -> None:
    folder = schaefer_folder(tmp_path, "17Networks")
    with pytest.raises(UserError, match=r"100 of 100 region names do not begin with '7Networks_'"):
        made("schaefer100x7", tmp_path / "out", atlas_dir=folder)
    mixed = pd.DataFrame({"name": ["7Networks_LH_Vis_1", "17Networks_LH_VisCent_1"]})
    with pytest.raises(UserError, match="mixes 17Networks_ and 7Networks_"):
        checks.require_one_family(mixed)
    wrong = pd.DataFrame({"index": [1, 2], "name": ["7Networks_RH_Vis_1", "7Networks_LH_Vis_1"]})
    with pytest.raises(UserError, match="not in Schaefer's order"):
        checks.require_order(wrong, "7Networks_")


def test_templateflow_out_of_reach_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import SimpleNamespace

    def get(*_: str, **__: str) -> Path:
        raise ConnectionError("no route")

    api = SimpleNamespace(get=get)
    monkeypatch.setitem(sys.modules, "templateflow", SimpleNamespace(api=api))
    with pytest.raises(UserError, match=r"400Parcels7Networks.*no route.*`atlas_dir`"):
        made("schaefer400x7", tmp_path)
    api.get = lambda *_, **__: []
    with pytest.raises(UserError, match=r"lacks 700 and 900 regions.*atlas_dir"):
        made("schaefer700x7", tmp_path)


FILE = Source("labels.txt", "0" * 64, ("https://example.org/pinned", "https://example.org/main"))


def test_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail(url: str, **_: object) -> str:
        asked.append(url)
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr("pooch.retrieve", fail)
    with pytest.raises(UserError) as error:
        made("semantoks457", tmp_path)
    sentence = str(error.value)
    assert "Tian_Subcortex_S3_MNI152NLin6Asym_2mm.nii.gz could not be fetched" in sentence
    assert "https://raw.githubusercontent.com/yetianmed/subcortex/" in sentence
    assert "let `atlas_dir` name a folder with the file(s)" in sentence
    assert "\n" not in sentence
    assert len(asked) == 2


def test_a_wrong_hash_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/labels.txt").write_text("x")
    with pytest.raises(UserError, match=r"deep/labels.txt\) is not the published file: .*0000 and"):
        fetch(FILE, tmp_path)

    (tmp_path / "web").mkdir()
    (tmp_path / "web/labels.txt").write_text("<html>")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(tmp_path / "web") as web:
        file = replace(FILE, urls=(f"{web.address}/labels.txt",))
        with pytest.raises(UserError, match=r"begin with 000000000000 and begins with [1-9a-f]"):
            fetch(file, None)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_download_that_breaks_leaves_nothing_and_one_that_ends_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = tmp_path / "web/labels.nii"
    published.parent.mkdir()
    published.write_bytes(np.random.default_rng(0).bytes(200_000))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(published.parent) as web:
        file = Source(published.name, sha256(published), (f"{web.address}/{published.name}",))
        web.ends_after, web.deaf_after_that = 100_000, FOR_EVER
        with pytest.raises(UserError, match=r"labels.nii could not be fetched from http.*\("):
            fetch(file, None)
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        web.deaf = 0
        assert fetch(file, None).read_bytes() == published.read_bytes()
    assert fetch(file, None).read_bytes() == published.read_bytes()  # without the server


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no labels.txt below atlas_dir .*https://example.org"):
        fetch(FILE, tmp_path)
    with pytest.raises(UserError, match="there is no folder"):
        fetch(FILE, tmp_path / "nowhere")


def test_a_users_own_atlas(own: AtlasFiles, tmp_path: Path) -> None:
    atlas = made("mine", tmp_path / "out", files=own)
    assert atlas.space == "MNI152Lin"
    assert atlas.image.get_data_dtype() == np.int16
    assert list(atlas.regions["hemisphere"]) == ["L", "L", "R", "R"]
    assert list(atlas.regions["network"]) == ["A", "None", "A", "None"]


def rewritten(own: AtlasFiles, **columns: object) -> None:
    table = pd.read_csv(own.table, sep="\t", keep_default_na=False)
    table.assign(**columns).to_csv(own.table, sep="\t", index=False)


def test_the_command_takes_a_users_own_atlas(own: AtlasFiles, tmp_path: Path) -> None:
    from semantoks.__main__ import main

    out, table = tmp_path / "out/a.nii.gz", tmp_path / "out/a.tsv"
    settings = json.dumps({"atlas": "mine", "custom": own.model_dump(), "atlas_dir": None})
    arguments = ["--settings", settings, "--files", own.image, own.table, "--table", str(table)]
    assert main(["get-atlas", *arguments, "--out", str(out)]) == 0
    assert Atlas.read("mine", out, table).space == own.space


def test_a_table_without_networks_is_refused(own: AtlasFiles, tmp_path: Path) -> None:
    table = pd.read_csv(own.table, sep="\t").drop(columns="network")
    table.to_csv(tmp_path / "mine.csv", index=False)
    files = own.model_copy(update={"table": str(tmp_path / "mine.csv")})
    with pytest.raises(UserError, match=r"no column 'network' \(columns: index, name\)"):
        made("mine", tmp_path / "out", files=files)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"index": [1, 2, 3, 5]}, r"Atlas mine: 1 of 4 regions of the table have no voxel .*\b5\)"),
        ({"index": [1, 2, 3, 3]}, r"label 3 twice"),
        ({"index": ["1", "2", "3", "x"]}, "in line 5"),
        ({"network": ["A", "", "B", "B"]}, "in line 3"),
        ({"hemi": ["R", "R", "L", "L"]}, "flipped left-right against its table: 4 of 4"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    own: AtlasFiles, tmp_path: Path, columns: dict[str, object], message: str
) -> None:
    rewritten(own, **columns)
    with pytest.raises(UserError, match=message):
        made("mine", tmp_path / "out", files=own)
    assert not (tmp_path / "out").exists()


def test_an_unknown_label_is_refused(own: AtlasFiles, tmp_path: Path) -> None:
    table = pd.read_csv(own.table, sep="\t", keep_default_na=False)
    table.iloc[:3].to_csv(own.table, sep="\t", index=False)
    with pytest.raises(UserError, match=r"1 of 4 labels of the image have no row .*labels 4"):
        made("mine", tmp_path / "out", files=own)


def test_an_image_that_is_no_atlas_is_refused(own: AtlasFiles, tmp_path: Path) -> None:
    image = nib.load(own.image)
    nib.save(nib.Nifti1Image(image.get_fdata() / 2, image.affine), own.image)
    with pytest.raises(UserError, match="values that are not labels"):
        made("mine", tmp_path / "out", files=own)
    nib.save(nib.Nifti1Image(np.stack([image.get_fdata()] * 2, -1), image.affine), own.image)
    with pytest.raises(UserError, match=r"shape \(10, 4, 4, 2\); an atlas has one map"):
        made("mine", tmp_path / "out", files=own)
    nowhere = nib.Nifti1Image(image.get_fdata(), image.affine)
    nowhere.set_sform(image.affine, code=0)
    nowhere.set_qform(image.affine, code=0)
    nib.save(nowhere, own.image)
    with pytest.raises(UserError, match="qform and sform codes are both 0"):
        made("mine", tmp_path / "out", files=own)
    Path(own.image).write_bytes(b"not an image")
    with pytest.raises(UserError, match="not readable"):
        made("mine", tmp_path / "out", files=own)


def test_an_affine_must_be_sane(own: AtlasFiles, tmp_path: Path) -> None:
    content = bytearray(gzip.decompress(Path(own.image).read_bytes()))
    content[280:296] = bytes(16)  # first row of the sform
    (tmp_path / "flat.nii").write_bytes(content)
    files = own.model_copy(update={"image": str(tmp_path / "flat.nii")})
    with pytest.raises(UserError, match=r"flat.nii: The image's affine is not finite or not inv"):
        made("mine", tmp_path / "out", files=files)


@pytest.mark.parametrize("sides", [("Left", "Right"), ("Right", "Left")])
def test_a_users_cifti_is_copied_and_read(tmp_path: Path, sides: tuple[str, str]) -> None:
    models = [cifti2.BrainModelAxis.from_mask(np.ones(4), name=f"Cortex{side}") for side in sides]
    names = cifti2.LabelAxis(["x"], [{i: (str(i), (0, 0, 0, 1)) for i in range(3)}])
    labels = np.repeat([[1.0, 2.0]], 4, axis=1).astype(np.float32)
    path, table = tmp_path / "mine.dlabel.nii", tmp_path / "mine.csv"
    cifti2.Cifti2Image(labels, (names, models[0] + models[1])).to_filename(path)
    table.write_text("index,name,network,hemisphere\n0,none,none,\n1,a,A,L\n2,b,B,R\n")
    files = AtlasFiles(image=str(path), table=str(table), space="fsLR")
    if sides[0] == "Right":
        with pytest.raises(UserError, match="flipped.*in the other hemisphere"):
            made("mine", tmp_path / "out", files=files)
        return
    atlas = made("mine", tmp_path / "out", files=files)
    assert isinstance(atlas.image, cifti2.Cifti2Image)
    assert np.array_equal(atlas.image.get_fdata(), labels)
    written = (tmp_path / "out/atlas-mine_dseg.nii.gz").read_bytes()
    assert gzip.decompress(written) == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("7Networks_LH_Vis_1", "L"),
        ("HIP-head-m-rh", "R"),
        ("Amygdala_L", "L"),
        ("hemi-R_V1", "R"),
        ("Buckner7_Limbic", ""),
    ],
)
def test_names_tell_the_side(name: str, side: str) -> None:
    assert checks.hemisphere(name) == side


@pytest.mark.parametrize(
    ("atlas", "run", "fits"),
    [
        ("MNI152NLin6Asym", "MNI152NLin6Asym", True),
        ("MNI152NLin6Asym", "MNI152NLin6Asym:res-2", True),
        ("MNI152NLin6Asym", "MNI152NLin2009cAsym", False),
        ("MNI152NLin6Asym", SPACE, False),
        ("MNI152", SPACE, True),
        ("MNI152NLin6Asym", "MNI152", False),
        ("MNI152", "MNIPediatricAsym:cohort-1", False),
        ("MNIInfant:cohort-1", "MNIInfant+2", False),
        ("MNIInfant:cohort-2:res-1", "MNIInfant+2", True),
        ("fsLR", "fsLR_den-91k", True),
    ],
)
def test_spaces(atlas: str, run: str, fits: bool) -> None:
    assert same_space(atlas, run) == fits


def test_an_atlas_without_its_json_is_refused(tmp_path: Path) -> None:
    made("seitzman300", tmp_path)
    (tmp_path / "atlas-seitzman300_dseg.json").unlink()
    image, table = (tmp_path / f"atlas-seitzman300_dseg.{end}" for end in ("nii.gz", "tsv"))
    assert len(read_regions(table)) == 300
    with pytest.raises(UserError, match=r"no atlas-seitzman300_dseg.json beside"):
        Atlas.read("seitzman300", image, table)
