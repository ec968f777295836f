import json
from pathlib import Path

import pytest

from semantoks.__main__ import main
from semantoks.artifacts.provenance import sha256
from semantoks.config import AtlasFiles
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas
from semantoks.errors import UserError
from tests.unit.data.atlas.conftest import write_and_read


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = (write_and_read("seitzman300", tmp_path / folder) for folder in ("a", "b"))
    assert first.sha256 == second.sha256
    content = (tmp_path / "a/atlas-seitzman300_dseg.nii.gz").read_bytes()
    assert content[4:8] == bytes(4)  # modification time in the gzip header


def test_unknown_atlas_raises(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no atlas 'aal'"):
        write_and_read("aal", tmp_path)


def test_metadata_has_licence_and_sources(published: Path, tmp_path: Path) -> None:
    write_and_read("semantoks457", tmp_path, atlas_dir=published)
    metadata = json.loads((tmp_path / "atlas-semantoks457_dseg.json").read_text())
    assert "CC BY-ND" in metadata["licence"]
    assert "do not redistribute" in metadata["licence"]
    assert len(metadata["sources"]) == 3
    assert all(source["url"].startswith("https://") for source in metadata["sources"])


def test_command_writes_custom_atlas(custom_files: AtlasFiles, tmp_path: Path) -> None:
    out, table = tmp_path / "out/a.nii.gz", tmp_path / "out/a.tsv"
    settings = json.dumps({"atlas": "mine", "custom": custom_files.model_dump(), "atlas_dir": None})
    files = [custom_files.image, custom_files.table]
    arguments = ["--settings", settings, "--files", *files, "--table", str(table)]
    assert main(["get-atlas", *arguments, "--out", str(out)]) == 0
    assert Atlas.read("mine", out, table).space == custom_files.space


def test_a_table_is_an_atlas_without_image(custom_files: AtlasFiles, tmp_path: Path) -> None:
    table = tmp_path / "out/atlas-mine_dseg.tsv"
    files = AtlasFiles(table=custom_files.table)
    settings = GetAtlasSettings(atlas="mine", custom=files)
    metadata = table.with_suffix(".json")
    assert get_atlas(settings, table=table, out=table) == [table, metadata]
    assert sorted(path.name for path in table.parent.iterdir()) == [metadata.name, table.name]
    atlas = Atlas.read("mine", None, table)
    assert atlas.image is None and atlas.space == "" and atlas.sha256 == sha256(table)
    assert list(atlas.regions["name"]) == ["a_L", "b_L", "a_R", "b_R"]
    sources = json.loads(metadata.read_text())["sources"]
    assert [source["file"] for source in sources] == [custom_files.table]
    with pytest.raises(UserError, match="it has no image to write to .* Name the table as --out"):
        get_atlas(settings, table=table, out=tmp_path / "out/a.nii.gz")


def test_a_table_without_image_is_checked(custom_files: AtlasFiles, tmp_path: Path) -> None:
    path = Path(custom_files.table)
    path.write_text(path.read_text().replace("b_R", "a_R"))
    settings = GetAtlasSettings(atlas="mine", custom=AtlasFiles(table=str(path)))
    with pytest.raises(UserError, match="Atlas mine: The table names two regions 'a_R'"):
        get_atlas(settings, table=tmp_path / "a.tsv", out=tmp_path / "a.tsv")
