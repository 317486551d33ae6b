"""StackGAN++: sizes, the tree's layouts, joint losses, colours, rounds, checkpoints."""

import math

import pytest
import torch
from test_gan_cls import batch_of
from torch import nn
from torch.nn import functional as F
from training_toys import Repeated, count, ready

from t2i_course import systems
from t2i_course.drawing import noise_rows
from t2i_course.experiments import lesson10
from t2i_course.measure.branches import branches, real_branches
from t2i_course.papers import stackgan_v2
from t2i_course.papers.joint_embedding import TextEncoder
from t2i_course.papers.stackgan import everywhere
from t2i_course.papers.stackgan_v2 import (
    LAYOUTS,
    StackGanTree,
    StackGanTreeAlone,
    Tree,
    colour_consistency,
    colours,
)
from t2i_course.training import checkpoint, fit

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"size": 64, "base": 8, "depth": 2, "blocks": 1, "z_size": 6}
TEXT = {"embedding": 16, "condition": 5}
NETWORK = {name: SMALL[name] for name in SMALL if name != "depth"}


def tree(**more):
    def build():
        reader = TextEncoder(20, 8, 8, 16).requires_grad_(False)
        return StackGanTree(reader, **SMALL | TEXT | more)

    return ready(build)


def alone(**more):
    return ready(lambda: StackGanTreeAlone(**SMALL | {"colour": 50.0} | more))


def batch():
    return batch_of(size=64)


# Sizes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "generator", "judges"),
    [
        (StackGanTree, 21_239_696, [5_723_906, 18_834_178, 71_269_122]),
        (StackGanTreeAlone, 16_472_208, [2_765_569, 15_875_841, 68_310_785]),
    ],
)
def test_parameter_counts_at_paper_size(kind, generator, judges):
    """Those of the authors' release."""
    with torch.device("meta"):
        system = kind.from_preset("paper")
    assert count(system.generator) == generator
    assert [count(d) for d in system.discriminators.values()] == judges
    assert system.players == kind.players


def test_parts_of_the_paper_s_tree():
    with torch.device("meta"):
        network = StackGanTree.from_preset("paper").generator
    parts = [network.augmentation, network.first, *network.others]
    assert [count(part) for part in parts] == [524_800, 20_074_240, 480_384, 157_248]
    assert [count(part) for part in network.to_pictures] == [1728, 864, 432]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_paper_sizes_pass_forward(layout):
    with torch.device("meta"):
        system = StackGanTree.from_preset("paper", layout=layout)
        noise = torch.empty(2, system.generator.noise_size)
        drawn, mean, _ = system.generator.draw(noise, torch.empty(2, 1024))
        looks = [d(s, mean) for d, s in zip(system.discriminators.values(), drawn)]
    assert system.generator.noise_size == 100 + 128
    wanted = {"tree": [64, 128, 256], "top": [256]}.get(layout, [256] * 3)
    assert [tuple(s.shape) for s in drawn] == [(2, 3, side, side) for side in wanted]
    assert [look.shape for look in looks] == [(2,)] * len(wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("make", [tree, alone])
def test_pictures_of_each_branch(make, layout):
    network = make(layout=layout).generator.eval()
    text = torch.randn(3, 16) if make is tree else None
    with torch.no_grad():
        noise = torch.randn(3, network.noise_size)
        drawn, mean, _ = network.draw(noise, text)
        assert torch.equal(network(noise, text), drawn[-1])
        c = None if mean is None else mean + 0
        assert network.paint(c, noise[:, :6]).shape == (3, 3, 64, 64)
    assert [s.shape[-1] for s in drawn] == network.sizes
    assert network.sizes == {"tree": [16, 32, 64], "top": [64]}.get(layout, [64] * 3)
    assert all(s.abs().max() <= 1 for s in drawn)


def test_two_scales_and_four():
    two, four = (Tree(**NETWORK | TEXT | {"scales": n, "size": 128}) for n in (2, 4))
    assert two.sizes == [64, 128] and four.sizes == [16, 32, 64, 128]


def test_only_the_full_layout_keeps_small_branches():
    """Depth is the same: all but the generators of smaller pictures."""
    full, top, tops = (
        count(Tree(**NETWORK | TEXT | {"layout": name}))
        for name in ("tree", "top", "three tops")
    )
    assert full - top == 27 * (8 + 4)  # 3x3, three colours, from 8 and 4 channels
    assert tops - top == 27 * 2 * 2


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="layout is one of tree, top"):
        tree(layout="crown")
    with pytest.raises(ValueError, match="size is 16, 32, 64"):
        Tree(size=32, scales=3)


# The networks' pieces -----------------------------------------------------------------


def test_gates_are_torch_s():
    for shape in [(2, 6), (2, 6, 4, 4)]:
        x = torch.randn(shape)
        assert torch.allclose(stackgan_v2.gated(x), nn.functional.glu(x, 1))


def test_a_residual_block_has_no_activation_after_the_sum():
    block = stackgan_v2.Residual(4)
    nn.init.zeros_(block.body[-1].weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x + block.body[-1].bias[:, None, None])


@pytest.mark.parametrize("size", [(3, 3), (4, 8), (16, 16)])
def test_a_joined_convolution_is_that_of_all_places(size):
    """The told numbers behind the features at each place, and one convolution."""
    layer = stackgan_v2.Joined(4, 3, 5).double()
    features = torch.randn(2, 4, *size, dtype=torch.float64, requires_grad=True)
    told = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    whole = F.conv2d(everywhere(features, told), layer.weight, padding=1)
    found = layer(features, told)
    assert torch.allclose(found, whole)
    given = (features, told, layer.weight)
    grads = [torch.autograd.grad(x.square().sum(), given) for x in (found, whole)]
    assert all(torch.allclose(*pair) for pair in zip(*grads))


@pytest.mark.parametrize("c", [None, torch.full((2, 3), 7.0)])
def test_each_branch_is_told_again(c):
    """h_0 = F_0(c, z), h_i = F_i(h_i-1, c); z in c's place without it."""
    z, told = torch.randn(2, 4), []

    def first(read):
        told.append(read)
        return read[:, :1]

    def other(h, again):
        told.append(again)
        return h + 1

    found = stackgan_v2.branch_features(first, [other, other], z, c)
    assert torch.equal(found[2], found[0] + 2) and len(found) == 3
    read, again = (z, z) if c is None else (torch.cat([c, z], 1), c)
    assert torch.equal(told[0], read)
    assert torch.equal(told[1], again) and torch.equal(told[2], again)


def test_augmentation_is_shared_with_stackgan():
    """mu and log sigma behind gates; the same draw."""
    made = stackgan_v2.GatedAugmentation(16, 5)
    text, eps = torch.randn(4, 16), torch.randn(4, 5)
    c, mean, log_sigma = made(text, eps)
    both = nn.functional.glu(made.project[0](text), 1)
    assert torch.allclose(torch.cat([mean, log_sigma], 1), both)
    assert torch.allclose(c, mean + log_sigma.exp() * eps)


# The losses ---------------------------------------------------------------------------


def test_losses_against_logs_of_sigmoids():
    logits = torch.randn(5, 40, dtype=torch.float64).unbind(0)
    real, drawn, right, fake, wrong = [torch.sigmoid(x) for x in logits]
    unconditional = -real.log().mean() - (1 - drawn).log().mean()
    negatives = ((1 - fake).log().mean() + (1 - wrong).log().mean()) / 2
    found = stackgan_v2.joint_discriminator_loss(*logits)
    assert torch.allclose(found, unconditional - right.log().mean() - negatives)
    heads = torch.randn(2, 3, 7, dtype=torch.float64)
    each = [-torch.sigmoid(x).log().mean() for scales in heads for x in scales]
    assert torch.allclose(stackgan_v2.painters_loss(*heads), sum(each))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("make", "joint"), [(tree, True), (tree, False),
                                             (alone, True)])  # fmt: skip
def test_losses_of_undecided_judges(make, joint, layout):
    """log 4 a head for each judge; log 2 a head and judge for the tree."""
    system = make(joint=joint, layout=layout, kl=0.0, colour=0.0)
    for d in system.discriminators.values():
        for head in (d.judge and d.judge[-1], d.real):
            if head is not None:
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)
    turns = [(player, loss.item()) for player, loss in system.round(batch())]
    assert [player for player, _ in turns] == list(system.players)
    heads, many = 2 if make is tree and joint else 1, len(system.discriminators)
    for _, loss in turns[:-1]:
        assert loss == pytest.approx(heads * math.log(4), abs=1e-5)
    assert turns[-1][1] == pytest.approx(many * heads * math.log(2), abs=1e-5)


def test_the_round_s_losses_by_hand():
    """A second derivation, in evaluation mode, where batches don't matter."""
    system = tree(kl=3.0, colour=7.0).eval()
    b, rng = batch(), system.rng.get_state()
    found = {player: loss.item() for player, loss in system.round(b)}
    system.rng.set_state(rng)
    noise = system.noise(6, system.generator.noise_size)
    text = system.text_encoder.of(b)
    drawn, mean, log_sigma = system.generator.draw(noise, text)
    other = mean[stackgan_v2.mismatched(b.class_id, system.rng)]
    bce, whole = F.binary_cross_entropy_with_logits, 0
    for (name, d), side, made in zip(
        system.discriminators.items(), (16, 32, 64), drawn
    ):
        real = F.interpolate(b.image, size=side, mode="area")
        asked = [d(real, mean), d(made, mean), d(real, other)]
        asked += [d.alone(d.features(x)) for x in (real, made)]
        yes, no = torch.ones(6), torch.zeros(6)
        right, fake, wrong, true, false = asked
        want = bce(right, yes) + bce(true, yes) + bce(false, no)
        want = want + (bce(fake, no) + bce(wrong, no)) / 2
        assert found[f"discriminators.{name}"] == pytest.approx(want.item(), rel=1e-4)
        whole = whole + bce(fake, yes) + bce(false, yes)
    sigma = log_sigma.exp()
    whole = whole + 3 * ((mean**2 + sigma**2 - 1) / 2 - sigma.log()).mean()
    for fine, coarse in zip(drawn[1:], drawn[:-1]):
        whole = whole + 7 * colour_consistency(fine, coarse)
    assert found["generator"] == pytest.approx(whole.item(), rel=1e-4)


# Colours ------------------------------------------------------------------------------


def test_colours_are_numpy_s():
    pictures = torch.rand(3, 3, 5, 4, dtype=torch.float64)
    mean, spread = colours(pictures)
    for i in range(3):
        pixels = pictures[i].flatten(1)
        assert torch.allclose(mean[i], pixels.mean(1))
        assert torch.allclose(spread[i], torch.cov(pixels, correction=0))


def test_an_enlarged_picture_has_the_same_colours():
    small = torch.rand(2, 3, 8, 8) * 2 - 1
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert colour_consistency(large, small) == pytest.approx(0, abs=1e-12)
    turned = large.flip(2).roll(3, 3)  # where the colours stand doesn't matter
    assert colour_consistency(turned, small) == pytest.approx(0, abs=1e-12)


def test_colours_that_differ():
    small = torch.rand(2, 3, 8, 8)
    assert colour_consistency(small + 0.5, small) == pytest.approx(0.25, rel=1e-4)
    mean, spread = colours(small)
    wider = mean[:, :, None, None] + 2 * (small - mean[:, :, None, None])
    want = (3 * spread).square().mean().item()
    assert colour_consistency(wider, small, 1.0) == pytest.approx(want, rel=1e-4)
    assert colour_consistency(wider, small) == pytest.approx(5 * want, rel=1e-4)


def test_the_coarse_picture_leads():
    fine, coarse = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 4, 4)
    fine.requires_grad_(), coarse.requires_grad_()
    colour_consistency(fine, coarse).backward()
    assert fine.grad.abs().sum() > 0 and coarse.grad is None


def test_the_colour_term_teaches_the_finer_generators():
    """Its gradient reaches all but the generator of the smallest pictures."""
    network = alone().generator
    drawn, *_ = network.draw(torch.randn(4, network.noise_size))
    loss = sum(colour_consistency(*pair) for pair in zip(drawn[1:], drawn[:-1]))
    weights = [make[0].weight for make in network.to_pictures]
    first, *others = torch.autograd.grad(loss, weights, allow_unused=True)
    assert first is None and all(g.abs().sum() > 0 for g in others)


@pytest.mark.parametrize("make", [tree, alone])
def test_colours_and_kl_are_weighed_into_the_tree_s_loss(make):
    found = {}
    for kl, colour in ((0, 0), (3, 0), (0, 2)):
        system = make(kl=float(kl), colour=float(colour))
        *_, (_, loss) = system.round(batch())
        found[kl, colour] = loss.item()
    assert (found[3, 0] > found[0, 0]) == (make is tree)
    assert found[0, 2] > found[0, 0]


def test_pictures_of_all_branches_are_measured():
    """Of sentences and of nothing: as the network draws them, and their colours."""
    for system, asked in ((tree(), batch()), (alone(), None)):
        drawn = branches(system, asked, count=6, seed=3)
        assert [tuple(s.shape) for s in drawn] == [(6, 3, n, n) for n in (16, 32, 64)]
        network = system.network("generator").eval()
        noise = noise_rows(3, 6, network.noise_size)
        text = None if asked is None else system.text_encoder.of(asked)
        with torch.no_grad():
            assert torch.equal(drawn[-1], network(noise, text))
        assert lesson10.colours_apart(drawn)["mean colour"] > 0


def test_how_far_colours_are_apart():
    small = torch.rand(3, 3, 8, 8)
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert lesson10.colours_apart([small]) == {}
    same = lesson10.colours_apart([small, large])
    assert same == {"mean colour": 0, "covariance": 0}
    found = lesson10.colours_apart([small, large, large + 0.5])
    assert found == {"mean colour": 0.25, "covariance": 0}  # of two pairs
    real = real_branches(20)
    found = lesson10.colours_apart(real)
    assert found["mean colour"] == pytest.approx(0, abs=1e-4)
    assert 0 < found["covariance"] < 0.1


# Rounds -------------------------------------------------------------------------------


def learners(network):
    return [p for p in network.parameters() if p.requires_grad]


def test_a_judge_moves_neither_the_tree_nor_its_fellows():
    system = tree()
    turns = system.round(batch())
    for i in "123":
        _, loss = next(turns)
        others = [d for j, d in system.discriminators.items() if j != i]
        for network in (system.generator, *others):
            grads = torch.autograd.grad(
                loss, learners(network), allow_unused=True, retain_graph=True
            )
            assert all(g is None for g in grads)
        own = torch.autograd.grad(loss, learners(system.discriminators[i]))
        assert all(g.abs().sum() > 0 for g in own)


def test_real_pictures_shrink_to_each_branch():
    system, b = tree(), batch()
    small, middle, large = system.real(b.image)
    assert torch.equal(large, b.image) and middle.shape[-1] == 32
    assert torch.allclose(small[:, :, 0, 0], b.image[:, :, :4, :4].mean((2, 3)))
    assert all(real is b.image for real in tree(layout="level").real(b.image))


def test_mu_learns_from_the_judges_in_the_tree_s_turn(monkeypatch):
    """With the pictures detached, what the judges hear is the only way left."""
    system = tree(kl=0.0)
    network, branches = system.generator, system.generator.branches
    monkeypatch.setattr(network, "branches", lambda c, z: [
        made.detach() for made in branches(c, z)
    ])  # fmt: skip
    *_, (_, loss) = system.round(batch())
    (grad,) = torch.autograd.grad(loss, network.augmentation.project[0].bias)
    means, sigmas = grad.view(2, 2, 5).unbind(1)
    assert means.abs().sum() > 0 and sigmas.abs().sum() == 0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("make", "joint"), [(tree, True), (tree, False),
                                             (alone, True)])  # fmt: skip
def test_every_weight_learns(make, joint, layout):
    system = make(joint=joint, layout=layout)
    before = {n: p.clone() for n, p in system.named_parameters() if p.requires_grad}
    fit(system, Repeated(batch()), 2, device="cpu", progress=False)
    for name, weight in before.items():
        assert not torch.equal(weight, system.get_parameter(name)), name
    assert (system.discriminators["1"].real is None) == (not joint)


def test_the_averaged_tree_draws():
    for system, asked in ((tree(), torch.randn(4, 16)), (alone(), 4)):
        fit(system, Repeated(batch()), 1, device="cpu", progress=False)
        assert system.sample(asked).shape == (4, 3, 64, 64)


# The course's own presets -------------------------------------------------------------


@pytest.mark.parametrize("name", ["stackgan_tree", "stackgan_tree_alone"])
def test_a_smoke_training_is_kept_and_rebuilt(name, tmp_path):
    path = tmp_path / "tree.pt"
    system, source = systems.build(name, "smoke"), systems.source_for(name, "smoke")
    history = fit(system, source, 2, device="cpu", progress=False, checkpoint=path)
    assert all(math.isfinite(x) for losses in history.losses.values() for x in losses)
    assert tuple(history.losses) == system.players
    found = systems.from_checkpoint(path)
    assert found.origin == {"system": name, "preset": "smoke", "data": "birds"}
    kept = checkpoint.read(path)["system"]
    assert kept.keys() == found.state_dict().keys()
    for key, value in found.state_dict().items():
        assert not isinstance(value, torch.Tensor) or torch.equal(value, kept[key])


def test_a_resumed_training_is_the_same(tmp_path):
    def make():
        torch.manual_seed(0)
        return systems.build("stackgan_tree", "smoke")

    source, quiet = systems.source_for("stackgan_tree", "smoke"), {"progress": False}
    whole, path = make(), tmp_path / "tree.pt"
    fit(whole, source, 3, device="cpu", **quiet)
    fit(make(), source, 2, device="cpu", checkpoint=path, **quiet)
    again = make()
    fit(again, source, 3, device="cpu", checkpoint=path, resume=True, **quiet)
    for name, weight in whole.named_parameters():
        assert torch.equal(weight, again.get_parameter(name)), name
