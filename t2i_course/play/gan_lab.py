"""A playground: train a GAN in the plane one step at a time, and watch the game.

`GanLab` is a plain class: networks, steps, and a picture of the moment. `playground`
puts buttons and sliders round it. In the manner of GAN Lab (Kahng et al. 2019): the
discriminator is a heat map, the generator a grid of noise space, warped. Lesson 01.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..papers.gan import Gan, discriminator_loss, nonsaturating_loss
from ..show.pictures import font, strip
from ..worlds.points import points

__all__ = ["GanLab", "playground"]

SIDE = 440  # pixels of the picture
REAL, FAKE = (31, 111, 180), (214, 96, 26)
CELLS, LINES, LINE_POINTS = 56, 15, 48


class GanLab:
    """A GAN in the plane that one plays by hand.

    world: "ring", "grid" or "moons"; the two losses may be a learner's own; deviation:
    whether the discriminator sees how much its batch varies; seed: of everything.
    `rates` and `k` may be changed at any time. Used in lesson 01.
    """

    def __init__(
        self,
        world: str = "ring",
        discriminator_loss: Callable = discriminator_loss,
        generator_loss: Callable = nonsaturating_loss,
        deviation: bool = False,
        rates: tuple[float, float] = (1e-3, 1e-3),
        k: int = 1,
        seed: int = 0,
    ):
        self.losses = discriminator_loss, generator_loss
        self.deviation, self.k, self.seed = deviation, k, seed
        self.rates = dict(zip(Gan.players, rates))
        self.reset(world)

    def reset(self, world: str | None = None) -> None:
        """Begin anew, with the same seed; perhaps in another world."""
        self.name = world or self.name
        self.world = points(self.name, 128, self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            group = 8 if self.deviation else 0
            self.gan = Gan(noise_size=2, group=group)
        self.gan.rng = torch.Generator().manual_seed(self.seed)
        self.optimizers = {name: self.gan.optimizer(name) for name in Gan.players}
        self.turns = dict.fromkeys(Gan.players, 0)
        self.last = dict.fromkeys(Gan.players, float("nan"))
        self.real = self.world.batch(0).image
        self.shown_noise = torch.randn(256, 2, generator=self.gan.rng)

    # ----------------------------------------------------------------- the game

    def step_discriminator(self) -> float:
        """One turn of the discriminator on fresh points; its loss before the step."""
        self.real = self.world.batch(self.turns["discriminator"]).image
        fake = self.gan.generator(self.gan.draw_noise(len(self.real))).detach()
        judge = self.gan.discriminator
        return self._step(
            "discriminator", self.losses[0](judge(self.real), judge(fake))
        )

    def step_generator(self) -> float:
        """One turn of the generator on fresh noise; its loss before the step."""
        fake = self.gan.generator(self.gan.draw_noise(self.world.batch_size))
        return self._step("generator", self.losses[1](self.gan.discriminator(fake)))

    def run(self, rounds: int = 1) -> None:
        """Whole rounds of Algorithm 1: k turns of the discriminator, one of G."""
        for _ in range(rounds):
            for _ in range(self.k):
                self.step_discriminator()
            self.step_generator()

    def _step(self, player: str, loss: Tensor) -> float:
        value, optimizer = float(loss.detach()), self.optimizers[player]
        if not np.isfinite(value):
            raise ArithmeticError(
                f"the {player}'s loss is {value}; reset, then go slower"
            )
        optimizer.param_groups[0]["lr"] = self.rates[player]
        optimizer.zero_grad()
        loss.backward(inputs=list(self.gan.player(player).parameters()))
        optimizer.step()
        self.turns[player] += 1
        self.last[player] = value
        return value

    # -------------------------------------------------------------- the picture

    @torch.no_grad()
    def belief(self) -> np.ndarray:
        """D(x) on a square of CELLS x CELLS places, the top row first; in [0, 1].

        With `deviation`, each place is judged as part of a batch that varies as the
        real points do.
        """
        line = torch.linspace(-1, 1, CELLS) * self.world.reach
        where = torch.cartesian_prod(line.flip(0), line).flip(1)
        judge = self.gan.discriminator
        if self.deviation:
            varies = self.real.std(0).mean().expand(len(where), 1)
            logits = judge.net(torch.cat([where, varies], 1)).squeeze(1)
        else:
            logits = judge(where)
        return torch.sigmoid(logits).view(CELLS, CELLS).numpy()

    @torch.no_grad()
    def warped(self) -> list[np.ndarray]:
        """The grid of noise space as G bends it: lines of (LINE_POINTS, 2) points.

        Each line is at an equal share of probability, so every mesh holds the same
        number of generated points, be it wide or narrow.
        """
        share = torch.linspace(0.03, 0.97, LINES)
        level = torch.special.ndtri(share)
        along = torch.special.ndtri(torch.linspace(0.03, 0.97, LINE_POINTS))
        rows = torch.cartesian_prod(level, along)
        made = self.gan.generator(torch.cat([rows, rows.flip(1)]))
        return list(made.view(-1, LINE_POINTS, 2).numpy())

    def pixels(self) -> np.ndarray:
        """The moment as (SIDE, SIDE, 3) uint8: belief, warped grid, both clouds."""
        heat = Image.fromarray(_colours(self.belief()))
        twice = 2 * SIDE  # drawn at double size and shrunk: smooth lines
        sheet = heat.resize((twice, twice), Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(sheet)
        for line in self.warped():
            pen.line(self._place(line), fill=(120, 120, 120), width=2)
        with torch.no_grad():
            fake = self.gan.generator(self.shown_noise).numpy()
        for cloud, colour in ((self.real.numpy(), REAL), (fake, FAKE)):
            for x, y in np.asarray(self._place(cloud)).reshape(-1, 2):
                box = (x - 6, y - 6, x + 6, y + 6)
                pen.ellipse(box, fill=colour, outline="white", width=2)
        return np.asarray(sheet.resize((SIDE, SIDE), Image.Resampling.BOX))

    def _place(self, where: np.ndarray) -> list[float]:
        """Points (N, 2) of the plane as x, y, x, y, ... on the double sized sheet."""
        unit = where / (2 * self.world.reach) * [1, -1] + 0.5
        return np.clip(unit * 2 * SIDE, -20, 2 * SIDE + 20).ravel().tolist()

    def image(self) -> bytes:
        """The moment as a PNG, with a line of words below it."""
        sheet = Image.new("RGB", (SIDE, SIDE + 46), "white")
        sheet.paste(Image.fromarray(self.pixels()))
        pen = ImageDraw.Draw(sheet)
        pen.text((6, SIDE + 5), self.words(), fill=(40, 40, 40), font=font())
        for i, (text, colour) in enumerate((("real", REAL), ("generated", FAKE))):
            x, y = 6 + 62 * i, SIDE + 26
            pen.ellipse((x, y + 2, x + 10, y + 12), fill=colour)
            pen.text((x + 14, y), text, fill=(40, 40, 40), font=font())
        legend = "background: D says real (blue), fake (orange)"
        pen.text((162, SIDE + 26), legend, fill=(40, 40, 40), font=font())
        made = io.BytesIO()
        sheet.save(made, "PNG", compress_level=1)
        return made.getvalue()

    def coverage(self, count: int = 1000):
        """How 1000 fresh points cover the world; see `worlds.points.Coverage`."""
        own = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(count, 2, generator=own)
        return self.world.coverage(self.gan.sample(count, noise))

    def words(self) -> str:
        """The moment in a line: turns, losses, how much of the world is covered."""
        found = self.coverage()
        turns = self.turns
        last = {k: "-" if v != v else f"{v:.2f}" for k, v in self.last.items()}
        return (
            f"turns D {turns['discriminator']}, G {turns['generator']}   "
            f"losses D {last['discriminator']}, G {last['generator']}   "
            f"modes {found.modes} of {found.of}"
        )

    def film(self, moments=(0, 50, 200, 600, 1500), title: str | None = None):
        """Runs, and shows the picture after each number of rounds, as a Figure."""
        done, pictures, titles = 0, [], []
        for moment in moments:
            self.run(moment - done)
            done = moment
            pictures.append(self.pixels())
            found = self.coverage()
            titles.append(f"round {moment}: {found.modes} of {found.of} modes")
        return strip(pictures, titles, title)


def _colours(belief: np.ndarray) -> np.ndarray:
    """D(x) (H, W) as pale colours: blue for real, white at 0.5, orange for fake."""
    colours = (150, 190, 228), (252, 252, 252), (246, 196, 158)
    blue, white, orange = (np.array(colour, float) for colour in colours)
    doubt = belief[..., None] * 2 - 1
    toward = np.where(doubt > 0, blue, orange)
    return (white + np.abs(doubt) * (toward - white)).astype(np.uint8)


def playground(lab: GanLab, frame_rounds: int = 4):
    """Buttons and sliders round a lab; an ipywidgets box to show in a notebook.

    `box.parts` holds the widgets by name, for tests. Everything is of the API common to
    ipywidgets 7.7 and 8. Used in lesson 01.
    """
    import ipywidgets as w

    picture = w.Image(value=lab.image(), format="png", width=SIDE)
    said = w.HTML()

    def act(what: Callable) -> None:
        try:
            what()
            said.value = ""
        except Exception as error:  # a learner's loss may do anything; the lab stays
            said.value = f"<b>{type(error).__name__}:</b> {error}"
        picture.value = lab.image()

    parts = _controls(w, lab)
    parts["discriminator"].on_click(lambda _: act(lab.step_discriminator))
    parts["generator"].on_click(lambda _: act(lab.step_generator))
    parts["hundred"].on_click(lambda _: act(lambda: lab.run(100)))
    parts["reset"].on_click(lambda _: act(lab.reset))
    parts["run"].observe(lambda _: act(lambda: lab.run(frame_rounds)), "value")
    parts["world"].observe(
        lambda change: act(lambda: lab.reset(change["new"])), "value"
    )

    def set_deviation(change):
        lab.deviation = change["new"]
        act(lab.reset)

    parts["deviation"].observe(set_deviation, "value")
    _bind_sliders(parts, lab)
    order = ["world", "discriminator", "generator", "hundred", "run", "reset",
             "rate_d", "rate_g", "k", "deviation"]  # fmt: skip
    controls = w.VBox([parts[name] for name in order] + [said])
    box = w.HBox([picture, controls])
    box.parts = {**parts, "picture": picture, "said": said}
    return box


def _controls(w, lab: GanLab) -> dict:
    """The widgets by name, at the lab's present settings."""
    wide = w.Layout(width="300px")
    style = {"description_width": "130px"}
    common = {"layout": wide, "style": style}
    rate = {"base": 10, "min": -4, "max": -1.5, "step": 0.05, "readout_format": ".1e"}
    slow, fast = (lab.rates[name] for name in Gan.players)
    return {
        "world": w.Dropdown(options=["ring", "grid", "moons"], value=lab.name,
                            description="points", **common),
        "discriminator": w.Button(description="one step of D", layout=wide),
        "generator": w.Button(description="one step of G", layout=wide),
        "hundred": w.Button(description="100 rounds", layout=wide),
        "run": w.Play(min=0, max=100_000, interval=200, description="run"),
        "reset": w.Button(description="start again", layout=wide),
        "rate_d": w.FloatLogSlider(value=slow, description="D's learning rate",
                                   **rate, **common),
        "rate_g": w.FloatLogSlider(value=fast, description="G's learning rate",
                                   **rate, **common),
        "k": w.IntSlider(value=lab.k, min=1, max=10, description="k, steps of D",
                         **common),
        "deviation": w.Checkbox(value=lab.deviation, indent=False, layout=wide,
                                description="D sees how much its batch varies"),
    }  # fmt: skip


def _bind_sliders(parts: dict, lab: GanLab) -> None:
    """The sliders change the lab at once, in the middle of a run too."""

    def bind(name: str, change: Callable) -> None:
        parts[name].observe(lambda event: change(event["new"]), "value")

    bind("rate_d", lambda value: lab.rates.update(discriminator=value))
    bind("rate_g", lambda value: lab.rates.update(generator=value))
    bind("k", lambda value: setattr(lab, "k", value))
