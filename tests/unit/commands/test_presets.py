"""Presets and rows can be seen."""

from __future__ import annotations

import pytest
import yaml

from semantoks.commands.presets import preset_text, row_text
from semantoks.config import catalogue
from semantoks.errors import UserError


def test_presets_and_rows_are_listed() -> None:
    listed = preset_text(None).splitlines()
    assert [line.split()[0] for line in listed] == catalogue.preset_names()
    assert "abide2   ABIDE II, raw images of 19 sites." in listed
    names = [line.split()[0] for line in row_text(None, []).splitlines()]
    assert names == catalogue.row_names()


def test_a_preset_is_shown_as_it_is_written() -> None:
    assert yaml.safe_load(preset_text("ukb")) == catalogue.read_preset("ukb")
    with pytest.raises(UserError, match=r"There is no preset 'ukbb'; did you mean 'ukb'\?$"):
        preset_text("ukbb")


def test_a_row_is_printed_as_a_configuration() -> None:
    config = yaml.safe_load(row_text("ukb_sex", ["path=/data/ukb", "shards=3"]))
    assert config["datasets"]["ukb"]["path"] == "/data/ukb"
    assert config["datasets"]["ukb"]["shards"] == 3


def test_an_odd_key_of_a_row_is_refused() -> None:
    with pytest.raises(UserError, match="'/data' is not of the form KEY=VALUE"):
        row_text("ukb_sex", ["/data"])
    with pytest.raises(UserError, match="unknown key 'shrads' beside `row`"):
        row_text("ukb_sex", ["path=x", "shrads=3"])
