"""Working folder of a shard: it outlives a killed run, so that the next one can resume.

It lies beside the shard's folder of derivatives, because Snakemake removes the output of a job that
failed. Its name is that of the shard's folder with the suffix ``_work``::

    done/sub-01/       verified outputs of a participant, and `rows.json`, written last
    calls/<name>/out   output folder of a call of fMRIPrep
    calls/<name>/work  fMRIPrep's working folder, from which it resumes
    logs/              output of each call

At the end everything is moved into the shard's folder. Only failed calls keep their folders.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from semantoks.artifacts.files import read_json, write_json
from semantoks.config import Fmriprep
from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.fmriprep.filters import BidsFilters
from semantoks.data.preprocess.fmriprep.moving import merge, move_participant
from semantoks.data.preprocess.fmriprep.outputs import derivatives_folder, verify_outputs
from semantoks.data.preprocess.rows import ScanResult
from semantoks.errors import ScanError

log = logging.getLogger(__name__)

# Settings that do not change fMRIPrep's output.
WITHOUT_EFFECT = {"license", "participants_per_call"}


@dataclass(frozen=True)
class Workspace:
    """Working folder of a shard.

    Attributes
    ----------
    folder : Path
        Absolute path of the working folder.
    bids : Path
        Absolute path of the raw data set.
    scans : mapping of str to sequence of RawScan
        Scans of each participant of the shard.
    settings : Fmriprep
    filters : dict
        See `bids_filters`.
    """

    folder: Path
    bids: Path
    scans: Mapping[str, Sequence[RawScan]]
    settings: Fmriprep
    filters: BidsFilters = field(default_factory=dict)

    def call_name(self, participants: Sequence[str]) -> str:
        """Name a call such that other participants, images, filters or settings rename it."""
        settings = self.settings.model_dump(exclude=WITHOUT_EFFECT)
        scans = [[asdict(scan) for scan in self.scans[name]] for name in participants]
        parts = [str(self.bids), settings, scans, *([self.filters] if self.filters else [])]
        content = json.dumps(parts, sort_keys=True, default=str)
        digest = hashlib.sha1(content.encode()).hexdigest()
        return f"{participants[0]}+{len(participants) - 1}-{digest[:12]}"

    def call_folder(self, participants: Sequence[str]) -> Path:
        """Return the folder of a call."""
        return self.folder / "calls" / self.call_name(participants)

    def log_file(self, participants: Sequence[str]) -> Path:
        """Return the file for the output of a call."""
        first, *others = participants
        return self.folder / "logs" / (f"{first}+{len(others)}.log" if others else f"{first}.log")

    def store(self, call: Path, participant: str, results: Sequence[ScanResult]) -> None:
        """Move the verified outputs of a participant out of the folder of a call."""
        target = self.folder / "done" / participant
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        move_participant(call / "out", participant, target)
        # fMRIPrep's cache of this participant refers to files that have just been moved.
        label = participant.removeprefix("sub-")
        for pattern in (f"*_{label}_wf", f"*_{label}_ses_*_wf"):
            for path in (call / "work").glob(f"fmriprep*/{pattern}"):
                shutil.rmtree(path)
        rows = [_without_missing(result) for result in results]
        write_json(target / "rows.json", {"of": self.call_name([participant]), "rows": rows})

    def load(self, participant: str) -> list[ScanResult] | None:
        """Load the results of a participant whose outputs are stored and still complete.

        Otherwise remove what is stored and return None.
        """
        folder = self.folder / "done" / participant
        content = read_json(folder / "rows.json") if (folder / "rows.json").exists() else {}
        try:
            # The name has a hash of images and settings, so that no others are reused.
            if content.get("of") == self.call_name([participant]):
                for scan in self.scans[participant]:
                    # Stored files may have been damaged or deleted since they were verified.
                    verify_outputs(folder, scan, self.settings.output_space)
                return [ScanResult(**row) for row in content["rows"]]
        except ScanError as missing:
            log.warning("%s is preprocessed again, because it has %s", participant, missing)
        shutil.rmtree(folder, ignore_errors=True)
        return None

    def remove_stale_calls(self, groups: Iterable[Sequence[str]]) -> None:
        """Remove the folders of calls whose participants, images or settings have changed."""
        current = {self.call_name(group) for group in groups}
        for folder in (self.folder / "calls").glob("*"):
            if folder.name not in current:
                shutil.rmtree(folder)

    def finish_call(self, call: Path, failed: Sequence[str]) -> None:
        """Remove the folder of a call, unless participants failed and it can be resumed."""
        if not failed:
            shutil.rmtree(call)
            return
        log.warning(
            "%s failed. The next run resumes from %s; delete that folder if you do not plan one.",
            ", ".join(failed),
            call,
        )

    def assemble(self, groups: Iterable[Sequence[str]], out: Path) -> None:
        """Move all outputs into the shard's folder, and remove what is no longer needed."""
        for group in groups:
            call_out = self.call_folder(group) / "out"
            for participant in group:
                self._assemble_participant(participant, call_out, out)
        if (self.folder / "logs").is_dir():
            merge(self.folder / "logs", out / "logs")
        # BIDS requires the file, and `generated_by` reads the version from it.
        if not (out / "dataset_description.json").exists():
            _write_description(out)
        shutil.rmtree(self.folder / "done", ignore_errors=True)
        for folder in (self.folder / "calls", self.folder):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _assemble_participant(self, participant: str, call_out: Path, out: Path) -> None:
        stored = self.folder / "done" / participant
        if (stored / "rows.json").exists():
            (stored / "rows.json").unlink()
            merge(stored, out)
        elif any(derivatives_folder(call_out).glob(f"{participant}/**/*_desc-preproc_bold.nii.gz")):
            # Other scans of the participant may be complete. The surfaces, which take longest to
            # compute, stay where fMRIPrep finds them when it resumes.
            move_participant(call_out, participant, out, surfaces=False)


def _without_missing(result: ScanResult) -> dict[str, object]:
    return {name: value for name, value in asdict(result).items() if value is not None}


def _write_description(out: Path) -> None:
    """Write ``dataset_description.json`` where all calls failed and the version is unknown."""
    description = {
        "Name": "fMRIPrep",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "fMRIPrep"}],
    }
    write_json(out / "dataset_description.json", description)
