"""AttnGAN: sizes, attention against loops, masks, rows, rounds, a smoke training."""

import pytest
import torch
from test_gan_cls import batch_of
from training_toys import count, ready

from t2i_course import systems
from t2i_course.data import Batch
from t2i_course.drawing import from_sentences, noise_rows
from t2i_course.measure.branches import branches
from t2i_course.papers import attngan
from t2i_course.papers.attngan import (
    WORDS,
    AttentionalTree,
    AttnGan,
    WordAttention,
    attend_words,
    packed,
    padding_share,
    released_mask,
    unpacked,
    with_fit,
    words_mask,
)
from t2i_course.papers.damsm import Encoders
from t2i_course.training import fit

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"size": 64, "base": 4, "depth": 2, "blocks": 1, "z_size": 6, "embedding": 8,
         "condition": 5}  # fmt: skip
TREE = {name: SMALL[name] for name in SMALL if name != "depth"}
LENGTHS = (3, 1, 5, 5)


def gan(**more):
    def build():
        size = more.get("size", 64)
        encoders = Encoders(20, 6, 8, size, 4).eval().requires_grad_(False)
        return AttnGan(encoders, **SMALL | more)

    return ready(build)


def batch():
    return batch_of(size=64)


def words_of(lengths=LENGTHS, places=5, size=8):
    """Words (B, D, T) that are 0 at padding, and their mask."""
    mask = torch.arange(places) < torch.tensor(lengths)[:, None]
    rng = torch.Generator().manual_seed(0)
    words = torch.randn(len(lengths), size, places, generator=rng)
    return words * mask[:, None], mask


# Sizes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "parts", "whole", "judges"),
    [
        ({}, [102_800, 6_444_928, 267_136, 267_136], 7_084_592,
         [6_313_730, 19_424_002, 71_858_946]),
        ({"base": 48, "depth": 96, "blocks": 3},
         [102_800, 12_017_472, 843_648, 843_648], 13_811_456,
         [13_304_450, 42_800_258, 160_774_274]),
        ({"blocks": 0, "layout": "top", "joint": False},
         [102_800, 6_444_928, 45_184, 45_184], 6_638_960, [71_850_753]),
    ],
    ids=["CUB", "COCO", "AttnDCGAN"],
)  # fmt: skip
def test_parameter_counts_at_paper_size(more, parts, whole, judges):
    """Those of the authors' release."""
    with torch.device("meta"):
        system = AttnGan.from_preset("paper", **more)
    g = system.generator
    assert [count(p) for p in (g.augmentation, g.first, *g.others)] == parts
    assert count(g) == whole
    assert [count(d) for d in system.discriminators.values()] == judges


@pytest.mark.parametrize("layout", ["tree", "top"])
def test_paper_sizes_pass_forward(layout):
    with torch.device("meta"):
        system = AttnGan.from_preset("paper", layout=layout)
        tree = system.generator
        text, noise = torch.empty(2, (1 + WORDS) * 256), torch.empty(2, 200)
        drawn, mean, _ = tree.draw(noise, text)
        sentences = text[:, :256]
        looks = [d(s, sentences) for d, s in zip(system.discriminators.values(), drawn)]
    assert tree.noise_size == 200 and mean.shape == (2, 100)
    wanted = [64, 128, 256] if layout == "tree" else [256]
    assert [s.shape[-1] for s in drawn] == tree.sizes == wanted
    assert all(look.shape == (2,) for look in looks)


@pytest.mark.parametrize(("stages", "sizes"), [(1, [32, 64]), (2, [16, 32, 64])])
def test_one_stage_with_attention_or_two(stages, sizes):
    tree = AttentionalTree(**TREE, stages=stages).eval()
    words, mask = words_of()
    noise, sentences = torch.randn(4, tree.noise_size), torch.randn(4, 8)
    with torch.no_grad():
        drawn, looked = tree.draw_with_attention(noise, words, mask, sentences)
        again, mean, _ = tree.draw(noise, packed(sentences, words))
        last = tree(noise, packed(sentences, words))
    assert [s.shape[-1] for s in drawn] == sizes
    assert [a.shape[1:] for a in looked] == [(5, s, s) for s in sizes[:-1]]
    assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(drawn, again))
    assert torch.equal(last, again[-1]) and last.abs().max() <= 1
    assert torch.equal(mean, tree.augmentation(sentences, noise[:, 6:])[1])


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="layout is tree or top"):
        AttentionalTree(**TREE, layout="level")
    with pytest.raises(ValueError, match="mask is one of words, released"):
        AttentionalTree(**TREE, mask="none")
    with pytest.raises(ValueError, match="size is 16, 32"):
        AttentionalTree(**TREE | {"size": 32})


# Attention ----------------------------------------------------------------------------


def plain(layer, h, words, lengths):
    """Context and attention, place by place, from real words alone."""
    context, attention = torch.zeros_like(h), h.new_zeros(len(h), 5, *h.shape[2:])
    weight = layer.project.weight[:, :, 0]
    for b, length in enumerate(lengths):
        told = [weight @ words[b, :, t] for t in range(length)]
        for y in range(h.shape[2]):
            for x in range(h.shape[3]):
                fits = torch.stack([e @ h[b, :, y, x] for e in told])
                share = fits.exp() / fits.exp().sum()
                attention[b, :length, y, x] = share
                context[b, :, y, x] = sum(a * e for a, e in zip(share, told))
    return context, attention


def test_attention_is_that_of_the_equations():
    layer, (words, mask) = WordAttention(6, 8).double(), words_of()
    words = words.double().requires_grad_()
    h = torch.randn(4, 6, 2, 3, dtype=torch.float64, requires_grad=True)
    found, wanted = layer(h, words, mask), plain(layer, h, words, LENGTHS)
    learn = (h, words, layer.project.weight)
    for one, other in zip(found, wanted):
        assert torch.allclose(one, other)
        pair = [torch.autograd.grad(x.square().sum(), learn, retain_graph=True)
                for x in (one, other)]  # fmt: skip
        assert all(torch.allclose(*grads) for grads in zip(*pair))


def test_attention_sums_to_one_over_words_and_is_none_at_padding():
    layer, (words, mask) = WordAttention(6, 8), words_of()
    _, attention = layer(torch.randn(4, 6, 3, 3), words, mask)
    assert torch.allclose(attention.sum(1), torch.ones(4, 3, 3))
    assert (attention.permute(0, 2, 3, 1)[~mask[:, None, None].expand(-1, 3, 3, -1)]
            == 0).all()  # fmt: skip
    assert torch.equal(padding_share(attention, mask), torch.zeros(4))


def test_padding_changes_nothing():
    layer, (words, mask), h = WordAttention(6, 8), words_of(), torch.randn(4, 6, 3, 3)
    wider = torch.nn.functional.pad(words, (0, 4), value=3.0)
    wide_mask = torch.nn.functional.pad(mask, (0, 4))
    for one, other in zip(layer(h, words, mask), layer(h, wider, wide_mask)):
        assert torch.allclose(one, other[:, : one.shape[1]], atol=1e-6)


def test_the_released_mask_follows_the_batch_not_the_caption():
    """Row b * places + q of the scores gets the mask of caption (that row) mod B."""
    _, mask = words_of()
    laid = released_mask(mask, 6).flatten(0, 1)
    assert all(torch.equal(row, mask[k % 4]) for k, row in enumerate(laid))


def test_each_place_gets_its_own_captions_mask():
    _, mask = words_of()
    laid = words_mask(mask, 6)
    assert laid.shape == (4, 6, 5) and laid.dtype == torch.bool
    assert all(
        torch.equal(row, mask[k // 6]) for k, row in enumerate(laid.flatten(0, 1))
    )
    h, told = torch.randn(4, 8, 2, 3), words_of()[0]
    found = [attend_words(h, told, m) for m in (mask, laid)]
    assert all(torch.equal(*pair) for pair in zip(*found))


def test_a_lesson_may_bring_its_own_attention():
    class Own(WordAttention):
        look = staticmethod(lambda h, told, mask: (h + told.sum(), mask))

    (words, mask), h = words_of(), torch.randn(4, 6, 2, 3)
    layer = Own(6, 8)
    context, heard = layer(h, words, mask)
    assert torch.equal(context, h + layer.project(words).sum()) and heard is mask


def test_the_released_mask_lets_places_look_at_padding():
    layer, (words, mask) = WordAttention(6, 8, mask="released"), words_of()
    _, attention = layer(torch.randn(4, 6, 8, 8), words, mask)
    assert torch.allclose(attention.sum(1), torch.ones(4, 8, 8))
    share = padding_share(attention, mask)
    assert (share[:2] > 0.1).all() and torch.equal(share[2:], torch.zeros(2))


def test_both_masks_are_one_where_captions_are_equally_long():
    right, released = WordAttention(6, 8), WordAttention(6, 8, mask="released")
    released.load_state_dict(right.state_dict())
    words, mask = words_of((4, 4, 4))
    h = torch.randn(3, 6, 4, 4)
    found = [layer(h, words, mask) for layer in (right, released)]
    assert all(torch.equal(*pair) for pair in zip(*found))
    assert torch.equal(padding_share(found[1][1], mask), torch.zeros(3))


def test_padding_share_by_hand():
    attention = torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])[:, :, None, None]
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert padding_share(attention, mask).tolist() == [0.25, 0.0]


# Rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [5, WORDS, WORDS + 4])
def test_rows_hold_the_sentence_and_its_first_words(places):
    words, mask = words_of((1, 3, places), places)
    sentences = torch.randn(3, 8)
    text = packed(sentences, words)
    assert text.shape == (3, (1 + WORDS) * 8)
    again, back, known = unpacked(text, 8)
    kept = min(places, WORDS)
    assert torch.equal(again, sentences)
    assert torch.equal(back[:, :, :kept], words[:, :, :kept])
    assert torch.equal(known[:, :kept], mask[:, :kept]) and not known[:, kept:].any()


def test_rows_go_through_all_that_is_done_to_text():
    """Rolled, repeated, expanded and split as a tensor of sentences."""
    tree = AttentionalTree(**TREE).eval()
    words, _ = words_of()
    text, noise = packed(torch.randn(4, 8), words), torch.randn(4, tree.noise_size)
    with torch.no_grad():
        one = tree(noise[:1], text[2:3])
        same = tree(noise[:1].expand(3, -1), text[2:3].expand(3, -1))
        rolled = tree(noise[:1].expand(4, -1), text.roll(1, 0))
        doubled = tree(noise[:1].expand(8, -1), text.repeat_interleave(2, 0))
    for pictures in (same[2:], rolled[3:], doubled[4:5], doubled[5:6]):
        assert torch.allclose(pictures, one, atol=1e-5)


def test_captions_are_drawn_as_by_any_other_system():
    system = gan().eval()
    b = batch()
    b.caption = [""] * 6
    made = from_sentences(system, b, samples=2)
    assert made.shape == (12, 3, 64, 64)
    drawn = branches(system, b)
    assert [s.shape[-1] for s in drawn] == [16, 32, 64]
    text = system.text_encoder.of(b)
    noise = noise_rows(0, 6, system.generator.noise_size)
    assert torch.allclose(system.sample(text, noise), drawn[-1], atol=1e-5)


def test_captions_of_one_word_and_of_none():
    system, b = gan(), batch()
    b.tokens, b.lengths = b.tokens[:, :1], torch.ones(6, dtype=torch.long)
    assert all(loss.isfinite() for _, loss in system.round(b))
    b.lengths[2] = 0
    with pytest.raises(ValueError, match="A caption has no word"):
        next(system.round(b))


# The round ----------------------------------------------------------------------------


def play(**more):
    """Losses of a round in evaluation mode, always with the same noise."""
    return {p: loss.item() for p, loss in gan(**more).eval().round(batch())}


def test_turns():
    found = play()
    assert list(found) == [f"discriminators.{i}" for i in (1, 2, 3)] + ["generator"]
    assert list(play(stages=1)) == ["discriminators.1", "discriminators.2", "generator"]


def test_lambda_weighs_how_well_the_largest_pictures_fit():
    system, b = gan(lambda_=2.0).eval(), batch()
    text = system.text_encoder.of(b)
    noise = system.noise(6, system.generator.noise_size)
    words, mask, sentences = system.damsm.text.read(b)
    drawn, _ = system.generator.draw_with_attention(noise, words, mask, sentences)
    terms = system.damsm.loss(drawn[-1], words, mask, sentences, b.class_id)
    assert len(terms) == 4 and torch.equal(system.heard(text, None), sentences)
    apart = play(lambda_=2.0)["generator"] - play(lambda_=0.0)["generator"]
    assert apart == pytest.approx(2 * sum(terms).item(), rel=1e-3)


def test_a_lesson_may_bring_its_own_sum_of_game_and_fit():
    terms = [torch.tensor(x) for x in (1.0, 2.0, 3.0, 4.0)]
    assert with_fit(torch.tensor(7.0), tuple(terms)) == 57
    assert with_fit(torch.tensor(7.0), tuple(terms), 0.5) == 12

    class Own(AttnGan):
        fitted = staticmethod(lambda game, terms, lambda_: 0 * game + lambda_)

    system = gan(lambda_=3.0)
    system.__class__ = Own
    assert [loss.item() for _, loss in system.round(batch())][-1] == 3


def test_judges_hear_the_whole_sentence_in_both_turns():
    system, b = gan(lambda_=0.0), batch()
    heard, first = [], system.discriminators["1"]
    match = first.match
    first.match = lambda seen, c: heard.append(c) or match(seen, c)
    list(system.round(b))
    told = system.text_encoder.of(b)[:, :8]
    assert len(heard) == 2
    for c in heard:  # right, wrong and drawn pairs
        right, wrong, drawn = c.split(6)
        assert torch.equal(right, told) and torch.equal(drawn, told)
        assert not torch.equal(wrong, told)


def test_every_weight_of_the_generator_learns_and_the_encoders_rest():
    system, b = gan(), batch()
    *_, (player, loss) = system.round(b)
    names, weights = zip(*system.generator.named_parameters())
    grads = torch.autograd.grad(loss, weights)
    assert player == "generator"
    assert [n for n, g in zip(names, grads) if not g.abs().sum() > 0] == []
    assert not any(p.requires_grad for p in system.damsm.parameters())
    assert not system.damsm.training and system.generator.training


def test_a_smoke_training(tmp_path):
    system = systems.build("attngan", "smoke", trained=False)
    kept = {k: v.clone() for k, v in system.damsm.state_dict().items()}
    source, path = systems.source_for("attngan", "smoke"), tmp_path / "checkpoint.pt"
    fit(system, source, 2, progress=False, device="cpu", checkpoint=path)
    assert all(torch.equal(system.damsm.state_dict()[k], v) for k, v in kept.items())
    again = systems.from_checkpoint(path)
    text = again.text_encoder.of(source.batch(0).to("cpu"))
    noise = torch.zeros(8, again.generator.noise_size)
    assert torch.equal(again.sample(text, noise), system.eval().sample(text, noise))


def test_a_similarity_model_that_fits_is_asked_for(tmp_path):
    encoders = Encoders(20, 6, 8, 64, 4)
    settings = {"embedding": 8, "size": 64}
    assert attngan.DAMSM.misfit(encoders, settings) == ""
    assert "reads 16" in attngan.DAMSM.misfit(encoders, settings | {"embedding": 16})
    assert "draws 128" in attngan.DAMSM.misfit(encoders, settings | {"size": 128})
    path = tmp_path / "damsm.pt"
    fit(systems.build("damsm", "smoke"), systems.source_for("damsm", "smoke"), 1,
        progress=False, device="cpu", checkpoint=path)  # fmt: skip
    assert systems.build("attngan", "smoke", damsm=path).damsm.embedding == 128
    with pytest.raises(ValueError, match="this preset reads 256"):
        systems.build("attngan", "gpu", damsm=path)


def test_rows_of_a_batch_without_pictures():
    """As the commands that draw hand captions over."""
    b = Batch(torch.zeros(0), ["a", "b"], torch.tensor([[3, 4], [5, 0]]),
              torch.tensor([2, 1]))  # fmt: skip
    assert gan().text_encoder.of(b).shape == (2, (1 + WORDS) * 8)
