"""DAMSM: sizes, equations against plain loops, padding, classes, parts, training."""

import math

import pytest
import torch
from test_gan_cls import batch_of
from torch.nn import functional as F
from training_toys import Repeated, count, ready

from t2i_course import systems
from t2i_course.data import Batch
from t2i_course.papers import damsm
from t2i_course.papers.damsm import (
    Damsm,
    RegionEncoder,
    SmallRegionEncoder,
    WordEncoder,
)
from t2i_course.training import fit

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"words": 20, "word": 6, "embedding": 8, "size": 32, "base": 4}
LENGTHS = (3, 1, 5, 2)


def small(**more):
    return ready(lambda: Damsm(**SMALL | more))


def mask_of(lengths=LENGTHS, places=5):
    return torch.arange(places) < torch.tensor(lengths)[:, None]


def drawn(regions=9, size=6, lengths=LENGTHS, places=5, seed=0):
    """Words, mask, sentences, regions, pictures in float64, which want a gradient."""
    rng = torch.Generator().manual_seed(seed)
    mask, many = mask_of(lengths, places), len(lengths)
    shapes = [(many, size, places), (many, size), (many, size, regions), (many, size)]
    words, *rest = (torch.randn(s, generator=rng, dtype=torch.float64) for s in shapes)
    words = words * mask[:, None]
    words, *rest = (x.requires_grad_() for x in (words, *rest))
    return words, mask, *rest


# The equations, one pair, one word, one region at a time ------------------------------


def plain_score(words, regions, gamma1, gamma2):
    """R(Q, D) of a picture (D, R) and a caption of words (D, T); (7) to (10)."""
    steps, places = words.shape[1], regions.shape[1]
    s = [[words[:, i] @ regions[:, j] for j in range(places)] for i in range(steps)]
    bar = [
        [
            s[i][j].exp() / sum(s[k][j].exp() for k in range(steps))
            for j in range(places)
        ]
        for i in range(steps)
    ]
    whole = 0
    for i in range(steps):
        weights = [(gamma1 * bar[i][j]).exp() for j in range(places)]
        c = sum(w * regions[:, j] for j, w in enumerate(weights)) / sum(weights)
        cosine = c @ words[:, i] / (c.norm() * words[:, i].norm())
        whole = whole + (gamma2 * cosine).exp()
    return whole.log() / gamma2


def plain_scores(words, mask, regions, gamma1=5.0, gamma2=5.0):
    """R of every picture and every caption: (B, A)."""
    rows = []
    for picture in regions:
        own = (
            plain_score(w[:, : int(m.sum())], picture, gamma1, gamma2)
            for w, m in zip(words, mask)
        )
        rows.append(torch.stack(list(own)))
    return torch.stack(rows)


def plain_losses(scores, kinds, gamma3=10.0):
    """Eqs. (11) to (13), others of the own class left out of the sums."""
    both = []
    for table in (scores, scores.T):
        terms = []
        for i, row in enumerate(table):
            others = [j for j in range(len(row)) if j == i or kinds[j] != kinds[i]]
            bottom = sum((gamma3 * row[j]).exp() for j in others)
            terms.append(-((gamma3 * row[i]).exp() / bottom).log())
        both.append(sum(terms) / len(terms))
    return both


@pytest.mark.parametrize("regions", [4, 9])  # fewer than D, and more
@pytest.mark.parametrize("kinds", [(0, 1, 2, 3), (0, 1, 0, 3), (1, 1, 1, 1)])
def test_losses_and_gradients_are_those_of_the_equations(regions, kinds):
    given = drawn(regions)
    words, mask, sentences, seen, pictures = given
    learn = (words, sentences, seen, pictures)
    found = damsm.damsm_loss(*given, torch.tensor(kinds))
    cosines = torch.stack([
        torch.stack([F.cosine_similarity(p, s, dim=0) for s in sentences])
        for p in pictures
    ])  # fmt: skip
    wanted = plain_losses(plain_scores(words, mask, seen), kinds)
    wanted += plain_losses(cosines, kinds)
    for one, other in zip(found, wanted):
        assert torch.allclose(one, other, atol=1e-9), (one, other)
    keep = {"retain_graph": True, "allow_unused": True, "materialize_grads": True}
    for one, other in zip(found, wanted):  # each term's own gradient
        if not other.requires_grad:
            continue
        pairs = (torch.autograd.grad(x, learn, **keep) for x in (one, other))
        assert all(torch.allclose(*pair, atol=1e-8) for pair in zip(*pairs))


def test_without_classes_every_other_pair_is_compared():
    scores = torch.randn(4, 4, dtype=torch.float64)
    found = damsm.matching_losses(scores, gamma3=3.0)
    wanted = plain_losses(scores, range(4), 3.0)
    assert torch.allclose(torch.stack(found), torch.stack(wanted))
    none = damsm.matching_losses(scores, torch.zeros(4))
    assert torch.equal(torch.stack(none), torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("regions", [4, 9])
def test_parts_of_pictures_make_no_difference(monkeypatch, regions):
    words, mask, _, seen, _ = drawn(regions)
    found = []
    for limit in (2**21, 0):
        monkeypatch.setattr(damsm, "AT_ONCE", limit)
        monkeypatch.setattr(damsm, "PART", 2 * mask.numel() * regions)
        scores = damsm.word_scores(words, mask, seen, 2.0, 3.0)
        grads = torch.autograd.grad(scores.square().sum(), (words, seen))
        found.append((scores, *grads))
    assert all(torch.allclose(*pair) for pair in zip(*found))


@pytest.mark.parametrize("who", ["words", "regions"])
def test_parts_where_one_side_rests(monkeypatch, who):
    words, mask, _, seen, _ = drawn(9)
    whole = damsm.word_scores(words, mask, seen).square().sum()
    learns = words if who == "words" else seen
    (wanted,) = torch.autograd.grad(whole, learns)
    monkeypatch.setattr(damsm, "AT_ONCE", 0)
    rests = seen if who == "words" else words
    rests.requires_grad_(False)
    found = damsm.word_scores(words, mask, seen)
    assert torch.allclose(torch.autograd.grad(found.square().sum(), learns)[0], wanted)


@pytest.mark.parametrize("limit", [2**21, 0])
def test_half_precision_changes_nothing_within(monkeypatch, limit):
    monkeypatch.setattr(damsm, "AT_ONCE", limit)
    words, mask, _, seen, _ = drawn(9)
    words, seen = (x.detach().bfloat16().requires_grad_() for x in (words, seen))
    with torch.autocast("cpu", torch.bfloat16):
        found = damsm.word_scores(words, mask, seen)
    wanted = damsm.word_scores(words.float(), mask, seen.float())
    assert found.dtype == torch.float32 and torch.equal(found, wanted)
    found.sum().backward()
    assert words.grad.isfinite().all() and seen.grad.isfinite().all()


def test_more_captions_than_pictures_and_maps_for_regions():
    words, mask, _, seen, _ = drawn(9)
    maps = seen[:2].unflatten(2, (3, 3))
    found = damsm.word_scores(words, mask, maps)
    assert found.shape == (2, 4)
    assert torch.allclose(found, plain_scores(words, mask, seen[:2]))


# Attention ----------------------------------------------------------------------------


def test_attention_sums_to_one_over_regions_at_words():
    words, mask, _, seen, _ = drawn(6)
    alpha = damsm.word_region_attention(words, mask, seen)
    assert torch.allclose(alpha.sum(2), mask.double())
    assert (alpha[~mask] == 0).all()
    maps = damsm.attention_maps(words, mask, seen.unflatten(2, (2, 3)), 7.0)
    again = damsm.word_region_attention(words, mask, seen, 7.0)
    assert torch.equal(maps, again.unflatten(2, (2, 3)))


def test_attention_by_hand():
    """A sentence of one word looks everywhere alike: each region has no choice."""
    words, mask, _, seen, _ = drawn(6)
    alpha = damsm.word_region_attention(words, mask, seen, 3.0)
    assert torch.allclose(alpha[1, 0], torch.full((6,), 1 / 6, dtype=torch.float64))
    s = words[0, :, :3].T @ seen[0]
    wanted = (3.0 * s.softmax(0)).softmax(1)
    assert torch.allclose(alpha[0, :3], wanted)


def test_padding_changes_nothing():
    words, mask, sentences, seen, pictures = drawn()
    before = damsm.damsm_loss(words, mask, sentences, seen, pictures)
    wider = (
        F.pad(words, (0, 3), value=2.0),
        F.pad(mask, (0, 3)),
    )  # whatever stands there
    after = damsm.damsm_loss(*wider, sentences, seen, pictures)
    assert torch.allclose(torch.stack(before), torch.stack(after))
    alpha, more = (
        damsm.word_region_attention(w, m, seen) for w, m in ((words, mask), wider)
    )
    assert torch.allclose(F.pad(alpha, (0, 0, 0, 3)), more)


def test_captions_of_one_word_in_single_precision():
    words, mask, sentences, seen, pictures = drawn(lengths=(1, 1, 1, 1))
    given = [
        x.detach().float().requires_grad_() for x in (words, sentences, seen, pictures)
    ]
    loss = sum(damsm.damsm_loss(given[0], mask, *given[1:]))
    grads = torch.autograd.grad(loss, given)
    assert loss.isfinite() and all(g.isfinite().all() for g in grads)


@pytest.mark.parametrize("gamma2", [0.1, 5.0, 1e4])
def test_many_words_near_the_best_one_as_gamma_2_grows(gamma2):
    """Exact where the sum of exponentials would overflow."""
    words, mask, _, seen, _ = drawn()
    found = damsm.word_scores(words, mask, seen, 5.0, gamma2)
    assert found.isfinite().all()
    if gamma2 <= 5:
        naive = plain_scores(words, mask, seen, 5.0, gamma2)
        assert torch.allclose(found, naive)
    else:
        assert (found.abs() <= 1 + math.log(5) / gamma2).all()


# The encoders -------------------------------------------------------------------------


def test_parameter_counts_at_paper_size():
    """Those of the authors' release, for CUB's and COCO's words."""
    with torch.device("meta"):
        cub, coco, image = WordEncoder(5450), WordEncoder(27_297), RegionEncoder()
    assert (count(cub), count(coco)) == (2_075_320, 8_629_420)
    learn = sum(p.numel() for p in image.parameters() if p.requires_grad)
    assert (count(image), learn) == (22_506_720, 196_608 + 524_544)


def test_inception_rests_and_what_was_added_learns():
    torch.manual_seed(0)
    image = RegionEncoder(8).train()
    assert not image.low.training and not image.high.training and image.training
    kept = {k: v.clone() for k, v in image.state_dict().items() if "running" in k}
    pictures = torch.randn(2, 3, 64, 64, requires_grad=True)
    regions, whole = image(pictures)
    assert regions.shape == (2, 8, 17, 17) and whole.shape == (2, 8)
    (regions.square().sum() + whole.square().sum()).backward()
    assert pictures.grad.abs().sum() > 0
    got = {name for name, p in image.named_parameters() if p.grad is not None}
    assert got == {"to_regions.weight", "to_picture.weight", "to_picture.bias"}
    assert all(torch.equal(image.state_dict()[k], v) for k, v in kept.items())


def test_torchvision_s_weights_fit():
    from torchvision.models import inception_v3

    with torch.device("meta"):
        image = RegionEncoder()
        state = inception_v3(weights=None, init_weights=False).state_dict()
    for part in (image.low, image.high):
        assert not part.load_state_dict(state, strict=False, assign=True).missing_keys


@pytest.mark.parametrize("size", [32, 64])
def test_small_encoder_sees_64_regions(size):
    regions, whole = SmallRegionEncoder(size, 8, 4)(torch.randn(2, 3, size, size))
    assert regions.shape == (2, 8, 8, 8) and whole.shape == (2, 8)
    with pytest.raises(ValueError, match="size is 32, 64"):
        SmallRegionEncoder(16)


def captions(rows):
    """A batch of captions, rows of word numbers."""
    lengths = torch.tensor([len(row) for row in rows])
    tokens = torch.zeros(len(rows), 6, dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row, dtype=torch.long)
    return Batch(torch.zeros(0), tokens=tokens, lengths=lengths)


def test_words_are_read_both_ways_in_any_order():
    torch.manual_seed(0)
    encoder, rows = WordEncoder(20, 6, 8).eval(), [[3, 4], [5], [6, 7, 8, 9], [2, 3, 4]]
    words, mask, sentences = encoder.read(captions(rows))
    assert words.shape == (4, 8, 6) and sentences.shape == (4, 8)
    assert (words.mT[~mask] == 0).all() and (words.mT[mask] != 0).any(1).all()
    assert mask.sum(1).tolist() == [2, 1, 4, 3]
    for i, row in enumerate(rows):
        steps, (last, _) = encoder.lstm(encoder.word_vectors(torch.tensor([row])))
        assert torch.allclose(words[i, :, : len(row)], steps[0].T, atol=1e-6)
        assert torch.allclose(sentences[i], last.flatten(), atol=1e-6)
        assert torch.allclose(sentences[i, :4], words[i, :4, len(row) - 1], atol=1e-6)
        assert torch.allclose(sentences[i, 4:], words[i, 4:, 0], atol=1e-6)
    assert torch.equal(encoder.of(captions(rows)), sentences)
    assert torch.equal(encoder.words_of(captions(rows))[0], words)


def test_a_caption_without_words_is_refused():
    with pytest.raises(ValueError, match="A caption has no word"):
        WordEncoder(20, 6, 8).of(captions([[3], []]))


# The system ---------------------------------------------------------------------------


def test_all_weights_get_a_gradient():
    system = small()
    ((player, loss),) = system.round(batch_of(size=32))
    loss.backward()
    assert player == "encoders" and loss.shape == ()
    for name, p in system.encoders.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_the_round_is_the_sum_of_the_terms():
    system, b = small().eval(), batch_of(size=32)
    ((_, loss),) = system.round(b)
    told, kinds = system.encoders.text.read(b), b.class_id
    seen = system.encoders.image(b.image)
    assert torch.allclose(loss, sum(damsm.damsm_loss(*told, *seen, kinds)))
    with pytest.raises(ValueError, match="two or more"):
        next(system.round(batch_of((0,), size=32)))


def test_the_text_s_gradient_is_clipped():
    system = small(clip=0.25)
    adam, text = system.optimizer("encoders"), list(system.encoders.text.parameters())
    for p in system.encoders.parameters():
        p.grad = torch.ones_like(p)
    adam.step()
    norm = torch.cat([p.grad.flatten() for p in text]).norm()
    assert norm == pytest.approx(0.25, rel=1e-3)
    assert all((p.grad == 1).all() for p in system.encoders.image.parameters())


def test_the_rate_falls_to_a_tenth():
    system = small(fall=100)
    found = [system.learning_rate_factor(step) for step in (0, 50, 100, 10_000)]
    assert found == pytest.approx([1, 0.1**0.5, 0.1, 0.1])


def test_it_learns_a_batch_by_heart():
    source = Repeated(batch_of(range(6), size=32))
    history = fit(small(), source, 60, progress=False, device="cpu")
    losses = history.losses["encoders"]
    assert losses[-1] < losses[0] / 2


def test_a_smoke_training_serves_and_is_measured(tmp_path):
    system = systems.build("damsm", "smoke")
    source = systems.source_for("damsm", "smoke")
    path = tmp_path / "checkpoint.pt"
    fit(system, source, 2, progress=False, device="cpu", checkpoint=path)
    again = systems.from_checkpoint(path)
    b = source.batch(0).to("cpu")
    served = systems.part_from("damsm", path)
    assert torch.equal(served.text.of(b), again.network("encoders").text.of(b))
    found = systems.judge_of("damsm", "birds")(again, 200, 0)
    assert 0 <= found["first of 100"] <= found["who sees everything"] <= 1
