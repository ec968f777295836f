"""Write the row that takes, fit by fit, the best of several representations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.tables import read_metadata
from semantoks.errors import UserError
from semantoks.scores.choose.choice import choose_per_fit
from semantoks.scores.choose.settings import ChooseSettings
from semantoks.scores.probe.row_files import read_row, write_row


def choose(
    settings: ChooseSettings, *, scores: Sequence[Path], representation: str, out: Path
) -> list[Path]:
    """Write the row that takes the candidate of least inner loss at every fit.

    Parameters
    ----------
    settings : ChooseSettings
    scores : sequence of Path
        Scores of the candidates by the exact protocol; predictions and scores of permutations are
        beside them.
    representation : str
        Name of the row in tables.
    out : Path
        Parquet, as `probe` writes it, with a column ``chosen``.

    Returns
    -------
    list of Path
        `out`, its predictions, and its scores of permutations.

    Raises
    ------
    UserError
        If a row is by the paper's head, which has no inner folds, or the splits differ.
    """
    rows = {path.stem: path for path in scores}
    metadata = {name: read_metadata(path) for name, path in rows.items()}
    by_paper = [name for name in rows if metadata[name]["protocol"] != "exact"]
    if by_paper:
        raise UserError(
            f"{by_paper[0]} is scored by the paper's head, which has no inner folds to choose by. "
            "Choose among rows of `probe.protocol: exact`."
        )
    result = choose_per_fit({name: read_row(path) for name, path in rows.items()})
    test = result.permutation_test
    content = next(iter(metadata.values())) | {
        "representation": representation,
        # Of a fit it is that of the candidate; these are at most so many.
        **{
            key: max(content[key] for content in metadata.values())
            for key in ("features", "people_without_features")
        },
        "p_permutation": test and test.p,
        "shuffled": test and test.shuffled.tolist(),
    }
    return write_row(out, result, content)
