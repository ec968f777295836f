"""Put a model that was trained here on the Hugging Face hub."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import sidecar
from semantoks.errors import UserError
from semantoks.model.files.card import hub_card
from semantoks.model.files.checkpoint import load_encoder, read_description
from semantoks.model.files.connectome import load_connectome
from semantoks.model.files.hub import CONFIG, CONNECTOME, HUB_PREFIX, WEIGHTS, is_repository

log = logging.getLogger(__name__)

LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")


def push(folder: Path, repository: str, *, public: bool = False, licence: str | None = None) -> str:
    """Upload weights, description, connectome and a model card; nothing else of the folder.

    Parameters
    ----------
    folder : Path
        As `pretrain` wrote it: ``results/models/<model>``.
    repository : str
        ``owner/name``, which is made if it does not exist.
    public : bool
        Whether everybody may see it; otherwise it has to be private.
    licence : str, optional
        Identifier of the hub, such as ``apache-2.0``.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    UserError
        If there is no usable model in the folder, or it was not trained here, or the hub refuses.
    """
    repository = repository.removeprefix(HUB_PREFIX)
    if not is_repository(repository):
        raise UserError(f"{repository} is not of the form owner/name. Name the repository so.")
    if licence is not None and not LICENCE.fullmatch(licence):
        raise UserError(
            f"{licence} is no identifier of a licence on the hub, such as apache-2.0 or "
            "cc-by-nc-4.0. Name it so, or leave it out."
        )
    if licence is None:
        log.warning("The model card states no licence. Name it by --licence, such as apache-2.0.")
    files = {name: folder / name for name in (WEIGHTS, CONFIG, CONNECTOME)}
    card = _card(folder, repository, licence)
    operations = [
        CommitOperationAdd(name, str(path)) for name, path in files.items() if path.exists()
    ]
    operations.append(CommitOperationAdd("README.md", card.encode()))
    api = HfApi()
    try:
        _require_visibility(api, repository, public)
        done = api.create_commit(repository, operations, commit_message="Upload a Semantoks model")
    # ValueError: what the client makes of an answer that it does not understand.
    except (HTTPError, HFValidationError, OSError, ValueError) as error:
        raise UserError(_refusal(repository, error)) from error
    return str(done.commit_url)


def _card(folder: Path, repository: str, licence: str | None) -> str:
    """Check the model, and write its card."""
    load_encoder(folder)  # whoever downloads it shall be able to
    description = read_description(folder / CONFIG)
    training, manifest = description.training, description.manifest
    if "checkpoint" in training or manifest is None:
        raise UserError(
            f"{folder} holds a model that was not trained here "
            f"({training.get('checkpoint', 'its time series are not known')}). Push the folder of "
            "a model that `pretrain` wrote; of others, share the original."
        )
    path = folder / CONNECTOME
    people = load_connectome(path).summary.people if path.exists() else None
    return hub_card(
        repository,
        description.architecture,
        manifest,
        training,
        datasets=_datasets(folder),
        people=people,
        has_connectome=path.exists(),
        licence=licence,
    )


def _datasets(folder: Path) -> list[str]:
    """Names of the data sets that the model was trained on, from its sidecar, if it is there."""
    record = sidecar(folder / WEIGHTS)
    content: Mapping[str, Any] = read_json(record) if record.exists() else {}
    folders = [Path(path).parent for path in content.get("inputs", ())]
    # results/timeseries/<dataset>/<file>
    return sorted({path.name for path in folders if path.parent.name == "timeseries"})


def _require_visibility(api: HfApi, repository: str, public: bool) -> None:
    """Make the repository, or check that it is as visible as the user has said."""
    try:
        is_private = api.model_info(repository).private
    except RepositoryNotFoundError:
        api.create_repo(repository, private=not public, exist_ok=True)
        return
    if is_private is False and not public:
        raise UserError(
            f"{repository} exists on the hub and everybody can see it. If that is wanted, add "
            "--public; or name another repository."
        )


def _refusal(repository: str, error: Exception) -> str:
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    first_line = str(error).strip().split("\n")[0]
    advice = "Check the name and the connection, and run the same command again."
    if status in (401, 403):
        advice = "Log in by `hf auth login` with a token that may write to it (or set HF_TOKEN)."
    return f"{repository}: the model could not be uploaded ({first_line}). {advice}"
