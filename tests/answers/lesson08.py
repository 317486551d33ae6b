"""Wrong answers to lesson 08 with a part of their diagnosis, and right ones."""

import torch
import torch.nn.functional as F

from t2i_course.papers.gan_cls import (
    between,
    discriminator_loss,
    generator_loss,
    judged_together,
    mismatched,
)


# 08.1 ---------------------------------------------------------------------------------
def tiled(words):
    return words[:, :, None, None].expand(-1, -1, 4, 4)


def in_one_corner(seen, words):
    places = torch.zeros(*words.shape, 4, 4)
    places[:, :, 0, 0] = words
    return torch.cat([seen, places], 1)


def place_by_place(seen, words):
    columns = [
        torch.cat([seen[:, :, i, j], words], 1) for i in range(4) for j in range(4)
    ]
    return torch.stack(columns, 2).view(len(seen), -1, 4, 4)


# 08.2 ---------------------------------------------------------------------------------
def one_by_one(class_id, generator):
    places = []
    for kind in class_id.tolist():
        others = [j for j, other in enumerate(class_id.tolist()) if other != kind]
        lot = torch.randint(len(others), (), generator=generator)
        places.append(others[int(lot)])
    return torch.tensor(places)


def by_multinomial(class_id, generator=None):
    other = (class_id[:, None] != class_id).float()
    return torch.multinomial(other, 1, generator=generator).squeeze(1)


def shuffled_until_right(class_id, generator):
    while True:
        place = torch.randint(len(class_id), class_id.shape, generator=generator)
        if (class_id[place] != class_id).all():
            return place


def first_other(class_id, generator):
    return (class_id[:, None] != class_id).int().argmax(1)


def without_generator(class_id, generator):
    return torch.multinomial((class_id[:, None] != class_id).float(), 1).squeeze(1)


def one_shift(class_id, generator):
    lot = int(torch.randint(1, len(class_id), (), generator=generator))
    return torch.arange(len(class_id)).roll(lot)


def same_class(class_id, generator):
    same = (class_id[:, None] == class_id).float()
    return torch.multinomial(same, 1, generator=generator).squeeze(1)


def never_the_last(class_id, generator):
    other = (class_id[:, None] != class_id).float()
    other[:-1, -1] = 0
    return torch.multinomial(other, 1, generator=generator).squeeze(1)


# 08.3 ---------------------------------------------------------------------------------
def by_cross_entropy(real, fake, wrong):
    entropy = F.binary_cross_entropy_with_logits
    yes, no = torch.ones_like(real), torch.zeros_like(real)
    return entropy(real, yes) + (entropy(wrong, no) + entropy(fake, no)) / 2


def by_log_sigmoid(real, fake, wrong):
    negative = F.logsigmoid(-wrong) + F.logsigmoid(-fake)
    return -(F.logsigmoid(real) + 0.5 * negative).mean()


def clamped(real, fake, wrong):
    def log(x):
        return torch.sigmoid(x).clamp(1e-7, 1 - 1e-7).log().mean()

    return -log(real) - (log(-wrong) + log(-fake)) / 2


def logs_of_sigmoids(real, fake, wrong):
    r, f, w = (torch.sigmoid(x) for x in (real, fake, wrong))
    return -(r.log() + ((1 - w).log() + (1 - f).log()) / 2).mean()


# 08.4 ---------------------------------------------------------------------------------
def by_lerp(text, beta=0.5):
    half = len(text) // 2
    return torch.lerp(text[half : 2 * half], text[:half], beta)


def by_pairs(text, beta=0.5):
    half = len(text) // 2
    rows = [beta * text[i] + (1 - beta) * text[half + i] for i in range(half)]
    return torch.stack(rows)


def neighbours(text, beta=0.5):
    even = 2 * (len(text) // 2)
    return beta * text[0:even:2] + (1 - beta) * text[1:even:2]


# 08.5 ---------------------------------------------------------------------------------
def noise_for(system, asked):
    return system.noise(len(asked), system.generator.noise_size)


def start(system, batch):
    """What every round below begins with."""
    text, d = system.embed(batch), system.discriminator
    asked = torch.cat([text, between(text)])
    drawn = system.generator(noise_for(system, asked), asked)
    other = text[mismatched(batch.class_id, system.rng)]
    return text, d, asked, drawn, other


def turns(system, batch, real, fake, drawn, order="dg"):
    """Both turns, judged together; real, fake, drawn: (seen, text) or pictures, text.

    real: the right pair, then the wrong one if there is one
    """
    d = system.discriminator

    def looked(pair):
        pictures, text = pair
        return d.features(pictures), text

    def discriminator_turn():
        right, *wrong, false = judged_together(d, *map(looked, real), looked(fake))
        return "discriminator", discriminator_loss(right, false, *wrong)

    def generator_turn():
        *_, false = judged_together(d, *company, looked(drawn))
        return "generator", generator_loss(false)

    company = [(d.features(x).detach(), text) for x, text in real]
    both = [discriminator_turn, generator_turn]
    for turn in both if order == "dg" else both[::-1]:
        yield turn()


def plain(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    real = [(batch.image, text), (batch.image, other)]
    fake = drawn[: len(text)].detach(), text
    yield from turns(system, batch, real, fake, (drawn, asked))


def drawn_twice(system, batch):
    text, d, asked, _, other = start(system, batch)
    z, x = system.noise(len(asked), system.generator.noise_size), batch.image
    with torch.no_grad():
        fake = system.generator(z[: len(text)], text)
    real = d.features(x), d.features(x)
    scores = d.match(
        torch.cat([*real, d.features(fake)]), torch.cat([text, other, text])
    )
    right, wrong, false = scores.chunk(3)
    yield "discriminator", discriminator_loss(right, false, wrong)
    again = d.features(system.generator(z, asked))
    seen = torch.cat([part.detach() for part in real])
    scores = d.match(torch.cat([seen, again]), torch.cat([text, other, asked]))
    yield "generator", generator_loss(scores[2 * len(text) :])


def looked_at_again(system, batch):
    """The real pictures are looked at anew, by the discriminator that has stepped."""
    text, d, asked, drawn, other = start(system, batch)
    seen = d.features(batch.image)
    fake = d.features(drawn[: len(text)].detach())
    pairs = (seen, text), (seen, other), (fake, text)
    right, wrong, false = judged_together(d, *pairs)
    yield "discriminator", discriminator_loss(right, false, wrong)
    seen = d.features(batch.image)
    pairs = (seen, text), (seen, other), (d.features(drawn), asked)
    yield "generator", generator_loss(judged_together(d, *pairs)[2])


def names_exchanged(system, batch):
    other = {"discriminator": "generator", "generator": "discriminator"}
    for player, loss in plain(system, batch):
        yield other[player], loss


def noise_by(sizes):
    """A round whose noise is asked for by other arguments."""

    def algorithm(system, batch):
        text = system.embed(batch)
        asked = torch.cat([text, between(text)])
        system.generator(system.noise(*sizes(asked)), asked)
        yield from plain(system, batch)

    return algorithm


def judged_apart(system, batch):
    text, d, asked, drawn, other = start(system, batch)
    fake = drawn[: len(text)].detach()
    real, wrong = d(batch.image, text), d(batch.image, other)
    yield "discriminator", discriminator_loss(real, d(fake, text), wrong)
    yield "generator", generator_loss(d(drawn, asked))


def judged_alone(system, batch):
    _, d, asked, drawn, _ = start(system, batch)
    yield next(plain(system, batch))
    yield "generator", generator_loss(d(drawn, asked))


def judged_beside_the_right_pair(system, batch):
    text, d, asked, drawn, _ = start(system, batch)
    seen = d.features(batch.image).detach()
    yield next(plain(system, batch))
    yield (
        "generator",
        generator_loss(judged_together(d, (seen, text), (d.features(drawn), asked))[1]),
    )


def not_detached(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    real = [(batch.image, text), (batch.image, other)]
    fake = drawn[: len(text)], text
    yield from turns(system, batch, real, fake, (drawn, asked))


def always_detached(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    drawn = drawn.detach()
    real = [(batch.image, text), (batch.image, other)]
    yield from turns(system, batch, real, (drawn[: len(text)], text), (drawn, asked))


def asked_too_early(system, batch):
    text, d, asked, drawn, other = start(system, batch)
    seen = d.features(batch.image)
    real = [(seen, text), (seen, other)]
    early = judged_together(d, *real, (d.features(drawn), asked))[2]
    fake = d.features(drawn[: len(text)].detach()), text
    right, wrong, false = judged_together(d, *real, fake)
    yield "discriminator", discriminator_loss(right, false, wrong)
    yield "generator", generator_loss(early)


def judged_half_way(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    real = [(batch.image, text), (batch.image, other)]
    yield from turns(system, batch, real, (drawn.detach(), asked), (drawn, asked))


def without_int(system, batch):
    text, _, _, drawn, other = start(system, batch)
    real, fake = [(batch.image, text), (batch.image, other)], drawn[: len(text)]
    yield from turns(system, batch, real, (fake.detach(), text), (fake, text))


def without_cls(system, batch):
    text, _, asked, drawn, _ = start(system, batch)
    fake = drawn[: len(text)].detach(), text
    yield from turns(system, batch, [(batch.image, text)], fake, (drawn, asked))


def wrong_beside_fake(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    fake = drawn[: len(text)].detach()
    real = [(batch.image, text), (fake, other)]
    yield from turns(system, batch, real, (fake, text), (drawn, asked))


def wrong_picture(system, batch):
    text, _, asked, drawn, _ = start(system, batch)
    image = batch.image[mismatched(batch.class_id, system.rng)]
    real, fake = [(batch.image, text), (image, text)], drawn[: len(text)].detach()
    yield from turns(system, batch, real, (fake, text), (drawn, asked))


def rolled(system, batch):
    text, _, asked, drawn, _ = start(system, batch)
    real = [(batch.image, text), (batch.image, text.roll(1, 0))]
    fake = drawn[: len(text)].detach(), text
    yield from turns(system, batch, real, fake, (drawn, asked))


def generator_first(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    real = [(batch.image, text), (batch.image, other)]
    fake = drawn[: len(text)].detach(), text
    yield from turns(system, batch, real, fake, (drawn, asked), order="gd")


def stale_look(system, batch):
    text, d, asked, drawn, other = start(system, batch)
    seen, look = d.features(batch.image), d.features(drawn)
    fake = d.features(drawn[: len(text)].detach()), text
    right, wrong, false = judged_together(d, (seen, text), (seen, other), fake)
    yield "discriminator", discriminator_loss(right, false, wrong)
    seen = seen.detach()
    yield (
        "generator",
        generator_loss(
            judged_together(d, (seen, text), (seen, other), (look, asked))[2]
        ),
    )


def fake_with_the_wrong_sentence(system, batch):
    text, _, asked, drawn, other = start(system, batch)
    real = [(batch.image, text), (batch.image, other)]
    fake = drawn[: len(text)].detach(), other
    yield from turns(system, batch, real, fake, (drawn, asked))


def half_way_first(system, batch):
    text, other = system.embed(batch), mismatched(batch.class_id, system.rng)
    asked = torch.cat([between(text), text])
    drawn = system.generator(noise_for(system, asked), asked)
    real = [(batch.image, text), (batch.image, text[other])]
    fake = drawn[: len(text)].detach(), text
    yield from turns(system, batch, real, fake, (drawn, asked))


def generator_by(choose):
    """The generator's loss on other logits than those of the drawn pictures."""

    def algorithm(system, batch):
        text, d, asked, drawn, other = start(system, batch)
        yield next(plain(system, batch))
        seen = d.features(batch.image).detach()
        pairs = (seen, text), (seen, other), (d.features(drawn), asked)
        yield "generator", generator_loss(choose(judged_together(d, *pairs)))

    return algorithm


def fakes_twice(system, batch):
    text, d, asked, drawn, other = start(system, batch)
    seen, fake = d.features(batch.image), d.features(drawn[: len(text)].detach())
    right, _, false = judged_together(d, (seen, text), (seen, other), (fake, text))
    yield "discriminator", discriminator_loss(right, false, false)
    pairs = (seen.detach(), text), (seen.detach(), other), (d.features(drawn), asked)
    yield "generator", generator_loss(judged_together(d, *pairs)[2])


def sign_turned(system, batch):
    right = plain(system, batch)
    yield next(right)
    player, loss = next(right)
    yield player, -loss


def returned(system, batch):
    return list(plain(system, batch))


def one_turn(system, batch):
    yield next(plain(system, batch))


# 08.6 ---------------------------------------------------------------------------------
def by_hand(style, generator, text, noise):
    pictures = generator(noise, text).detach()
    return (style(pictures) - noise).square().mean()


def row_by_row(style, generator, text, noise):
    with torch.no_grad():
        pictures = generator(noise, text)
    found = style(pictures)
    return torch.stack([F.mse_loss(f, z) for f, z in zip(found, noise)]).mean()


def resting(measure):
    def loss(style, generator, text, noise):
        with torch.no_grad():
            pictures = generator(noise, text)
        return measure(style(pictures) - noise)

    return loss


def other_noise(style, generator, text, noise):
    with torch.no_grad():
        pictures = generator(torch.randn_like(noise), text)
    return F.mse_loss(style(pictures), noise)


def compares_pictures(style, generator, text, noise):
    with torch.no_grad():
        pictures = generator(noise, text)
    return F.mse_loss(generator(style(pictures), text), pictures)


RIGHT = {
    "08.1": [
        lambda s, w: torch.cat([s, tiled(w)], dim=1),
        lambda s, w: torch.cat([s, w[..., None, None].repeat(1, 1, 4, 4)], 1),
        place_by_place,
    ],
    "08.2": [one_by_one, by_multinomial, shuffled_until_right],
    "08.3": [by_cross_entropy, by_log_sigmoid],
    "08.4": [by_lerp, by_pairs],
    "08.5": [plain, drawn_twice, looked_at_again],
    "08.6": [by_hand, row_by_row],
}

# They draw as the lesson asks, but other numbers from the same generator.
# The last draws twice a round: batch norm's running means hear the pictures twice.
OTHER_LOTS = {"08.2": [one_by_one, shuffled_until_right], "08.5": [drawn_twice]}

WRONG = {
    "08.1": [
        (lambda s, w: torch.cat([tiled(w), s], 1), "the picture comes first"),
        (in_one_corner, "at one place of the map only"),
        (lambda s, w: torch.cat([s, w.repeat(1, 16).view(len(w), -1, 4, 4)], 1),
         "scrambled"),
        (lambda s, w: torch.cat([s, tiled(w[:1]).expand(len(s), -1, 4, 4)], 1),
         "first one"),
        (lambda s, w: tiled(w), "only the text is left"),
        (lambda s, w: s + w.mean(1)[:, None, None, None], "don't add it"),
        (lambda s, w: s + w, "can't be added"),
        (lambda s, w: torch.cat([s, tiled(w).detach()], 1),
         "no gradient reaches the text"),
        (lambda s, w: torch.cat([s, tiled(w) / 16], 1),
         "divided by the number of places"),
        (lambda s, w: torch.cat([s.flatten(1), w], 1),
         "should have shape (3, 7, 4, 4)"),
    ],
    "08.2": [
        (lambda c, g: torch.arange(len(c)).roll(1), "moving the batch on by one"),
        (lambda c, g: torch.randint(len(c), c.shape, generator=g), "own class"),
        (lambda c, g: torch.arange(len(c)), "its own caption"),
        (same_class, "from the same class"),
        (first_other, "draw lots"),
        (lambda c, g: c[first_other(c, g)], "class numbers"),
        (lambda c, g: c[:, None] != c, "a table of pairs"),
        (one_shift, "one and the same lot"),
        (without_generator, "generator=generator"),
        (never_the_last, "never gets the caption of item 5"),
        (lambda c, g: first_other(c, g).float(), "whole numbers"),
    ],
    "08.3": [
        (lambda r, f, w: -by_cross_entropy(r, f, w), "turn its sign"),
        (lambda r, f, w: F.softplus(r).mean()
         + (F.softplus(-f).mean() + F.softplus(-w).mean()) / 2, "turned round"),
        (lambda r, f, w: discriminator_loss(r, f) + F.softplus(w).mean(),
         "count in full"),
        (lambda r, f, w: (discriminator_loss(r, f) + F.softplus(w).mean()) / 3,
         "mean of the three"),
        (lambda r, f, w: (discriminator_loss(r, f) + F.softplus(w).mean()) / 2,
         "first term too"),
        (lambda r, f, w: discriminator_loss(r, f), "without CLS"),
        (lambda r, f, w: by_cross_entropy(r, f, -w), "s_w should go to 0"),
        (lambda r, f, w: by_cross_entropy(f, r, w), "exchanged"),
        (lambda r, f, w: by_cross_entropy(r, f, w) * len(r), "take means"),
        (lambda r, f, w: F.softplus(-r) + (F.softplus(w) + F.softplus(f)) / 2,
         "shape ()"),
        (lambda r, f, w: -F.logsigmoid(r).mean() - ((1 - F.logsigmoid(f)).mean()
         + (1 - F.logsigmoid(w)).mean()) / 2, "is taken for 1 - log s"),
        (logs_of_sigmoids, "right in mathematics, but fragile"),
        (clamped, "by force"),
    ],
    "08.4": [
        (lambda t, beta=0.5: by_lerp(t, 1 - beta), "it weighs t1"),
        (lambda t, beta=0.5: by_lerp(t) * 2, "without weights"),
        (lambda t, beta=0.5: by_lerp(t), "beta is not used"),
        (neighbours, "its neighbour"),
        (lambda t, beta=0.5: by_lerp(t, 1 + beta), "extrapolation"),
        (lambda t, beta=0.5: F.normalize(by_lerp(t, beta), dim=1), "length 1"),
        (lambda t, beta=0.5: torch.cat([t, by_lerp(t, beta)]), "only the mixed ones"),
        (lambda t, beta=0.5: beta * t + (1 - beta) * t.flip(0),
         "should have shape (3, 3)"),
        (lambda t, beta=0.5: t[: len(t) // 2], "mix it with the second"),
        (lambda t, beta=0.5: beta * t[: len(t) // 2] + (1 - beta) * t[len(t) // 2 :],
         "halves of two lengths"),
    ],
    "08.5": [
        (not_detached, "as .detach()"),
        (names_exchanged, "are the two names, or the two losses, exchanged"),
        (noise_by(lambda asked: (2, len(asked))), "how many vectors comes first"),
        (noise_by(lambda asked: (len(asked),)), "two whole numbers"),
        (noise_by(lambda asked: (4, 2)), "another number of noise vectors"),
        (noise_by(lambda asked: (len(asked), 2)),
         "has system.generator.noise_size numbers"),
        (always_detached, "the generator no gradient"),
        (judged_apart, "in both turns, so batch norm subtracts"),
        (judged_alone, "judged alone"),
        (judged_beside_the_right_pair, "company is not complete"),
        (asked_too_early, "after the first yield"),
        (judged_half_way, "half-way sentences"),
        (without_int, "INT adds"),
        (without_cls, "without CLS"),
        (wrong_beside_fake, "beside the drawn picture"),
        (wrong_picture, "keeps the picture"),
        (rolled, "moved on by one"),
        (generator_first, "plays first"),
        (stale_look, "from before the discriminator's step"),
        (fake_with_the_wrong_sentence, "that it was drawn for"),
        (half_way_first, "come first among those asked for"),
        (generator_by(lambda logits: logits[0]), "the right pair's logits"),
        (generator_by(torch.cat), "the logits of all pairs"),
        (generator_by(lambda logits: logits[2][:4]), "half-way pictures are left out"),
        (fakes_twice, "drawn pictures twice"),
        (sign_turned, "turned round"),
        (returned, "in place of `return`"),
        (one_turn, "only the discriminator has a turn"),
    ],
    "08.6": [
        (lambda s, g, t, z: F.mse_loss(s(g(z, t)), z), "should rest"),
        (resting(lambda e: e.abs().mean()), "absolute difference"),
        (resting(lambda e: e.square().sum(1).mean()), "summed over the numbers"),
        (resting(lambda e: e.square().mean().sqrt()), "root of the mean square"),
        (resting(lambda e: e.mean().square()), "errors cancel"),
        (other_noise, "another noise"),
        (compares_pictures, "the pictures are compared"),
        (lambda s, g, t, z: F.mse_loss(s(g(z, t)), t), "the text is compared"),
        (lambda s, g, t, z: by_hand(s, g, t, z).detach(),
         "no gradient reaches the style"),
    ],
}  # fmt: skip
