# SPDX-License-Identifier: Apache-2.0
import depth_models
import pytest
import torch


def test_a_network_with_overrides_rebuilds_itself_from_its_file(tmp_path):
    config = {"levels": 12, "aggregate_widths": (16, 24, 32)}
    network = depth_models.build("stereo_s", **config)
    depth_models.save_weights(tmp_path / "weights.pt", "stereo_s", network, config=config, recipe="none")
    again, name, facts = depth_models.load_weights(tmp_path / "weights.pt")
    assert (name, facts) == ("stereo_s", {"recipe": "none"})
    assert again.config == network.config
    weight, kept = network.hourglass.logits.weight, again.hourglass.logits.weight
    torch.testing.assert_close(kept, weight.half().float(), rtol=0, atol=0)


def test_weights_of_another_size_are_refused(tmp_path):
    network = depth_models.build("stereo_s", levels=12)
    depth_models.save_weights(tmp_path / "weights.pt", "stereo_s", network)
    with pytest.raises(ValueError, match=r"expected weights of 'stereo_s' in .*weights\.pt"):
        depth_models.load_weights(tmp_path / "weights.pt")
