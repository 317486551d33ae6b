"""Lesson 03's claims: each sentence beside the numbers that hold it."""

import math
from statistics import mean

import pytest
import torch
from claims import says

from t2i_course import weights
from t2i_course.experiments import records, values
from t2i_course.measure import vae as measured
from t2i_course.measure.obedience import accuracies
from t2i_course.measure.oracle import oracle
from t2i_course.papers import vae as paper
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader, Digits


def of(place: str, name: str) -> list:
    """A figure of every recorded seed."""
    found = values(records("03"), place, name)
    assert len(found) == 3, f"{place} is on record with {len(found)} seeds"
    return found


def apart(low: list[float], high: list[float]) -> bool:
    """Whether every seed of one lies below every seed of the other."""
    return max(low) < min(high)


def below(low: list[float], high: list[float]) -> bool:
    """Whether each seed of one lies below the same seed of the other."""
    return all(a < b for a, b in zip(low, high))


def shipped(name: str, settings: dict):
    """A network as it ships, with noise of seed 0."""
    system = paper.Vae.from_preset("cpu", **settings)
    weights.load_into(system, name)
    return measured.seeded(system, 0)


@pytest.fixture(scope="module")
def digits():
    """The shipped VAE of digits, and the held-out digits."""
    system = shipped("vae_digits", paper.GREY["cpu"])
    return system, measured.held_out(system)


def read_alike(pictures) -> float:
    """The share of pictures that are read as the held-out digit they came from."""
    truth = torch.as_tensor(Digits(split="held-out").class_id)
    return float((DigitReader().read(pictures)[0] == truth).float().mean())


def test_two_ways_to_a_gradient():
    says(
        "03",
        "Both average to about 3. But one draw by the density is off by more than twice its own size, and one through $z$ by a third.",
    )
    mu, sigma = 1.5, 0.5
    rng = torch.Generator().manual_seed(0)
    z = mu + sigma * torch.randn(10_000, generator=rng)
    ways = {"through z": 2 * z, "density": z**2 * (z - mu) / sigma**2}
    assert all(abs(float(way.mean()) - 3) < 0.2 for way in ways.values())
    assert float(ways["density"].std()) > 2 * 3
    assert 0.3 < float(ways["through z"].std()) / 3 < 0.37


def test_one_draw_of_the_kl():
    says("03", "one draw is off by a nat and a half")
    mu, v = torch.tensor([0.7, -1.2]), torch.tensor([-2.0, 0.3])
    noise = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))
    z = paper.reparameterize(mu, v, noise)
    zero = torch.zeros_like(z)
    under_q = paper.log_normal(z, mu.expand_as(z), v.expand_as(z))
    ratio = under_q - paper.log_normal(z, zero, zero)
    assert 1.4 < float(ratio.std()) < 1.7


def test_prices():
    says(
        "03",
        "Being ten times as precise costs less than two nats the first time, and $\\log 10 = 2.3$ nats each further time. A mean far from the prior's costs, too.",
    )

    def price(mu, sigma):
        pair = torch.tensor([[float(mu)]]), torch.tensor([[2 * math.log(sigma)]])
        return float(paper.kl_standard_normal(*pair))

    assert price(0, 1) == 0 and price(0, 0.1) < 2 < price(2, 0.1)
    for sigma in (0.1, 0.01):
        assert price(0, sigma / 10) - price(0, sigma) == pytest.approx(2.3, abs=0.01)


def test_the_likelihood_matters(digits):
    says("03", "The same pictures, the same networks, and more than a bit between them")
    assert min(of("grey/gaussian", "bits")) - max(of("grey/rounded", "bits")) > 1
    says("03", "Rounded, a black corner costs next to nothing")
    system, held = digits
    with torch.no_grad():
        made = system.decoder.net(system.encoder(held)[0])[:, 0, 0, 0]
        corner = held[:, 0, 0, 0]
        cost = -paper.rounded_log_likelihood(made[:, None], system.decoder.log_deviation,
                                             corner[:, None], system.decoder.width)  # fmt: skip
    assert (corner == -1).float().mean() > 0.95 and float(
        cost[corner == -1].mean()
    ) < 0.01
    assert float(made[corner == -1].max()) < -1


def test_eight_numbers_bring_a_digit_back(digits):
    says(
        "03",
        "Eight numbers are enough to bring back nearly every digit. In the bars all eight carry more than a nat",
    )
    system, held = digits
    assert read_alike(system.reconstruct(held)) > 0.95
    assert float(system.kl_per_latent(held).min()) > 1
    says("03", "about three in ten random $z$ give no clear digit")
    assert 0.25 < 1 - mean(of("grey/rounded", "clear")) < 0.35


def test_more_draws_of_z(digits):
    says(
        "03",
        "With the encoder even one draw is close, and more draws shave off less than a tenth of a bit: the gap (4). Without it, a thousand draws are still about half a bit off",
    )
    for draws in of("grey/rounded", "draws"):
        assert 0 < draws["1"] - draws["256"] < 0.1
    system, held = digits
    x = system.decoder.observe(held)
    with torch.no_grad():
        each = [system.decoder.log_likelihood(x, z.expand(len(x), -1))
                for z in system.noise(1024, system.latent)]  # fmt: skip
    blind = -paper.importance_bound(torch.stack(each)).mean() / 64 / math.log(2)
    assert 0.3 < float(blind) - of("grey/rounded", "draws")[0]["256"] < 0.7


def test_beta():
    says(
        "03",
        "Going down the rows $z$ says less, and the copies get worse. The bits are fewest at $\\beta = 1$",
    )
    places = "beta/0.2", "grey/rounded", "beta/5"
    little, one, much = (of(place, "kl") for place in places)
    assert apart(one, little) and apart(much, one)
    little, one, much = (of(place, "error") for place in places)
    assert below(little, one) and below(one, much)
    little, one, much = (of(place, "bits") for place in places)
    assert apart(one, little) and apart(one, much)
    says("03", "samples are clearest where $z$ says least")
    little, one, much = (of(place, "clear") for place in places)
    assert apart(little, one) and apart(one, much)


def test_collapse():
    says(
        "03", "With the PixelCNN one or two still speak (by more than a tenth of a nat)"
    )
    for nats in of("collapse/pixelcnn", "per_latent"):
        assert sum(each > 0.1 for each in nats) in (1, 2)
    assert min(min(nats) for nats in of("collapse/mlp", "per_latent")) > 0.3
    says(
        "03",
        "the PixelCNN hears about a sixth of what the MLP hears, and keeps barely more pixels than two unrelated digits share by chance",
    )
    kl, mlp = (mean(of(f"collapse/{kind}", "kl")) for kind in ("pixelcnn", "mlp"))
    assert 1 / 7 < kl / mlp < 1 / 5
    held = Digits(split="held-out").pictures() > 0
    half = len(held) // 2
    chance = float((held[:half] == held[half:]).float().mean())
    assert 0 < mean(of("collapse/pixelcnn", "kept")) - chance < 0.04
    says("03", "And its bits? About the MLP's.")
    gap = mean(of("collapse/pixelcnn", "bits")) - mean(of("collapse/mlp", "bits"))
    assert abs(gap) < 0.005


def test_what_is_drawn_from_codes():
    says(
        "03",
        "The MLP's copies (grey: its probabilities) are mostly of the digit above them. The PixelCNN's are black or white, and mostly of another digit",
    )
    shares = {}
    for kind, name in (
        ("mlp", "mlp"),
        ("pixelcnn", "pixelcnn"),
        ("free bits", "free_bits"),
    ):
        system = shipped(f"vae_{name}", paper.COLLAPSE[kind])
        shares[kind] = read_alike(system.reconstruct(measured.held_out(system)))
    assert shares["mlp"] > 0.85 and shares["pixelcnn"] < 0.3
    says("03", "And more of the PixelCNN's draws are of the digit that was encoded")
    assert shares["free bits"] > 2 * shares["pixelcnn"]


def test_remedies():
    says("03", "Each latent number now carries about the half nat that is free")
    each = [nats for run in of("collapse/free bits", "per_latent") for nats in run]
    assert min(each) > 0.4 and max(each) < 0.7
    says(
        "03",
        "With either remedy $z$ speaks again, and the bits are the fewest of the table",
    )
    for remedy in ("warm-up", "free bits"):
        assert apart(of("collapse/pixelcnn", "kl"), of(f"collapse/{remedy}", "kl"))
        for other in ("mlp", "pixelcnn"):
            assert apart(
                of(f"collapse/{remedy}", "bits"), of(f"collapse/{other}", "bits")
            )
    says("03", "our two remedies bring back only a part of what the MLP's $z$ said")
    for remedy in ("warm-up", "free bits"):
        assert apart(of(f"collapse/{remedy}", "kl"), of("collapse/mlp", "kl"))


def test_what_comes_back_of_a_bird():
    says(
        "03",
        "the habitat and the belly's colour nearly always, as the oracle of lesson 00 reads the copies. What is small comes back least, the bars on the wing (a guesser is right every second time) and the beak's colour",
    )
    birds = Birds("test", 32).all(500).to("cpu")
    copies = shipped("vae_birds_32", paper.BIRDS["cpu"]).reconstruct(birds.image)
    right = accuracies(oracle(32).read(copies), birds.attributes)
    assert min(right["habitat"], right["belly"]) > 0.97
    assert set(sorted(right, key=right.get)[:2]) == {"pattern", "beak_colour"}


def test_blur():
    says(
        "03",
        "by nearly half at one cycle (its broad areas are paler), least at three, and from there more and more towards the right, where the edges are: at 16 cycles about a fifth is left",
    )
    real = values(records("03"), "birds/real", "spectrum")[0]
    ratio = [
        ours / theirs for ours, theirs in zip(of("birds/vae", "spectrum")[0], real)
    ]
    assert max(ratio) < 1 and 0.5 < ratio[1] < 0.65 and max(ratio[1:]) == ratio[3]
    assert (
        ratio[3] > ratio[6] > ratio[9] > ratio[12] > ratio[16]
        and 0.15 < ratio[16] < 0.25
    )
    says(
        "03",
        "The VAE has about half of their fast waves, the DCGAN most of them, and its Fréchet distance is about a third of the VAE's. The inception score agrees.",
    )
    true = values(records("03"), "birds/real", "detail")[0]
    assert 0.4 < mean(of("birds/vae", "detail")) / true < 0.6
    assert 0.8 < mean(of("birds/dcgan", "detail")) / true < 1
    third = mean(of("birds/dcgan", "distance")) / mean(of("birds/vae", "distance"))
    assert 0.27 < third < 0.4
    assert apart(of("birds/vae", "score"), of("birds/dcgan", "score"))


def test_codes_beside_the_prior():
    says(
        "03",
        "The AAE's codes are two to seven times nearer to the prior than the VAE's, seed by seed, as its game asks; and its copies are about as good.",
    )
    pairs = zip(of("codes/vae", "distance"), of("codes/aae", "distance"))
    assert all(2 < vae / aae < 7.5 for vae, aae in pairs)
    assert 0.9 < mean(of("codes/aae", "error")) / mean(of("codes/vae", "error")) < 1.02
    says(
        "03",
        "the $p$ of both are small. The test still tells the AAE's codes from draws of the prior, only less surely.",
    )
    assert max(of("codes/aae", "p")) < 0.05
    assert below(of("codes/vae", "p"), of("codes/aae", "p"))
    says("03", "nearly all of the VAE's are clear already")
    assert min(of("codes/vae", "clear")) > 0.95
