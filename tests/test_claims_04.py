"""Lesson 04's claims: each sentence beside the recorded numbers that hold it."""

from statistics import mean

from claims import says

from t2i_course import weights
from t2i_course.experiments import records, values


def of(place: str, name: str, lesson: str = "04") -> list[float]:
    """A figure of every recorded seed."""
    found = values(records(lesson), place, name)
    assert len(found) == 3, f"{place} is on record with {len(found)} seeds"
    return found


def apart(low: list[float], high: list[float]) -> bool:
    """Whether every seed of one lies below every seed of the other."""
    return max(low) < min(high)


def test_blur():
    says("04", "A VAE's pictures are blurred")
    detail = of("rivals/VAE", "detail")
    assert max(detail) < 0.6 and apart(detail, of("rivals/DCGAN", "detail"))


def test_dead_entries():
    says("04", "Moved by the loss alone, about half of the dictionary is dead after 600 "
         "steps. Moving averages bring nearly all of it to life and lower the error. "
         "Revival evens out the use further; the error stays the same within the seeds' "
         "spread.")  # fmt: skip
    loss, average, revival = (
        f"codebook/{way}" for way in ("by its loss", "moving averages", "and revival")
    )
    assert 0.35 < 1 - mean(of(loss, "used")) / 128 < 0.65
    assert min(of(average, "used")) > 120
    assert apart(of(average, "error"), of(loss, "error"))
    assert apart(of(average, "perplexity"), of(revival, "perplexity"))
    spread = max(of(revival, "error")) - min(of(revival, "error"))
    assert abs(mean(of(revival, "error")) - mean(of(average, "error"))) < spread


def test_bits_of_a_bird():
    says("04", "The bits have shrunk to about a fiftieth.")
    assert 45 < 3 * 32 * 32 * 8 / (64 * 7) < 60


def test_the_prior_quarters_the_distance():
    says("04", "The learned prior brings the distance down to about a quarter of the "
         "uniform prior's, with the same decoder. (Hearing the species doesn't lower it "
         "further.)")  # fmt: skip
    far, near = (of(f"birds/{row}", "frechet distance")
                 for row in ("uniform prior", "learned prior"))  # fmt: skip
    assert 0.18 < mean(near) / mean(far) < 0.3
    assert mean(of("birds/prior by species", "frechet distance")) > mean(near)


def test_beside_gan_and_vae():
    says("04", "Beside the GAN: less detail and about twice the distance, in a little "
         "more time (coder and prior together). Beside the VAE, which had nearly as much "
         "time, it is clearly ahead in IS and FID, and not in detail.")  # fmt: skip
    ours, gan, vae = "birds/learned prior", "rivals/DCGAN", "rivals/VAE"
    assert apart(of(ours, "detail"), of(gan, "detail"))
    ratio = mean(of(ours, "frechet distance")) / mean(of(gan, "frechet distance"))
    assert 1.6 < ratio < 2.4
    both = mean(of("birds/reconstructed", "seconds")) + mean(of(ours, "seconds"))
    gan_seconds = weights.entry("dcgan_32")["seconds"]
    assert gan_seconds < both < 1.5 * gan_seconds
    assert 0.7 * both < mean(of(vae, "seconds")) < both
    assert apart(of(vae, "inception score"), of(ours, "inception score"))
    assert apart(of(ours, "frechet distance"), of(vae, "frechet distance"))
    assert apart(of(ours, "detail"), of(vae, "detail"))


def test_what_the_species_decides():
    says("04", "The habitat is obeyed nearly always, the size often, the beak somewhat, "
         "the pattern not at all (compare with the second row).")  # fmt: skip
    told, untold = "birds/prior by species", "birds/learned prior"
    assert min(of(told, "habitat")) > 0.98
    assert 0.65 < mean(of(told, "size")) < 0.8
    assert apart(of(untold, "beak"), of(told, "beak")) and max(of(told, "beak")) < 0.7
    assert abs(mean(of(told, "pattern")) - mean(of(untold, "pattern"))) < 0.01


def test_bits_of_digits():
    says("04", "The PixelCNN is best, and better still when it hears which digit it is. "
         "The VAE comes within a tenth of a bit, and its number is a bound: the truth may "
         "be closer. The VQ-VAE is far behind, by its bound and summed up.")  # fmt: skip
    exact, classes = (
        of("digits/PixelCNN", "bits"),
        of("digits/PixelCNN by class", "bits"),
    )
    vae, codes = of("grey/rounded", "bits", "03"), of("digits/VQ-VAE", "learned_exact")
    assert apart(classes, exact) and apart(exact, vae) and apart(vae, codes)
    assert mean(vae) - mean(exact) < 0.1 and min(codes) - max(vae) > 0.4
    says("04", "The learned prior is worth little here")
    gained = mean(of("digits/VQ-VAE", "uniform")) - mean(of("digits/VQ-VAE", "learned"))
    assert 0 < gained < 0.05
    says("04", "Of the birds' 64 codes it saves more than half of the bits")
    assert max(of("birds/learned prior", "bits_per_code")) < 3.5


def test_bits_of_birds():
    says("04", "Here VQ-VAE and VAE lie close together")
    ours, vae = of("birds/learned prior", "bits"), of("rivals/VAE", "bits")
    assert abs(mean(ours) - mean(vae)) < 0.15
    says("04", "Of a bird's bits only a few hundred are codes; some 19,000 say what the "
         "decoder's Gaussian left open.")  # fmt: skip
    codes = 64 * mean(of("birds/learned prior", "bits_per_code"))
    assert 100 < codes < 500 and 18_500 < 3072 * mean(ours) - codes < 19_500


def test_drawing_with_what_was_kept():
    says("04", "The gain grows with the picture")
    times = [of(f"speed/{side} x {side}", "times") for side in (8, 16, 32)]
    assert apart(times[0], times[1]) and apart(times[1], times[2])


def test_the_bottom_codes_are_heard():
    says("04", "The table agrees: the oracle follows the bottom map.")
    for seed in of("levels/coder", "swapped"):
        assert seed["habitat"][1] > 0.9 > 0.1 > seed["habitat"][0]
        assert all(top <= bottom for top, bottom in seed.values())
    says("04", "Yet the top's entries are nearly all in use")
    assert min(of("levels/coder", "perplexity_top")) > 50
    says("04", "Nor does the second level make better birds here")
    assert apart(of("birds/learned prior", "frechet distance"),
                 of("levels/learned prior", "frechet distance"))  # fmt: skip


def test_sharp():
    says("04", "its birds have no more detail than the VAE's, and half of the GAN's. They "
         "are better birds by the Fréchet distance, though.")  # fmt: skip
    ours = mean(of("birds/learned prior", "detail"))
    assert ours <= mean(of("rivals/VAE", "detail"))
    assert 0.4 < ours / mean(of("rivals/DCGAN", "detail")) < 0.6


def test_stable():
    says("04", "The other families' lie about equally far apart, the GAN's no farther than "
         "the VAE's, against the slide's cross")  # fmt: skip

    def spread(figures):
        return (max(figures) - min(figures)) / mean(figures)

    gan = spread(of("rules/all five", "distance", "02"))
    vae = spread(of("rivals/VAE", "frechet distance"))
    ours = spread(of("birds/learned prior", "frechet distance"))
    assert gan <= vae and max(gan, vae, ours) < 2 * min(gan, vae, ours)
