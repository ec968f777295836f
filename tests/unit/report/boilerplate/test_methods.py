from __future__ import annotations

import re
from typing import Any

from semantoks.config import Config
from semantoks.report.boilerplate.methods import methods
from semantoks.report.boilerplate.references import REFERENCES


def text_of(**changes: Any) -> tuple[str, set[str]]:
    """Return the paragraphs and the keys of the references."""
    content = {"datasets": {"mine": {"path": "mine", "phenotypes": {"age": "regression"}}}}
    made = methods(Config.model_validate(content | changes))
    return " ".join(made.paragraphs), set(re.findall(r"^@article{(\w+),", made.bibtex, re.M))


def test_what_ran_is_described_and_cited() -> None:
    text, keys = text_of(
        preprocessing={"engine": "minimal", "voxel_size": 4},
        parcellation={"confounds": "simple", "motion": "basic", "max_mean_fd": 0.4},
        baselines=["fc", "tangent"],
        probe={"repeats": 20, "permutations": 500},
    )
    assert "built-in engine" in text and "to voxels of 4 mm" in text
    assert "6 regressors of head motion" in text
    assert "mean framewise displacement above 0.4 mm (Power et al. 2012)" in text
    assert "connectivity (Pearson) and tangent connectivity (Varoquaux et al. 2010)" in text
    assert "split at random 20 times" in text and "500 permutations" in text
    assert {"avants2011", "power2012", "varoquaux2010", "holm1979"} <= keys
    assert "esteban2019" not in keys
    assert not re.search(r"[\[\]]", text)


def test_what_did_not_run_is_not_cited() -> None:
    timeseries = {"mine": {"path": "mine", "source": "timeseries"}}
    text, keys = text_of(datasets=timeseries, models={}, baselines=["fc"], atlas="schaefer100x7")
    assert (
        "The time series of mine, averaged over the Schaefer atlas" in text
        and "registration" not in text
    )
    assert keys.isdisjoint({"avants2011", "esteban2019", "paszke2019", "varoquaux2010", "wang2024"})
    assert "Phenotypes were predicted" not in text
    _, keys = text_of(preprocessing={"engine": "fmriprep"}, atlas="schaefer100x7")
    assert {"esteban2019", "schaefer2018"} <= keys and "avants2011" not in keys


def test_preprocessed_images_say_by_what_they_were_made() -> None:
    config = Config.model_validate({"datasets": {"mine": {"path": "x", "source": "fmriprep"}}})
    images = {"mine": {"engine": "fMRIPrep 23.2.1", "space": "MNI152NLin6Asym"}}
    assert (
        "The images of mine, in MNI152NLin6Asym space, were given as preprocessed by fMRIPrep "
        "23.2.1 (Esteban et al. 2019)." in methods(config, images).paragraphs[0]
    )
    assert "The images of mine were given as preprocessed." in methods(config).paragraphs[0]


def test_an_exclusion_that_cannot_have_happened_is_not_claimed() -> None:
    config = Config.model_validate({"datasets": {"mine": {"path": "x", "source": "timeseries"}}})
    (text, *_) = methods(config, has_motion=False).paragraphs
    assert "framewise displacement" not in text and "censored" not in text
    assert "Head motion was not known from the scans, so none was excluded for it." in text


def test_what_was_used_and_split_is_counted() -> None:
    config = Config.model_validate(
        {"datasets": {"mine": {"path": "x", "phenotypes": {"age": "regression"}}}}
    )
    made = methods(config, samples={"mine": "9 scans of 8 participants"}, splits={4, 10})
    assert "This left 9 scans of 8 participants of mine." in made.paragraphs[0]
    assert "split at random 4 to 10 times" in made.paragraphs[2]


def test_splits_are_described_as_they_were_made() -> None:
    given: dict[str, Any] = {"kind": "regression", "splits_file": "splits.tsv"}
    text, _ = text_of(datasets={"mine": {"path": "x", "phenotypes": {"age": given}}})
    assert "Participants were split as published or given in a file." in text
    assert "at random" not in text and "left out, one" not in text
    both = {"age": given, "iq": "regression"}
    text, _ = text_of(datasets={"mine": {"path": "x", "phenotypes": both}})
    assert "Those of the others were split at random 10 times, with 20% of them" in text
    config = Config.model_validate({"datasets": {"mine": {"path": "x", "phenotypes": both}}})
    text = methods(config, has_sites=True).paragraphs[2]
    assert "Sites with enough participants were also left out, one at a time." in text
    sized = {"kind": "regression", "test_people": 12}
    text, _ = text_of(datasets={"mine": {"path": "x", "phenotypes": {"age": sized}}})
    assert "split at random 10 times, with parts of given sizes." in text


def test_scans_that_were_excluded_by_hand_are_not_kept_secret() -> None:
    text, _ = text_of(datasets={"mine": {"path": "x", "exclude": "bad.tsv"}})
    assert "Scans of mine that had been listed beforehand were left out." in text


def test_data_sets_may_have_confounds_and_limits_of_their_own() -> None:
    images: dict[str, Any] = {"path": "x", "source": "fmriprep"}
    datasets = {"plain": images, "done": images | {"confounds": "none"}}
    text, _ = text_of(datasets=datasets, parcellation={"confounds": "simple"})
    assert "Confounds of the images of plain were regressed out: the strategy “simple”" in text
    text, _ = text_of(datasets={"done": datasets["done"]})
    assert "were regressed out" not in text
    text, _ = text_of(
        datasets={"own": images | {"confounds": "36p"}}, parcellation={"confounds": "none"}
    )
    assert "Confounds of the images were regressed out: 36 parameters" in text
    text, _ = text_of(datasets={"rest": images, "task": images | {"events": {}}})
    resting, task = text.split("Scans of rest with ")[1].split("Runs of task with ")
    assert "less than 120 s" in resting and "fewer than 10 degrees" in resting
    limits = task.split("; the others were cut into blocks")[0]
    assert "less than 0 s" not in limits and "fewer than 1 degree of freedom" in limits


def test_what_changes_scores_is_said() -> None:
    mine: dict[str, Any] = {"path": "mine", "phenotypes": {"sex": "classification"}}
    held_out = {"mine": mine | {"hold_out": 30, "site_column": "town"}}
    text, keys = text_of(datasets=held_out, models={"own": {}}, probe={"harmonize": "combat"})
    assert "Participants of mine who were held out took no part in pretraining." in text
    assert "ComBat (Johnson et al. 2007)" in text and "johnson2007" in keys
    text, _ = text_of(models={"own": {}}, finetune={"models": ["own"]})
    assert "For each phenotype, own was also fine-tuned." in text
    paper = {"protocol": "paper"}
    text, _ = text_of(datasets={"mine": mine}, baselines=["fc", "partial"], probe=paper)
    assert "best kind of connectivity" not in text


def test_the_choice_between_blocks_is_described() -> None:
    text, _ = text_of(models={"mine": {"readouts": ["pooled", "full"]}})
    assert "the blocks of lower weight alone" in text
    assert "its blocks (" in text and "distilled" in text
    text, _ = text_of(models={"mine": {"readouts": ["pooled"]}})
    assert "lower weight" not in text


def test_every_reference_says_where_it_is() -> None:
    for key, reference in REFERENCES.items():
        assert str(reference.year) in reference.cited and str(reference.year) in key
        if reference.doi:
            assert re.fullmatch(r"10\.\d{4,}/\S+", reference.doi)
        assert reference.bibtex(key).count("{") == reference.bibtex(key).count("}")
