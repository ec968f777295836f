"""A stand-in for fMRIPrep 25 that writes the same files with small images, or fails on request.

The environment variable ``FMRIPREP_FAILS`` is a JSON object with any of these keys:

- ``missing``: scan → output that is not written ("confounds", "mask", "bold", "sidecar"), or "cut"
  for a truncated image
- ``crash``: labels of participants for whom nothing is written; the exit status is 1
- ``abort``: labels of participants at whom the call ends with exit status 1
- ``hang``: labels of participants at whom the call waits until it is killed
- ``nothing``: no output, with exit status 0
- ``old``: file names and folders of version 20.1

``RECORD`` is a file to which every command line is appended as a JSON list.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

VOLUMES, TR = 12, 2.0


def record(program: str, words: list[str]) -> None:
    with Path(os.environ["RECORD"]).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps([program, *words], ensure_ascii=False) + "\n")


def run(words: list[str], mounts: dict[str, str]) -> int:
    """Run the stand-in; `mounts` maps folders in the container to those of the host."""
    options = _parse(words)
    bids, out, work = (
        _on_host(path, mounts) for path in (options.bids_dir, options.output_dir, options.work)
    )
    assert _on_host(options.license, mounts).read_text() == "licence"
    if options.filters:
        record("filters", [_on_host(options.filters, mounts).read_text()])
    fails = json.loads(os.environ.get("FMRIPREP_FAILS", "{}"))
    (work / "fmriprep_25_2_wf").mkdir(exist_ok=True)
    print("fMRIPrep started!", f"[{bids.name}]", flush=True)
    if fails.get("nothing"):
        return 0
    root = out / "fmriprep" if fails.get("old") else out
    surfaces = root.parent / "freesurfer" if fails.get("old") else root / "sourcedata/freesurfer"
    for label in options.participants:
        if label in fails.get("abort", []):
            return 1
        if label not in fails.get("crash", []):
            _preprocess(bids, root, surfaces, work, label, options, fails)
    _describe(root, "20.1.3" if fails.get("old") else "25.2.7")
    return int(bool(fails.get("crash")))


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("bids_dir", "output_dir", "level"):
        parser.add_argument(name)
    parser.add_argument("--participant-label", nargs="+", dest="participants")
    parser.add_argument("-w", "--work-dir", dest="work")
    parser.add_argument("--fs-license-file", default="/opt/freesurfer/license.txt", dest="license")
    parser.add_argument("--output-spaces", nargs="*")
    parser.add_argument("--task-id")
    parser.add_argument("--bids-filter-file", dest="filters")
    for name in ("--nthreads", "--omp-nthreads", "--mem_mb"):
        parser.add_argument(name, type=int)
    for name in ("--skip-bids-validation", "--notrack", "--fs-no-reconall"):
        parser.add_argument(name, action="store_true")
    return parser.parse_args(words)


def _on_host(path: str, mounts: dict[str, str]) -> Path:
    for inside, outside in mounts.items():
        if Path(path).is_relative_to(inside):
            return Path(outside, Path(path).relative_to(inside))
    return Path(path)


def _preprocess(
    bids: Path,
    root: Path,
    surfaces: Path,
    work: Path,
    label: str,
    options: argparse.Namespace,
    fails: dict[str, Any],
) -> None:
    """Write the outputs of a participant; whether its working folder exists is logged."""
    cache = work / f"fmriprep_25_2_wf/sub_{label}_wf"
    print(f"sub-{label} {'resumed' if cache.exists() else 'begun'}", flush=True)
    cache.mkdir(exist_ok=True)
    scripts = surfaces / f"sub-{label}" / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    (scripts / "IsRunning.lh+rh").open("x").close()  # fails if it exists, as FreeSurfer does
    (root / f"sub-{label}/figures").mkdir(parents=True, exist_ok=True)
    (root / f"sub-{label}.html").write_text("<html></html>")
    for bold in sorted((bids / f"sub-{label}").rglob("*_bold.nii.gz")):
        if options.task_id is None or f"_task-{options.task_id}_" in bold.name:
            folder = root / bold.relative_to(bids).parent
            folder.mkdir(parents=True, exist_ok=True)
            if label in fails.get("hang", []):
                (folder / bold.name).write_bytes(b"half")
                print("hangs", flush=True)
                time.sleep(600)
            scan = bold.name.removesuffix("_bold.nii.gz")
            missing = fails.get("missing", {}).get(scan)
            _write_run(folder / scan, options.output_spaces[0], missing, bool(fails.get("old")))
    (scripts / "IsRunning.lh+rh").unlink()


def _write_run(stem: Path, space: str, missing: str | None, old: bool) -> None:
    """Write the outputs of a run, whose names begin with `stem`, in a space."""
    import nibabel as nib
    import numpy as np

    rng = np.random.default_rng(0)
    name = f"{stem}_space-" + (space.split(":")[0] if old else space.replace(":", "_"))
    sidecar = {"RepetitionTime": TR, "SkullStripped": False, "SliceTimingCorrected": False}
    images = {
        "bold": ("preproc_bold", rng.normal(1000, 10, (4, 4, 4, VOLUMES)).astype(np.float32)),
        "mask": ("brain_mask", np.ones((4, 4, 4), np.uint8)),
    }
    for output, (ending, data) in images.items():
        if output != missing:
            nib.save(nib.Nifti1Image(data, np.eye(4)), f"{name}_desc-{ending}.nii.gz")
    if missing == "cut":
        path = Path(f"{name}_desc-preproc_bold.nii.gz")
        path.write_bytes(path.read_bytes()[:-500])
    if missing != "sidecar":
        Path(f"{name}_desc-preproc_bold.json").write_text(json.dumps(sidecar))
    if missing != "confounds":
        kind = "regressors" if old else "timeseries"
        Path(f"{stem}_desc-confounds_{kind}.tsv").write_text(_confounds(rng))
        Path(f"{stem}_desc-confounds_{kind}.json").write_text("{}")


def _confounds(rng: Any) -> str:
    """Draw a confounds table with the columns of fMRIPrep, as TSV."""
    axes = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
    ends = ("", "_derivative1", "_power2", "_derivative1_power2")
    signals = ["csf", "white_matter", "global_signal"]
    names = [f"{name}{end}" for name in signals + axes for end in ends]
    names += ["std_dvars", "dvars", "cosine00"]
    lines = ["\t".join([*names, "framewise_displacement"])]
    for volume in range(VOLUMES):
        values = [f"{value:.6f}" for value in rng.normal(0, 0.01, len(names))]
        if not volume:
            defined = [not ("derivative" in name or "dvars" in name) for name in names]
            values = [v if d else "n/a" for v, d in zip(values, defined, strict=True)]
        lines.append("\t".join([*values, "0.1" if volume else "n/a"]))
    return "\n".join(lines) + "\n"


def _describe(root: Path, version: str) -> None:
    description = {
        "Name": "fMRIPrep - fMRI PREProcessing workflow",
        "BIDSVersion": "1.4.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "fMRIPrep", "Version": version}],
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text(json.dumps(description, indent=4))
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs/CITATION.md").write_text("cite")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], {}))
