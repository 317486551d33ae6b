"""Known answers to lesson 00: wrong ones with part of their diagnosis; right ones."""

import torch


def masked(seen, named):
    spoken = named >= 0
    return (seen[spoken] == named[spoken]).float().mean()


def counted(seen, named):
    right = total = 0
    for row, asked in zip(seen.tolist(), named.tolist()):
        for value, wanted in zip(row, asked):
            if wanted != -1:
                total += 1
                right += value == wanted
    return right / total


def as_double(seen, named):
    return ((seen == named) & (named != -1)).sum().double() / (named != -1).sum()


def per_caption(seen, named):
    right = ((seen == named) & (named >= 0)).sum(1)
    return torch.mean(right / (named >= 0).sum(1))


def shares(seen, named):
    return (seen == named).sum(1) / (named >= 0).sum(1)


def per_attribute(seen, named):
    spoken = named >= 0
    found = [(seen[s, i] == named[s, i]).float().mean() for i, s in enumerate(spoken.T)]
    return torch.stack(found).nanmean()


def per_attribute_nan(seen, named):
    return ((seen == named).sum(0) / (named >= 0).sum(0)).mean()


def without_zeros(seen, named):
    spoken = named != 0
    return (seen[spoken] == named[spoken]).float().mean()


def list_of_one(seen, named):
    return masked(seen, named)[None]


def joined_by_and(seen, named):
    return (seen == named and named >= 0).sum() / (named >= 0).sum()


def no_parentheses(seen, named):
    return (seen == named & named >= 0).sum() / (named >= 0).sum()


def too_few_parentheses(seen, named):
    return (seen == named & (named >= 0)).sum() / (named >= 0).sum()


def positive(seen, named):
    spoken = named > 0
    return (seen[spoken] == named[spoken]).float().mean()


def forgot_return(seen, named):
    (seen == named).float().mean()


def percent(seen, named):
    return 100 * masked(seen, named)


RIGHT = {"00.1": [masked, counted, as_double]}
ALSO_WRONG = {
    "00.1": [
        (lambda s, n: float(sum(torch.equal(a, b) for a, b in zip(s, n)) / len(s)),
         "nothing was counted as obeyed"),
        (lambda s, n: int((s == n).sum() / (n >= 0).sum()), "as `//` and `int` do"),
    ]
}  # fmt: skip
WRONG = {
    "00.1": [
        (lambda s, n: (s == n).float().mean(), "as disobeyed"),
        (
            lambda s, n: ((s == n) | (n == -1)).float().mean(),
            "silence (-1) as obedience",
        ),
        (lambda s, n: ((s == n) & (n >= 0)).sum(), "how many named attributes"),
        (lambda s, n: 1 - masked(s, n), "this is disobedience"),
        (per_caption, "within each caption first"),
        (
            lambda s, n: ((s == n) | (n < 0)).all(1).float().mean(),
            "obeyed in everything",
        ),
        (per_attribute, "within each attribute first"),
        (per_attribute_nan, "is 0/0 where one is never named"),
        (lambda s, n: (s == n).sum() / len(s), "divides by the number of captions"),
        (positive, "not `named > 0`"),
        (
            lambda s, n: (s == n).sum() / (n > 0).sum(),
            "divide by the sum of `named > 0`",
        ),
        (without_zeros, "takes silence (-1) for a wish"),
        (
            lambda s, n: (s == n).sum() / n.count_nonzero(),
            "divide by the sum of `named != 0`",
        ),
        (lambda s, n: (s == n).sum() // (n >= 0).sum(), "as `//` and `int` do"),
        (lambda s, n: (s == n).sum() / n.sum(), "adds up the values"),
        (lambda s, n: masked(s[:3, :3], n[:3, :3]), "three rows and three columns"),
        (lambda s, n: 3 / 4, "this is the example's 3/4"),
        (lambda s, n: (s[s >= 0] == n[n >= 0]).float().mean(), "one mask for both"),
        (list_of_one, "One number is wanted, not a list of one"),
        (joined_by_and, "not by `and`"),
        (no_parentheses, "put each comparison in parentheses"),
        (too_few_parentheses, "joins the wrong things"),
        (lambda s, n: (n >= 0).float().mean(), "never looks at the picture"),
        (shares, "one number is wanted"),
        (forgot_return, "is a `return` missing?"),
        (percent, "a share lies between 0 and 1"),
        (lambda s, n: (s == n)[n >= 0].mean(), "numbers with .float() first"),
    ]
}
