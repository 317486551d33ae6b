"""Known answers to lesson 06: wrong ones with part of their diagnosis; right ones."""

import torch
from torch.nn import functional as F

from t2i_course.papers.cyclegan import generators_turn, least_squares
from t2i_course.papers.gan import nonsaturating_loss

game, near = nonsaturating_loss, F.l1_loss


# ------------------------------------------------------------------ the patch


def field_by_jumps(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def field_by_recursion(layers):
    if not layers:
        return 1
    kernel, stride = layers[0]
    return (field_by_recursion(layers[1:]) - 1) * stride + kernel


def field_forward(layers):
    field = 1
    for kernel, stride in layers:
        field = (field - 1) * stride + kernel
    return field


def field_without_strides(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def field_too_far(layers):
    field = 1
    for kernel, stride in layers[::-1]:
        field = field * stride + kernel
    return field


def field_from_nothing(layers):
    field = 0
    for kernel, stride in layers[::-1]:
        field = (field - 1) * stride + kernel
    return field


def field_product(layers):
    field = 1
    for kernel, _ in layers:
        field *= kernel
    return field


def jump_alone(layers):
    jump = 1
    for _, stride in layers:
        jump *= stride
    return jump


# ------------------------------------------------------------------ the skips


def u_by_numbers(x, downs, ups):
    maps = [x]
    for down in downs:
        maps.append(down(maps[-1]))
    x = ups[0](maps[-1])
    for i, up in enumerate(ups[1:], start=2):
        x = up(torch.cat([x, maps[len(downs) + 1 - i]], 1))
    return x


def u_by_recursion(x, downs, ups):
    def inside(x, depth):
        down = downs[depth](x)
        if depth == len(downs) - 1:
            return ups[0](down)
        below = inside(down, depth + 1)
        return ups[len(ups) - 1 - depth](torch.cat([below, down], 1))

    return inside(x, 0)


def u_straight(x, downs, ups):
    for layer in [*downs, *ups]:
        x = layer(x)
    return x


def u_emptied(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    x = ups.pop(0)(x)
    while ups:
        x = ups.pop(0)(torch.cat([x, kept.pop()], 1))
    return x


def u_joined_first(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    for up in ups[:-1]:
        x = torch.cat([kept.pop(), up(x)], 1)
    return ups[-1](x)


def u_added(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    for up in ups[:-1]:
        x = up(x) + kept.pop()
    return ups[-1](x)


def u_innermost_twice(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    for up in ups:
        x = up(torch.cat([x, kept.pop()], 1))
    return x


def u_detached(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x.detach())
    kept.pop()
    for up in ups[:-1]:
        x = torch.cat([up(x), kept.pop()], 1)
    return ups[-1](x)


def u_kept_innermost(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    for up in ups[:-1]:
        x = torch.cat([up(x), kept.pop()], 1)
    return ups[-1](x)


def u_not_kept(x, downs, ups):
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    for up in ups[:-1]:
        up(x)
        x = torch.cat([x, kept.pop()], 1)
    return ups[-1](x)


def u_other_axis(x, downs, ups):
    for down in downs:
        x = down(x)
    for up in ups:
        x = up(x)
        x = torch.cat([x, x], 0)
    return x


def u_half(x, downs, ups):
    for down in downs:
        x = down(x)
    return x


# ------------------------------------------------------------------ the two terms


def loss_by_hand(fake_logits, drawn, truth, weight):
    return F.softplus(-fake_logits).mean() + weight * (drawn - truth).abs().mean()


def loss_by_bce(fake_logits, drawn, truth, weight=100.0):
    real = torch.ones_like(fake_logits)
    real = F.binary_cross_entropy_with_logits(fake_logits, real)
    return real + weight * F.l1_loss(truth, drawn)


def loss_fragile(f, d, t, w):
    return -f.sigmoid().log().mean() + w * near(d, t)


def loss_detached(f, d, t, w):
    return game(f) + w * near(d.detach(), t)


# ------------------------------------------------------------------ overlap


def iou_by_loop(found, truth, count):
    made = []
    for part in range(count):
        a, b = found == part, truth == part
        made.append((a & b).sum() / (a | b).sum())
    return torch.stack(made)


def iou_to_the_largest(found, truth, count):
    return iou_by_loop(found, truth, int(torch.maximum(found, truth).max()) + 1)


def iou_by_counts(found, truth, count):
    pairs = (found.long() * count + truth.long()).flatten()
    table = torch.bincount(pairs, minlength=count * count).view(count, count)
    both = table.diagonal()
    return both / (table.sum(0) + table.sum(1) - both)


def _counts(found, truth, count):
    a, b = (F.one_hot(m.long(), count).float() for m in (found, truth))
    return tuple(t.sum((0, 1, 2)) for t in (a * b, a, b))


def iou_of_all_pixels(found, truth, count):
    return _counts(found, truth, count)[0] / found.numel()


def iou_recall(found, truth, count):
    both, _, b = _counts(found, truth, count)
    return both / b


def iou_precision(found, truth, count):
    both, a, _ = _counts(found, truth, count)
    return both / a


def iou_dice(found, truth, count):
    both, a, b = _counts(found, truth, count)
    return 2 * both / (a + b)


def iou_twice(found, truth, count):
    both, a, b = _counts(found, truth, count)
    return both / (a + b)


def iou_double(found, truth, count):
    both, a, b = (part.double() for part in _counts(found, truth, count))
    return both / (a + b - both)


def iou_zeros(found, truth, count):
    both, a, b = _counts(found, truth, count)
    return both / (a + b - both).clamp_min(1)


def iou_accuracy(found, truth, count):
    return (found == truth).float().mean()


# ------------------------------------------------------------------ there and back


def _turn(**wrong):
    """A turn with one thing done otherwise."""

    def turn(x, y, to_y, to_x, d_x, d_y, weight=10.0):
        fake_y, fake_x = to_y(x), to_x(y)
        judges = (d_x, d_y) if wrong.get("crossed") else (d_y, d_x)
        wanted = 0.0 if wrong.get("found_out") else 1.0
        loss = least_squares(judges[0](fake_y), wanted)
        loss = loss + least_squares(judges[1](fake_x), wanted)
        a, b = (x, y) if not wrong.get("around") else (y, x)
        apart = F.mse_loss if wrong.get("squared") else F.l1_loss
        if wrong.get("onward"):
            back = apart(to_y(fake_y), x) + apart(to_x(fake_x), y)
        elif wrong.get("same"):
            back = F.l1_loss(fake_y, x) + F.l1_loss(fake_x, y)
        elif wrong.get("truth"):
            back = F.l1_loss(fake_y, y) + F.l1_loss(fake_x, x)
        elif wrong.get("one_way"):
            back = apart(to_x(fake_y), x)
        else:
            back = apart(to_x(fake_y), a) + apart(to_y(fake_x), b)
        if wrong.get("alone"):
            weight = 0.0 * weight
        if wrong.get("always_ten"):
            weight = 10.0
        if wrong.get("halved"):
            loss = loss / 2
        if wrong.get("unweighed"):
            weight = 1.0
        return loss + weight * back, fake_y, fake_x

    return turn


def turn_by_hand(x, y, to_y, to_x, d_x, d_y, weight):
    fake_y, fake_x = to_y(x), to_x(y)
    fooled = ((d_y(fake_y) - 1) ** 2).mean() + ((d_x(fake_x) - 1) ** 2).mean()
    back = (to_x(fake_y) - x).abs().mean() + (to_y(fake_x) - y).abs().mean()
    return fooled + weight * back, fake_y, fake_x


def turn_by_mse(x, y, to_y, to_x, d_x, d_y, weight=10.0):
    fake_x, fake_y = to_x(y), to_y(x)
    scores = d_y(fake_y), d_x(fake_x)
    fooled = sum(F.mse_loss(s, torch.ones_like(s)) for s in scores)
    back = F.l1_loss(x, to_x(fake_y)) + F.l1_loss(y, to_y(fake_x))
    return [fooled + weight * back, fake_y, fake_x]


def turn_by_the_others(x, y, to_y, to_x, d_x, d_y, weight=10.0):
    fake_y, fake_x = to_x(x), to_y(y)
    loss = F.mse_loss(d_y(fake_y), torch.ones_like(d_y(fake_y)))
    return loss + d_x(fake_x).mean(), fake_y, fake_x


def turn_handed_on_detached(x, y, to_y, to_x, d_x, d_y, weight=10.0):
    loss, fake_y, fake_x = generators_turn(x, y, to_y, to_x, d_x, d_y, weight)
    return loss, fake_y.detach(), fake_x.detach()


def turn_by_identity(x, y, to_y, to_x, d_x, d_y, weight=10.0):
    fake_y, fake_x = to_y(x), to_x(y)
    game = least_squares(d_y(fake_y), 1) + least_squares(d_x(fake_x), 1)
    same = F.l1_loss(to_x(x), x) + F.l1_loss(to_y(y), y)
    return game + weight * same, fake_y, fake_x


def turn_without_brackets(weighed):
    def turn(x, y, to_y, to_x, d_x, d_y, weight=10.0):
        fake_y, fake_x = to_y(x), to_x(y)
        loss = least_squares(d_y(fake_y), 1.0) + least_squares(d_x(fake_x), 1.0)
        ways = near(to_x(fake_y), x), near(to_y(fake_x), y)
        return loss + weight * ways[weighed] + ways[1 - weighed], fake_y, fake_x

    return turn


def turn_redrawn(x, y, to_y, to_x, d_x, d_y, weight):
    loss = least_squares(d_y(to_y(x)), 1.0) + least_squares(d_x(to_x(y)), 1.0)
    back = F.l1_loss(to_x(to_y(x)), x) + F.l1_loss(to_y(to_x(y)), y)
    return loss + weight * back, to_y(x), to_x(y)


def turn_detached(x, y, to_y, to_x, d_x, d_y, weight):
    fake_y, fake_x = to_y(x), to_x(y)
    loss = least_squares(d_y(fake_y), 1.0) + least_squares(d_x(fake_x), 1.0)
    back = F.l1_loss(to_x(fake_y.detach()), x) + F.l1_loss(to_y(fake_x.detach()), y)
    return loss + weight * back, fake_y, fake_x


def turn_exchanged(*given):
    loss, fake_y, fake_x = _turn()(*given)
    return loss, fake_x, fake_y


# ------------------------------------------------------------------ the pool


def pool_by_clone(new, pool, places, swap):
    shown, after = new.clone(), pool.clone()
    shown[swap] = pool[places[swap]]
    after[places[swap]] = new[swap]
    return shown, after


def pool_by_loop(new, pool, places, swap):
    shown, after = [], list(pool)
    for i in range(len(new)):
        place = int(places[i])
        if swap[i]:
            shown.append(after[place])
            after[place] = new[i]
        else:
            shown.append(new[i])
    return torch.stack(shown), torch.stack(after)


def pool_in_place(new, pool, places, swap):
    shown = torch.where(swap.view(-1, 1, 1, 1), pool[places], new)
    pool[places[swap]] = new[swap]
    return shown, pool


def pool_turned(new, pool, places, swap):
    return pool_by_clone(new, pool, places, ~swap)


def pool_shown_new(new, pool, places, swap):
    return new, pool_by_clone(new, pool, places, swap)[1]


def pool_never_changed(new, pool, places, swap):
    return pool_by_clone(new, pool, places, swap)[0], pool


def pool_shown_old(new, pool, places, swap):
    return pool[places], pool_by_clone(new, pool, places, swap)[1]


def pool_all_kept(new, pool, places, swap):
    after = pool.clone()
    after[places] = new
    return pool_by_clone(new, pool, places, swap)[0], after


def pool_first_places(new, pool, places, swap):
    return pool_by_clone(new, pool, torch.arange(len(new)), swap)


WRONG = {
    "06.3": [
        (field_forward, "from the first to the last"),
        (field_without_strides, "strides are left out"),
        (field_too_far, "one stride too many"),
        (field_from_nothing, "begins with 0 pixels"),
        (field_product, "multiplies kernels"),
        (jump_alone, "multiplies strides"),
        (lambda layers: field_by_jumps([(s, k) for k, s in layers]), "exchanged"),
        (lambda layers: layers[-1][0], "last layer's kernel alone"),
        (lambda layers: field_by_jumps(layers) ** 2, "the patch's area"),
    ],
    "06.1": [
        (u_straight, "nothing is joined"),
        (u_joined_first, "map of the way down first"),
        (u_added, "added?"),
        (u_innermost_twice, "joined to itself"),
        (u_detached, "gradient"),
        (u_other_axis, "another axis than 1"),
        (u_kept_innermost, "Drop it before going up"),
        (u_half, "the picture"),
    ],
    "06.4": [
        (lambda f, d, t, w: game(f), "the distance is missing"),
        (lambda f, d, t, w: w * near(d, t), "the game is missing"),
        (lambda f, d, t, w: game(f) + w * F.mse_loss(d, t), "squared"),
        (lambda f, d, t, w: w * game(f) + near(d, t), "belongs to the distance"),
        (lambda f, d, t, w: game(f) + near(d, t), "the weight is missing"),
        (lambda f, d, t, w: w * (game(f) + near(d, t)), "at both parts"),
        (lambda f, d, t, w: game(f) + 100 * near(d, t), "100 stands here"),
        (lambda f, d, t, w: w * near(d, t) - F.softplus(f).mean(), "saturating"),
        (lambda f, d, t, w: w * near(d, t) - game(f), "turned round"),
        (lambda f, d, t, w: game(f) + w * (d - t).abs().sum(), "added up over"),
        (lambda f, d, t, w: game(f) + w * (d - t).mean(), "cancel"),
        (lambda f, d, t, w: game(f.sigmoid()) + w * near(d, t), "a sigmoid first"),
        (loss_fragile, "very sure"),
        (loss_detached, "`drawn`"),
    ],
    "06.2": [
        (iou_of_all_pixels, "divides by all pixels"),
        (iou_recall, "recall"),
        (iou_precision, "precision"),
        (iou_dice, "Dice"),
        (iou_twice, "twice"),
        (iou_zeros, "leave it NaN"),
        (iou_to_the_largest, "not to the largest part that is there"),
        (iou_double, "the values are right, but of type float64"),
        (iou_accuracy, "one number for all parts"),
        (lambda f, t, n: iou_by_loop(f, t, n).nanmean(), "mean over parts"),
    ],
    "06.5": [
        (turn_by_the_others, "the generators are exchanged"),
        (turn_handed_on_detached, "hand the two translations on as they are"),
        (turn_by_identity, "starts from the picture itself"),
        (_turn(crossed=True), "crossed"),
        (_turn(found_out=True), "score 0 here"),
        (_turn(squared=True), "absolute differences"),
        (_turn(same=True), "change nothing"),
        (_turn(truth=True), "two different birds"),
        (_turn(around=True), "it should be x again"),
        (_turn(one_way=True), "G(F(y)) is missing"),
        (_turn(alone=True), "the way back is missing"),
        (_turn(unweighed=True), "the weight is missing"),
        (_turn(onward=True), "same generator"),
        (turn_without_brackets(0), "put brackets round their sum"),
        (_turn(always_ten=True), "10 stands here"),
        (_turn(halved=True), "1/2 is not in (6)"),
        (turn_redrawn, "Keep what you drew"),
        (turn_detached, "to_y"),
        (turn_exchanged, "exchanged"),
        (lambda *given: _turn()(*given)[0], "three things"),
    ],
    "06.6": [
        (pool_turned, "the other way round"),
        (pool_shown_new, "without having been shown"),
        (pool_never_changed, "never changes"),
        (pool_all_kept, "swapped or not"),
        (pool_shown_old, "is shown each time"),
        (pool_first_places, "first places"),
        (lambda n, p, i, s: (n, p), "nothing is ever exchanged"),
        (lambda n, p, i, s: pool_by_clone(n, p, i, s)[0], "two things"),
        (pool_in_place, "`pool`"),
    ],
}

ALSO_WRONG = {  # with a message that another answer gets, too
    "06.1": [
        (u_not_kept, "is the result of up(x) not kept?"),
        (u_emptied, "Work on a copy of it: list(ups)"),
    ],
    "06.5": [(turn_without_brackets(1), "put brackets round their sum")],
}

RIGHT = {
    "06.3": [field_by_jumps, field_by_recursion],
    "06.1": [u_by_numbers, u_by_recursion],
    "06.4": [loss_by_hand, loss_by_bce],
    "06.2": [iou_by_loop, iou_by_counts],
    "06.5": [turn_by_hand, turn_by_mse],
    "06.6": [pool_by_clone, pool_by_loop],
}
