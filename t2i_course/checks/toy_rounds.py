"""Algorithm 1 of lesson 08 with one thing done otherwise: the wrong rounds we know."""

from __future__ import annotations

import torch

from ..papers import gan_cls

__all__ = ["ROUND_ERRORS", "round_with"]


def round_with(wrong="text", asked="both", judged="text", fresh=True, order="dg",
           apart=(), look_again=False, company=2, stale=False, told="own",
           scored=-1, by=gan_cls.generator_loss, twice=False):  # fmt: skip
    """Algorithm 1 with one thing done otherwise: the answers we know."""

    def algorithm(system, batch):
        text, d = system.embed(batch), system.discriminator
        halves = gan_cls.between(text)
        asks = torch.cat({"both": [text, halves], "text": [text], "halves": [halves],
                          "turned": [halves, text]}[asked])  # fmt: skip
        drawn = system.generator(system.noise(len(asks), 2), asks)

        def logits(player, *pairs):
            if player in apart:
                return [d.match(*pair) for pair in pairs]
            return gan_cls.judged_together(d, *pairs)

        def generators(real):
            near = [(seen.detach(), t) for seen, t in real[:company]]
            look = glance if stale else d.features(drawn)
            found = logits("generator", *near, (look, asks))
            return by(torch.cat(found) if scored is None else found[scored])

        real, count = _real_pairs(system, batch, text, drawn, wrong), len(asks)
        count = 4 if judged == "text" else count
        beside = {"own": asks[:count], "true": text, "wrong": real[-1][1]}[told]
        shown, glance = (d.features(drawn[:count].detach()), beside), d.features(drawn)
        right, *against, fake = logits("discriminator", *real, shown)
        against = [fake] if twice else against
        loss = gan_cls.discriminator_loss(right, fake, *against)
        early = generators(real)
        if order == "gd":
            yield "generator", early
        yield "discriminator", loss
        if look_again:
            real = _real_pairs(system, batch, text, drawn, wrong)
        if order == "dg":
            yield "generator", generators(real) if fresh else early

    return algorithm


def _real_pairs(system, batch, text, drawn, wrong):
    """(what is seen, sentence) of the right and the wrong pairs, done right or not."""
    d, place = system.discriminator, gan_cls.mismatched(batch.class_id, system.rng)
    seen = d.features(batch.image)
    pairs = {
        "text": [(seen, text[place])],
        "image": [(d.features(batch.image[place]), text)],
        "fake": [(d.features(drawn.detach()[:4]), text[place][: len(drawn)])],
        "rolled": [(seen, text.roll(1, 0))],
        "none": [],
    }
    return [(seen, text), *pairs[wrong]]


ROUND_ERRORS = {
    "the generator's loss is worked out before the discriminator has stepped; ask it "
    "again after the first yield (line 12 follows line 11).": {"fresh": False},
    "the generator's turn uses a look at the drawings from before the discriminator's "
    "step; call d.features(drawn) once more after the first yield.": {"stale": True},
    "in the discriminator's turn the drawn picture stands beside the wrong sentence; "
    "it goes with the sentence that it was drawn for.": {"told": "wrong"},
    "the half-way sentences come first among those asked for; the true ones do, so "
    "that drawn[:B] belongs to them.": {"asked": "turned", "told": "true"},
    "the generator goes by the right pair's logits; the drawn pictures' are the last "
    "that judged_together gives back.": {"scored": 0},
    "the generator goes by the logits of all pairs; only the last ones, those of the "
    "drawn pictures, depend on it.": {"scored": None},
    "the discriminator is shown pictures of half-way sentences; in its turn only those "
    "of true sentences count (RE-6), the first B.": {"judged": "asked"},
    "the generator only practises on true sentences; INT adds the half-way ones, "
    "B + B // 2 in all.": {"asked": "text"},
    "the wrong sentence stands beside the drawn picture; line 8 puts it beside the "
    "real one.": {"wrong": "fake"},
    "here the picture is exchanged and the sentence stays, as in the released code; "
    "line 8 keeps the picture and exchanges the sentence.": {"wrong": "image"},
    "the wrong sentences are the batch moved on by one; some are of the same class. "
    "Use wrong_captions.": {"wrong": "rolled"},
    "the wrong sentences' logits don't count: discriminator_loss gets those of the "
    "drawn pictures twice. Its order is real, fake, wrong.": {"twice": True},
    "the half-way pictures are left out of the generator's loss; all B + B // 2 logits "
    "of the drawn pictures count.": {
        "by": lambda logits: gan_cls.generator_loss(logits[:4])
    },
    "the sign of the generator's loss is turned round: it would learn to be found out. "
    "generator_loss(logits) is -log s already.": {
        "by": lambda logits: -gan_cls.generator_loss(logits)
    },
    "no wrong sentence is shown: this is GAN-INT, without CLS.": {"wrong": "none"},
    "the generator plays first; Algorithm 1's discriminator does.": {"order": "gd"},
    "right, wrong and drawn pairs are judged in batches of their own, in both turns, "
    "so batch norm subtracts what tells them apart; use judged_together.": {
        "apart": ("discriminator", "generator")
    },
    "in the discriminator's turn the pairs are judged in batches of their own; use "
    "judged_together.": {"apart": ("discriminator",)},
    "in the generator's turn the company is not complete: both real pairs, with the "
    "right and with the wrong sentence, belong in the batch.": {"company": 1},
    "in the generator's turn the drawn pictures are judged alone; the real pairs of "
    "before (detached) belong into the same batch: judged_together.": {
        "apart": ("generator",)
    },
}
