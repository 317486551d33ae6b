"""What lesson 11b says of its figures, held against the records and shipped networks."""

from functools import lru_cache, partial
from itertools import pairwise
from statistics import fmean

import torch
from claims import says, span, three_seeds

from t2i_course.drawing import with_attention
from t2i_course.experiments import records, runs_of, values
from t2i_course.measure import birds as measure
from t2i_course.measure.branches import branches
from t2i_course.measure.mapped import map_of
from t2i_course.measure.novelty import worst
from t2i_course.measure.obedience import names_two, two_colours
from t2i_course.measure.oracle import oracle
from t2i_course.measure.pointing import if_exchanged, on_grid, some_of
from t2i_course.measure.steadiness import equalised, setback, steadiness
from t2i_course.measure.translation import part_maps
from t2i_course.papers.attngan import released_mask
from t2i_course.play.attention_lab import START, AttentionLab
from t2i_course.show.obeyed import missed
from t2i_course.show.padded import beside_released
from t2i_course.systems import info, parameter_counts, shipped
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.bird_species import COLOURS
from t2i_course.worlds.birds import vocabulary

claim = partial(says, "11b")
FOUND = records("11")
of = partial(three_seeds, FOUND)
LAMBDAS = ("no DAMSM", "lambda 0.1", "lambda 1", "lambda 5", "lambda 10")
BOTH = "table8/two stages, lambda 5"


def row(name: str, column: str) -> list[float]:
    """A column of table 8, three seeds."""
    return of(f"table8/{name}", column)


def told(place: str, column: str, digits: int = 2, times: float = 1) -> str:
    """The seeds of a figure as the text writes them: "0.20 to 0.22"."""
    low, high = span([times * v for v in values(FOUND, place, column)], digits)
    return low if low == high else f"{low} to {high}"


@lru_cache(maxsize=1)
def pairs():
    """The 1,000 captions of sections 1, 8 and 13."""
    return measure.unseen_captions(1000, 64, seed=31)


@lru_cache(maxsize=1)
def eight():
    """Eight birds of the play's sentence, and where they looked."""
    named = named_by({"wing": "yellow", "belly": "blue"})[None].repeat(8, 0)
    return with_attention(shipped("attngan_64"), measure.asked(8 * [START], named))


# 1 to 4: the networks ------------------------------------------------------------------


def test_a_place_that_cannot_ask():
    claim("Not one has both. Lesson 10 counted: of the captions that name two colours "
          "the tree gets 5 in 100 right")  # fmt: skip
    stacked = shipped("stackgan_tree_64")
    some = some_of(pairs(), names_two(pairs().named).nonzero()[:8, 0])
    assert missed(measure.draw(stacked, some), some.named).all()
    seen = oracle(64).read(measure.draw(stacked, pairs()))
    assert round(two_colours(seen, pairs().named)["right"], 2) == 0.05


def test_counts():
    claim("64, 128 and 256 pixels with 7,084,592 weights, a third of StackGAN++'s; its "
          "judges have 6,313,730, 19,424,002 and 71,858,946")  # fmt: skip
    found = parameter_counts("attngan", "paper")
    assert found["generator"] == 7_084_592
    judges = [found[f"discriminators.{i}"] for i in (1, 2, 3)]
    assert judges == [6_313_730, 19_424_002, 71_858_946]
    tree = parameter_counts("stackgan_tree", "paper")["generator"]
    assert 0.32 < found["generator"] / tree < 0.35
    claim("Ours draws 16, 32 and 64 pixels with half a million weights")
    assert 0.45e6 < parameter_counts("attngan", "cpu")["generator"] < 0.55e6
    claim("The shipped one took 750 steps")
    settings = info("attngan").settings("cpu", "birds")
    assert settings["steps"] == 750 and settings["loud"] == 13


def test_words_are_small_numbers():
    claim("what lesson 11a's text encoder says of a word are small numbers (0.08 in the "
          "mean)")  # fmt: skip
    words, mask = shipped("damsm_64").text.words_of(pairs())
    with torch.no_grad():
        deviation = words.mT[mask].std()
    assert round(float(deviation), 2) == 0.08


def test_colours_jump_out_at_64_pixels():
    claim("Up to 32 pixels it is a StackGAN++ bird: dull, and unsure of its colours. "
          "Then, at 64, the colours jump out, flat and bright, and more often those that "
          "were asked for")  # fmt: skip
    asked = measure.unseen_captions(300, 64, seed=12)
    _, middle, large = branches(shipped("attngan_64"), asked)
    wrong = [missed(p, asked.named).float().mean() for p in (middle, large)]
    assert wrong[0] > wrong[1] + 0.08

    def bright(pictures):  # how far the colours of a pixel lie apart, on birds
        inner = pictures[:, :, pictures.shape[-1] // 4 : -pictures.shape[-1] // 4]
        return (inner.amax(1) - inner.amin(1)).mean()

    assert bright(large) > bright(middle)


def test_curves():
    claim("Those with DAMSM's opinion lie above the three without it, and begin there")
    names = ("two stages, lambda 5", "lambda 5", "no DAMSM")
    for moment in (0, -1):
        seen = [[fmean(run["curve"][moment][2:4]) for run in FOUND["table8"][n]["runs"]]
                for n in names]  # fmt: skip
        assert min(seen[0] + seen[1]) > max(seen[2])
    starts = [
        [fmean(run["curve"][0][2:4]) for run in FOUND["table8"][name]["runs"]]
        for name in ("two stages, lambda 5", "no DAMSM")
    ]
    (a, b), (c, d) = (span(each) for each in starts)
    claim(f"after 75 steps, when there is hardly a bird, those of two stages have "
          f"reached {a} to {b}, the others {c} to {d}. A live training of 400 steps comes to about "
          "0.5")  # fmt: skip
    assert all(run["curve"][0][0] == 75 for run in FOUND["table8"]["no DAMSM"]["runs"])
    at_375 = [fmean(run["curve"][4][2:4])
              for run in FOUND["table8"]["two stages, lambda 5"]["runs"]]  # fmt: skip
    assert 0.45 < fmean(at_375) < 0.55


# 5: the mask ---------------------------------------------------------------------------


def test_the_released_mask():
    claim("A caption of four words loses 75 % of its attention, the longest of the batch "
          "none; but that one is masked away from some of its own words, and loses its "
          "green belly")  # fmt: skip
    batch = measure.unseen_captions(32, 64, seed=3).to("cpu")
    figure = beside_released(shipped("attngan_64"), batch, "")
    heads = figure.alt
    assert "4 words, 75 %" in heads and "22 words, 0 %" in heads
    share = partial(told, "padding/AttnGAN")
    claim(f"padding gets {share('share')} of all attention, of captions of eight words or "
          f"fewer {share('share, 8 words or fewer')}, and in batches sorted by length "
          "hardly any")  # fmt: skip
    assert max(of("padding/AttnGAN", "share, sorted")) < 0.03
    claim("Most birds change little, and obedience falls by 0.01 on each seed")
    right, wrong = (of("padding/AttnGAN", c) for c in ("all", "all, released"))
    assert all(0.005 < a - b < 0.015 for a, b in zip(right, wrong))
    change, noise = (of("padding/AttnGAN", c)
                     for c in ("change", "change, another noise"))  # fmt: skip
    assert max(change) < min(noise) / 2
    claim("place 0 of caption 0 gets the mask of caption 0, place 1 that of caption 1")
    mask = torch.arange(6) < torch.tensor([6, 4, 2])[:, None]
    laid = released_mask(mask, 3)
    assert torch.equal(laid[0], mask) and torch.equal(laid[2], mask)


# 6: the table --------------------------------------------------------------------------


def test_r_precision_rises():
    claim("R-precision rises with $\\lambda$, on every seed and in every step: "
          f"{told('table8/no DAMSM', 'own')} without DAMSM, then "
          f"{told('table8/lambda 0.1', 'own')}, {told('table8/lambda 1', 'own')}, "
          f"{told('table8/lambda 5', 'own')}, and {told('table8/lambda 10', 'own')} with "
          "10.")  # fmt: skip
    steps = [row(name, "own") for name in LAMBDAS]
    assert all(max(a) < min(b) for a, b in pairwise(steps))


def test_the_inception_score_has_its_peak_in_between():
    column = "inception score"
    claim("The inception score has its peak in between, in the mean: "
          f"{told('table8/no DAMSM', column, 1)} without, "
          f"{told('table8/lambda 1', column, 1)} at 1, "
          f"{told('table8/lambda 10', column, 1)} at 10.")  # fmt: skip
    means = {name: fmean(row(name, column)) for name in LAMBDAS}
    assert max(means, key=means.get) == "lambda 1"
    distance = "frechet distance"
    at = [told(f"table8/lambda {n}", distance, 0) for n in (5, 10, 1)]
    claim(f"only that much of it is worse than some: {at[0]} with 5 and {at[1]} with 10, "
          f"for {at[2]} with 1; without DAMSM its three seeds lie far apart "
          f"({told('table8/no DAMSM', distance, 0)})")  # fmt: skip
    for worse in ("lambda 5", "lambda 10", "two stages, lambda 5"):
        assert min(row(worse, distance)) > max(row("lambda 1", distance))


def test_obedience_and_diversity():
    claim(f"{told('table8/no DAMSM', 'all')} without DAMSM, "
          f"{told('table8/lambda 1', 'all')} with 1, {told('table8/lambda 10', 'all')} "
          "with 10. What R-precision gains from 1 to 10 the birds don't show")  # fmt: skip
    assert min(row("lambda 1", "all")) > max(row("no DAMSM", "all"))
    gain = fmean(row("lambda 10", "all")) - fmean(row("lambda 1", "all"))
    assert gain < 0.02
    claim(f"The price is diversity: {told('table8/no DAMSM', 'diversity')} without, "
          f"{told('table8/lambda 10', 'diversity')} with 10")  # fmt: skip
    assert max(row("lambda 10", "diversity")) < min(row("no DAMSM", "diversity"))


def test_a_second_stage_and_stackgan():
    claim(f"and nothing here ({told(BOTH, 'own')})")
    gain = fmean(of(BOTH, "own")) - fmean(row("lambda 5", "own"))
    assert abs(gain) < 0.03
    tree = of("table8/StackGAN++", "all")
    claim(f"obeys in {told('table8/StackGAN++', 'all')}: less than every row with DAMSM, "
          "and a little less than the one without")  # fmt: skip
    every = (*LAMBDAS[1:], "two stages, lambda 5")
    assert all(min(row(name, "all")) > max(tree) for name in every)
    assert min(row("no DAMSM", "all")) > max(tree)


# 7: scores -----------------------------------------------------------------------------


def test_the_examiner_s_own_opinion():
    one, other = told("table8/lambda 5", "foreign"), told("table8/lambda 5", "own")
    claim(f"{one} for {other} at $\\lambda = 5$")
    claim(
        "the new examiner agrees about the order of the rows, but gives those with DAMSM less"
    )
    for name in LAMBDAS[1:]:
        own, foreign = row(name, "own"), row(name, "foreign")
        assert all(f < o for o, f in zip(own, foreign))
    means = [fmean(row(name, "foreign")) for name in LAMBDAS]
    assert means == sorted(means)
    claim("about a seventh is flattery, the rest another examiner sees, too")
    gains = [fmean(row("lambda 5", c)) - fmean(row("no DAMSM", c))
             for c in ("own", "foreign")]  # fmt: skip
    assert 0.125 < 1 - gains[1] / gains[0] < 0.16


def test_better_than_nature():
    real = max(of("table8/real birds", "own"))
    claim(
        "Real birds of those very captions have "
        f"{told('table8/real birds', 'own')}. The generator"
    )
    claim("has twice that")
    assert 1.8 < fmean(row("lambda 5", "own")) / real < 2.2


def test_each_score_has_its_fool():
    score = partial(told, column="inception score", digits=0)
    claim(f"The copier has {score('fooled/copier')}, more than real birds of the "
          f"captions ({score('fooled/real birds')}), and obeys like chance "
          f"({told('fooled/copier', 'all')})")  # fmt: skip
    scores = {name: of(f"fooled/{name}", "inception score")
              for name in ("copier", "real birds", "one drawing each")}  # fmt: skip
    assert min(scores["copier"]) > max(scores["real birds"])
    assert max(of("fooled/copier", "all")) < 0.22
    claim(f"one drawing each has {score('fooled/one drawing each')} with 100 pictures in "
          "all, and diversity 0")  # fmt: skip
    assert of("fooled/one drawing each", "diversity") == [0, 0, 0]
    adversary = "fooled/adversary"
    claim(f"The adversary has {told(adversary, 'own')} with pictures in which there is "
          f"no bird. Its inception score ({score(adversary)})")  # fmt: skip
    claim(f"in {told(adversary, 'foreign')} of the cases, nearly as often as for real birds "
          f"({told('fooled/real birds', 'foreign')})")  # fmt: skip
    gap = fmean(of(adversary, "foreign")) - fmean(of("fooled/real birds", "foreign"))
    assert abs(gap) < 0.05
    claim("One drawing each obeys as much as AttnGAN does "
          f"({told('fooled/one drawing each', 'all')} and {told('fooled/AttnGAN', 'all')})"
          )  # fmt: skip
    claim("by R-precision the adversary, AttnGAN and then nature is the order")
    order = [min(of(f"fooled/{n}", "own")) for n in ("adversary", "AttnGAN")]
    assert order[0] > order[1] > max(of("fooled/real birds", "own"))


# 8: where words land -------------------------------------------------------------------


def test_five_of_eight():
    claim("By the oracle five of the eight birds have the yellow wings and the blue belly "
          "of the sentence. In the first they are exchanged; of the last two it reads both "
          "parts yellow")  # fmt: skip
    read = oracle(64).read(eight()[0])[:, :2].tolist()
    yellow, blue = (COLOURS.index(name) for name in ("yellow", "blue"))
    assert read == [[blue, yellow], *5 * [[yellow, blue]], *2 * [[yellow, yellow]]]


def test_yellow_looks_at_what_is_yellow():
    claim("Yellow looks at what is yellow, blue at what is blue")
    pictures, looked = eight()
    words = START.split()
    small = torch.nn.functional.avg_pool2d(pictures, 2)
    yellowness = (small[:, 0] + small[:, 1]) / 2 - small[:, 2]
    for name, sign in (("yellow", 1), ("blue", -1)):
        maps = looked[1][:, words.index(name)]
        best = maps.flatten(1).topk(20, 1).indices
        there = (sign * yellowness).flatten(1).gather(1, best)
        assert (there.mean(1) > 0.3).all()


def test_only_colours_find_their_part():
    at = partial(told, BOTH, digits=1, times=100)
    claim(f"at stage 2 {at('stage 2, colour words, mass')} % of their attention lie in "
          f"it, by chance {at('stage 2, colour words, by chance')} %")  # fmt: skip
    another = at("stage 2, colour words, another's mass")
    claim(f"colours still have {another} %: much of that is that they lie on the bird")
    claim(
        "lie there less than by chance, as in lesson 11a, and function words less still"
    )
    for name in ("part", "function"):
        mass, chance = (of(BOTH, f"stage 2, {name} words, {c}")
                        for c in ("mass", "by chance"))  # fmt: skip
        assert all(a < b for a, b in zip(mass, chance))
    nouns, fillers = (of(BOTH, f"stage 2, {name} words, mass")
                      for name in ("part", "function"))  # fmt: skip
    assert max(fillers) < min(nouns)


def test_attention_goes_with_the_colour():
    claim("a colour word has 32 % of its attention in the part that it was said of, and "
          "7 % in the other. Where they are exchanged it is 10 % and 31 %")  # fmt: skip
    found = if_exchanged(shipped("attngan_64"), pairs())
    percent = [[round(100 * found[name][where]) for where in ("asked for", "instead")]
               for name in ("right", "exchanged")]  # fmt: skip
    assert percent == [[32, 7], [10, 31]]


# 9 to 11 -------------------------------------------------------------------------------


def test_the_asked_part_changes_as_much_as_the_others():
    inside, others = (told(BOTH, f"changed, {c}", 3) for c in ("inside", "other parts"))
    claim(f"the asked part changes as much as the bird's other parts ({inside} and "
          f"{others} of the range), and only the background less; in all rows with "
          "attention")  # fmt: skip
    for name in (*LAMBDAS, "two stages, lambda 5"):
        assert all(0.94 < times < 1.06 for times in row(name, "changed, times"))
        background = row(name, "changed, background")
        assert max(background) < min(row(name, "changed, other parts")) / 2
    tree = "table8/StackGAN++"
    claim("StackGAN++, which has none, changes the asked part a little more than the "
          f"others ({told(tree, 'changed, inside', 3)} for "
          f"{told(tree, 'changed, other parts', 3)})")  # fmt: skip
    assert all(1.05 < times < 1.2 for times in of(tree, "changed, times"))
    takes = "changed, takes the colour"
    claim(f"in {told('table8/lambda 5', takes)} of the cases, without DAMSM in "
          f"{told('table8/no DAMSM', takes)}")  # fmt: skip
    assert min(row("lambda 5", takes)) > max(row("no DAMSM", takes))
    claim("It is low in all rows, about 0.3")
    for name in (*LAMBDAS, "two stages, lambda 5", "StackGAN++"):
        assert all(0.25 < v < 0.35 for v in row(name, "changed, keeps the rest"))


def test_the_map():
    claim(f"Of a bird's five neighbours {told('map/AttnGAN', 'same')} were asked for the "
          f"same wing (by chance {told('map/AttnGAN', 'by chance')}; real birds "
          f"{told('map/real birds', 'same')})")  # fmt: skip
    assert min(of("map/AttnGAN", "same")) > 2 * max(of("map/AttnGAN", "by chance"))
    claim(
        "reds sit mostly on branches, blues on water, greens in the grass or on water"
    )
    pictures, batch, *_ = map_of(shipped("attngan_64"), 300)
    below = pictures[:, :, -10:].mean((2, 3))
    wing = batch.named[:, 0]

    def ground(*names):
        numbers = torch.tensor([COLOURS.index(name) for name in names])
        return below[torch.isin(wing, numbers)].mean(0)

    red, blue, green = ground("red"), ground("blue"), ground("green")
    assert red[0] > max(blue[0], green[0])  # branches before a warm sky
    assert blue[2] > max(red[2], green[2])
    assert green[1] > max(green[0], green[2])


def test_the_short_trainings_are_steady():
    claim("Their seeds end alike (deviations of 0.02 or less), and none falls back by "
          "more than 0.04")  # fmt: skip
    claim("StackGAN++ for 3,000 steps: every seed falls back on the way, by 0.25 in the "
          "mean")  # fmt: skip
    short = [steadiness(runs_of(FOUND, f"table8/{name}"))
             for name in ("two stages, lambda 5", "lambda 5", "no DAMSM")]  # fmt: skip
    short.append(steadiness(runs_of(records("10"), "table5/full")))
    assert all(found["spread"] < 0.025 for found in short)
    assert all(found["largest setback"] < 0.045 for found in short)
    long = runs_of(records("10"), "longer/3,000 steps")
    assert round(steadiness(long)["setback"], 2) == 0.25
    assert all(setback(equalised(run["curve"])) > 0.2 for run in long)


# 13: what fails ------------------------------------------------------------------------


def test_which_but_not_whose():
    claim("AttnGAN has both colours right in 19 of 100, nearly four times as often as the "
          "tree. And it exchanges them as often: 18 of 100")  # fmt: skip
    claim("hears one list of numbers, and has 85 right and none exchanged")
    found = {}
    for name in ("attngan_64", "tree_painter_64", "stackgan_tree_64"):
        seen = oracle(64).read(measure.draw(shipped(name), pairs()))
        share = two_colours(seen, pairs().named)
        found[name] = [round(100 * share[w]) for w in ("right", "exchanged")]
    assert found["attngan_64"] == [19, 18] and found["tree_painter_64"] == [85, 0]
    assert 3.5 < found["attngan_64"][0] / found["stackgan_tree_64"][0] < 4


def test_novel_is_not_what_fails():
    at = partial(told, "novel/AttnGAN")
    claim(f"AttnGAN fulfils {at('novel, all')} of the wishes, and on those that some bird "
          f"wears {at('occurs, all')}. Few captions come out whole in either case "
          f"({at('novel, whole')} and {at('occurs, whole')})")  # fmt: skip
    known, novel = (of("novel/AttnGAN", f"{c}, all") for c in ("occurs", "novel"))
    assert all(abs(a - b) < 0.03 for a, b in zip(known, novel))
    claim("the painter, who gets nine in ten whole, gets them novel or not")
    for kind in ("occurs", "novel"):
        assert all(
            0.88 < v < 0.95 for v in of("novel/the best painter", f"{kind}, whole")
        )


def test_two_birds_and_not():
    seen = told("limits/real scenes", "two asked, two seen")
    claim(f"of real scenes with two birds it finds {seen}")
    for name in ("AttnGAN", "StackGAN++", "the best painter"):
        assert max(of(f"limits/{name}", "two asked, two seen")) < 0.04
    denied = "that are, denied"
    claim(f"have it in {told('limits/AttnGAN', denied)} of the pictures. The painter's "
          f"still have it in {told('limits/the best painter', denied)}; with without "
          "nothing changes")  # fmt: skip
    for name in ("AttnGAN", "the best painter"):
        pair = (of(f"limits/{name}", c) for c in ("with", "with, denied"))
        assert all(abs(a - b) < 0.02 for a, b in zip(*pair))
    claim("Neither not nor without is in the vocabulary")
    known = vocabulary().numbers
    assert not {"not", "without", "no"} & set(known) and "two" in known


def test_the_eight_failures():
    claim("nearly all of them have the colours of their sentence, on the wrong parts")
    drawn = measure.draw(shipped("attngan_64"), pairs())
    rows = worst(drawn, pairs())
    read, named = oracle(64).read(drawn)[rows, :4], pairs().named[rows, :4]
    there = [
        bool(set(seen.tolist()) & set(want[want >= 0].tolist()))
        for seen, want in zip(read, named)
    ]
    assert sum(there) >= 6


def test_the_play():
    claim("Exchange yellow and blue, and the bird hardly changes")
    lab = AttentionLab({"attngan_64": shipped("attngan_64")})
    one = lab.view(START)
    other = lab.view("a bird with blue wings and a yellow belly")
    assert (one.pictures - other.pictures).abs().mean() / 2 < 0.04

    def on_bird(caption, word):
        """Of a word's attention in the last stage, and of the picture."""
        found = lab.view(caption, word)
        maps = found.looked[-1][:, found.place]
        bird = 1 - on_grid(part_maps(found.pictures), maps.shape[1:])[:, 0]
        share = (maps * bird).sum() / maps.sum()
        return float(share), float(bird.mean()), found.shares[-1]

    claim("has half of its attention on the bird, which is a sixth of the picture")
    share, size, alone = on_bird("a yellow bird", "yellow")
    assert 0.42 < share < 0.55 and 0.14 < size < 0.19
    claim("A colour said twice shares that out between its two words")
    twice = [
        on_bird("a bird with yellow wings and a yellow belly", i)[2] for i in (3, 7)
    ]
    assert max(twice) < 0.6 * alone
    claim('An unknown word is read as "unknown", and is looked at everywhere, on the bird '
          "as in the sky")  # fmt: skip
    for caption, word in (("a bird with yellow wings and a zebra", "zebra"),
                          ("a turquoise bird with yellow wings", "turquoise")):  # fmt: skip
        assert word not in vocabulary().numbers
        share, size, _ = on_bird(caption, word)
        assert 0.8 < share / size < 1.25
