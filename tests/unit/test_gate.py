"""Only regular files of a data set are opened, and only links that may be followed are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semantoks import gate
from semantoks.errors import ScanError, UserError, shown
from semantoks.gate import DEPARTURE, Gate, problem_of_file, require_file
from semantoks.system.workers import completed
from tests.unit.data.index.conftest import touch


def test_pipes_devices_folders_and_huge_texts_are_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.tsv").mkdir()
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    (tmp_path / "annexed.nii").symlink_to("nowhere")
    touch(tmp_path, "good.json")
    expected = {
        "pipe.json": "is a named pipe, a file is needed",
        "folder.tsv": "is a folder, a file is needed",
        "zero.json": "is a device, a file is needed",
        "annexed.nii": "is a link to a file that is not here",
        "absent.nii": "absent.nii is missing",
    }
    for name, problem in expected.items():
        assert problem in problem_of_file(tmp_path / name)
    assert problem_of_file(tmp_path / "good.json") == ""
    with (tmp_path / "good.json").open("wb") as file:
        file.truncate(51_000_000)  # a hole, which takes no space
    assert "has 51 MB; files of its kind have at most 50 MB" in problem_of_file(Path(file.name))
    monkeypatch.setitem(gate.LARGEST_TEXT, ".json", 100_000_000)
    assert problem_of_file(tmp_path / "good.json") == ""


def test_links_may_stay_inside_or_lead_to_named_folders(tmp_path: Path) -> None:
    root, store = tmp_path / "data", tmp_path / "store"
    touch(root, ".git/annex/objects/x/y", "sub-01/a.nii")
    touch(store, "sub-02/b.nii", "c.nii")
    (root / "sub-01/annexed.nii").symlink_to("../.git/annex/objects/x/y")
    (root / "sub-02").symlink_to("../store/sub-02")
    (root / "sub-01/c.nii").symlink_to(store / "c.nii")
    strict = Gate(root)
    assert strict.problem_of(root / "sub-01/a.nii") == ""
    assert strict.problem_of(root / "sub-01/annexed.nii") == ""
    reason = f"c.nii leads out of the data set, to {shown(str(store))}; if it belongs to it, list"
    assert strict.problem_of(root / "sub-01/c.nii").startswith(reason)
    assert strict.problem_of(root / "sub-02/b.nii").startswith("b.nii leads out")
    named = Gate(root, [store])
    assert not any(map(named.problem_of, [root / "sub-01/c.nii", root / "sub-02/b.nii"]))
    # The data set itself may be a link.
    (tmp_path / "alias").symlink_to(root)
    assert Gate(tmp_path / "alias").problem_of(tmp_path / "alias/sub-01/annexed.nii") == ""
    assert Gate(tmp_path / "alias").problem_of(tmp_path / "alias/sub-01/c.nii")
    # A folder is no store because its name begins like one.
    assert Gate(root, [tmp_path / "sto"]).problem_of(root / "sub-01/c.nii")


def test_content_of_the_repository_around_derivatives_may_be_read(tmp_path: Path) -> None:
    touch(tmp_path, "study/.git/annex/objects/k", "other/.git/annex/objects/k", "study/secret")
    root = tmp_path / "study/derivatives/fmriprep"
    root.mkdir(parents=True)
    (root / "a.nii").symlink_to("../../.git/annex/objects/k")
    (root / "b.nii").symlink_to("../../../other/.git/annex/objects/k")
    (root / "c.nii").symlink_to("../../secret")
    problems = [Gate(root).problem_of(root / f"{name}.nii") for name in "abc"]
    assert [bool(problem) for problem in problems] == [False, True, True]


def test_a_repository_cannot_name_another_folder_as_its_store(tmp_path: Path) -> None:
    touch(tmp_path, "private/objects/k")
    (tmp_path / "data/.git/annex").mkdir(parents=True)
    (tmp_path / "data/.git/annex/objects").symlink_to(tmp_path / "private/objects")
    (tmp_path / "data/a.nii").symlink_to(".git/annex/objects/k")
    assert Gate(tmp_path / "data").problem_of(tmp_path / "data/a.nii")


@pytest.mark.parametrize("link", [".git", ".git/annex", ".git/annex/objects"])
def test_a_link_does_not_open_the_annex_of_others(tmp_path: Path, link: str) -> None:
    touch(tmp_path, "private/.git/annex/objects/k")
    root = tmp_path / "data"
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(tmp_path / "private" / link)
    (root / "a.nii").symlink_to("../private/.git/annex/objects/k")
    assert "leads out of the data set" in Gate(root).problem_of(root / "a.nii")
    assert Gate(root).stores() == ()
    named = Gate(root, [tmp_path / "private/.git/annex/objects"])
    assert named.problem_of(root / "a.nii") == ""


def test_the_annex_of_a_submodule_is_in_the_repository_around_it(tmp_path: Path) -> None:
    git = tmp_path / "study/.git/modules/inputs/raw"
    touch(git, "annex/objects/k")
    root = tmp_path / "study/inputs/raw"
    touch(root, "sub-01/b.nii")
    (root / ".git").symlink_to("../../.git/modules/inputs/raw")
    (root / "sub-01/a.nii").symlink_to("../.git/annex/objects/k")
    assert Gate(root).problem_of(root / "sub-01/a.nii") == ""
    assert Gate(root).stores() == (git / "annex/objects",)


def test_a_walk_neither_leaves_nor_circles(tmp_path: Path) -> None:
    root, others = tmp_path / "data", tmp_path / "home/other"
    touch(root, "a/x/1.nii", "b/2.nii")
    touch(others, "private.nii")
    (root / "a/to_b").symlink_to("../b")
    (root / "b/to_a").symlink_to("../a")
    (root / "everything").symlink_to("/")
    (root / "a/other").symlink_to(others)
    (root / "itself").symlink_to("itself")
    gate = Gate(root)
    files = [parent / name for parent, names in gate.walk(root) for name in names]
    assert [str(path.relative_to(root)) for path in files] == ["itself", "b/2.nii", "a/x/1.nii"]
    assert gate.departures == {str(root / "everything"): "/", str(root / "a/other"): str(others)}
    with pytest.raises(UserError) as error:
        gate.require_followed([f"x {DEPARTURE}"])
    assert str(error.value).startswith(f"2 link(s) lead out of {root} and are not followed, such")
    gate.require_followed(["another problem", f"x {DEPARTURE}"])


def test_the_sentence_names_the_folder_and_the_key(tmp_path: Path) -> None:
    root = tmp_path / "view"
    touch(tmp_path / "store", "sub-01/a.nii", "sub-02/a.nii")
    root.mkdir()
    for name in ("sub-01", "sub-02"):
        (root / name).symlink_to(tmp_path / "store" / name)
    gate = Gate(root)
    assert not any(gate.is_inside(root / name) for name in ("sub-01", "sub-02"))
    assert gate.sentence() == (
        f"2 link(s) lead out of {root} and are not followed, such as sub-01 to "
        f"{tmp_path}/store/sub-01. If what they lead to belongs to the data set, set "
        f"`link_targets: [{tmp_path}/store]` of the data set; else remove them."
    )


def test_readers_ask_the_gate_that_is_active(tmp_path: Path) -> None:
    touch(tmp_path, "data/a.nii", "b.nii")
    (tmp_path / "data/b.nii").symlink_to("../b.nii")
    link = tmp_path / "data/b.nii"
    assert require_file(link) == link
    with Gate(tmp_path / "data"), pytest.raises(ScanError, match="leads out of the data set"):
        require_file(link)
    with Gate(tmp_path / "data", [tmp_path]):
        assert require_file(link) == link
    assert require_file(link) == link


def test_a_folder_that_becomes_a_link_is_seen_when_its_file_is_opened(tmp_path: Path) -> None:
    touch(tmp_path, "data/sub-01/x.tsv", "elsewhere/y.tsv")
    folder = tmp_path / "data/sub-01"
    with Gate(tmp_path / "data") as gate:
        assert gate.problem_of(require_file(folder / "x.tsv")) == ""
        folder.rename(tmp_path / "data/old")
        folder.symlink_to("../elsewhere")
        with pytest.raises(ScanError, match="leads out of the data set"):
            require_file(folder / "y.tsv")


def test_sidecars_above_the_root_stay_in_their_folder(tmp_path: Path) -> None:
    raw, root = tmp_path / "raw", tmp_path / "raw/derivatives/fp"
    touch(tmp_path, "secret.json", "private/a.json", "raw/good.json", "raw/.git/annex/objects/k")
    root.mkdir(parents=True)
    (root / ".git").mkdir()
    (raw / "bad.json").symlink_to("../secret.json")
    (raw / "sub-01").symlink_to("../private")
    (raw / "annexed.json").symlink_to(".git/annex/objects/k")
    (tmp_path / "alias").symlink_to("raw")
    for folder in (raw, tmp_path / "alias"):
        with Gate(folder / "derivatives/fp"):
            assert require_file(folder / "good.json")
            assert require_file(folder / "annexed.json")
            for name in ("bad.json", "sub-01/a.json"):
                with pytest.raises(ScanError, match="leads out of the data set"):
                    require_file(folder / name)
    with Gate(root, [tmp_path]):
        assert require_file(raw / "bad.json")


def test_stores_are_what_a_container_mounts(tmp_path: Path) -> None:
    touch(tmp_path, "study/.git/annex/objects/k", "study/raw/a.nii", "store/b.nii")
    (tmp_path / "alias").symlink_to("store")
    alias, annex = tmp_path / "alias", tmp_path / "study/.git/annex/objects"
    assert Gate(tmp_path / "study").stores() == ()
    assert Gate(tmp_path / "study/raw").stores() == (annex,)
    gate = Gate(tmp_path / "study/raw", [alias])
    assert gate.stores() == (alias, tmp_path / "store", annex)


def reason_of(path: Path) -> str:
    try:
        return str(require_file(path) and "")
    except ScanError as error:
        return str(error)


def test_the_gate_is_active_in_worker_processes(tmp_path: Path) -> None:
    link = tmp_path / "host"
    link.symlink_to("/etc/passwd")
    with Gate(tmp_path):
        reasons = list(completed(reason_of, [link, link], 2))
    assert all(reason.startswith("host leads out of the data set, to /etc") for reason in reasons)
