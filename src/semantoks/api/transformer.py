"""A trained model as a scikit-learn transformer: `semantoks.Embedder`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from semantoks.api.model import MIN_COVERAGE, TrainedModel, load
from semantoks.config import ManifestField, Readout
from semantoks.errors import UserError


class Embedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Embed scans in a pipeline of scikit-learn.

    `fit` loads the model and learns nothing from the scans, so that embedding them before
    cross-validation gives the same scores in less time; so does ``memory`` of a pipeline.

    Parameters
    ----------
    model : str, Path or TrainedModel
        As for `load`.
    readout : str
        What is read from the model: ``pooled``, ``networks``, ``full``, …, as for
        `TrainedModel.embed`.
    regions : sequence of str, optional
        Names of the rows of arrays.
    repetition_time : float, optional
        Seconds; needed for arrays and tables.
    filtered : bool
        Arrays and tables are band-passed already.
    atlas : path, optional
        Label image, for images and models whose atlas is not built in.
    min_coverage : float
        Regions of an image of which the brain mask covers less are NaN.
    allow_mismatch : str or sequence of str
        Fields of the manifest, such as ``engine``, in which images and files may differ. All
        parameters but the first are those of `TrainedModel.embed`.

    Attributes
    ----------
    model_ : TrainedModel
    n_features_out_ : int

    Examples
    --------
    >>> from sklearn.linear_model import RidgeCV
    >>> from sklearn.pipeline import make_pipeline
    >>> pipeline = make_pipeline(Embedder("folder", repetition_time=2.0), RidgeCV())
    """

    def __init__(
        self,
        model: str | Path | TrainedModel,
        readout: Readout = "pooled",
        *,
        regions: Sequence[str] | None = None,
        repetition_time: float | None = None,
        filtered: bool = False,
        atlas: str | Path | None = None,
        min_coverage: float = MIN_COVERAGE,
        allow_mismatch: Sequence[ManifestField] = (),
    ) -> None:
        self.model = model
        self.readout = readout
        self.regions = regions
        self.repetition_time = repetition_time
        self.filtered = filtered
        self.atlas = atlas
        self.min_coverage = min_coverage
        self.allow_mismatch = allow_mismatch

    def fit(self, X: Any = None, y: Any = None) -> Embedder:
        """Load the model; nothing is learned from the scans.

        Parameters
        ----------
        X, y : object
            Not used.
        """
        given = self.model
        self.model_ = given if isinstance(given, TrainedModel) else load(given)
        self.n_features_out_ = self.model_.count_features(self.readout)
        return self

    def transform(self, X: Iterable[Any]) -> np.ndarray:
        """Embed scans.

        Parameters
        ----------
        X : iterable of ndarray, DataFrame or path, or ndarray (scans, regions, volumes)
            See `TrainedModel.embed`. Scans may differ in length. Of Parquet files each has to
            hold one scan. An image whose table of confounds is not beside it comes as a pair of
            paths: (image, confounds).

        Returns
        -------
        ndarray of float32, shape (scans, features)
            NaN where a feature is not known, as of regions without data.

        Raises
        ------
        UserError
            If a scan does not fit the model.
        """
        check_is_fitted(self)
        if isinstance(X, str | Path | pd.DataFrame):
            raise UserError(
                "Scans come as a list, and this is a single one. Put it into a list: [scan]."
            )
        rows = [self._embed(scan) for scan in X]
        if not rows:
            raise UserError("There is no scan to embed: the list is empty.")
        return np.stack(rows)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return names of the features, such as ``pooled0``.

        Parameters
        ----------
        input_features : object
            Not used.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.array([f"{self.readout}{n}" for n in range(self.n_features_out_)], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.input_tags.string, tags.input_tags.allow_nan = True, True
        tags.no_validation = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _embed(self, scan: Any) -> np.ndarray:
        """Return the features of a scan, shape (features,)."""
        scan, confounds = scan if isinstance(scan, tuple) and len(scan) == 2 else (scan, None)
        features = self.model_.embed(
            scan,
            self.readout,
            confounds=confounds,
            regions=self.regions,
            repetition_time=self.repetition_time,
            filtered=self.filtered,
            atlas=self.atlas,
            min_coverage=self.min_coverage,
            allow_mismatch=self.allow_mismatch,
        )
        if isinstance(features, pd.DataFrame):
            if len(features) != 1:
                raise UserError(
                    f"{scan} holds {len(features)} scans, and a row of a pipeline is one scan. "
                    "Embed the file by `semantoks.load(…).embed(file)`."
                )
            features = features.to_numpy()[0]
        return np.asarray(features)
