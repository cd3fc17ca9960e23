# SPDX-License-Identifier: Apache-2.0
"""What a network starts from, and which of its parts are trained."""

import depth_models
import pytest
import torch
from depth_training.engine.config import NetworkConfig, OptimiserConfig
from depth_training.engine.network_setup import make_optimiser, set_training_mode, starting_network

TINY = {"levels": 16, "aggregate_widths": (16, 16, 16), "aggregate_depth": 1, "refine_width": 16}


@pytest.fixture(scope="module")
def trained_s(tmp_path_factory):
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "s.pt"
    depth_models.save_weights(path, "stereo_s", depth_models.build("stereo_s", **TINY), TINY)
    return path


def test_the_xs_network_starts_from_size_s_and_leaves_its_farther_levels_out(trained_s):
    config = NetworkConfig(name="stereo_xs", config=TINY | {"levels": 8}, start_weights=str(trained_s))
    network, source = starting_network(config), depth_models.load_weights(trained_s)[0]
    small, large = (n.hourglass.enter[0][0].weight for n in (network.core, source))
    groups = source.config.groups
    for group in range(groups):
        torch.testing.assert_close(small[:, 8 * group : 8 * group + 8], large[:, 16 * group : 16 * group + 8])
    torch.testing.assert_close(small[:, 8 * groups :], large[:, 16 * groups :])
    torch.testing.assert_close(network.core.hourglass.logits.bias, source.hourglass.logits.bias[:8])
    for name in ("features.backbone.stem.0.weight", "panoptic.semantic.1.weight", "refine.head.weight"):
        torch.testing.assert_close(network.core.get_parameter(name), source.get_parameter(name))
    torch.testing.assert_close(network.fine.detail[0].weight, source.features.detail2[0].weight)


def test_weights_of_other_widths_are_refused_with_both_names(trained_s):
    with pytest.raises(ValueError, match=r"'stereo_xs', got those of 'stereo_s'.*widths"):
        starting_network(NetworkConfig(name="stereo_xs", start_weights=str(trained_s)))


def test_frozen_parts_keep_weights_and_statistics_while_the_rest_learns():
    config = NetworkConfig(name="stereo_s", config=TINY, frozen=("features.backbone", "panoptic"))
    network = starting_network(config)
    set_training_mode(network, "train")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = make_optimiser(network, OptimiserConfig(), encoder_is_trained=False)
    prediction = network(*torch.rand(2, 2, 3, 32, 64) * 255)
    sum(prediction[name].float().square().mean() for name in ("disparity", "confidence")).backward()
    for group in optimiser.param_groups:
        group["lr"] = 1e-2
    optimiser.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not [name for name in changed if name.startswith(config.frozen)]
    assert "hourglass.enter.0.0.weight" in changed
    assert "hourglass.enter.0.1.running_mean" in changed


def test_single_parameters_are_frozen_by_name_and_something_must_be_left_to_train():
    parts = ("features", "temperature", "hourglass", "refine")
    network = starting_network(NetworkConfig(name="stereo_s", config=TINY, frozen=parts))
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[0] for name in trained} == {"panoptic"}
    nothing = starting_network(NetworkConfig(name="stereo_s", config=TINY, frozen=(*parts, "panoptic")))
    with pytest.raises(ValueError, match=r"a part of the network to train, got network\.frozen for all"):
        make_optimiser(nothing, OptimiserConfig(), encoder_is_trained=False)


def test_a_frozen_part_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"'hourglass'.*got 'hourglas'"):
        starting_network(NetworkConfig(name="stereo_s", config=TINY, frozen=("hourglas",)))
