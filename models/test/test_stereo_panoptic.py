# SPDX-License-Identifier: Apache-2.0
"""Shapes, gradients, cost and weights of the default network."""

import depth_models
import pytest
import torch
from depth_models.backbones import EfficientNetLite0

HEIGHT, WIDTH = 64, 96


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return depth_models.build("stereo_s")


def test_outputs_have_the_documented_shapes(network):
    pair = torch.rand(2, 2, 3, HEIGHT, WIDTH) * 255
    with torch.no_grad():
        prediction = network.eval()(*pair)
    features = [prediction.pop("left_features"), prediction.pop("right_features")]
    shapes = {k: tuple(v.shape) for k, v in prediction.items()}
    half, quarter = (HEIGHT // 2, WIDTH // 2), (HEIGHT // 4, WIDTH // 4)
    assert shapes == {
        "disparity": (2, 1, HEIGHT, WIDTH),
        "confidence": (2, 1, *half),
        "occlusion": (2, 1, *half),
        "refined": (2, 32, *half),
        "semantic": (2, 9, *quarter),
        "instance_center": (2, 1, *quarter),
        "instance_offset": (2, 2, *quarter),
        "level_logits": (2, 48, *quarter),
        "disparity2": (2, 1, *half),
    }
    assert [[tuple(v.shape) for v in maps] for maps in features] == [[(2, 16, *half), (2, 64, *quarter)]] * 2


def test_every_parameter_gets_a_finite_gradient(network):
    pair = torch.rand(2, 2, 3, HEIGHT, WIDTH) * 255
    out = {k: v for k, v in network.train()(*pair).items() if not isinstance(v, tuple)}
    sum(value.float().square().mean() for value in out.values()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    network.zero_grad()
    assert without == []


def test_pyramid_equals_the_features_of_a_whole_pass(network):
    image = torch.rand(1, 3, HEIGHT, WIDTH) * 255
    with torch.no_grad():
        features = network.eval().features(image)
        pyramid = network.features.pyramid(image)
    torch.testing.assert_close(pyramid, (features.f4, features.f8, features.f16))


@pytest.mark.parametrize("name", ["stereo_s", "stereo_xs"])
def test_maps_of_the_left_view_alone_are_those_of_a_whole_pass(name):
    torch.manual_seed(0)
    network = depth_models.build(name).eval()
    pair = torch.rand(2, 2, 3, 64, 128) * 255
    with torch.no_grad():
        whole, maps = network(*pair), network.left_view_maps(pair[0])
    assert set(maps) == {"semantic", "instance_center", "instance_offset"}
    for key, value in maps.items():
        torch.testing.assert_close(value, whole[key])


def test_cost_is_that_of_a_light_network(network):
    cost = depth_models.count_cost(network, 384, 640)
    assert 11 < cost.gmacs < 13
    assert cost.parameters == sum(p.numel() for p in network.parameters())


def test_size_l_has_more_of_everything_and_stays_within_its_budget(network):
    large = depth_models.build("stereo_l")
    assert 28 < depth_models.count_cost(large, 384, 640).gmacs < 40
    assert large.config.max_disparity_px == network.config.max_disparity_px
    with torch.no_grad():
        prediction = large.eval()(*torch.rand(2, 1, 3, 32, 64) * 255)
    assert prediction["disparity"].shape == (1, 1, 32, 64)


def test_cost_grows_with_the_number_of_pixels(network):
    small, large = (depth_models.count_cost(network, 128, width).gmacs for width in (128, 256))
    assert 1.9 < large / small < 2.2


def test_weights_return_as_saved_in_half_precision(network, tmp_path):
    depth_models.save_weights(tmp_path / "w.pt", "stereo_s", network, recipe="none")
    loaded, name, metadata = depth_models.load_weights(tmp_path / "w.pt")
    assert (name, metadata) == ("stereo_s", {"recipe": "none"})
    for key, value in network.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        torch.testing.assert_close(loaded.state_dict()[key], expected, rtol=0, atol=0)


def test_a_foreign_file_is_refused(tmp_path):
    torch.save({"model": {}}, tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match="expected a weights file"):
        depth_models.load_weights(tmp_path / "foreign.pt")


def test_imagenet_weights_are_copied_in_order_and_a_wrong_shape_is_named(tmp_path):
    source = {f"layer{i}": torch.full_like(v, i) for i, v in enumerate(EfficientNetLite0().state_dict().values())}
    torch.save(source | {"classifier": torch.zeros(1000)}, tmp_path / "lite0.pth")
    backbone = EfficientNetLite0()
    backbone.load_imagenet(tmp_path / "lite0.pth")
    assert backbone.stem[0].weight.unique().tolist() == [0]
    torch.save(source | {"layer0": torch.zeros(5)}, tmp_path / "wrong.pth")
    with pytest.raises(ValueError, match=r"stem\.0\.weight, got layer0 \(5,\)"):
        backbone.load_imagenet(tmp_path / "wrong.pth")
