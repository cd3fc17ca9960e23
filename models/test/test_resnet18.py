# SPDX-License-Identifier: Apache-2.0
"""ResNet-18 has the stages of torchvision's and takes its checkpoint by name."""

import pytest
import torch
from depth_models.backbones import ResNet18
from depth_models.backbones.resnet18 import normalise


def torchvision_checkpoint(old=False):
    """Tensors by torchvision's names, in the shapes of its ResNet-18, each filled with a number of its own."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **_norm("bn1", 64), "fc.weight": (1000, 512), "fc.bias": (1000,)}
    inputs = 64
    for layer, outputs in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            name = f"layer{layer}.{block}"
            shapes |= {f"{name}.conv1.weight": (outputs, inputs, 3, 3), **_norm(f"{name}.bn1", outputs)}
            shapes |= {f"{name}.conv2.weight": (outputs, outputs, 3, 3), **_norm(f"{name}.bn2", outputs)}
            if inputs != outputs:
                shapes |= {f"{name}.downsample.0.weight": (outputs, inputs, 1, 1)}
                shapes |= _norm(f"{name}.downsample.1", outputs)
            inputs = outputs
    shapes = {k: s for k, s in shapes.items() if not (old and k.endswith("num_batches_tracked"))}
    return {name: torch.full(shape, float(i)) for i, (name, shape) in enumerate(shapes.items())}


def _norm(name, channels):
    # The order of old checkpoints: it must not matter.
    vectors = {f"{name}.{part}": (channels,) for part in ("running_mean", "running_var", "weight", "bias")}
    return vectors | {f"{name}.num_batches_tracked": ()}


def test_stages_have_the_documented_channels_and_strides():
    for width, channels in ((1.0, (64, 64, 128, 256, 512)), (0.3, (16, 16, 40, 80, 152))):
        network = ResNet18(width)
        with torch.no_grad():
            maps = network.eval()(torch.rand(2, 3, 64, 96) * 255)
        assert network.channels == channels
        sizes = [(2, c, 64 // s, 96 // s) for c, s in zip(channels, (2, 4, 8, 16, 32), strict=True)]
        assert [tuple(x.shape) for x in maps] == sizes


def test_it_has_as_many_parameters_as_torchvisions_without_its_classifier():
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_689_512 - 513_000


@pytest.mark.parametrize("old", [False, True])
def test_every_tensor_of_the_checkpoint_finds_its_place(tmp_path, old):
    source = torchvision_checkpoint(old)
    torch.save(source, tmp_path / "resnet18.pth")
    network = ResNet18()
    network.load_imagenet(tmp_path / "resnet18.pth")
    own = network.state_dict()
    places = {
        "conv1.weight": "stem.0.0.weight",
        "bn1.running_var": "stem.0.1.running_var",
        "layer1.1.bn2.bias": "layers.0.1.second.1.bias",
        "layer3.0.conv1.weight": "layers.2.0.first.0.weight",
        "layer4.0.downsample.1.running_mean": "layers.3.0.shortcut.1.running_mean",
    }
    for theirs, ours in places.items():
        assert own[ours].unique().tolist() == source[theirs].unique().tolist()
    copied = sorted(v.flatten()[0].item() for k, v in own.items() if not k.endswith("num_batches_tracked"))
    wanted = {k: v for k, v in source.items() if not k.startswith("fc") and not k.endswith("num_batches_tracked")}
    assert copied == sorted(v.flatten()[0].item() for v in wanted.values())


def test_two_images_share_the_first_kernel(tmp_path):
    torch.save(torchvision_checkpoint() | {"conv1.weight": torch.rand(64, 3, 7, 7)}, tmp_path / "resnet18.pth")
    one, two = ResNet18(), ResNet18(images=2)
    one.load_imagenet(tmp_path / "resnet18.pth")
    two.load_imagenet(tmp_path / "resnet18.pth")
    image = torch.rand(1, 3, 64, 32)
    both = two.stem[0][0](torch.cat((image, image), 1))
    torch.testing.assert_close(both, one.stem[0][0](image), atol=1e-3, rtol=1e-4)


def test_a_wrong_shape_and_a_missing_tensor_are_named(tmp_path):
    source = torchvision_checkpoint()
    torch.save(source | {"layer2.0.bn1.bias": torch.zeros(5)}, tmp_path / "wrong.pth")
    with pytest.raises(ValueError, match=r"\(128,\) for layer2\.0\.bn1\.bias in .*wrong\.pth, got \(5,\)"):
        ResNet18().load_imagenet(tmp_path / "wrong.pth")
    torch.save(source, tmp_path / "wide.pth")
    with pytest.raises(ValueError, match=r"\(16, 3, 7, 7\) for conv1\.weight .* got \(64, 3, 7, 7\).*width 1"):
        ResNet18(0.25).load_imagenet(tmp_path / "wide.pth")
    del source["layer4.1.conv2.weight"]
    torch.save(source, tmp_path / "short.pth")
    with pytest.raises(ValueError, match=r"for layer4\.1\.conv2\.weight .* got nothing"):
        ResNet18().load_imagenet(tmp_path / "short.pth")


def test_images_are_normalised_as_torchvision_does():
    image = torch.tensor([123.675, 116.28 + 57.12, 103.53 - 2 * 57.375] * 2).view(1, 6, 1, 1)
    torch.testing.assert_close(normalise(image).flatten(), torch.tensor([0.0, 1.0, -2.0] * 2), atol=1e-5, rtol=0)
