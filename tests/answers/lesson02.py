"""Known answers to lesson 02: wrong ones with part of their diagnosis; right ones."""

import torch
import torch.nn.functional as F
from torch import nn

from t2i_course.inside import latent
from t2i_course.papers.lapgan import expand, reduce

# ---------------------------------------------------------------------- half steps


def spread(maps, side, first=0):
    made = maps.new_zeros(*maps.shape[:2], side, side)
    made[:, :, first::2, first::2] = maps
    return made


def good(maps, kernel):
    return F.conv2d(spread(maps, 2 * maps.shape[-1] - 1), kernel, padding=2)


def by_transposed(maps, kernel):
    turned = kernel.flip(2, 3).transpose(0, 1)
    return F.conv_transpose2d(maps, turned, stride=2, padding=1)


def by_stacking(maps, kernel):
    zeros = torch.zeros_like(maps)
    wide = torch.stack([maps, zeros], -1).flatten(-2)
    both = torch.stack([wide, torch.zeros_like(wide)], 3).flatten(2, 3)
    return F.conv2d(both[..., :-1, :-1], kernel, padding=2)


def by_loops(maps, kernel):
    b, c, s, _ = maps.shape
    apart = torch.zeros(b, c, 2 * s + 3, 2 * s + 3)
    for i in range(s):
        for j in range(s):
            apart[:, :, 2 * i + 2, 2 * j + 2] = maps[:, :, i, j]
    return F.conv2d(apart, kernel)


def repeated(maps, kernel):
    large = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return F.conv2d(large[..., :-1, :-1], kernel, padding=2)


def interpolated(maps, kernel):
    side = 2 * maps.shape[-1] - 1
    large = F.interpolate(maps, side, mode="bilinear", align_corners=True)
    return F.conv2d(large, kernel, padding=2)


# ---------------------------------------------------------------------- batch norm


def over(axes, unbiased=False, eps=1e-5):
    def answer(maps, scale, shift):
        mean = maps.mean(axes, keepdim=True)
        variance = maps.var(axes, unbiased=unbiased, keepdim=True)
        normal = (maps - mean) / (variance + eps).sqrt()
        return normal * scale[:, None, None] + shift[:, None, None]

    return answer


right_norm = over((0, 2, 3))


def by_library(maps, scale, shift):
    return F.batch_norm(maps, None, None, scale, shift, training=True)


def by_rows(maps, scale, shift):
    rows = maps.transpose(0, 1).flatten(1)
    away = rows - rows.mean(1, keepdim=True)
    normal = away / (away.square().mean(1, keepdim=True) + 1e-5).sqrt()
    made = scale[:, None] * normal + shift[:, None]
    return made.view(maps.shape[1], len(maps), *maps.shape[2:]).transpose(0, 1)


def by_variance(maps, scale, shift):
    mean = maps.mean((0, 2, 3), keepdim=True)
    variance = maps.var((0, 2, 3), unbiased=False, keepdim=True)
    normal = (maps - mean) / (variance + 1e-5)
    return normal * scale[:, None, None] + shift[:, None, None]


def eps_outside(maps, scale, shift):
    mean = maps.mean((0, 2, 3), keepdim=True)
    deviation = maps.std((0, 2, 3), unbiased=False, keepdim=True) + 1e-5
    normal = (maps - mean) / deviation
    return normal * scale[:, None, None] + shift[:, None, None]


def detached(maps, scale, shift):
    mean = maps.detach().mean((0, 2, 3), keepdim=True)
    variance = maps.detach().var((0, 2, 3), unbiased=False, keepdim=True)
    normal = (maps - mean) / (variance + 1e-5).sqrt()
    return normal * scale[:, None, None] + shift[:, None, None]


# ----------------------------------------------------------------------- the start

CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d


def starting(spread=0.02, scale=(1.0, 0.02), shift=0.0, kinds=CONVOLUTIONS, hand=True):
    """An answer with these numbers."""

    def answer(network):
        for module in network.modules():
            if isinstance(module, kinds):
                nn.init.normal_(module.weight, 0.0, spread)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, *scale)
                nn.init.constant_(module.bias, shift)
        return network if hand else None

    return answer


def by_name(network):
    for module in network.modules():
        name = type(module).__name__
        if name.startswith("Conv"):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif name.startswith("BatchNorm"):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return network


def uniform(network):
    starting()(network)
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.uniform_(module.weight, -0.02 * 3**0.5, 0.02 * 3**0.5)
    return network


def biases_left(network):
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return network


def norms_left(network):
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def only_children(network):
    for module in network.children():
        if isinstance(module, CONVOLUTIONS):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return network


def starts_by_apply(network):
    def one(module):
        if isinstance(module, CONVOLUTIONS):
            module.weight.data.normal_(0.0, 0.02)
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.normal_(1.0, 0.02)
        if getattr(module, "bias", None) is not None:
            module.bias.data.zero_()

    return network.apply(one)


@torch.no_grad()
def starts_by_hand(network):
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            module.weight.copy_(0.02 * torch.randn_like(module.weight))
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.copy_(1 + 0.02 * torch.randn_like(module.weight))
        else:
            continue
        if module.bias is not None:
            module.bias.fill_(0)
    return network


# --------------------------------------------------------------------- the penalty


def eps_like(real):
    return torch.rand(len(real), *[1] * (real.ndim - 1))


def penalty(eps=eps_like, of=None, graph=True, loose=True, total=torch.sum):
    """A penalty with these parts; of: from each picture's slopes (B, N)."""
    of = of or (lambda g: (g.norm(dim=1) - 1).square().mean())

    def answer(critic, real, fake):
        e = eps(real)
        between = e * real + (1 - e) * fake
        if loose:
            between = between.detach().requires_grad_()
        scores = total(critic(between))
        (slope,) = torch.autograd.grad(scores, between, create_graph=graph)
        return of(slope.flatten(1))

    return answer


def half_detached(away):
    return (away * away.detach()).mean()


def only_pictures(critic, real, fake):
    eps = torch.rand(len(real), 1, 1, 1)
    between = (eps * real + (1 - eps) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def at_real(critic, real, fake):
    place = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(place).sum(), place, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def penalty_by_outputs(critic, real, fake):
    eps = torch.rand_like(real.flatten(1)[:, 0]).view(-1, *[1] * (real.ndim - 1))
    between = fake.detach() + eps * (real - fake.detach())
    between.requires_grad_()
    scores = critic(between)
    slope = torch.autograd.grad(scores, between, torch.ones_like(scores),
                                create_graph=True)[0]  # fmt: skip
    return ((slope.flatten(1).square().sum(1).sqrt() - 1) ** 2).mean()


def penalty_by_vmap(critic, real, fake):
    eps = eps_like(real)
    between = (eps * real + (1 - eps) * fake).detach()
    score = torch.func.grad(lambda picture: critic(picture[None])[0])
    slopes = torch.func.vmap(score)(between)
    return (slopes.flatten(1).norm(dim=1) - 1).square().mean()


def penalty_one_by_one(critic, real, fake):
    found = []
    for eps, r, f in zip(torch.rand(len(real)), real, fake.detach()):
        place = (eps * r + (1 - eps) * f)[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(place).sum(), place, create_graph=True)
        found.append((slope.norm() - 1) ** 2)
    return torch.stack(found).mean()


# ---------------------------------------------------------------------- the pyramid


def levels_by(detail):
    def answer(pictures, levels):
        made = []
        for _ in range(levels - 1):
            small = reduce(pictures)
            made.insert(0, detail(pictures, small))
            pictures = small
        return [pictures, *made]

    return answer


def own_ways(shrink, enlarge):
    def answer(pictures, levels):
        made = []
        for _ in range(levels - 1):
            small = shrink(pictures, 2)
            made.insert(0, pictures - enlarge(small, 2))
            pictures = small
        return [pictures, *made]

    return answer


right_pyramid = levels_by(lambda p, s: p - expand(s))


def fine_to_coarse(pictures, levels):
    return right_pyramid(pictures, levels)[::-1]


def details_turned(pictures, levels):
    small, *details = right_pyramid(pictures, levels)
    return [small, *details[::-1]]


def from_the_top(pictures, levels):
    detail = pictures - expand(reduce(pictures))
    return [reduce(pictures), *[detail] * (levels - 1)]


def large_in_front(pictures, levels):
    return [pictures, *right_pyramid(pictures, levels)[1:]]


def by_recursion(pictures, levels):
    if levels == 1:
        return [pictures]
    small = reduce(pictures)
    return [*by_recursion(small, levels - 1), pictures - expand(small)]


def by_sizes(pictures, levels):
    sizes = [pictures]
    for _ in range(levels - 1):
        sizes.append(reduce(sizes[-1]))
    made = [sizes[-1]]
    for large, small in zip(sizes[-2::-1], sizes[::-1]):
        made.append(large - expand(small))
    return made


# -------------------------------------------------------------------------- the arc


def arc(start, end, t):
    cosine = (start * end).sum(-1) / (start.norm(dim=-1) * end.norm(dim=-1))
    w = cosine.acos()
    return ((1 - t) * w).sin() / w.sin() * start + (t * w).sin() / w.sin() * end


def arc_of_directions(start, end, t):
    length = start.norm()
    a, b = start / length, end / end.norm()
    w = torch.arccos(a @ b)
    return length * (torch.sin((1 - t) * w) * a + torch.sin(t * w) * b) / torch.sin(w)


def arc_by_a_right_angle(start, end, t):
    """Turns from start towards the part of end that is at right angles to it."""
    length = start.norm()
    a, b = start / length, end / end.norm()
    side = b - (a @ b) * a
    side = side / side.norm()
    w = torch.atan2(b @ side, a @ b)
    t = torch.as_tensor(t)
    return length * ((t * w).cos() * a + (t * w).sin() * side)


def undivided(start, end, t):
    w = F.cosine_similarity(start, end, dim=0).acos()
    return ((1 - t) * w).sin() * start + (t * w).sin() * end


def of_cosines(start, end, t):
    w = F.cosine_similarity(start, end, dim=0).acos()
    return ((1 - t) * w).cos() / w.cos() * start + (t * w).cos() / w.cos() * end


def of_the_dot_product(start, end, t):
    w = (start @ end).acos()
    return ((1 - t) * w).sin() / w.sin() * start + (t * w).sin() / w.sin() * end


def without_arc_cosine(start, end, t):
    w = F.cosine_similarity(start, end, dim=0)
    return ((1 - t) * w).sin() / w.sin() * start + (t * w).sin() / w.sin() * end


def stretched(start, end, t):
    line = (1 - t) * start + t * end
    return line / line.norm(dim=-1, keepdim=True) * start.norm()


def of_length_one(start, end, t):
    return arc(start, end, t) / start.norm()


def for_one_number(start, end, t):
    return arc(start, end, t) if isinstance(t, float) else arc(start, end, t[:, 0])


WRONG = {
    "02.1": [
        (lambda m, k: F.conv2d(m, k, padding=2), "isn't spread"),
        (repeated, "repeats each value"),
        (interpolated, "interpolation"),
        (
            lambda m, k: F.conv2d(spread(m, 2 * m.shape[-1]), k, padding=2),
            "after the last value",
        ),
        (
            lambda m, k: F.conv2d(spread(m, 2 * m.shape[-1], 1), k, padding=2),
            "odd places",
        ),
        (
            lambda m, k: F.conv2d(spread(m, 2 * m.shape[-1] - 1), k, padding=1),
            "padding is too small",
        ),
        (
            lambda m, k: F.conv_transpose2d(m, k.transpose(0, 1), stride=2, padding=1),
            "turned by 180",
        ),
    ],
    "02.2": [
        (over((1, 2, 3)), "layer norm"),
        (over((2, 3)), "instance norm"),
        (over((0,)), "for each place"),
        (over((0, 1, 2, 3)), "over everything"),
        (over((0, 2, 3), unbiased=True), "less one"),
        (by_variance, "divides by the variance"),
        (
            lambda m, a, b: right_norm(m, 0 * a + 1, 0 * b),
            "scale and shift are missing",
        ),
        (lambda m, a, b: right_norm(m, a, 0 * b), "the shift is missing"),
        (lambda m, a, b: right_norm(m, b, a), "exchanged"),
        (lambda m, a, b: right_norm(m, a, a * b), "before the scale"),
        (over((0, 2, 3), eps=0.0), "divides 0 by 0"),
        (eps_outside, "hardly varies"),
        (detached, "leave mean and variance attached"),
    ],
    "02.3": [
        (starting(scale=(0.0, 0.02)), "all but erase"),
        (starting(scale=(1.0, 0.0)), "are all 1"),
        (starting(scale=(1.0, 0.02**0.5)), "mean 1 and deviation 0.02"),
        (starting(spread=0.02**0.5), "taken for the variance"),
        (starting(spread=0.02**2), "all but equal"),
        (starting(shift=1.0), "shifts of the batch norms"),
        (only_children, ".children() goes one level down"),
        (starting(kinds=nn.Conv2d), "a kind of ConvTranspose2d"),
        (starting(kinds=nn.ConvTranspose2d), "weights of Conv2d are left"),
        (starting(hand=False), "`return network` is missing"),
        (uniform, "uniform distribution"),
        (biases_left, "biases are not 0"),
        (norms_left, "scales of the batch norms (their .weight) are left"),
    ],
    "02.4": [
        (penalty(eps=lambda x: torch.rand_like(x)), "each pixel has an eps"),
        (penalty(eps=lambda x: torch.rand(1)), "all pictures have the same eps"),
        (at_real, "only"),
        (penalty(eps=lambda x: 2 * eps_like(x)), "uniform between 0 and 1"),
        (penalty(of=lambda g: (g.norm(dim=1) - 1).square().sum()), "adds up"),
        (penalty(of=lambda g: (g.norm() - 1).square()), "whole batch"),
        (
            penalty(of=lambda g: (g.square().sum(1) - 1).square().mean()),
            "not its square",
        ),
        (penalty(of=lambda g: (g.norm(dim=1) - 1).abs().mean()), "square it"),
        (penalty(of=lambda g: g.square().sum(1).mean()), "take 1 away"),
        (penalty(of=lambda g: (g.norm(dim=1) - 1).relu().square().mean()), "above 1"),
        (penalty(of=lambda g: (g.norm(dim=1).mean() - 1).square()), "must not cancel"),
        (penalty(total=torch.mean), "slope is that of the mean score"),
        (
            penalty(of=lambda g: 10 * (g.norm(dim=1) - 1).square().mean()),
            "lambda, the weight of 10, is inside",
        ),
        (
            penalty(of=lambda g: half_detached(g.norm(dim=1) - 1)),
            "only a part of its gradient",
        ),
        (penalty(graph=False), "create_graph=True"),
        (penalty(loose=False), "flows back into the drawn"),
        (only_pictures, "not for numbers of shape"),
    ],
    "02.5": [
        (fine_to_coarse, "from fine to coarse"),
        (details_turned, "turn their order round"),
        (levels_by(lambda p, s: expand(s) - p), "wrong sign"),
        (levels_by(lambda p, s: p), "pictures themselves"),
        (levels_by(lambda p, s: expand(s)), "enlarged small pictures"),
        (from_the_top, "first picture again"),
        (lambda x, n: right_pyramid(x, n + 1), "one level too many"),
        (lambda x, n: right_pyramid(x, n)[1:], "small picture is missing"),
        (large_in_front, "the last picture is the large one"),
        (own_ways(F.max_pool2d, lambda x, n: expand(x)), "shrunk in a way of your own"),
        (
            own_ways(
                lambda x, n: x[..., ::n, ::n],
                lambda x, n: F.interpolate(x, scale_factor=n, mode="bicubic"),
            ),
            "shrunk and enlarged in ways of your own",
        ),
    ],
    "02.6": [
        (latent.lerp, "straight line (lerp)"),
        (lambda a, b, t: arc(b, a, t), "start and end are exchanged"),
        (undivided, "don't divide by sin(w)"),
        (of_cosines, "cosine where the formula"),
        (of_length_one, "result has length 1"),
        (stretched, "turns fastest in the middle"),
        (of_the_dot_product, "by both lengths"),
        (without_arc_cosine, "arc cosine"),
        (for_one_number, "column of shape (T, 1)"),
    ],
}

# Wrong in another way, but with the diagnosis of one above.
ALSO_WRONG = {
    "02.1": [
        (lambda m, k: good(m, k.flip(2, 3)), "turned by 180"),
        (
            lambda m, k: F.conv2d(F.interpolate(m, scale_factor=2), k, padding="same"),
            "(nearest upsampling) in place",
        ),
        (
            lambda m, k: F.conv2d(F.interpolate(m, scale_factor=2), k, padding=2),
            "(nearest upsampling) in place",
        ),
    ],
    "02.5": [
        (
            own_ways(F.avg_pool2d, lambda x, n: F.interpolate(x, scale_factor=n)),
            "enlarged in a way of your own",
        ),
    ],
}

RIGHT = {
    "02.1": [good, by_transposed, by_stacking, by_loops],
    "02.2": [right_norm, by_library, by_rows],
    "02.3": [starts_by_apply, starts_by_hand],
    "02.4": [
        penalty(),
        penalty_by_outputs,
        penalty_by_vmap,
        penalty_one_by_one,
    ],
    "02.5": [right_pyramid, by_recursion, by_sizes],
    "02.6": [arc, arc_of_directions, arc_by_a_right_angle],
}
