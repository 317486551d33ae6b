"""Known answers to lesson 07: wrong ones with part of their diagnosis; right ones."""

import torch
from torch.nn import functional as F

from t2i_course.papers.char_cnn_rnn import ALPHABET

PLACES = {c: i for i, c in enumerate(ALPHABET, 1)}


# ------------------------------------------------------------------ letters


def coded(captions, length, places=PLACES, change=str.lower, unknown=0, blank=0):
    rows = torch.full((len(captions), length), blank, dtype=torch.int64)
    for row, caption in zip(rows, captions):
        for i, letter in enumerate(change(caption)[:length]):
            row[i] = places.get(letter, unknown)
    return rows


def letters_by_find(captions, length):
    rows = []
    for caption in captions:
        row = [ALPHABET.rfind(c) + 1 for c in caption.lower()]
        rows.append((row + [0] * length)[:length])
    return torch.tensor(rows)


def letters_by_padding(captions, length):
    rows = [[PLACES.get(c, 0) for c in s.lower()][:length] for s in captions]
    return torch.stack([F.pad(torch.tensor(r), (0, length - len(r))) for r in rows])


def letters_first(captions, length):
    return coded(captions, length, {c: ALPHABET.index(c) + 1 for c in ALPHABET})


def letters_from_zero(captions, length):
    made = coded(captions, length)
    return torch.where(made > 0, made - 1, 0)


def letters_of_the_end(captions, length):
    return coded([c[-length:] for c in captions], length)


def letters_left_out(captions, length):
    return coded(
        ["".join(c for c in s.lower() if c in PLACES) for s in captions], length
    )


def letters_in_front(captions, length):
    rows = [[PLACES.get(c, 0) for c in s.lower()[:length]] for s in captions]
    return torch.tensor([[0] * (length - len(row)) + row for row in rows])


def letters_uncut(captions, length):
    rows = [[PLACES.get(c, 0) for c in s.lower()] for s in captions]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def letters_short(captions, length):
    rows = [[PLACES.get(c, 0) for c in s.lower()[:length]] for s in captions]
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


# ------------------------------------------------------------------ lengths


def through(rule, first=True):
    def lengths(length, layers):
        found = [length]
        for kernel, stride in layers:
            found.append(rule(found[-1], kernel, stride))
        return found if first else found[1:]

    return lengths


def lengths_by_range(length, layers):
    found = [length]
    for kernel, stride in layers:
        found.append(len(range(0, found[-1] - kernel + 1, stride)))
    return found


def lengths_by_pooling(length, layers):
    row, found = torch.zeros(1, 1, length), [length]
    for kernel, stride in layers:
        row = F.max_pool1d(row, kernel, stride)
        found.append(row.shape[2])
    return found


# ------------------------------------------------------------------ the structured loss


def structured(images, texts, untrue=None, margin=1.0, sides=2, sign=1.0, twin=True,
               own=True, diagonal=False, mean=True, hinge=torch.relu,
               gather=torch.mean):  # fmt: skip
    table = sign * images @ texts.T
    pair = table.diagonal() if own else 0 * table.diagonal()
    first = hinge(margin + table - pair[:, None])
    second = hinge(margin + table - pair[None])
    both = {1: first, -1: second, 2: first + second}[sides]
    both = both if diagonal else both * (1 - torch.eye(len(table)).to(table))
    loss = both.mean() if mean else both.sum()
    if untrue is not None and twin:
        twins = hinge(margin + sign * (images * untrue).sum(1) - pair)
        loss = loss + gather(twins)
    return loss


def structured_otherwise(images, texts, untrue=None, margin=1.0, twins=None, unit=False,
                         at_once=False, table=None, false=None, gather=torch.mean,
                         share=False, turned=1, twin_turned=1):  # fmt: skip
    """One slip each: no hinge on a term, one hinge for both, a table twice, ..."""
    hinge, twin_hinge = table or torch.relu, twins or torch.relu
    if unit:
        images, texts = F.normalize(images), F.normalize(texts)
        untrue = None if untrue is None else F.normalize(untrue)
    scores = images @ texts.T
    own = scores.diagonal()
    rows = margin + turned * (scores - own[:, None])
    columns = margin + turned * (scores - own[None])
    both = hinge(rows + columns) if at_once else hinge(rows) + hinge(columns)
    both = both * (1 - torch.eye(len(own)).to(own))
    loss = both.sum() / len(own) if share else both.mean()
    if untrue is None:
        return loss
    against = (images * untrue).sum(1) - own
    if false == "all":
        against = images @ untrue.T - own[:, None]
    return loss + gather(twin_hinge(margin + twin_turned * against))


def otherwise(**slip):
    return lambda i, t, u=None, m=1.0: structured_otherwise(i, t, u, m, **slip)


def structured_twice(images, texts, untrue=None, margin=1.0, columns=False):
    table = images @ texts.T
    own = table.diagonal()[None] if columns else table.diagonal()[:, None]
    one = (margin + table - own).relu() * (1 - torch.eye(len(table)).to(table))
    return (one + one).mean() + (
        structured(images, texts, untrue, margin)
        - structured(images, texts, None, margin)
    )


def structured_at_the_cpu(images, texts, untrue=None, margin=1.0):
    table = images @ texts.T
    own = table.diagonal()
    both = (margin + table - own[:, None]).relu() + (margin + table - own[None]).relu()
    loss = (both * (1 - torch.eye(len(table)))).mean()
    if untrue is None:
        return loss
    return loss + (margin + (images * untrue).sum(1) - own).relu().mean()


def structured_needs_twins(images, texts, untrue=None, margin=1.0):
    own = (images * texts).sum(1)
    twins = (margin + (images * untrue).sum(1) - own).relu().mean()
    return structured(images, texts, None, margin) + twins


def structured_by_diagonal(images, texts, untrue=None, margin=1.0):
    table = images @ texts.T
    own, count = table.diagonal(), len(table)
    both = (margin + table - own[:, None]).relu() + (margin + table - own[None]).relu()
    loss = (both * both.new_ones(count, count).fill_diagonal_(0)).mean()
    if untrue is None:
        return loss
    return loss + (margin + (images * untrue).sum(1) - own).relu().mean()


def wrongly(**slip):
    return lambda i, t, u=None, m=1.0: structured(i, t, u, m, **slip)


def structured_by_loop(images, texts, untrue=None, margin=1.0):
    count, loss = len(images), 0.0
    for i in range(count):
        own = images[i] @ texts[i]
        for j in range(count):
            if i != j:
                loss = loss + (margin + images[i] @ texts[j] - own).clamp(min=0)
                loss = loss + (margin + images[j] @ texts[i] - own).clamp(min=0)
    loss = loss / count**2
    if untrue is not None:
        own = torch.einsum("bd,bd->b", images, texts)
        false = torch.einsum("bd,bd->b", images, untrue)
        loss = loss + (margin + false - own).clamp(min=0).mean()
    return loss


def structured_by_mask(images, texts, untrue=None, margin=1.0):
    table = images @ texts.T
    own = (images * texts).sum(1)
    same = torch.eye(len(table), dtype=torch.bool, device=table.device)
    rows = (margin + table - own.unsqueeze(1)).relu().masked_fill(same, 0)
    columns = (margin + table - own.unsqueeze(0)).relu().masked_fill(same, 0)
    loss = rows.mean() + columns.mean()
    if untrue is None:
        return loss
    return loss + (margin + (images * untrue).sum(1) - own).relu().mean()


def structured_detached(images, texts, untrue=None, margin=1.0):
    return structured(images, texts.detach(), untrue, margin)


# ------------------------------------------------------------------ ranks


def rank_by_sum(scores):
    own, others = scores[:, :1], scores[:, 1:]
    return 1 + (others > own).sum(1) + 0.5 * (others == own).sum(1)


def rank_by_sign(scores):
    steps = (torch.sign(scores[:, 1:] - scores[:, :1]) + 1) / 2
    return 1 + steps.sum(1)


def rank_in_double(scores):
    own, others = scores[:, :1], scores[:, 1:]
    return 1 + (others > own).double().sum(1) + (others == own).double().sum(1) / 2


# ------------------------------------------------------------------ species


def species_as_they_come(pictures, captions, labels, count):
    kinds = dict.fromkeys(labels.tolist())
    means = torch.stack([captions[labels == kind].mean(0) for kind in kinds])
    return (pictures @ means.T).argmax(1)


def species_by_table(pictures, captions, labels, count):
    hot = F.one_hot(labels, count).to(captions)
    means = hot.T @ captions / hot.sum(0)[:, None]
    return (pictures @ means.T).argmax(dim=1)


def species_added_up(pictures, captions, labels, count):
    sums = torch.zeros(count, captions.shape[1]).index_add_(0, labels, captions)
    each = sums / torch.bincount(labels, minlength=count)[:, None]
    return (pictures @ each.T).argmax(1)


def species_in_double(pictures, captions, labels, count):
    hot = F.one_hot(labels, count).double()
    each = hot.T @ captions.double() / hot.sum(0)[:, None]
    return (pictures.double() @ each.T).argmax(1)


def species_by_scores(pictures, captions, labels, count):
    scores = pictures @ captions.T
    each = [scores[:, labels == k].mean(1) for k in range(count)]
    return torch.stack(each, 1).max(1).indices


def means(captions, labels, count):
    return torch.stack([captions[labels == k].mean(0) for k in range(count)])


# ------------------------------------------------------------------ VSE


def vse(images, texts, margin=0.2, hardest=False, unit=1, sides=2, drop=True,
        share=0, always=None, axes=(1, 0), hinge=torch.relu, first=False, turned=1,
        whole=False):  # fmt: skip
    if unit is not None:
        images, texts = F.normalize(images, dim=unit), F.normalize(texts, dim=unit)
    table = images @ texts.T
    own = table.diagonal()
    others = (1 - torch.eye(len(table)).to(table)) if drop else 1.0
    rows = hinge(margin + turned * (table - own[:, None])) * others
    columns = hinge(margin + turned * (table - own[None])) * others
    if hardest if always is None else always:
        parts = rows.amax(axes[0]).mean(), columns.amax(axes[1]).mean()
        if whole:
            return rows.max() + columns.max()
        if first:
            return (rows + columns).amax(1).mean()
    else:
        parts = rows.sum(1).mean(), columns.sum(0).mean()
        if share:
            parts = [part / (len(table) - 2 + share) for part in parts]
    return parts[0] + parts[1] if sides == 2 else parts[0 if sides == 1 else 1]


def wrong_vse(**slip):
    return lambda i, t, m=0.2, h=False: vse(i, t, m, h, **slip)


def vse_masks_cosines(images, texts, margin=0.2, hardest=False):
    if not hardest:
        return vse_by_lengths(images, texts, margin)
    table = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    own = table.diagonal()
    off = table * (1 - torch.eye(len(table), device=table.device))
    rows, columns = off.amax(1), off.amax(0)
    return ((margin - own + rows).relu() + (margin - own + columns).relu()).mean()


def vse_by_lengths(images, texts, margin=0.2, hardest=False):
    a = images / images.norm(dim=1, keepdim=True)
    b = texts / texts.norm(dim=1, keepdim=True)
    table = a @ b.T
    own = (a * b).sum(1)
    same = torch.eye(len(table), dtype=torch.bool, device=table.device)
    rows = (margin - own[:, None] + table).clamp(min=0).masked_fill(same, 0)
    columns = (margin - own[None] + table).clamp(min=0).masked_fill(same, 0)
    if hardest:
        return (rows.max(1).values + columns.max(0).values).mean()
    return (rows.sum() + columns.sum()) / len(table)


def vse_by_cosine(images, texts, margin=0.2, hardest=False):
    table = F.cosine_similarity(images[:, None], texts[None], dim=2)
    own = table.diagonal()
    loss = 0.0
    for scores in (table, table.T):
        each = (margin + scores - own[:, None]).relu()
        each = each - torch.diag(each.diagonal())
        loss = loss + (each.max(1).values if hardest else each.sum(1)).mean()
    return loss


WRONG = {
    "07.1": [
        (lambda s, n: coded(s, n, change=str), "capitals get no code"),
        (letters_first, "keeps the later one"),
        (letters_from_zero, "count from 1"),
        (letters_of_the_end, "the end of a long caption"),
        (letters_left_out, "moves up"),
        (lambda s, n: coded(s, n, blank=PLACES[" "]), "filled with the blank"),
        (lambda s, n: coded(s, n, unknown=PLACES[" "]), "read as a blank"),
        (letters_in_front, "they come after it"),
        (letters_uncut, "is cut"),
        (letters_short, "fill it with 0"),
        (lambda s, n: coded(s, n).float(), "whole numbers"),
    ],
    "07.2": [
        (through(lambda n, k, s: n - k + 1), "the stride is left out"),
        (through(lambda n, k, s: n // s), "forgets the kernel"),
        (through(lambda n, k, s: (n - k) // s), "one window is missing"),
        (through(lambda n, k, s: (n - 1) // s + 1), "with padding"),
        (through(lambda n, k, s: (n - k) // s + 1, False), "it comes first"),
        (through(lambda n, k, s: (n - k) / s + 1), "Count the windows"),
        (
            lambda n, layers: through(lambda n, k, s: (n - k) // s + 1)(n, layers)[-1],
            "a list or tuple of numbers is promised",
        ),
    ],
    "07.3": [
        (wrongly(sides=1), "only sentences are exchanged"),
        (wrongly(sides=-1), "only pictures are exchanged"),
        (wrongly(own=False), "own agreement is missing"),
        (wrongly(sign=-1.0), "turned round"),
        (wrongly(twin=False), "false twins are missing"),
        (wrongly(diagonal=True), "compared with itself"),
        (wrongly(mean=False), "adds up all pairs"),
        (wrongly(hinge=lambda x: x), "what is below 0"),
        (wrongly(hinge=lambda x: x.relu() ** 2), "squared"),
        (lambda i, t, u=None, m=1.0: structured(i, t, u, 0.0), "margin is missing"),
        (otherwise(table=lambda x: x), "missing in the table of the pairs"),
        (otherwise(twins=lambda x: x), "missing in the term of the false twins"),
        (otherwise(at_once=True), "before the hinge"),
        (structured_twice, "twice, with own[:, None]"),
        (
            lambda i, t, u=None, m=1.0: structured_twice(i, t, u, m, True),
            "twice, with own[None, :]",
        ),
        (otherwise(unit=True), "the cosine is taken"),
        (otherwise(false="all"), "false twins of all pairs"),
        (lambda i, t, u=None, m=1.0: structured(i, t, u), "always 1 here"),
        (otherwise(gather=torch.sum), "false twins is added up over the pairs"),
        (otherwise(share=True), "is divided by B; (5) divides by B * B"),
        (wrongly(mean=False, gather=torch.sum), "both terms are added up"),
        (otherwise(turned=-1), "the hinge of the pairs is turned round"),
        (otherwise(twin_turned=-1), "the hinge of the false twins is turned round"),
        (
            otherwise(table=lambda x: (-x).relu(), twins=lambda x: (-x).relu()),
            "on its wrong side",
        ),
        (
            lambda i, t, u=None, m=1.0: -structured(i, t, u, m),
            "the whole loss has the wrong sign",
        ),
        (
            lambda i, t, u=None, m=1.0: structured(i, t, u, -m),
            "the margin is taken off",
        ),
        (structured_needs_twins, "`untrue` may be None"),
        (structured_at_the_cpu, "the values are right; only on a GPU"),
        (structured_detached, "`texts`"),
    ],
    "07.4": [
        (lambda s: rank_by_sum(s) - 1, "count from 1"),
        (lambda s: rank_by_sum(-s), "score less"),
        (lambda s: 1.0 + (s[:, 1:] > s[:, :1]).sum(1), "won here"),
        (lambda s: 1.0 + (s[:, 1:] >= s[:, :1]).sum(1), "lost here"),
        (lambda s: rank_by_sum(s) + 0.5, "counted among its equals"),
        (lambda s: s.argmax(1).float(), "the column of the best"),
    ],
    "07.5": [
        (species_as_they_come, "the order in which they come"),
        (
            lambda p, c, y, k: (p @ (F.one_hot(y, k).float().T @ c).T).argmax(1),
            "Take the mean",
        ),
        (lambda p, c, y, k: y[(p @ c.T).argmax(1)], "average the captions"),
        (lambda p, c, y, k: (p @ means(c, y, k).T).argmin(1), "agrees least"),
        (
            lambda p, c, y, k: (F.normalize(p) @ F.normalize(means(c, y, k)).T).argmax(
                1
            ),
            "the cosine is taken",
        ),
        (lambda p, c, y, k: torch.cdist(p, means(c, y, k)).argmin(1), "by distance"),
        (lambda p, c, y, k: (p @ means(c, y, k).T).argmax(0), "its best picture"),
        (lambda p, c, y, k: (p @ c.T).argmax(1), "number of a caption"),
    ],
    "07.6": [
        (vse_masks_cosines, "own cosine is set to 0"),
        (wrong_vse(unit=None), "the cosine"),
        (wrong_vse(unit=0), "each column is given length 1"),
        (wrong_vse(sides=1), "the other pictures are missing"),
        (wrong_vse(sides=-1), "the other sentences are missing"),
        (wrong_vse(drop=False), "the pair itself"),
        (wrong_vse(share=1), "the mean over the others"),
        (wrong_vse(share=2), "the mean over a whole row"),
        (
            lambda i, t, m=0.2, h=False: len(i) * vse(i, t, m, h),
            "added up over the pairs; their mean",
        ),
        (wrong_vse(whole=True), "the largest of the whole table"),
        (wrong_vse(turned=-1), "the hinge is turned round"),
        (wrong_vse(always=False), "hardest changes nothing"),
        (wrong_vse(always=True), "always taken"),
        (lambda i, t, m=0.2, h=False: vse(i, t, m, not h), "turned round"),
        (wrong_vse(axes=(1, 1)), "the hardest picture of each sentence"),
        (wrong_vse(axes=(0, 0)), "the hardest sentence of each picture"),
        (wrong_vse(axes=(0, 1)), "the axes are exchanged"),
        (wrong_vse(first=True), "added before the largest"),
        (wrong_vse(hinge=lambda x: x), "the hinge is missing"),
        (lambda i, t, m=0.2, h=False: vse(i, t, 0.0, h), "the margin is missing"),
        (lambda i, t, m=0.2, h=False: vse(i, t, 0.2, h), "always 0.2"),
        (lambda i, t, m=0.2, h=False: vse(i, t.detach(), m, h), "`texts`"),
    ],
}

ALSO_WRONG = {
    "07.3": [
        (
            otherwise(table=lambda x: x.clamp(max=0), twins=lambda x: x.clamp(max=0)),
            "on its wrong side",
        ),
    ],
    "07.6": [
        (
            lambda i, t, m=0.2, h=False: -vse(i, t, m, h),
            "its sign turned round",
        ),
    ],
}

RIGHT = {
    "07.1": [letters_by_find, letters_by_padding],
    "07.2": [lengths_by_range, lengths_by_pooling],
    "07.3": [structured_by_loop, structured_by_mask, structured_by_diagonal],
    "07.4": [rank_by_sum, rank_by_sign, rank_in_double],
    "07.5": [
        species_by_table,
        species_by_scores,
        species_added_up,
        species_in_double,
    ],
    "07.6": [vse_by_lengths, vse_by_cosine],
}
