"""Lesson 10's lab, its figures, and what becomes of two colours."""

import pytest
import torch

from t2i_course.drawing import noise_rows
from t2i_course.measure import birds
from t2i_course.measure.branches import branches, by_branch, told, who_decides
from t2i_course.measure.obedience import two_colours, whole
from t2i_course.measure.oracle import oracle
from t2i_course.papers.painter import alike_cost
from t2i_course.papers.tree_painter import TreePainter
from t2i_course.play.tree_lab import MANY, START, TreeLab
from t2i_course.show import branches as show
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.birds import Birds


@pytest.fixture(scope="module")
def tree():
    return shipped("stackgan_tree_64")


def test_two_colours_by_hand():
    #        wing belly: right, exchanged, one on both, else, silent, one colour twice
    named = torch.tensor([[1, 2], [1, 2], [1, 2], [1, 2], [1, -1], [3, 3]])
    seen = torch.tensor([[1, 2], [2, 1], [2, 2], [5, 5], [1, 2], [3, 3]])
    found = two_colours(seen, named)
    assert found == {"right": 0.25, "exchanged": 0.25, "one on both": 0.25}
    with pytest.raises(ValueError, match="wing and belly"):
        two_colours(seen[4:], named[4:])


def test_whole_captions_by_hand():
    #          one wish: kept, missed; two: both, one of them; three count as two; none
    named = torch.tensor([[1, -1, -1], [1, -1, -1], [1, 2, -1], [1, 2, -1], [1, 2, 3],
                          [-1, -1, -1]])  # fmt: skip
    seen = torch.tensor([[1, 5, 5], [0, 5, 5], [1, 2, 5], [1, 0, 5], [1, 2, 3],
                         [5, 5, 5]])  # fmt: skip
    assert whole(seen, named, most=2) == pytest.approx({1: 1 / 2, 2: 2 / 3})
    assert set(whole(seen, named)) == {1, 2, 3}


def test_told_the_same_twice_is_the_trees_drawing(tree):
    asked = birds.unseen_captions(3, 64)
    text = tree.text_encoder.of(asked)
    noise = noise_rows(0, 3, tree.network("generator").noise_size)
    for one, other in zip(told(tree, [text] * 3, noise), branches(tree, asked)):
        assert torch.allclose(one, other, atol=1e-5)


def test_later_sentences_leave_the_smallest_picture_alone(tree):
    text = tree.text_encoder.of(birds.unseen_captions(3, 64))
    noise = noise_rows(0, 3, tree.network("generator").noise_size)
    same, other = (
        told(tree, [text] * 3, noise),
        told(tree, [text, *[text.roll(1, 0)] * 2], noise),
    )
    assert torch.equal(same[0], other[0])
    assert all((a - b).abs().mean() > 0.01 for a, b in zip(same[1:], other[1:]))


def test_who_decides_gives_two_shares(tree):
    found = who_decides(tree, 40)
    assert set(found) == {"F_0's", "others'"}
    assert all(0 < share < 1 for share in found.values())


def test_what_a_branch_is_told_counts_by_branch(tree):
    """Told another sentence alone, F_0 takes more away than F_2; nobody, nothing."""
    found = by_branch(tree, 300)
    assert list(found) == ["none", "F_0", "F_1", "F_2"]
    assert found["none"] > found["F_2"] > found["F_1"] > found["F_0"]
    assert found["F_0"] == who_decides(tree, 300)["others'"]


# the lab ------------------------------------------------------------------------------


def test_an_empty_second_sentence_is_the_first_again(tree):
    lab = TreeLab({"tree": tree})
    alone, twice = lab.view(START[0]), lab.view(START[0], START[0])
    assert all(torch.equal(a, b) for a, b in zip(alone.pictures, twice.pictures))
    assert [made.shape[-1] for made in alone.pictures] == [16, 32, 64]
    assert alone.sheet.shape == (3 * MANY, 3, 64, 64)
    assert "wing" in alone.words


def test_a_word_that_nobody_knows_is_told(tree):
    lab = TreeLab({"tree": tree})
    assert lab.view("a red bird", "zebra").pictures is None
    box = lab.widget()
    before = box.image.value
    box.controls[1].value = "zebra"
    assert "zebra" in box.line.value and box.image.value == before
    box.controls[1].value = "a completely green bird"
    assert box.image.value != before and "oracle reads" in box.line.value


# figures ------------------------------------------------------------------------------


def test_sizes_frame_what_the_oracle_can_read(tree):
    asked = birds.unseen_captions(4, 64, seed=12)
    drawn = branches(tree, asked)
    wrong = (oracle(64).read(drawn[-1]) + 1) % 2  # another value of each attribute
    figure = show.sizes(drawn, "three sizes", wrong)
    assert "64 pixels: 4 of 4" in figure.alt and "16 pixels:" not in figure.alt
    assert show.same_size(drawn).shape == (12, 3, 64, 64)
    assert "Framed" not in show.sizes(drawn, "three sizes").alt


def test_dots_say_what_they_show():
    runs = [{"seed": seed, "all": 0.4 + 0.1 * seed} for seed in range(3)]
    found = {"a": {"b": {"command": "t2i", "runs": runs}}}
    figure = show.dots(found, {"B": "a/b"}, {"obeys": "all"}, "A title")
    assert "B, obeys: 0.4 to 0.6" in figure.alt
    assert len(figure.axes[0].lines[0].get_xdata()) == 3


# the painter --------------------------------------------------------------------------


class _Reader(torch.nn.Module):
    """Embeddings by a seed."""

    def of(self, batch):
        return torch.randn(len(batch), 256, generator=torch.Generator().manual_seed(1))


def painter(**more):
    system = TreePainter.from_preset("smoke", text_encoder=_Reader(), **more)
    system.rng = torch.Generator().manual_seed(0)
    return system


def test_each_player_is_reached_by_its_own_loss_alone():
    system = painter()
    players = []
    for player, loss in system.round(Birds("train", 64, 6).batch(0).to("cpu")):
        system.zero_grad()
        loss.backward()
        own = system.player(player).parameters()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in own)
        for name in {*system.players} - {player} if player != "generator" else ():
            assert all(p.grad is None for p in system.player(name).parameters())
        players.append(player)
    assert players == [f"discriminators.{i}" for i in (1, 2, 3)] + ["generator"]


def test_the_price_is_lesson_09s_of_coarse_pictures_and_falls():
    system = painter(steps=100, seeking=0.5)
    drawn, noise = torch.randn(12, 3, 64, 64), torch.randn(12, 5)
    coarse = drawn.unflatten(3, (8, 8)).unflatten(2, (8, 8)).mean((3, 5))
    wanted = alike_cost(coarse[:3], coarse[6:9], noise[:3], noise[6:9]) / 2
    assert torch.allclose(system.price(drawn, noise, 6, 3), wanted)
    system.played = 75
    assert torch.allclose(system.price(drawn, noise, 6, 3), wanted / 2)
    system.played = 100
    assert float(system.price(drawn, noise, 6, 3)) == 0.0


def test_grain_pays_nothing():
    system = painter(seeking=1.0)
    drawn, noise = torch.zeros(9, 3, 64, 64), torch.randn(9, 5)
    drawn[6:, :, ::2, ::2], drawn[6:, :, 1::2, 1::2] = 1.0, -1.0  # means of 0
    grained = float(system.price(drawn, noise, 6, 3))
    drawn[6:] = 0.5
    assert grained > 1000 * float(system.price(drawn, noise, 6, 3))


def test_its_tree_is_stackgan_plus_pluss():
    ours, theirs = (
        parameter_counts(name, "paper") for name in ("tree_painter", "stackgan_tree")
    )
    assert ours["generator"] == theirs["generator"]
