# SPDX-License-Identifier: Apache-2.0
import depth_models
import pytest
import torch


def test_a_network_with_overrides_rebuilds_itself_from_its_file(tmp_path):
    config = {"levels": 12, "aggregate_widths": (16, 24, 32)}
    network = depth_models.build("stereo_s", **config)
    depth_models.save_weights(tmp_path / "weights.pt", "stereo_s", network, config=config, recipe="none")
    again, name, metadata = depth_models.load_weights(tmp_path / "weights.pt")
    assert (name, metadata) == ("stereo_s", {"recipe": "none"})
    assert again.config == network.config
    weight, kept = network.hourglass.logits.weight, again.hourglass.logits.weight
    torch.testing.assert_close(kept, weight.half().float(), rtol=0, atol=0)


def test_weights_of_another_size_are_refused(tmp_path):
    network = depth_models.build("stereo_s", levels=12)
    depth_models.save_weights(tmp_path / "weights.pt", "stereo_s", network)
    with pytest.raises(ValueError, match=r"expected weights of 'stereo_s' in .*weights\.pt"):
        depth_models.load_weights(tmp_path / "weights.pt")


def test_the_mean_of_runs_keeps_their_network_and_their_metadata(tmp_path):
    config, paths = {"levels": 24, "refine_width": 24}, [tmp_path / "a.pt", tmp_path / "b.pt"]
    networks = [depth_models.build("stereo_s", **config) for _ in paths]
    for seed, (path, network) in enumerate(zip(paths, networks, strict=True)):
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(seed)))
        depth_models.save_weights(path, "stereo_s", network, config=config, seed=seed)
    depth_models.average_weights(paths, tmp_path / "mean.pt")
    mean, name, metadata = depth_models.load_weights(tmp_path / "mean.pt")
    assert (name, metadata) == ("stereo_s", {"averaged": [{"seed": 0}, {"seed": 1}]})
    first, second = (network.state_dict() for network in networks)
    for key, value in mean.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (first[key] + second[key]) / 2, atol=4e-3, rtol=2e-3)


def test_only_runs_of_one_network_have_a_mean(tmp_path):
    for name, levels in (("a", 24), ("b", 32)):
        config = {"levels": levels}
        depth_models.save_weights(tmp_path / f"{name}.pt", "stereo_s", depth_models.build("stereo_s", **config), config)
    with pytest.raises(ValueError, match="two or more weights files to average, got 1"):
        depth_models.average_weights([tmp_path / "a.pt"], tmp_path / "mean.pt")
    with pytest.raises(ValueError, match=r"expected weights of 'stereo_s' \{'levels': 24\} .* in .*b.pt"):
        depth_models.average_weights([tmp_path / "a.pt", tmp_path / "b.pt"], tmp_path / "mean.pt")
    assert not (tmp_path / "mean.pt").exists()


def checkpoint_of(path):
    """A checkpoint of `train` whose last step is far from its averaged weights."""
    config = {"levels": 12, "aggregate_widths": [16, 24, 32]}
    network = depth_models.build("stereo_s", levels=12, aggregate_widths=(16, 24, 32))
    averaged = {name: value.clone() for name, value in network.state_dict().items()}
    last = {name: value + 1 if value.is_floating_point() else value for name, value in averaged.items()}
    recipe = {"data": {"root": "/data/of/someone/pairs"}, "seed": 5}
    content = {"network": "stereo_s", "network_config": config, "recipe": recipe, "git_revision": "abc"}
    torch.save(content | {"weights": last, "ema": averaged}, path)
    return averaged


def test_a_checkpoint_gives_its_averaged_weights_and_no_folder(tmp_path):
    averaged = checkpoint_of(tmp_path / "last.pt")
    network, name, metadata = depth_models.load_weights(tmp_path / "last.pt")
    assert name == "stereo_s"
    assert metadata == {"recipe": {"data": {"root": "pairs"}, "seed": 5}, "trained_at_revision": "abc"}
    for key, value in network.state_dict().items():
        assert torch.equal(value, averaged[key]), key


def test_the_mean_of_checkpoints_is_that_of_their_averaged_weights(tmp_path):
    averaged = [checkpoint_of(tmp_path / name) for name in ("a.pt", "b.pt")]
    depth_models.average_weights([tmp_path / "a.pt", tmp_path / "b.pt"], tmp_path / "mean.pt")
    mean = depth_models.load_weights(tmp_path / "mean.pt")[0].state_dict()
    key = "hourglass.logits.weight"
    torch.testing.assert_close(mean[key], (averaged[0][key] + averaged[1][key]) / 2, atol=4e-3, rtol=2e-3)


def test_another_file_is_refused_by_name(tmp_path):
    torch.save({"model": {}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"expected a weights file .* at .*other.pth, got another file"):
        depth_models.load_weights(tmp_path / "other.pth")
