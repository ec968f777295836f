"""Text tables are read with and without headers of names, labels or numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import NAMES, read


def test_labels_name_columns_too(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    header = "#30\t#11\t#41\t#12"  # as C-PAC writes .1D files
    np.savetxt(
        tmp_path / "a.1D", values[:, [2, 0, 3, 1]], delimiter="\t", header=header, comments=""
    )
    np.testing.assert_allclose(read(tmp_path / "a.1D", named_atlas).means_TC, values)


def test_tables_without_header_are_in_the_order_of_the_atlas(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    np.savetxt(tmp_path / "a.1D", values)
    np.testing.assert_allclose(read(tmp_path / "a.1D", named_atlas).means_TC, values)
    np.savetxt(tmp_path / "b.1D", values[:, :3])
    with pytest.raises(ScanError, match=r"shape \(30, 3\), a table with 4 regions is expected"):
        read(tmp_path / "b.1D", named_atlas)


@pytest.mark.parametrize("first", ["volume", ""])
def test_numbered_columns_are_labels_or_count_from_zero(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, first: str
) -> None:
    table = pd.DataFrame(values)  # its header is 0, 1, 2, 3
    table.to_csv(tmp_path / "zero.csv", index=False)
    table.rename_axis(first).to_csv(tmp_path / "index.csv")
    table[[2, 0, 3, 1]].set_axis([30, 11, 41, 12], axis=1).to_csv(
        tmp_path / "labels.tsv", sep="\t", index=False
    )
    table.set_axis([1, 2, 3, 4], axis=1).rename_axis("volume").to_csv(tmp_path / "one.csv")
    for name in ("zero.csv", "index.csv", "labels.tsv"):
        np.testing.assert_allclose(read(tmp_path / name, named_atlas).means_TC, values)
    with pytest.raises(ScanError, match=r"numbers its columns \(1 to 4\), but not by the labels"):
        read(tmp_path / "one.csv", named_atlas)


def test_a_region_without_data_keeps_its_column(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    table = pd.DataFrame(values)
    table[1] = np.nan
    table.to_csv(tmp_path / "hole.1D", sep="\t", index=False, header=False, na_rep="n/a")
    means_TC = read(tmp_path / "hole.1D", named_atlas).means_TC
    assert np.isnan(means_TC).all(0).tolist() == [False, True, False, False]


def test_malformed_tables_are_a_reason(tmp_path: Path, named_atlas: Atlas) -> None:
    for name, content in {
        "empty.tsv": b"",
        "words.tsv": b"a\tb\tc\td\n1\t2\t3\tfour\n",
        "binary.csv": b"\xff\xfe\x00\x9d\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ScanError, match=name):
            read(tmp_path / name, named_atlas)


@pytest.mark.parametrize("style", ["{}", "{}.0", "{}.000000e+00", "#{}"])
def test_ascending_numbers_are_a_header_and_never_a_volume(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, style: str
) -> None:
    path = tmp_path / "a.tsv"
    for labels, columns in (
        ([11, 12, 30, 41], [0, 1, 2, 3]),
        ([11, 12, 41], [0, 1, 3]),  # a region is missing
        ([11, 12, 30, 35, 41], [0, 1, 2, 0, 3]),  # 35 is not in the atlas
    ):
        exact = style.replace("{}.000000e+00", "{:.6e}") if "e+" in style else style
        header = "\t".join(exact.format(label) for label in labels)
        np.savetxt(path, values[:, columns], delimiter="\t", header=header, comments="")
        means_TC = read(path, named_atlas).means_TC
        present = [0, 1, 2, 3] if len(labels) > 3 else [0, 1, 3]
        np.testing.assert_allclose(means_TC[:, present], values[:, present])
        assert np.isnan(np.delete(means_TC, present, axis=1)).all()


def test_numbers_that_are_not_labels_are_a_reason(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    for header, reason in (
        ("1.0,2.0,3.0,4.0", r"numbers its columns \(1 to 4\), but not by the labels"),
        ("0,1,2", "numbers its columns from 0 to 2, .* `regions`"),  # which one is missing?
    ):
        columns = values[:, : header.count(",") + 1]
        np.savetxt(tmp_path / "a.csv", columns, delimiter=",", header=header, comments="")
        with pytest.raises(ScanError, match=reason):
            read(tmp_path / "a.csv", named_atlas)


def test_numbers_that_only_count_take_the_configured_names(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    np.savetxt(tmp_path / "a.csv", values, delimiter=",", header="1,2,3,4", comments="")
    scan = read(tmp_path / "a.csv", named_atlas, names=NAMES[::-1])
    np.testing.assert_allclose(scan.means_TC, values[:, ::-1])


def test_comments_are_skipped(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    rows = "\n".join(" ".join(map(str, row)) for row in values)
    for name, text in {
        "before.1D": f"# 3dROIstats -quiet -mask x.nii y.nii\n% of MATLAB\n\n{rows}\n",
        "within.1D": f"{rows}\n# done\n",
        "header.1D": f"# made by me\n# {' '.join(NAMES)}\n{rows}\n",
        "bom.txt": f"\ufeff{' '.join(NAMES)}\n{rows}\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        np.testing.assert_allclose(read(tmp_path / name, named_atlas).means_TC, values)
    # As many words as columns may be the names of another atlas.
    (tmp_path / "words.1D").write_text(f"# V1 V2 V3 V4\n{rows}\n")
    with pytest.raises(ScanError, match="0 of 4 columns of words.1D are regions of the atlas"):
        read(tmp_path / "words.1D", named_atlas)


def test_missing_values_have_many_spellings(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    for word in ("n/a", "N/A", "na", "#N/A", ".", "NULL"):
        rows = [f"{word}\t" + "\t".join(map(str, row[1:])) for row in values]
        (tmp_path / "a.tsv").write_text("\n".join(rows) + "\n")
        means_TC = read(tmp_path / "a.tsv", named_atlas).means_TC
        assert len(means_TC) == len(values) and np.isnan(means_TC[:, 0]).all()


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("a.1D", lambda rows: [*rows[:9], f"# {rows[9]}", *rows[10:]], "commented out"),
        ("a.1D", lambda rows: [*rows[:-1], rows[-1].split()[0]], "line 30 .* damaged"),
        ("a.1D", lambda rows: [*rows[:9], "x y z w", *rows[10:]], "line 10 .* not a number"),
        ("a.tsv", lambda rows: [row.replace(" ", ",") for row in rows], "separated by tabs"),
        ("a.csv", lambda rows: [row.replace(" ", ";") for row in rows], "separated by tabs"),
        ("a.1D", lambda rows: ["# 30 11 41 12", "11 12 30 41", *rows], "two rows that may be"),
        ("a.1D", lambda rows: [f"{n} {row[:-4]}" for n, row in enumerate(rows)], "shape"),
    ],
)
def test_damaged_and_ambiguous_tables_are_a_reason(
    tmp_path: Path,
    named_atlas: Atlas,
    values: np.ndarray,
    name: str,
    change: Callable[[list[str]], list[str]],
    reason: str,
) -> None:
    rows = [" ".join(f"{value:.6f}" for value in row) for row in values]
    (tmp_path / name).write_text("\n".join(change(rows)) + "\n")
    with pytest.raises(ScanError, match=reason):
        read(tmp_path / name, named_atlas)


def test_a_second_header_is_no_volume(tmp_path: Path) -> None:
    """pandas writes two rows for a table whose columns have a name and a number."""
    names = [f"r{n}" for n in range(10)]
    atlas = Atlas("toy", None, pd.DataFrame({"index": range(10), "name": names}), "", "0")
    columns = pd.MultiIndex.from_arrays([names, range(1, 11)])
    signals = np.random.default_rng(0).normal(size=(30, 10))
    pd.DataFrame(signals, columns=columns).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ScanError, match="two rows that may be its header"):
        read(tmp_path / "a.csv", atlas)


def roistats(values: np.ndarray, labels: list[object], image: str = "rest+tlrc") -> str:
    """A table as AFNI's 3dROIstats writes it."""
    header = "\t".join(["File", "Sub-brick", *(f"Mean_{label}  " for label in labels)])
    rows = [
        "\t".join([f"/data/{image}[{n}]", f"{n}[?]", *(f"{value:.9f}" for value in row)])
        for n, row in enumerate(values)
    ]
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize("labels", [[30, 11, 41, 12], [NAMES[n] for n in (2, 0, 3, 1)]])
def test_tables_of_3droistats(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, labels: list[object]
) -> None:
    """Image and volume are no regions; Mean_30 is the region with the label 30."""
    (tmp_path / "a.1D").write_text(roistats(values[:, [2, 0, 3, 1]], labels))
    means_TC = read(tmp_path / "a.1D", named_atlas).means_TC
    np.testing.assert_allclose(means_TC, values, atol=1e-8)


def test_tables_of_3droistats_with_commented_labels(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    """The header may be a comment, and so may image and volume, on lines of their own."""
    header, *rows = roistats(values, [11, 12, 30, 41]).splitlines()
    lines = [f"#{header}"]
    for row in rows:
        image, volume, *cells = row.split("\t")
        lines += [f"#{image}\t{volume}", "\t" + "\t".join(cells)]
    (tmp_path / "a.1D").write_text("\n".join(lines))
    np.testing.assert_allclose(read(tmp_path / "a.1D", named_atlas).means_TC, values, atol=1e-8)


def test_other_text_in_a_table_of_3droistats_is_a_reason(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    table = roistats(values, [11, 12, 30, 41]).replace("Sub-brick", "Volume")
    (tmp_path / "a.1D").write_text(table)
    with pytest.raises(ScanError, match=r"line 2 of a.1D has a value that is not a number"):
        read(tmp_path / "a.1D", named_atlas)
    table = roistats(values, [11, 12, 30, 41]).replace("3[?]", "")
    (tmp_path / "a.1D").write_text(table)
    with pytest.raises(ScanError, match="line 5 of a.1D has 3 cells, the first row has 4"):
        read(tmp_path / "a.1D", named_atlas)


def test_adhd_200_has_another_cc200(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    image = "sfnwmrda0010001_session_1_rest_1.nii.gz"
    (tmp_path / "a.1D").write_text(roistats(values, [11, 12, 30, 41], image))
    means_TC = read(tmp_path / "a.1D", named_atlas).means_TC  # an atlas of the user's
    np.testing.assert_allclose(means_TC, values, atol=1e-8)
    built_in = replace(named_atlas, name="cc200")
    with pytest.raises(ScanError, match="whose regions have other numbers than those of cc200"):
        read(tmp_path / "a.1D", built_in)
