"""Names of features that are the phenotype which they would predict."""

from __future__ import annotations

from collections.abc import Mapping

from semantoks.people.columns import COVARIATES, Names, alternatives


def target_features(
    phenotype: str, column: Names | None = None, named: Mapping[str, Names] | None = None
) -> set[str]:
    """Lower-case names of features that are the phenotype itself.

    Which of several names the table has is not known here, so all of them count.

    Parameters
    ----------
    phenotype : str
    column : str or sequence of str, optional
        Names of its column in the participants table, by default the same.
    named : mapping of str to (str or sequence of str), optional
        Names of the columns of covariates that are configured.
    """
    names = {phenotype.lower(), *(name.lower() for name in alternatives(column))}
    configured = {key: alternatives(columns) for key, columns in (named or {}).items()}
    # A column serves as a covariate of another name, so it must be dropped under that name, too.
    return names | {
        covariate
        for covariate, choices in COVARIATES.items()
        if names & {name.lower() for name in (*choices, *configured.get(covariate, ()))}
    }
