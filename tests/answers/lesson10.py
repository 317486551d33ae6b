"""Known answers to lesson 10: wrong ones with part of their diagnosis; right ones."""

from itertools import accumulate

import torch
from torch.nn import functional as F

from t2i_course.papers.stackgan_v2 import colours

soft = F.softplus


def halves(x):
    n = x.shape[1] // 2
    return x[:, :n], x[:, n:]


def gate(function):
    return lambda x: function(*halves(x))


def gated_by_torch(x):
    return F.glu(x, 1)


def gated_by_slices(x):
    n = x.shape[1] // 2
    return x[:, :n] / (1 + (-x[:, n:]).exp())


def gated_by_split(x):
    value, lock = torch.split(x, x.shape[1] // 2, dim=1)
    return torch.sigmoid(lock).mul(value)


def gated_resting(x):
    value, lock = halves(x)
    return value * lock.detach().sigmoid()


def gated_by_columns(x):
    value, lock = x.tensor_split(2, -1)
    return value * lock.sigmoid()


def gated_in_place(x):
    value, lock = halves(x)
    return value * lock.sigmoid_()


def tree_by_loop(first, others, z, c):
    found = [first(torch.cat((c, z), dim=1))]
    for branch in others:
        found.append(branch(found[-1], c))
    return found


def tree_by_reduce(first, others, z, c):
    start = first(torch.hstack([c, z]))
    return tuple(accumulate([start, *others], lambda h, branch: branch(h, c)))


def tree_by_recursion(first, others, z, c):
    def grown(h, rest):
        return [h] + (grown(rest[0](h, c), rest[1:]) if rest else [])

    return grown(first(torch.cat([c, z], -1)), list(others))


def tree_told_z(first, others, z, c):
    found = [first(torch.cat([c, z], 1))]
    for branch in others:
        found.append(branch(found[-1], z))
    return found


def tree_turned(first, others, z, c):
    found = [first(torch.cat([z, c], 1))]
    for branch in others:
        found.append(branch(found[-1], c))
    return found


def tree_from_the_root(first, others, z, c):
    root = first(torch.cat([c, z], 1))
    return [root] + [branch(root, c) for branch in others]


def tree_without_root(first, others, z, c):
    h, found = first(torch.cat([c, z], 1)), []
    for branch in others:
        h = branch(h, c)
        found.append(h)
    return found


def tree_deaf(first, others, z, c):
    found = [first(torch.cat([c, z], 1))]
    for branch in others:
        found.append(branch(found[-1], 0 * c))
    return found


def tree_of_c(first, others, z, c):
    found = [first(c)]
    for branch in others:
        found.append(branch(found[-1], c))
    return found


def tree_told_both(first, others, z, c):
    both = torch.cat([c, z], 1)
    found = [first(both)]
    for branch in others:
        found.append(branch(found[-1], both))
    return found


def tree_detached(first, others, z, c):
    found = [first(torch.cat([c, z], 1)).detach()]
    for branch in others:
        found.append(branch(found[-1], c))
    return found


def tree_of_three(first, others, z, c):
    h_0 = first(torch.cat([c, z], 1))
    h_1 = others[0](h_0, c)
    return [h_0, h_1, others[1](h_1, c)]


def tree_exchanged(first, others, z, c):
    found = [first(torch.cat([c, z], 1))]
    for branch in others:
        found.append(branch(c, found[-1]))
    return found


def tree_joined(first, others, z, c):
    found = [first(torch.cat([c, z], 1))]
    for branch in others:
        places = c[:, :, None, None].expand(-1, -1, *found[-1].shape[2:])
        found.append(branch(torch.cat([found[-1], places], 1)))
    return found


def tree_of_two(first, others, z, c):
    found = [first(c, z)]
    for branch in others:
        found.append(branch(found[-1], c))
    return found


def tree_too_short(first, others, z, c):
    found = [first(torch.cat([c, z], 1))]
    for i in range(1, len(others)):
        found.append(others[i](found[-1], c))
    return found


def yes(logits):
    return soft(-logits).mean()


def no(logits):
    return soft(logits).mean()


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def joint_by_bce(real, drawn, right, fake, wrong):
    unconditional = bce(real, 1.0) + bce(drawn, 0.0)
    return unconditional + bce(right, 1.0) + 0.5 * (bce(fake, 0.0) + bce(wrong, 0.0))


def joint_by_logsigmoid(real, drawn, right, fake, wrong):
    log = F.logsigmoid
    good = log(real) + log(right) + log(-drawn)
    return -(good + 0.5 * log(-fake) + 0.5 * log(-wrong)).mean()


def joint_fragile(real, drawn, right, fake, wrong):
    found = [x.sigmoid() for x in (real, drawn, right, fake, wrong)]
    logs = found[0].log() + (1 - found[1]).log() + found[2].log()
    return -(logs + ((1 - found[3]).log() + (1 - found[4]).log()) / 2).mean()


def joint_of_hinges(real, drawn, right, fake, wrong):
    good = (1 - torch.stack([real, right])).relu().mean(1).sum()
    bad = (1 + torch.stack([drawn, fake, wrong])).relu().mean(1)
    return good + bad[0] + bad[1:].mean()


def joint_detached(real, drawn, right, fake, wrong):
    return joint_by_bce(real, drawn, right, fake, wrong.detach())


def spread(x, divided=True):
    x = x.flatten(2)
    x = x - x.mean(2, keepdim=True)
    return x @ x.mT / (x.shape[2] if divided else 1)


def mean(x):
    return x.flatten(2).mean(2)


def colours_by_einsum(pictures):
    means = pictures.mean(dim=(2, 3))
    apart = pictures - means[..., None, None]
    return means, torch.einsum("bihw,bjhw->bij", apart, apart) / apart[0, 0].numel()


def colours_by_cov(pictures):
    each = [torch.cov(p.flatten(1), correction=0) for p in pictures]
    return [pictures.mean((2, 3)), torch.stack(each)]


def colours_by_moments(pictures):
    x = pictures.flatten(2)
    means = x.mean(-1)
    moments = x @ x.transpose(1, 2) / x.shape[-1]
    return means, moments - means.unsqueeze(2) * means.unsqueeze(1)


def colours_unbiased(pictures):
    return mean(pictures), torch.stack([torch.cov(p.flatten(1)) for p in pictures])


def colours_of_moments(pictures):
    x = pictures.flatten(2)
    return mean(pictures), x @ x.mT / x.shape[2]


def variances(x):
    return x.flatten(2).var(2, correction=0)


def correlations(x):
    return mean(x), torch.stack([torch.corrcoef(p.flatten(1)) for p in x])


def colours_of_the_batch(x):
    apart = (x - x.mean((0, 2, 3), keepdim=True)).flatten(2)
    return mean(x), apart @ apart.mT / apart.shape[2]


def colours_of_pixels(x):
    apart = x.flatten(2) - mean(x)[..., None]
    return mean(x), apart.mT @ apart / apart.shape[2]


def colours_dealt(x):
    rows = x.reshape(len(x), -1, 3)
    gap = rows - rows.mean(1, keepdim=True)
    return rows.mean(1), gap.mT @ gap / rows.shape[1]


def colours_detached(pictures):
    return mean(pictures), spread(pictures.detach())


def led(fine, coarse):
    """Differences of means and covariances; the coarse picture leads."""
    found = zip(colours(fine), colours(coarse.detach()))
    return [one - other for one, other in found]


def apart(fine, coarse, covariances=5.0, means=1.0, of=lambda gap: gap.pow(2).mean()):
    one, two = led(fine, coarse)
    return means * of(one) + covariances * of(two)


def consistent_by_squares(fine, coarse, covariances=5.0):
    one, two = led(fine, coarse)
    return (one**2).mean() + covariances * (two * two).sum() / two.numel()


def consistent_under_no_grad(fine, coarse, covariances=5.0):
    with torch.no_grad():
        wanted = colours(coarse)
    found = colours(fine)
    weights = (1.0, covariances)
    return sum(w * F.mse_loss(f, g) for w, f, g in zip(weights, found, wanted))


def consistent_attached(fine, coarse, covariances=5.0):
    pairs = list(zip(colours(fine), colours(coarse)))
    return F.mse_loss(*pairs[0]) + covariances * F.mse_loss(*pairs[1])


def consistent_turned(fine, coarse, covariances=5.0):
    return consistent_attached(fine.detach(), coarse, covariances)


def consistent_half(fine, coarse, covariances=5.0):
    one, two = led(fine, coarse)
    return one.square().mean() + covariances * two.detach().square().mean()


def consistent_by_pixels(fine, coarse, covariances=5.0):
    return F.mse_loss(F.interpolate(fine, scale_factor=0.5, mode="area"), coarse)


def painters_by_bce(alone, pairs):
    return sum(bce(a, 1.0) + bce(p, 1.0) for a, p in zip(alone, pairs))


def painters_by_logsigmoid(alone, pairs):
    logs = F.logsigmoid(torch.stack([alone, pairs]))
    return -logs.sum((0, 1)).mean()


def painters_fragile(alone, pairs):
    return -(alone.sigmoid().log() + pairs.sigmoid().log()).mean(1).sum()


def painters_detached(alone, pairs):
    return (soft(-alone) + soft(-pairs.detach())).mean(1).sum()


def painters_of_three(alone, pairs):
    return sum(yes(alone[i]) + yes(pairs[i]) for i in range(3))


WRONG = {
    "10.1": [
        (gate(lambda a, b: a.sigmoid() * b), "exchanged"),
        (gate(lambda a, b: a * b), "sigmoid is missing"),
        (gate(lambda a, b: a * b.tanh()), "turn the sign"),
        (gate(lambda a, b: a.tanh() * b.sigmoid()), "lesson 04's"),
        (gate(lambda a, b: a * b.relu()), "without bound"),
        (gate(lambda a, b: a * F.silu(b)), "stands there twice"),
        (gate(lambda a, b: F.silu(a)), "opens itself"),
        (gate(lambda a, b: torch.where(b > 0, a, 0.0)), "wholly open"),
        (gate(lambda a, b: a * b.softmax(1)), "share one opening"),
        (gate(lambda a, b: a + b.sigmoid()), "are added"),
        (gate(lambda a, b: a.sigmoid() * b.sigmoid()), "both halves"),
        (gate(lambda a, b: (a * b).sigmoid()), "of the product"),
        (lambda x: F.silu(x), "nothing is split"),
        (gated_by_columns, "last axis"),
        (lambda x: x[: len(x) // 2] * x[len(x) // 2 :].sigmoid(), "batch is split"),
        (lambda x: x[:, ::2] * x[:, 1::2].sigmoid(), "even and odd"),
        (lambda x: halves(x)[0], "gates are left out"),
        (gated_resting, "only a part of its gradient"),
        (gated_in_place, "changed by the call"),
    ],
    "10.2": [
        (tree_told_z, "are told z"),
        (tree_turned, "c first and z behind"),
        (tree_from_the_root, "each branch reads h_0"),
        (tree_without_root, "h_0 is missing"),
        (lambda *x: tree_by_loop(*x)[-1], "only the last features"),
        (lambda *x: tree_by_loop(*x)[::-1], "turned round"),
        (lambda *x: tree_by_loop(*x)[:-1], "last branch is missing"),
        (tree_deaf, "aren't told the sentence"),
        (tree_of_c, "F_0 got 5"),
        (tree_told_both, "told 10 numbers"),
        (tree_detached, "no gradient"),
        (tree_of_three, "more or fewer"),
        (tree_exchanged, "features first"),
        (tree_joined, "both joined to one"),
        (tree_of_two, "F_0 takes one tensor"),
        (tree_too_short, "is passed over"),
    ],
    "10.3": [
        (lambda r, d, t, f, w: yes(t) + (no(f) + no(w)) / 2, "without JCU"),
        (lambda r, d, t, f, w: yes(r) + no(d), "not heard of"),
        (lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f), "leaves them out"),
        (
            lambda r, d, t, f, w: yes(r) + no(d) + yes(t) + no(f) + no(w),
            "count whole",
        ),
        (lambda *x: joint_by_bce(*x) / 2, "mean of the two losses"),
        (lambda *x: joint_by_bce(*x) + no(x[3]) / 2, "counts whole and"),
        (lambda *x: joint_by_bce(*x) - no(x[1]) / 2, "`drawn` is halved"),
        (
            lambda r, d, t, f, w: yes(r) + no(d) + (yes(t) + (no(f) + no(w)) / 2) / 2,
            "halved as a whole",
        ),
        (lambda r, d, t, f, w: joint_by_bce(r, f, t, d, w), "are exchanged: `drawn`"),
        (lambda *x: joint_by_bce(*x) - no(x[1]), "drawn pictures are missing"),
        (joint_of_hinges, "a hinge loss"),
        (
            lambda r, d, t, f, w: (yes(r) + yes(t)) / 2 + (no(d) + no(f) + no(w)) / 3,
            "stage II's release",
        ),
        (lambda r, d, t, f, w: joint_by_bce(r, d, t, f, -w), "called right"),
        (lambda r, d, t, f, w: joint_by_bce(r, -d, t, f, w), "called real"),
        (lambda *x: joint_by_bce(*(-y for y in x)), "yes and no are exchanged"),
        (lambda *x: -joint_by_bce(*x), "turn the sign"),
        (lambda *x: joint_by_bce(*x) * x[0].numel(), "added up"),
        (
            lambda r, d, t, f, w: yes(r + t) + (no(d + f) + no(r + w)) / 2,
            "before the log",
        ),
        (joint_fragile, "sure and wrong"),
        (joint_detached, "comes back to `wrong`"),
    ],
    "10.5": [
        (colours_unbiased, "H W - 1"),
        (colours_of_moments, "second moments"),
        (lambda x: (mean(x), spread(x, divided=False)), "not divided"),
        (lambda x: (mean(x), variances(x)), "only variances"),
        (lambda x: (mean(x), variances(x).sqrt()), "standard deviations"),
        (correlations, "correlations"),
        (lambda x: (mean(x).mean(0), spread(x).mean(0)), "averaged away"),
        (colours_of_the_batch, "whole batch's"),
        (colours_of_pixels, "each pixel with each"),
        (colours_dealt, "deals the numbers"),
        (lambda x: (mean(x), spread(x, divided=False) / 3), "divided by 3"),
        (lambda x: (mean(x), spread(x, divided=False) / len(x)), "by the batch"),
        (lambda x: (spread(x), mean(x)), "other order"),
        (lambda x: (x.mean(1), spread(x)), "over the colours"),
        (lambda x: (x.flatten(2).sum(2), spread(x)), "stands for their mean"),
        (colours_detached, "only a part of its gradient"),
    ],
    "10.6": [
        (lambda f, c, w=5.0: apart(f, c, 1.0, means=w), "is at the means"),
        (lambda f, c, w=5.0: apart(f, c, 1.0), "weight is missing"),
        (lambda f, c, w=5.0: apart(f, c, 5.0), "5 stands there"),
        (lambda f, c, w=5.0: apart(f, c, w, means=w), "multiplies both"),
        (lambda f, c, w=5.0: apart(f, c, 0.0), "covariances' term"),
        (lambda f, c, w=5.0: apart(f, c, w, means=0.0), "means' term"),
        (
            lambda f, c, w=5.0: apart(f, c, w, of=lambda g: g.pow(2).sum() / len(g)),
            "the paper's norms",
        ),
        (
            lambda f, c, w=5.0: apart(f, c, w, of=lambda g: g.pow(2).sum()),
            "batch and numbers",
        ),
        (lambda f, c, w=5.0: apart(f, c, w, of=lambda g: g.abs().mean()), "absolute"),
        (
            lambda f, c, w=5.0: apart(f, c, w, of=lambda g: g.pow(2).mean().sqrt()),
            "a root is taken",
        ),
        (
            lambda f, c, w=5.0: apart(f, c, w, of=lambda g: g.mean(0).pow(2).mean()),
            "too red",
        ),
        (
            lambda f, c, w=5.0: apart(
                f, c, w, of=lambda g: g.flatten(1).norm(dim=1).mean()
            ),
            "norms are taken",
        ),
        (lambda f, c, w=5.0: 50 * apart(f, c, w), "lambda_1 = 50"),
        (consistent_by_pixels, "compares pixels"),
        (lambda f, c, w=5.0: -apart(f, c, w), "sign is turned"),
        (consistent_attached, "reaches `coarse`"),
        (consistent_turned, "comes back to `fine`"),
        (consistent_half, "only a part of its gradient"),
        (lambda f, c, covariances=1.0: apart(f, c, covariances), "is left out"),
    ],
    "10.4": [
        (lambda a, p: yes(a) + yes(p), "mean over the scales"),
        (lambda a, p: soft(-a).sum() + soft(-p).sum(), "over the batch, too"),
        (lambda a, p: (soft(-a) + soft(-p)).mean(0).sum(), "axes are exchanged"),
        (lambda a, p: (soft(-a) + soft(-p)).mean(1), "one loss a scale"),
        (lambda a, p: painters_by_bce(a[1:], p[1:]), "smallest scale is left out"),
        (lambda a, p: painters_by_bce(a, -p), "one head's sign"),
        (lambda a, p: yes(a[-1]) + yes(p[-1]), "only the largest"),
        (lambda a, p: yes(a[0]) + yes(p[0]), "only the smallest"),
        (lambda a, p: soft(-p).mean(1).sum(), "unconditional loss is missing"),
        (lambda a, p: soft(-a).mean(1).sum(), "whatever the sentence"),
        (lambda a, p: painters_by_bce(a, p) / 2, "two heads' losses"),
        (lambda a, p: painters_by_bce(-a, -p), "is turned"),
        (lambda a, p: -painters_by_bce(-a, -p), "saturates"),
        (lambda a, p: soft(-a - p).mean(1).sum(), "before the log"),
        (lambda a, p: -(a + p).mean(1).sum(), "log-probabilities"),
        (painters_fragile, "-200"),
        (painters_detached, "comes back to `pairs`"),
        (painters_of_three, "IndexError"),
    ],
}

RIGHT = {
    "10.1": [gated_by_torch, gated_by_slices, gated_by_split],
    "10.2": [tree_by_loop, tree_by_reduce, tree_by_recursion],
    "10.3": [joint_by_bce, joint_by_logsigmoid],
    "10.5": [colours_by_einsum, colours_by_cov, colours_by_moments],
    "10.6": [consistent_by_squares, consistent_under_no_grad],
    "10.4": [painters_by_bce, painters_by_logsigmoid],
}
