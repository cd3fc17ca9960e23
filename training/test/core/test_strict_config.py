# SPDX-License-Identifier: Apache-2.0
"""Recipes are read strictly."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from depth_training.core.strict_config import parse, read_config
from depth_training.engine.config import TrainConfig
from depth_training.engine.network_setup import build_network

RECIPE = """
seed = 7
[network.config]
aggregate_widths = [16, 24, 40]
[data]
height = 96
[schedule]
steps = 30
minutes = 0.0
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def test_a_recipe_replaces_defaults_and_overrides_replace_the_recipe(recipe):
    config = read_config(
        TrainConfig, recipe, ["data.width=160", "optimiser.learning_rate=2e-4", "log.tensorboard=false"]
    )
    assert (config.seed, config.data.height, config.data.width, config.data.batch) == (7, 96, 160, 64)
    assert config.optimiser.learning_rate == 2e-4
    assert config.log.tensorboard is False
    assert config.loss.objective == "panoptic_stereo"


def test_whole_numbers_and_bare_words_are_taken_where_they_fit(recipe):
    config = read_config(TrainConfig, recipe, ["optimiser.clip_norm=3", "world.textures=textures.npz"])
    assert config.optimiser.clip_norm == 3.0
    assert isinstance(config.optimiser.clip_norm, float)
    assert config.world.textures == "textures.npz"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.heigth=64", r"keys among \[.*'batch', 'classes_only', 'dataset', 'height'.*\[data\], got \['heigth'\]"),
        ("optimizer.learning_rate=1.0", r"'optimiser'.* in the top level, got \['optimizer'\]"),
        ("data.height=64.5", r"expected int for 'data.height', got 64.5"),
        ("data.height=tall", r"expected int for 'data.height', got 'tall'"),
        ("log.tensorboard=1", r"expected bool for 'log.tensorboard', got 1"),
        ("seed=true", r"expected int for 'seed', got True"),
        ("data=3", r"expected DataConfig for 'data', got 3"),
        ("seed.low=3", r"'seed' in 'seed.low' to be a section, got the value 7"),
        ("data.height", r"expected section.key=value, got 'data.height'"),
        ("precision=float16", r"precision among \['auto', 'bfloat16', 'float32'\], got 'float16'"),
        ("schedule.minutes=2.0", r"the other 0, got 30 and 2.0"),
        ("loss.objective=panoptik", r"objective among \[.*'panoptic_stereo'.*\], got 'panoptik'"),
        ("loss.options.halv=1.0", r"among \[.*'half'.*\] in section \[loss.options\], got \['halv'\]"),
        ("loss.half=1.0", r"among \['max_disparity_px', 'objective', 'options'\] in section \[loss\], got \['half'\]"),
        ("data.shards=3", r"data.batch in data.shards equal parts, got 64 in 3"),
    ],
)
def test_a_wrong_override_is_refused_with_what_would_fit(recipe, override, message):
    with pytest.raises(ValueError, match=message):
        read_config(TrainConfig, recipe, [override])


@dataclass(frozen=True)
class Part:
    """An item of a list of tables."""

    name: str = ""
    size: int = 1


@dataclass(frozen=True)
class Whole:
    """Lists of tables, pairs, and lists of anything."""

    parts: tuple[Part, ...] = ()
    range: tuple[float, float] = (0.0, 1.0)


def test_lists_are_typed_item_by_item():
    whole = parse(Whole, {"parts": [{"name": "a"}, {"size": 3}], "range": [1, 2.5]})
    assert whole == Whole((Part("a"), Part(size=3)), (1.0, 2.5))
    assert isinstance(whole.range[0], float)
    with pytest.raises(ValueError, match=r"among \['name', 'size'\] in section \[parts\[1\]\], got \['sice'\]"):
        parse(Whole, {"parts": [{}, {"sice": 3}]})
    with pytest.raises(ValueError, match=r"expected 2 values for 'range', got \[1, 2, 3\]"):
        parse(Whole, {"range": [1, 2, 3]})
    with pytest.raises(ValueError, match=r"expected float for 'range\[1\]', got 'far'"):
        parse(Whole, {"range": [1, "far"]})
    with pytest.raises(ValueError, match=r"expected tuple for 'parts', got 3"):
        parse(Whole, {"parts": 3})


def test_a_file_that_is_not_toml_names_itself(tmp_path):
    (tmp_path / "broken.toml").write_text("[data\nheight = 3")
    with pytest.raises(ValueError, match=r"expected TOML in .*broken\.toml"):
        read_config(TrainConfig, tmp_path / "broken.toml")


def test_the_network_takes_its_own_fields_only(recipe):
    config = read_config(TrainConfig, recipe).network
    assert build_network(config.name, config.config).config.aggregate_widths == (16, 24, 40)
    with pytest.raises(ValueError, match=r"'levels'.*\[network.config\], got \['level'\]"):
        build_network("stereo_s", {"level": 12})
    with pytest.raises(ValueError, match=r"expected int for 'network.config.levels', got '12'"):
        build_network("stereo_s", {"levels": "12"})
    with pytest.raises(ValueError, match=r"expected a network among .*'stereo_s'"):
        build_network("stereo_z", {})


def test_the_recipes_in_the_documentation_are_valid(tmp_path):
    pages = sorted((Path(__file__).parents[3] / "docs" / "training").glob("*.md"))
    text = "\n".join(page.read_text() for page in pages)
    snippets = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    recipes = [snippet for snippet in snippets if "[data]" in snippet or "[unlabelled]" in snippet]
    assert any("[[mix]]" in recipe for recipe in recipes)
    for recipe in recipes:
        (tmp_path / "recipe.toml").write_text(recipe)
        read_config(TrainConfig, tmp_path / "recipe.toml")
