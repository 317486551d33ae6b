"""Known answers to lesson 17: wrong ones with part of their diagnosis; right ones."""

from itertools import permutations

import numpy as np
import torch
from torch.nn import functional as F

INF = float("inf")

# 17.1, gradient ascent ----------------------------------------------------------------


def slope(activation, x):
    x = x.detach().clone().requires_grad_(True)
    a = activation(x)
    return a.detach(), torch.autograd.grad(a, x, torch.ones_like(a))[0]


def wide(mask, x):
    return mask.to(x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def ascend_by_where(activation, x, step, steps, threshold=INF):
    for _ in range(steps):
        a, gradient = slope(activation, x)
        if bool((a >= threshold).all()):
            break
        x = torch.where(wide(a < threshold, x) > 0, x + step * gradient, x)
    return x.detach()


def ascend_by_backward_inputs(activation, x, step, steps, threshold=INF):
    x = x.detach().clone()
    for _ in range(steps):
        x.requires_grad_(True)
        x.grad = None
        a = activation(x)
        a.sum().backward(inputs=[x])
        with torch.no_grad():
            x = x + step * x.grad * wide(a < threshold, x)
    return x


def ascend_one_by_one(activation, x, step, steps, threshold=INF):
    grown = []
    for one in x.detach().split(1):
        for _ in range(steps):
            a, gradient = slope(activation, one)
            if a.item() >= threshold:
                break
            one = one + step * gradient
        grown.append(one)
    return torch.cat(grown)


def up(change=lambda g: g, fit=lambda x: x, more=0, moves=lambda a, end: a < end):
    def ascend(activation, x, step, steps, threshold=INF):
        for _ in range(steps + more):
            a, gradient = slope(activation, x)
            moving = wide(moves(a, threshold).expand_as(a), x)
            x = fit(x + step * moving * change(gradient))
        return x

    return ascend


def ascend_piling(activation, x, step, steps, threshold=INF):
    x = x.detach().clone().requires_grad_()
    for _ in range(steps):
        activation(x).sum().backward()
        with torch.no_grad():
            x += step * x.grad
    return x.detach()


def ascend_from_start(activation, x, step, steps, threshold=INF):
    a, gradient = slope(activation, x)
    for _ in range(steps):
        x = x + step * wide(a < threshold, x) * gradient
    return x


def ascend_late(activation, x, step, steps, threshold=INF):
    going = torch.ones(len(x))
    for _ in range(steps):
        a, gradient = slope(activation, x)
        x = x + step * wide(going, x) * gradient
        going = (a < threshold).float()
    return x


def ascend_then_look(activation, x, step, steps, threshold=INF):
    going = torch.ones(len(x))
    for _ in range(steps):
        _, gradient = slope(activation, x)
        x = x + step * wide(going, x) * gradient
        going = going * (activation(x) < threshold)
    return x.detach()


def ascend_below(activation, x, step, steps, threshold=INF):
    for _ in range(steps):
        _, gradient = slope(activation, x)
        new = x + step * gradient
        x = torch.where(wide(activation(new) < threshold, x) > 0, new, x)
    return x


def ascend_by_backward(activation, x, step, steps, threshold=INF):
    for _ in range(steps):
        x = x.detach().clone().requires_grad_()
        a = activation(x)
        a.sum().backward()
        x = x + step * wide(a < threshold, x) * x.grad
    return x.detach()


def ascend_attached(activation, x, step, steps, threshold=INF):
    for _ in range(steps):
        x = x.detach().requires_grad_()
        a = activation(x)
        (gradient,) = torch.autograd.grad(a.sum(), x)
        x = x + step * wide(a < threshold, x) * gradient
    return x


def ascend_in_place(activation, x, step, steps, threshold=INF):
    for _ in range(steps):
        a, gradient = slope(activation, x)
        with torch.no_grad():
            x += step * wide(a < threshold, x) * gradient
    return x.detach()


# 17.2, total variation ----------------------------------------------------------------


def variation_by_diff(x):
    return x.diff(dim=3).abs().mean((1, 2, 3)) + x.diff(dim=2).abs().mean((1, 2, 3))


def variation_by_loss(x):
    across = F.l1_loss(x[:, :, :, 1:], x[:, :, :, :-1], reduction="none")
    down = F.l1_loss(x[:, :, :-1, :], x[:, :, 1:, :], reduction="none")
    return across.mean(dim=[1, 2, 3]) + down.mean(dim=[1, 2, 3])


def variation_by_counts(x):
    c, h, w = x.shape[1:]
    across, down = (x.diff(dim=axis).abs().sum((1, 2, 3)) for axis in (3, 2))
    return across / (c * h * (w - 1)) + down / (c * (h - 1) * w)


def of_both(of):
    return lambda x: of(x.diff(dim=3)) + of(x.diff(dim=2))


# 17.3, an operator in each step -------------------------------------------------------


def step_by_func(activation, x, r, step):
    x = x.detach()
    return r(x) + step * torch.func.grad(lambda x: activation(x).sum())(x)


def step_by_backward_inputs(activation, x, r, step):
    x = x.detach().clone().requires_grad_()
    activation(x).sum().backward(inputs=[x])
    return (r(x) + step * x.grad).detach()


def step_by_backward(activation, x, r, step):
    x = x.detach().clone().requires_grad_()
    activation(x).sum().backward()
    return (r(x) + step * x.grad).detach()


def step_attached(activation, x, r, step):
    x = x.detach().clone().requires_grad_()
    return r(x) + step * torch.autograd.grad(activation(x).sum(), x)[0]


def step_through(activation, x, r, step):
    return r(x) + step * slope(lambda x: activation(r(x)), x)[1]


# 17.4, a picture of waves -------------------------------------------------------------


def often(high, wide):
    down = torch.fft.fftfreq(high).reshape(-1, 1)
    return torch.hypot(down, torch.fft.rfftfreq(wide).expand(high, -1))


def waves_by_hypot(spectrum, high, wide):
    how = often(high, wide).clamp(min=1 / max(high, wide)).to(spectrum.device)
    return torch.fft.irfft2(spectrum / how, s=(high, wide), norm="ortho")


def waves_by_corner(spectrum, high, wide):
    how = often(high, wide).to(spectrum.device)
    how[0, 0] = 1 / max(high, wide)
    x = torch.fft.irfft2(spectrum / how, s=(high, wide), norm="backward")
    return x * (high * wide) ** 0.5


def waves_in_two_turns(spectrum, high, wide):
    how = torch.maximum(often(high, wide), torch.tensor(1 / max(high, wide)))
    rows = torch.fft.ifft(spectrum / how.to(spectrum.device), dim=-2, norm="ortho")
    return torch.fft.irfft(rows, n=wide, dim=-1, norm="ortho")


def waves(how, **settings):
    def paint(spectrum, high, wide):
        f = how(often(high, wide), high, wide)
        given = {"s": (high, wide), "norm": "ortho"} | settings
        return torch.fft.irfft2(spectrum / f, **given)

    return paint


def floored(f, high, wide):
    return f.clamp_min(1 / max(high, wide))


def waves_of(length):
    """With another length of the two frequencies."""

    def how(f, high, wide):
        down, across = torch.fft.fftfreq(high), torch.fft.rfftfreq(wide)
        f = length(down[:, None].expand_as(f), across.expand_as(f))
        return floored(f, high, wide)

    return waves(how)


def corner(value):
    def how(f, high, wide):
        f[0, 0] = value
        return f

    return waves(how)


def whole(f, high, wide):
    down, across = torch.fft.fftfreq(high) * high, torch.fft.rfftfreq(wide) * wide
    return (down[:, None] ** 2 + across**2).sqrt().clamp_min(1)


def waves_across(spectrum, high, wide):
    f = floored(often(high, wide), high, wide)
    return torch.fft.irfft(spectrum / f, wide, norm="ortho")


def waves_of_half(spectrum, high, wide):
    f = floored(often(high, wide), high, wide)
    return torch.fft.ifft2(spectrum / f, norm="ortho").real


# 17.5, three derivatives --------------------------------------------------------------


def derivatives_by_table(rows, jacobian, unit):
    s = F.softmax(rows, dim=0)
    whole = torch.diag(s) - torch.outer(s, s)
    logs = torch.eye(len(s), dtype=s.dtype, device=s.device) - s
    return jacobian[unit], whole[unit] @ jacobian, logs[unit] @ jacobian


def derivatives_by_autograd(rows, jacobian, unit):
    made = [jacobian[unit]]
    for form in (torch.softmax, torch.log_softmax):
        with torch.enable_grad():
            a = rows.detach().clone().requires_grad_()
            (by_rows,) = torch.autograd.grad(form(a, 0)[unit], a)
        made.append((by_rows[:, None] * jacobian).sum(0))
    return made


def derivatives_by_exps(rows, jacobian, unit):
    e = torch.exp(rows - rows.max())
    s = e / e.sum()
    log = jacobian[unit] - (s[:, None] * jacobian).sum(dim=0)
    return jacobian[unit], s[unit] * log, log


def shared(rows):
    return rows.softmax(0)


def rest(rows, jacobian, unit):
    return jacobian[unit] - shared(rows) @ jacobian


def with_soft(soft):
    return lambda a, J, i: (J[i], soft(shared(a), a, J, i), rest(a, J, i))


def with_log(log):
    return lambda a, J, i: (J[i], shared(a)[i] * rest(a, J, i), log(shared(a), a, J, i))


def with_raw(raw):
    return lambda a, J, i: (raw(a, J, i), shared(a)[i] * rest(a, J, i), rest(a, J, i))


def derivatives_overflowing(rows, jacobian, unit):
    s = rows.exp() / rows.exp().sum()
    log = jacobian[unit] - s @ jacobian
    return jacobian[unit], s[unit] * log, log


def derivatives_divided(rows, jacobian, unit):
    raw, soft, _ = derivatives_by_exps(rows, jacobian, unit)
    return raw, soft, soft / shared(rows)[unit]


# 17.6, which channel is which? --------------------------------------------------------


def even(x):
    return x - x.mean(0)


def table(seen, palette):
    return even(seen).T @ even(palette)


def order_by_table(seen, palette):
    fits = table(seen, palette)
    return max(
        permutations(range(3)), key=lambda o: sum(fits[i, o[i]] for i in (0, 1, 2))
    )


def order_by_distance(seen, palette):
    one, two = even(seen) / seen.std(0), even(palette) / palette.std(0)
    far = {o: (one - two[:, list(o)]).norm().item() for o in permutations(range(3))}
    return min(far, key=far.get)


def order_by_correlations(seen, palette):
    fits = np.corrcoef(seen.numpy().T, palette.numpy().T)[:3, 3:]
    best, found = -9.0, None
    for order in permutations([0, 1, 2]):
        score = fits[range(3), order].sum()
        if score > best:
            best, found = score, order
    return found


def order_of(score, ready=lambda x: x):
    def find(seen, palette):
        one, two = ready(seen), ready(palette)
        scores = {o: float(score(one, two[:, list(o)])) for o in permutations(range(3))}
        return max(scores, key=scores.get)

    return find


def order_inverse(seen, palette):
    return tuple(np.argsort(order_by_table(seen, palette)).tolist())


def order_in_turn(seen, palette):
    left, order = [0, 1, 2], []
    for row in table(seen, palette):
        order.append(max(left, key=lambda colour: row[colour]))
        left.remove(order[-1])
    return tuple(order)


def order_by_best_pair(seen, palette):
    fits, order = table(seen, palette), {}
    for place in fits.flatten().argsort(descending=True).tolist():
        channel, colour = place // 3, place % 3
        if channel not in order and colour not in order.values():
            order[channel] = colour
    return tuple(order[i] for i in range(3))


def order_by_means(seen, palette):
    ranks, colours = seen.mean(0).argsort().argsort(), palette.mean(0).argsort()
    return tuple(colours[ranks].tolist())


WRONG = {
    "17.1": [
        (up(lambda g: -g), "it goes down"),
        (ascend_one_by_one, "all pictures of the batch at once"),
        (up(lambda g: g / len(g)), "batch's mean activation, so"),
        (ascend_piling, "pile up"),
        (ascend_from_start, "once, at the start"),
        (up(more=-1), "one step is missing"),
        (up(more=1), "one step too many"),
        (lambda a, x, e, n, t=INF: ascend_by_where(a, x, e, 1, t), "only one step"),
        (up(torch.sign), "fixed length"),
        (up(fit=lambda x: x.clamp(-1, 1)), "within limits"),
        (lambda a, x, e, n, t=INF: ascend_by_where(a, x, 1, n, t), "size is missing"),
        (lambda a, x, e, n, t=INF: ascend_by_where(a, x, 1 / e, n, t), "divided by"),
        (lambda a, x, e, n, t=INF: x.clone(), "as it was"),
        (lambda a, x, e, n, t=INF: ascend_by_where(a, x, e, n), "isn't used"),
        (up(moves=lambda a, end: a.max() < end), "as soon as one"),
        (up(moves=lambda a, end: a.min() < end), "until the last one"),
        (up(moves=lambda a, end: a.mean() < end), "mean activation is compared"),
        (up(moves=lambda a, end: a.sum() < end), "sum of the batch"),
        (ascend_late, "one step more after"),
        (ascend_then_look, "at the very start"),
        (ascend_below, "one step too early"),
        (up(moves=lambda a, end: (a < end) ^ (end < INF)), "turned round"),
        (up(moves=lambda a, end: a < end if a < end else a > end), "`if` asks"),
        (ascend_by_backward, "network's parameters"),
        (ascend_attached, "hangs on the graph"),
        (ascend_in_place, "changed by the call"),
        (lambda *g: ascend_by_where(*g).mean(0), "shape"),
        (lambda *g: ascend_by_where(*g).numpy(), "NumPy"),
    ],
    "17.2": [
        (of_both(lambda d: d.square().mean((1, 2, 3))), "squared"),
        (of_both(lambda d: d.abs().sum((1, 2, 3))), "added up; take their mean"),
        (lambda x: x.diff(dim=3).abs().mean((1, 2, 3)), "differences to the right"),
        (lambda x: x.diff(dim=2).abs().mean((1, 2, 3)), "only differences to below"),
        (lambda x: sum((x - x.roll(-1, axis)).abs().mean((1, 2, 3)) for axis in (2, 3)),
         "wraps round"),
        (lambda x: sum(x.diff(dim=axis).abs().mean((1, 2, 3)) for axis in (1, 2)),
         "channels are compared"),
        (of_both(lambda d: d.mean((1, 2, 3))), "ups and downs cancel"),
        (of_both(lambda d: d.mean((1, 2, 3)).abs()), "after the mean"),
        (lambda x: torch.stack([
            torch.cat([d.flatten() for d in (one.diff(dim=2), one.diff(dim=1))])
            .abs().mean() for one in x]), "directions together"),
        (lambda x: variation_by_diff(x) / 2, "half of it"),
        (lambda x: (x.diff(dim=3)[:, :, :-1] ** 2 + x.diff(dim=2)[..., :-1] ** 2)
         .sqrt().mean((1, 2, 3)), "isotropic"),
        (of_both(lambda d: d.pow(2).mean((1, 2, 3)) ** 0.5), "root of a sum or mean"),
        (lambda x: of_both(lambda d: d.abs().sum((1, 2, 3)))(x) / x[0].numel(),
         "number of pixels"),
        (of_both(lambda d: d.abs().sum(1).mean((1, 2))), "over channels"),
        (lambda x: (x[..., 2:] - x[..., :-2]).abs().mean((1, 2, 3))
         + (x[:, :, 2:] - x[:, :, :-2]).abs().mean((1, 2, 3)), "after the next"),
        (lambda x: (x[:, :, 1:, 1:] - x[:, :, :-1, :-1]).abs().mean((1, 2, 3)),
         "diagonal"),
        (of_both(lambda d: d.abs().mean()), "whole batch"),
        (of_both(lambda d: d.abs().mean((2, 3))), "shape"),
        (lambda x: variation_by_diff(x.detach()), "gradient"),
    ],
    "17.3": [
        (lambda a, x, r, e: r(x) + e * slope(a, r(x))[1], "taken at r(x); (5)"),
        (lambda a, x, r, e: r(x + e * slope(a, x)[1]), "the whole sum"),
        (lambda a, x, r, e: x + e * slope(a, x)[1], "r isn't used"),
        (lambda a, x, r, e: x + e * slope(a, r(x))[1], "the other way round"),
        (step_through, "leads through r"),
        (lambda a, x, r, e: r(x) - e * slope(a, x)[1], "it goes down"),
        (lambda a, x, r, e: r(x) + e * slope(a, x)[1] / len(x), "mean activation"),
        (lambda a, x, r, e: r(x) + slope(a, x)[1], "`step` is missing"),
        (lambda a, x, r, e: e * (r(x) + slope(a, x)[1]), "multiplies r(x)"),
        (lambda a, x, r, e: r(x) + e * r(slope(a, x)[1]), "to the gradient, too"),
        (lambda a, x, r, e: x + e * r(slope(a, x)[1]), "in place of the picture"),
        (lambda a, x, r, e: r(r(x) + e * slope(a, x)[1]), "r is applied twice"),
        (lambda a, x, r, e: r(x), "r(x_t) alone"),
        (lambda a, x, r, e: x + r(x) + e * slope(a, x)[1], "beside r(x_t)"),
        (lambda a, x, r, e: r(x) + e * slope(a, x)[1].sign(), "fixed length"),
        (lambda a, x, r, e: step_by_func(a, x, r, e).clamp(-1, 1), "within [-1, 1]"),
        (step_attached, "hangs on the graph"),
        (step_by_backward, "network's parameters"),
    ],
    "17.4": [
        (waves(lambda f, h, w: torch.ones_like(f)), "aren't divided"),
        (waves(lambda f, h, w: 1 / floored(f, h, w)), "are multiplied"),
        (waves(lambda f, h, w: floored(f, h, w) ** 2), "square of the frequency"),
        (waves(lambda f, h, w: floored(f, h, w).sqrt()), "root of the frequency"),
        (waves(lambda f, h, w: floored(f**2, h, w)), "root is missing"),
        (waves(lambda f, h, w: f), "isn't finite"),
        (corner(INF), "is left out"),
        (corner(1.0), "divided by 1;"),
        (waves(lambda f, h, w: f + 1e-8), "far too small"),
        (waves(lambda f, h, w: f.clamp_min(1 / min(h, w))), "1 / min(H, W); the"),
        (waves(lambda f, h, w: f.clamp_min(1 / h)), "is 1 / H;"),
        (waves(lambda f, h, w: f.clamp_min(1 / w)), "is 1 / W;"),
        (waves(lambda f, h, w: f + 1 / max(h, w)), "is added to"),
        (waves_of(lambda down, across: down.abs() + across), "this is |fy| + |fx|"),
        (waves_of(lambda down, across: torch.maximum(down.abs(), across)), "larger"),
        (waves_of(lambda down, across: across), "across are used"),
        (waves_of(lambda down, across: down.abs()), "down are used"),
        (waves(whole), "waves a picture"),
        (waves(lambda f, h, w: 2 * np.pi * floored(f, h, w)), "radians"),
        (waves(floored, norm=None), "is missing: without"),
        (waves(floored, norm="forward"), "\"forward\""),
        (waves_of(lambda down, across: torch.hypot(down % 1, across)), "negative"),
        (waves_across, "(irfft)"),
        (waves(floored, s=None), "too narrow"),
        (lambda x, h, w: waves_by_hypot(x, h, w).mT, "height and width"),
        (waves_of_half, "ifft2"),
        (lambda x, h, w: waves_by_hypot(x, h, w) + 0j, "complex"),
        (lambda x, h, w: waves_by_hypot(x.detach(), h, w), "gradient"),
        (lambda x, h, w: waves_by_hypot(x, h, w)[0], "shape"),
    ],
    "17.5": [
        (with_raw(lambda a, J, i: J[0]), "unit 0's row"),
        (with_raw(lambda a, J, i: J.sum(0)), "rows of all units"),
        (with_raw(lambda a, J, i: J.mean(0)), "mean over units"),
        (with_raw(lambda a, J, i: a[i] * J[i]), "activation itself"),
        (with_soft(lambda s, a, J, i: rest(a, J, i)), "factor s_i in front is missing"),
        (with_soft(lambda s, a, J, i: s[i] * (1 - s[i]) * J[i]), "da_i/dx times s_i;"),
        (with_soft(lambda s, a, J, i: s[i] * (J[i] - J.sum(0))), "the softmax's "
         "derivative: the units' derivatives"),
        (with_soft(lambda s, a, J, i: s[i] * (J[i] + s @ J)), "softmax's derivative: "
         "the sum over j is added"),
        (with_soft(lambda s, a, J, i: s.max() * rest(a, J, i)), "another unit's share"),
        (with_soft(lambda s, a, J, i: rest(a, J, i) / s[i]), "it is divided by s_i"),
        (with_soft(lambda s, a, J, i: s[i] * J[i]), "missing beside da_i/dx"),
        (with_soft(lambda s, a, J, i: a.exp()[i] * (J[i] - a.exp() @ J)), "no shares"),
        (with_log(lambda s, a, J, i: (1 - s[i]) * J[i]), "released PPGN code"),
        (with_log(lambda s, a, J, i: rest(a, J, i) / s[i]), "once more"),
        (with_log(lambda s, a, J, i: s[i] * rest(a, J, i)), "has a factor s_i"),
        (with_log(lambda s, a, J, i: J[i]), "lacks the sum"),
        (with_log(lambda s, a, J, i: J[i] - J.sum(0)), "log-softmax's derivative: the "
         "units' derivatives"),
        (with_log(lambda s, a, J, i: J[i] - J.mean(0)), "weigh alike"),
        (with_log(lambda s, a, J, i: J[i] + s @ J), "log-softmax's derivative: the sum "
         "over j is added"),
        (with_log(lambda s, a, J, i: s @ J - J[i]), "sign is turned"),
        (with_log(lambda s, a, J, i: rest(a, J, i) + s[i] * J[i]), "leaves unit i"),
        (with_log(lambda s, a, J, i: J[i] - a @ J), "activations weigh"),
        (with_log(lambda s, a, J, i: rest(a, J, 0)), "this is unit 0's; take"),
        (lambda *g: derivatives_by_exps(*g)[::-1], "in another order"),
        (lambda *g: derivatives_by_exps(*g)[2], "side by side"),
        (with_log(lambda s, a, J, i: J - s @ J), "shape"),
        (derivatives_overflowing, "exp(300)"),
        (derivatives_divided, "0 / 0"),
    ],
    "17.6": [
        (order_inverse, "this is the inverse"),
        (lambda s, p: tuple(table(s, p).argmax(1).tolist()), "may take the same"),
        (order_in_turn, "one after the other"),
        (order_by_best_pair, "best pair of all"),
        (order_of(lambda a, b: -(a * b).sum(), even), "worst order"),
        (order_of(lambda a, b: (a * b).sum()), "what all units share"),
        (order_by_means, "only the channels' means"),
        (order_of(lambda a, b: (a * b).sum(), lambda x: even(x.sort(0)[0])), "sorted"),
        (lambda s, p: (0, 1, 2), "always RGB"),
        (order_of(lambda a, b: (a.argmax(1) == b.argmax(1)).sum(), even), "largest c"),
        (lambda s, p: tuple(c + 1 for c in order_by_table(s, p)), "counted from 1"),
        (lambda s, p: ["RGB"[c] for c in order_by_table(s, p)], "letters"),
        (lambda s, p: torch.tensor(order_by_table(s, p)), "a tensor of shape (3,)"),
        (lambda s, p: tuple(torch.tensor(order_by_table(s, p))), "torch or NumPy"),
        (lambda s, p: list(order_by_table(s, p)), "this is a list"),
        (lambda s, p: table(s, p).max(1)[0].tolist(), "no whole numbers"),
        (lambda s, p: order_by_table(s, p)[0], "side by side"),
    ],
}  # fmt: skip

ALSO_WRONG = {
    "17.1": [
        (up(lambda g: g / g.flatten(1).norm(dim=1).view(-1, 1, 1, 1)), "fixed length"),
        (up(lambda g: g / (g.std() + 1e-8)), "fixed length"),
        (lambda *g: ascend_by_where(*g).clamp(-1, 1), "within limits"),
        (lambda a, x, e, n, t=INF: x + n * 0 + e * slope(a, x)[1], "only one step"),
    ],
    "17.2": [
        (of_both(lambda d: d.pow(2).mean((1, 2, 3))), "squared"),
        (of_both(lambda d: d.square().sum((1, 2, 3)).sqrt()), "root of a sum"),
        (lambda x: x.diff(dim=1).abs().mean((1, 2, 3)), "channels are compared"),
    ],
    "17.3": [
        (lambda a, x, r, e: x + e * slope(lambda x: a(r(x)), x)[1], "leads through r"),
        (lambda a, x, r, e: r(r(x)) + e * slope(a, x)[1], "r is applied twice"),
    ],
    "17.4": [
        (waves(lambda f, h, w: f.clamp_min(1e-6)), "far too small"),
        (corner(float("nan")), "isn't finite"),
    ],
    "17.5": [
        (lambda a, J, i: (J[i], *[(1 - shared(a)[i]) * J[i]] * 2), "softmax"),
        (lambda *g: derivatives_by_exps(*g)[:2], "side by side"),
        (with_log(lambda s, a, J, i: rest(a, J, i).sum()), "shape"),
    ],
    "17.6": [
        (order_of(lambda a, b: -(a - b).norm()), "what all units share"),
        (order_of(lambda a, b: -(a - b).abs().sum()), "what all units share"),
        (order_of(lambda a, b: (a * b).sum(), lambda x: x - x.mean(1, keepdim=True)),
         "what all units share"),
        (order_of(lambda a, b: (a * b).sum(), lambda x: x - x.mean()),
         "what all units share"),
        (order_of(lambda a, b: (a - b).norm(), even), "worst order"),
        (lambda s, p: tuple(np.array(order_by_table(s, p))), "torch or NumPy"),
        (lambda s, p: "".join("RGB"[c] for c in order_by_table(s, p)), "side by side"),
        (lambda s, p: order_by_table(s, p)[:2], "return three numbers"),
    ],
}  # fmt: skip

RIGHT = {
    "17.1": [ascend_by_where, ascend_by_backward_inputs],
    "17.2": [variation_by_diff, variation_by_loss, variation_by_counts],
    "17.3": [step_by_func, step_by_backward_inputs],
    "17.4": [waves_by_hypot, waves_by_corner, waves_in_two_turns],
    "17.5": [derivatives_by_table, derivatives_by_autograd, derivatives_by_exps],
    "17.6": [order_by_table, order_by_distance, order_by_correlations],
}
