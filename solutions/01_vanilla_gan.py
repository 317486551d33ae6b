# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Vanilla GAN
#
# Two networks play a game, and one of them learns to draw.
#
# **What you will be able to do**
# - write the two losses of the GAN game and its training algorithm, and say what the best
#   possible discriminator is;
# - show with numbers why nobody trains the generator with the loss of the original game;
# - predict when the game circles instead of settling, and check it to six digits;
# - recognize mode collapse, count it over seeds, and repair it;
# - train a GAN on real handwritten digits in about half a minute on two cores, and judge
#   it by a number.
#
# **Time:** about two minutes of computing on two CPU cores (less than one with the shipped
# networks: start with `T2I_LIVE=0` in the environment), about 90 minutes with the six
# exercises.
#
# **You need:** Python, basic PyTorch (`nn.Module`, `loss.backward()`), and what a
# probability density is. Lesson 00 shows how exercises and checks work.
#
# **Slides covered:** GM-13 to GM-16 (the game, its optimum, Algorithm 1, the flat
# gradient), GM-33 to GM-35 (pros and cons, non-convergence, mode collapse), RE-2 (the
# spaces X and Z, eq. (1)).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("01")

# %%
import math

import torch
from torch import nn
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.experiments import records, values
from t2i_course.measure.gan import clear_digits, speckle
from t2i_course.papers.gan import Gan, points_gan, saturating_loss, simultaneous_step
from t2i_course.papers.gan_crowd import GanCrowd

# %%
from t2i_course.play.gan_lab import GanLab, playground
from t2i_course.show.curves import bars, clouds, curves, lines, paths
from t2i_course.show.pictures import grid
from t2i_course.show.tables import Table, seeds_row, with_spread
from t2i_course.training import fit
from t2i_course.worlds.digits import DigitReader, Digits
from t2i_course.worlds.points import Ring

# %% [markdown]
# ## 1. A forger and a detective
#
# Suppose that you want a computer to write digits that nobody has written. You have real
# ones, but no formula for their distribution $p_{\text{data}}(x)$, and a picture has so
# many pixels that you couldn't write one down. The idea of the GAN (slide GM-13) is to
# give up on the formula and to ask for *samples* only:
#
# - a **generator** $G$ takes random noise $z$ and turns it into a sample $x = G(z)$. What
#   comes out has some distribution too; call it $p_g$;
# - a **discriminator** $D$ looks at a sample, real or made, and says how likely it is to
#   be real: a number $D(x)$ between 0 and 1.
#
# $D$ learns to tell the two apart. $G$ learns to fool $D$. If $G$ wins for good, what it
# makes can't be told from real data.
#
# Two spaces have names (report RE-2): $X$ is the **data space**, here pictures or points;
# $Z = \mathbb{R}^{d_Z}$ is the **noise space**, from which we draw $z$ with independent
# standard normal coordinates, $p_z = \mathcal N(0, I)$. (The report's third, the
# *embedding space* $Y$, holds sentences: it enters in lesson 05.) The game is eq. (1):
#
# $$\min_G \max_D \; V(D, G) = \mathbb{E}_{x \sim p_{\text{data}}}[\log D(x)] +
# \mathbb{E}_{z \sim p_z}[\log (1 - D(G(z)))]$$
#
# $V$ is the **value** of the game, $\mathbb E$ an average over samples, $\log$ the natural logarithm, $d_Z$ how many
# numbers make up one $z$. $D$ wants $V$ large: $D(x)$ near 1 on real samples, $D(G(z))$
# near 0 on made ones. $G$ wants it small, and can only move the second term.

# %% [markdown]
# ## 2. The best possible discriminator
#
# Keep $G$ as it is for a moment, and let $D$ be perfect (slide GM-14). Both averages in
# $V$ can be taken over places $x$. In the first, each place counts as often as real
# samples fall there, $p_{\text{data}}(x)$. In the second, $G(z)$ falls there with
# density $p_g(x)$. So the place $x$ adds to $V$
#
# $$p_{\text{data}}(x) \log D + p_g(x) \log (1 - D), \qquad D = D(x).$$
#
# What a perfect $D$ says at one place doesn't bind it at another. So look at one place
# alone: which number $D$ between 0 and 1 makes this as large as possible?
#
# ### Exercise 01.1 · The optimal discriminator (5 minutes, difficulty 1 of 5)
# Set the derivative with respect to $D$ to zero, and write the solution
# $D^*(x)$ as a function of the two densities.
#
# <details><summary>Hint 1</summary>The derivative of log D is 1/D, that of log(1 - D) is
# -1/(1 - D).</details>
# <details><summary>Hint 2</summary>You get p_data / D = p_g / (1 - D). Multiply out and
# solve for D.</details>
# <details><summary>The idea of the answer</summary>Of all the samples seen at x, the
# share that is real. With equal densities that is one half.</details>


# %% tags=["exercise"]
def optimal_discriminator(p_data, p_g):
    """D*(x), slide GM-14. p_data, p_g: densities at the same points, tensors of one
    shape. Returns that shape."""
    ### BEGIN SOLUTION
    return p_data / (p_data + p_g)
    ### END SOLUTION


# %% tags=["check"]
optimal_discriminator = check("01.1", optimal_discriminator)

# %% [markdown]
# With this $D^*$ in $V$ one gets the value of the game *for a given generator*. Let us
# compute it by numerical integration, for data from $\mathcal N(0, 1)$ and a generator
# that makes $\mathcal N(m, 1)$. (`normal` is that density, 2.5066... is
# $\sqrt{2 \pi}$; `trapezoid` adds up the expression above over all $x$, and `d[1200]`
# is $D^*$ at the place $x = 0$.)

# %% tags=["nbval-check-output"]
x = torch.linspace(-6, 9, 3001, dtype=torch.float64)


def normal(x, mean=0.0, deviation=1.0):
    return torch.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * 2.5066282746)


for mean in (0.0, 0.5, 1.0, 2.0, 3.0):
    p_data, p_g = normal(x), normal(x, mean)
    d = optimal_discriminator(p_data, p_g)
    value = torch.trapezoid(p_data * d.log() + p_g * (1 - d).log(), x)
    print(f"m = {mean:3.1f}   V(D*, G) = {value:7.4f}   D* at x = 0: {d[1200]:.3f}")
print(f"-log 4 = {-torch.tensor(4.0).log():.4f}")

# %% [markdown]
# The further $G$'s bump moves away, the surer $D^*$ is at the place 0. The lowest value is
# the first: $-\log 4$, reached when $p_g = p_{\text{data}}$, and there
# $D^* = 0.5$ everywhere. That is the **Nash equilibrium** of slide GM-14: neither player
# can gain by moving alone. (The difference to $-\log 4$ is twice the Jensen-Shannon
# divergence of the two distributions: a distance that is 0 only if they are equal.)
#
# ### Now with a real network
#
# A network knows no densities, it only sees samples. Does it find $D^*$? It needs a loss.
# Networks give **logits** $s$, any real number, and $D = \sigma(s) = 1/(1 + e^{-s})$, the
# sigmoid.
#
# ### Exercise 01.2 · The discriminator's loss (10 minutes, difficulty 2)
# Write $-V$ from the logits of a real and of a fake minibatch ($B$ numbers each), each
# average as a mean. (Optimizers go *down*, so "$D$ ascends $V$", slide GM-15, becomes
# "go down $-V$".) It must stay right when $D$ is very sure: at a logit of $-150$ the
# sigmoid rounds to 0, and its log to minus infinity.
#
# <details><summary>Hint 1</summary>F.softplus(s) is log(1 + exp(s)), and is computed
# safely for any s.</details>
# <details><summary>Hint 2</summary>log D = log sigmoid(s) = -softplus(-s), and
# log(1 - D) = -softplus(s).</details>
# <details><summary>The idea of the answer</summary>softplus of minus the real logits,
# averaged, plus softplus of the fake logits, averaged. Binary cross-entropy with logits,
# with labels 1 and 0, is the same thing.</details>


# %% tags=["exercise"]
def discriminator_loss(real_logits, fake_logits):
    """-V(D, G), slides GM-13 and GM-15. real_logits, fake_logits: (B,). A scalar."""
    ### BEGIN SOLUTION
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


# %% tags=["check"]
discriminator_loss = check("01.2", discriminator_loss)

# %% [markdown]
# Data with two bumps against a generator with one. `draw` gives samples, as in a real
# training; the densities are only for us, to judge. The network `judge` is a $D$ that
# gives logits (`nn.Flatten(0)` turns its $(B, 1)$ into $(B,)$), and learns by your loss.
# (`run`, from the first cell, knows how this lesson runs: `run.choose(20, 1000)` is 1000
# steps for you, and 20 in the course's automatic tests.)

# %%
def densities(x):
    """p_data: two bumps at -1.5 and 1.5; p_g: one at 0.5."""
    p_data = (normal(x, -1.5, 0.6) + normal(x, 1.5, 0.6)) / 2
    return p_data, normal(x, 0.5, 1.0)


def draw(count, random):
    """`count` real samples and `count` fakes, (count, 1) each."""
    side = 1.5 * (2 * torch.randint(2, (count, 1), generator=random) - 1)
    real = side + 0.6 * torch.randn(count, 1, generator=random)
    return real, 0.5 + torch.randn(count, 1, generator=random)


# %% tags=["live"]
torch.manual_seed(0)
random, steps = torch.Generator().manual_seed(0), run.choose(20, 1000)
judge = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(),
                      nn.Linear(32, 1), nn.Flatten(0))
optimizer = torch.optim.Adam(judge.parameters(), lr=1e-2)
slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, steps)
for _ in range(steps):
    real, fake = draw(1000, random)
    loss = discriminator_loss(judge(real), judge(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    slower.step()

# %%
x = torch.linspace(-4, 4, 401)
p_data, p_g = densities(x)
best = optimal_discriminator(p_data, p_g)
learned = torch.sigmoid(judge(x[:, None])).detach()
figure = lines(x, {"p_data": p_data, "p_g": p_g, "D* by formula": best,
                   "D learned from samples": learned}, "x", "density, D(x)",
               "What a D of 1,000 steps says, and the formula (seed 0)",
               dashed=["D learned from samples"], marks={"D = 0.5": 0.5},
               outside=True, size=(8.2, 3.0))
seen = p_data + p_g > 0.02
print(f"largest difference, where samples come: {(learned - best)[seen].abs().max():.3f}")
figure

# %% [markdown]
# **What to see.** The learned curve lies on the formula's: above one half where real
# samples are more frequent, below it where fakes are, one half where the two densities
# cross. The printed difference is taken where $p_{\text{data}} + p_g > 0.02$; in the
# tails no samples come, and there a network may say anything.
#
# So the discriminator is not a mere critic: it estimates the ratio of two densities that
# nobody can write down, $D^* / (1 - D^*) = p_{\text{data}} / p_g$. That is what $G$ can
# learn from.

# %% [markdown]
# ## 3. The gradient that isn't there
#
# $G$ should make $\log(1 - D(G(z)))$ small. In practice, says slide GM-16, that does not
# work well. Why? Early in training $G$ is bad, $D$ sees it at once, and $D(G(z))$ is
# almost 0. Let us look at the slope there:

# %%
d = torch.linspace(0.001, 0.999, 400)
lines(d, {"log(1 - D)   (the game's)": (1 - d).log(),
          "-log D   (non-saturating)": -d.log()},
      "D(G(z)): how real D finds the fake", "G's loss", "Two losses for G")

# %% [markdown]
# **What to see.** At the left, where every training begins, the blue curve is flat and
# the orange one is steep. Both go down to the right, so both want the same: fool $D$.
# Only the second one pushes when it matters. A loss that goes flat like the blue one is
# said to *saturate*. In the code the game's own loss is `saturating_loss`.
#
# ### Exercise 01.3 · The non-saturating loss (5 minutes, difficulty 2)
# Instead of *minimizing the chance that $D$ is right*, *maximize the chance that $D$ is
# wrong*: go up $\mathbb E_z[\log D(G(z))]$. Write it as a loss to go down, from logits.
#
# <details><summary>Hint 1</summary>Going up log D is going down -log D.</details>
# <details><summary>Hint 2</summary>log D = -softplus(-s), as in exercise 01.2; mind both
# minus signs, and take the mean.</details>
# <details><summary>The idea of the answer</summary>The loss D has on real samples, used
# on fakes: G wants its samples to be called real.</details>


# %% tags=["exercise"]
def generator_loss(fake_logits):
    """-log D(G(z)), slide GM-16. fake_logits: (B,). A scalar."""
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %% tags=["check"]
generator_loss = check("01.3", generator_loss)

# %% [markdown]
# How much steeper? $D$ is the sigmoid of its logit, and that is flat too where $D$ is near
# 0. The gradient passes through both, so we take the derivative with respect to the logit.
# It is $-D$ for the game's loss and $-(1 - D)$ for the other:

# %% tags=["nbval-check-output"]
print("D(G(z))   slope of log(1-D)   slope of -log D")
for d in (0.001, 0.01, 0.1, 0.5, 0.9):
    s = torch.logit(torch.tensor([d], dtype=torch.float64)).requires_grad_()
    slopes = [torch.autograd.grad(loss(s), s)[0].item()
              for loss in (saturating_loss, generator_loss)]
    print(f"{d:7.3f}   {slopes[0]:17.3f}   {slopes[1]:15.3f}")

# %% [markdown]
# Read the first line: where $D$ gives a fake one chance in a thousand, the game's loss
# pushes with 0.001, the other with 0.999.
#
# And in a network? The world that we use from here on is a **ring**: eight small Gaussian
# bumps in the plane, evenly spaced on a circle. `points_gan` makes the course's small GAN
# for points. Here is the ring, and what $G$ makes before it has learned anything:

# %%
torch.manual_seed(0)
beginner = points_gan("cpu")
made = beginner.sample(400)
clouds([made], Ring().batch(0).image, "The ring (blue), and what an untrained G makes (orange, seed 0)")

# %% [markdown]
# All of $G$'s points lie in one small heap in the middle. Let $G$ rest there, train $D$
# alone against it, and measure the length of the gradient that reaches $G$'s weights,
# with either loss.

# %%
def gradient_norm(loss, network):
    """Length of the loss's gradient with respect to all weights of a network."""
    parts = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts]).norm().item()


# %%
def gradients_while_d_learns(seed, steps):
    """Two lists of norms (saturating, non-saturating), after 0, 10, 20, ... steps of D."""
    torch.manual_seed(seed)
    gan, world, norms = points_gan("cpu"), Ring(128, seed), ([], [])
    gan.rng, optimizer = torch.Generator().manual_seed(seed), gan.optimizer("discriminator")
    for step in range(steps + 1):
        fake = gan.generator(gan.draw_noise(128))
        if step % 10 == 0:
            for kept, loss in zip(norms, (saturating_loss, generator_loss)):
                kept.append(gradient_norm(loss(gan.discriminator(fake)), gan.generator))
        real, fake = gan.discriminator(world.batch(step).image), gan.discriminator(fake.detach())
        optimizer.zero_grad()
        discriminator_loss(real, fake).backward()
        optimizer.step()
    return norms


# %% tags=["live"]
steps = run.choose(20, 300)
norms = [gradients_while_d_learns(seed, steps) for seed in range(5)]
saturating, other = torch.tensor(norms).unbind(1)  # (5 seeds, steps / 10 + 1) each
ratio = other[:, -1] / saturating[:, -1]
blue, orange = saturating.mean(0), other.mean(0)
print(f"after {steps} steps of D, -log D gives a gradient {ratio.mean():.0f} times as long")
print("each of the five seeds:", *[f"{value:.0f}" for value in ratio])
print(f"the orange line is a tenth above the blue one from step "
      f"{10 * (orange > 1.1 * blue).int().argmax()} on; the blue one is highest at step "
      f"{10 * blue.argmax()}")
lines(range(0, steps + 1, 10), {"log(1 - D)": blue, "-log D": orange},
      "steps of D, with G at rest", "gradient norm, mean of 5 seeds",
      "How long is the gradient that reaches G? (the ring, seeds 0 to 4)", log="y")

# %% [markdown]
# **What to see.** At first the two losses pull alike: while $D$ says about 0.5
# everywhere, their slopes are equal. They part after a few tens of steps, and while $D$
# still learns where to look, both gradients go on growing. Then $D$ becomes sure: the
# game's own loss (blue) turns round and tells $G$ less and less, the other one (orange)
# more and more. The last line above says when. Mind the logarithmic axis. This is
# what slide GM-35 means by *"If the discriminator is too good will produce no
# gradients"*.
#
# Both losses come to rest at the same place, $p_g = p_{\text{data}}$ and $D = 0.5$. The
# non-saturating one is what everybody uses. But it is no longer true that $G$ loses
# just what $D$ wins: the game is not *zero-sum* any more.

# %% [markdown]
# ## 4. Algorithm 1
#
# Now both learn. Slide GM-15 prints the algorithm; in each round
#
# 1. **$k$ times**: draw a minibatch of $m$ noise vectors and a minibatch of $m$ real
#    samples, and take one step of $D$ down `discriminator_loss`;
# 2. draw $m$ fresh noise vectors, and take one step of $G$ down `generator_loss`.
#
# In this course a round is a Python *generator function* (Python's word, no relation of
# $G$): it `yield`s whose turn it is and that player's loss; the loop in
# `t2i_course.training.fit` takes the step, then goes on after the `yield`. So the text
# of the function is the algorithm and nothing else. In outline:
#
# ```python
# yield "discriminator", loss_of_d   # here fit takes D's step, then comes back
# yield "generator", loss_of_g       # here fit takes G's step
# ```
#
# ### Exercise 01.4 · Algorithm 1 (15 minutes, difficulty 3)
# You get $k \cdot m$ real samples at once, and functions for the rest: `noise(m)` gives
# $m$ noise vectors, `generator` turns them into samples, `discriminator` turns samples
# into logits. Three traps:
#
# - in $D$'s turn the fake must be **detached**: no gradient flows into $G$;
# - each turn needs *fresh* noise, and each turn of $D$ its own $m$ samples of `real`;
# - a turn's loss is worked out after the `yield` of the turn before, since $D$ is
#   another network by then.
#
# Show $D$ the real and the fake minibatch in two calls, not glued together: in section 6
# $D$ also looks at how much its batch varies, and a mixed one would hide that. ($m$ is not
# handed over: it is `len(real) // k`.)
#
# <details><summary>Hint 1</summary>real.chunk(k) cuts the real samples into k minibatches
# to loop over.</details>
# <details><summary>Hint 2</summary>In the loop: fake = generator(noise(len(x))).detach(),
# then yield "discriminator", discriminator_loss(...). After the loop: new noise, no
# detach, yield "generator", generator_loss(...).</details>
# <details><summary>The idea of the answer</summary>Two yields: the first inside the loop
# over minibatches, the second after it.</details>


# %% tags=["exercise"]
def algorithm_1(real, noise, generator, discriminator, k,
                discriminator_loss, generator_loss):
    """One round, slide GM-15. real: (k * m, ...); noise(m): m noise vectors.
    Yields ("discriminator", loss) k times, then ("generator", loss) once."""
    ### BEGIN SOLUTION
    for x in real.chunk(k):
        fake = generator(noise(len(x))).detach()
        yield "discriminator", discriminator_loss(discriminator(x), discriminator(fake))
    fake = generator(noise(len(real) // k))
    yield "generator", generator_loss(discriminator(fake))
    ### END SOLUTION


# %% tags=["check"]
algorithm_1 = check("01.4", algorithm_1)

# %% [markdown]
# ### Play: the game, one step at a time
#
# First as a film: five moments of one game on the ring, driven by your own losses. Each
# title counts the *modes*, the bumps of the ring, that $G$ reaches. Here $D$ is told
# one thing more, how much its batch varies (`deviation=True`), the repair of section 6, so
# that the film ends well; the playground below starts without it.

# %% tags=["live"]
lab = GanLab("ring", discriminator_loss, generator_loss, deviation=True)
lab.film(run.choose((0, 1, 2, 3, 4), (0, 30, 150, 500, 2000)))

# %% [markdown]
# **What to see.** Blue points are real, orange ones generated. The background is what $D$
# believes at each place: blue for real, orange for fake, white for "can't tell". The grey
# net is the noise space $Z$, as $G$ bends it: every mesh holds the same share of the
# generated points, so narrow meshes are crowded places.
#
# At round 0 all of the net is a small heap in the middle. At 30 it is a band that
# reaches one bump, at 150 it covers half the plane and hits none. (A bump counts once at
# least 1 in 100 generated points lies within three of its standard deviations; spread thin
# over half the plane, they are fewer.) By round
# 500 it lies on the ring, and at 2000 it is pulled tight round it: wide meshes inside,
# where few points fall, and white background at the bumps, where $D$ can't tell any more.
#
# Now you. Press "one step of D" ten times and see where it turns blue; then "one step
# of G" ten times, and watch the net slide towards the blue. Then press the triangle to
# run. Here $D$ isn't told how much its batch varies, unless you tick the last box. Guess
# first, then try, "start again" before each:
#
# - with the last box ticked, does $G$ find the ring sooner?
# - with $G$'s learning rate ten times as large?
# - with $D$'s learning rate a tenth of $G$'s?
# - with k = 5, so that $D$ stays ahead?
#
# <details><summary>What to expect, measured: three seeds of 3,000 rounds, looked at every
# 50</summary>
#
# - As it stands, all eight bumps are first reached after 800 to 850 rounds. One seed of the
#   three drops one again.
# - With the box ticked, after 500 to 650 rounds: sooner in every seed, and all are kept.
# - With G ten times as fast, after 1,750 rounds in one seed, and never in two: the net
#   jumps about.
# - With D at a tenth, never: all of the net rushes to one place, then to another. This is
#   **mode collapse**, the subject of section 6.
# - With k = 5, sooner in two seeds (after 200 and 750 rounds), and never in the third. And
#   each seed loses bumps again: at the end they hold 3 to 6. A D that is ahead is a quick
#   teacher here, not a good one.
#
# The command: `t2i reproduce 01 play`.</details>
#
# (A page that isn't running shows the game before its first step; the film and the folded
# answers tell the rest.)

# %%
playground(GanLab("ring", discriminator_loss, generator_loss))

# %% [markdown]
# ## 5. Why it circles
#
# With $D$'s learning rate a tenth of $G$'s, the net of the playground rushes to one place,
# then to another, and never arrives. Where does such a chase come from? Two players who
# each go downhill on their *own* loss need not arrive anywhere. Slide GM-34 shows the smallest example: $V(x, y) = xy$, where $x$ wants $V$ small and $y$ wants
# it large. With infinitely small steps, $dx/dt = -y$ and $dy/dt = x$, which gives
#
# $$x(t) = x(0) \cos t - y(0) \sin t, \qquad y(t) = x(0) \sin t + y(0) \cos t.$$
#
# A circle, for ever, around the equilibrium $(0, 0)$. (The slide prints for $y(t)$ the same
# right-hand side as for $x(t)$: a small slip. At $t = 0$ it would say $y(0) = x(0)$. Insert
# ours into $dy/dt = x$ to see that it fits.)
#
# Real training takes steps of size $\eta$. In **simultaneous** steps both players use the
# old values; with $x'$, $y'$ for the values after the step (no derivatives here):
# $x' = x - \eta y$, $\; y' = y + \eta x$. Then
# $x'^2 + y'^2 = (1 + \eta^2)(x^2 + y^2)$: each step multiplies the distance from the
# equilibrium by $\sqrt{1 + \eta^2}$. It spirals *outward*, whatever $\eta$.
#
# ### Exercise 01.5 · Taking turns (5 minutes, difficulty 1)
# In **alternating** steps one player moves and the other answers the move, as in Algorithm
# 1 (there $D$ begins; here $x$ does). Write one such step: $x$ first, then $y$ at the new
# $x$; `rate` is $\eta$.
#
# <details><summary>Hint 1</summary>dV/dx = y and dV/dy = x; x goes down, y goes
# up.</details>
# <details><summary>Hint 2</summary>Assign the new x first, then use it.</details>
# <details><summary>The idea of the answer</summary>x' = x - rate * y, then
# y' = y + rate * x'.</details>


# %% tags=["exercise"]
def alternating_step(x, y, rate):
    """x steps down V = xy, then y steps up at the new x, slide GM-34. Returns (x, y)."""
    ### BEGIN SOLUTION
    x = x - rate * y
    return x, y + rate * x
    ### END SOLUTION


# %% tags=["check"]
alternating_step = check("01.5", alternating_step)

# %% [markdown]
# One alternating step is the matrix
# $\begin{pmatrix} 1 & -\eta \\ \eta & 1 - \eta^2 \end{pmatrix}$. Its determinant is 1, so it
# neither grows nor shrinks areas, and it leaves $q = x^2 + y^2 - \eta xy$ unchanged
# (multiply it out). For $\eta < 2$ the places with the same $q$ form an ellipse: alternating
# steps stay on it for ever. Is that what the steps do?

# %% tags=["nbval-check-output"]
rate, steps = 0.2, 100
both, turns = [(1.0, 0.0)], [(1.0, 0.0)]
for _ in range(steps):
    both.append(simultaneous_step(*both[-1], rate))
    turns.append(alternating_step(*turns[-1], rate))
theory = (1 + rate**2) ** (steps / 2)
drift = max(abs(x * x + y * y - rate * x * y - 1) for x, y in turns)
print(f"simultaneous: distance after {steps} steps {math.hypot(*both[-1]):.6f}, "
      f"by theory {theory:.6f}")
print(f"alternating: q = 1 at every step, to within 1e-6: {drift < 1e-6}")

# %%
turn = torch.linspace(0, 6.2832, 200)
circle = torch.stack([turn.cos(), turn.sin()], 1)
paths({"simultaneous steps": both[:41], "alternating steps": turns[:63],
       "infinitely small steps": circle}, "x", "y",
      f"V = xy, the first steps with a learning rate of {rate}")

# %% [markdown]
# **What to see.** All three start at the black dot and never reach the cross, where the
# equilibrium is. Simultaneous steps run away at just the rate that theory gives;
# alternating ones go round an ellipse, a little off the circle. A smaller learning rate
# makes it slower, not better. *"D and G nullify each other's learning in every
# iteration"*, says the slide. A real GAN is more than this: near its equilibrium there are
# other terms that pull inward or outward. But nothing in the game forbids circling.

# %% [markdown]
# ## 6. Mode collapse
#
# A **mode** is a bump of the data's density; the ring has eight. A generator may find that
# one bump is enough to fool $D$ today, put everything there, be found out tomorrow, and
# jump to the next (slide GM-35). Nothing in $G$'s loss asks for variety: it is an average
# over samples, each judged *alone*.
#
# One seed proves nothing, so here are five GANs at once, with your losses, each with its
# own start and its own data. A mode counts as covered if at least 1 % of 2,000 samples lie
# close to it, within three of its standard deviations.
#
# So that you can watch the collapse, they learn at a smaller rate than the film's GAN and
# with more momentum (how much of its last step the optimizer keeps), and $D$ isn't told
# how its batch varies. They stop after **1,500 steps**; what happens later, the table at
# the end of this section shows. `GanCrowd` plays Algorithm 1 with k = 1 in all five games
# at once; the progress bar adds up their five losses. `run.train` trains, and shows what
# the five have made so far. Below stands the training that made the shipped networks, as
# it was recorded: a row a look, a column a GAN. (If you began with `T2I_LIVE=0`, the
# shipped networks are loaded, and you see the record only.)

# %% tags=["live"]
def train_on_the_ring(name, title, seen, **settings):
    """Five GANs side by side; 2,000 samples of each, (5, 2000, 2)."""
    crowd = GanCrowd.from_preset(run.preset, discriminator_loss=discriminator_loss,
                                 generator_loss=generator_loss, **settings)
    world, steps = Ring(crowd.settings["batch_size"]), crowd.settings["steps"]

    def show(crowd, history):
        when = f"step {history.step:,}" if history.step else "shipped"
        return clouds(crowd.sample(400).cpu(), world.batch(0).image, f"{title}, {when}")

    run.train(crowd, world, steps, shipped=name, show=show, seen=seen)
    crowd.rng = torch.Generator(crowd.device).manual_seed(0)
    return crowd.sample(2000).cpu()


vanilla = train_on_the_ring("gan_ring", "Vanilla GAN, generated over real",
                            "Nearly every GAN's points are one cloud that wanders.")

# %%
def covered(samples):
    """Modes and share of close points of each GAN, as two lists."""
    found = [Ring().coverage(points) for points in samples]
    return [f.modes for f in found], [f.close for f in found]


modes, close = covered(vanilla)
print("modes covered, of 8, by seed:    ", modes)
print("share of points close to a mode: ", [round(value, 2) for value in close])

# %% [markdown]
# **What to see.** Orange: generated, blue: real. Nearly every GAN has put all that it
# makes into one narrow cloud, near a bump or on the way to one, and leaves the rest of
# the ring alone; from look to look the cloud wanders. (Seed 3 is the exception: a wide
# cloud over half the ring, too thin to cover any bump.) Even a bump that is covered gets
# few points: the second line above says how few are close. So this is not the textbook's
# picture of all points on one bump; the variety is lost just the same. ("Covered" only
# means that 1 % of the points are close.) Which bump, the seed decides; in the
# playground, with $D$'s learning rate a tenth of $G$'s, you see the cloud wander.
#
# ### The remedy: let $D$ see the batch
#
# $D$ judges each sample alone, so it can't see that all of them are the same. Salimans et
# al. (2016) gave $D$ a look at the whole minibatch; Karras et al. (2018) found that one
# number is enough: *how much do the samples of a group vary?* If the fakes vary less than
# the real ones, $D$ sees it at once, and $G$ has a reason to spread.
#
# ### Exercise 01.6 · Showing D how much its batch varies (10 minutes, difficulty 3)
# Cut the batch into groups of `group` neighbours. For each group and each feature take the
# standard deviation over the group (dividing by `group`, not `group - 1`); average over the
# features; append this one number to each sample of the group as a last feature. A group
# of equal samples must give a finite gradient: add $10^{-8}$ under the root. Put the
# result together from new tensors, as with `torch.cat`: `GanCrowd` can't run code that
# writes into a tensor (`out[i] = ...`).
#
# <details><summary>Hint 1</summary>samples.view(-1, group, features) puts the groups along
# the first dimension; .var(1, unbiased=False) is the variance over each group.</details>
# <details><summary>Hint 2</summary>number = (variance + 1e-8).sqrt().mean(1), one per
# group; number.repeat_interleave(group) gives each sample its group's.</details>
# <details><summary>The idea of the answer</summary>torch.cat([samples,
# repeated[:, None]], 1).</details>


# %% tags=["exercise"]
def with_deviation(samples, group=8):
    """Minibatch deviation, slide GM-35. samples: (B, F) to (B, F + 1)."""
    ### BEGIN SOLUTION
    grouped = samples.view(-1, group, samples.shape[1])
    deviation = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean(1)
    return torch.cat([samples, deviation.repeat_interleave(group)[:, None]], 1)
    ### END SOLUTION


# %% tags=["check"]
with_deviation = check("01.6", with_deviation)

# %% tags=["nbval-check-output"]
same, spread = torch.zeros(8, 2), torch.arange(16.0).view(8, 2)
print("eight equal samples:    ", round(with_deviation(same)[0, -1].item(), 3))
print("eight different samples:", round(with_deviation(spread)[0, -1].item(), 3))

# %% [markdown]
# The same five starts, with this one number added to what $D$ sees:

# %% tags=["live"]
repaired = train_on_the_ring("gan_ring_deviation", "With the batch's deviation",
                             "At the end the points lie round the ring, at all its bumps.",
                             group=8, deviation=with_deviation)
new_modes, new_close = covered(repaired)
print("modes covered, of 8, by seed:    ", new_modes)
print("share of points close to a mode: ", [round(value, 2) for value in new_close])

# %% [markdown]
# **What to see.** With the deviation the orange points reach all eight bumps, whatever
# the seed. They aren't all *on* a bump yet: about a quarter are, the rest lie on the way
# from one to the next. The number of modes and the share of close points measure the two
# things that slide GM-35 sets against each other: *coverage* and *accuracy*.
#
# Is it for ever? Here is how many of the eight modes were covered on the way, in a run of
# 4,000 steps (seeds 0 to 4; `t2i reproduce 01 ring`):

# %%
found = records("01")
looks = [f"{500 * (i + 1):,}" for i in range(8)]
ways = {name: values(found, f"ring/{name}", "modes_on_the_way")
        for name in ("vanilla", "with deviation")}
Table([f"step {look}" for look in looks],
      {name: [" ".join(map(str, seen)) for seen in zip(*way)] or ["?"] * 8
       for name, way in ways.items()}, "modes covered of 8, seeds 0 1 2 3 4")

# %%
for name, way in ways.items():
    first = [looks[modes.index(8)] if 8 in modes else "never" for modes in way]
    shares = [f"{share:.0%}" for share in values(found, f"ring/{name}", "close")]
    print(f"{name}: all eight first seen at step", *first)
    print(f"{name}: close to a mode after 4,000 steps:", *shares)

# %% [markdown]
# **What to see.** The pictures above are the table's third column, step 1,500: there the
# vanilla GAN covers at most one mode, and with the remedy every seed covers all eight
# (one seed loses a mode again at the end). And a surprise: if we wait, the vanilla GAN
# opens up as well: three seeds cover all eight by step 4,000, two cover seven. But it
# takes about two thousand steps longer, or more, and even then fewer of its points lie close to a
# mode. On this ring, collapse is a long detour rather than a grave.
#
# How long it is depends on the optimizer. Here are the same five starts with twice the
# learning rate and the usual momentum (seeds 0 to 4; `t2i reproduce 01 healing`):

# %%
faster = {name: values(found, f"healing/{name}", "modes_on_the_way") for name in ways}
Table([f"step {look}" for look in looks],
      {name: [" ".join(map(str, seen)) for seen in zip(*way)] or ["?"] * 8
       for name, way in faster.items()}, "modes covered of 8, seeds 0 1 2 3 4")

# %% [markdown]
# With these rates the detour is shorter in every seed. With the remedy $G$ has the whole
# ring at an earlier look still in four seeds, and at the same look in the fifth. (The
# vanilla GAN drops modes again that it had found; with the remedy no seed does.) How long
# a collapse lasts is a matter of settings; on a harder world nobody knows beforehand.

# %% [markdown]
# ## 7. Real digits
#
# Now real input: 1,797 digits that people wrote, 8 x 8 pixels each (scikit-learn brings
# them). We train on three quarters. Pixels this small are hard on the eye, so the figures
# draw them with soft edges.

# %%
held_out = Digits(batch_size=30, split="held-out")
grid(held_out.batch(0).image, columns=15, title="Real digits, never trained on", smooth=True)

# %% [markdown]
# Who judges? A **reader**: a support vector machine (a classifier from before deep
# networks) trained on the real training digits, and no part of the game. It gives a
# name to *anything*, noise too, so we only count a picture if it is also **clear**: as
# close to some real training digit as 95 % of the held-out real ones are. `reader.read`
# returns both, the digits and whether they are clear; `[1]` takes the second.

# %%
reader = DigitReader()
noise = torch.rand(1000, 1, 8, 8) * 2 - 1
print(f"right on held-out real digits: {reader.accuracy:.1%}")
print(f"clear: {reader.read(held_out.pictures())[1].float().mean():.0%} of held-out real digits, "
      f"{reader.read(noise)[1].float().mean():.0%} of noise")

# %% [markdown]
# The networks are plain layers: $G$ goes 32 noise numbers → 256 → 256 → 64 pixels, $D$
# 64 pixels → 256 → 256 → one logit, with your deviation of exercise 01.6 beside the
# pixels. (A GPU gets wider layers.) One thing is borrowed from lesson 02: $G$'s
# hidden layers are **batch-normalized**, that is, each of their numbers is shifted and
# scaled to mean 0 and deviation 1 over the minibatch. After half of the steps the
# learning rate begins to fall to 0.
#
# Your Algorithm 1 and your losses do the work. Watch the pictures, which are redrawn ten
# times on the way.

# %% tags=["live"]
torch.manual_seed(0)
gan = Gan.from_preset(run.preset, play=algorithm_1, generator_loss=generator_loss,
                      discriminator_loss=discriminator_loss,
                      deviation=with_deviation)
source, steps = Digits(gan.settings["batch_size"]), gan.settings["steps"]


def show(gan, history):
    """What the generator draws from the same noise, each time we look."""
    when = f"step {history.step:,}" if history.step else "as shipped"
    return grid(gan.sample(30), columns=15, title=f"GAN of digits, seed 0, {when}",
                smooth=True)


history = run.train(gan, source, steps, shipped="gan_digits", show=show,
                    seen="Grey noise becomes strokes, and strokes become digits.",
                    show_every=max(steps // 10, 1))

# %% [markdown]
# A page keeps the last look only, and who loads the shipped network sees no other. So
# `run.train` also shows the training that made the shipped one, as it was recorded: a row
# a look, from the same noise in each. Its losses are drawn here if yours weren't watched:

# %%
curves(history, title="The two losses of the GAN of digits, seed 0",
       marks={"D = 0.5: log 4": 1.3863, "log 2": 0.6931})

# %% [markdown]
# **What to see.** In the rows strokes become digits. In the curves,
# faint: each step (on record: the mean of 20); bold: a running mean. Where $D$ says 0.5
# everywhere, $D$'s loss is $\log 4$ and $G$'s is $\log 2$ (dotted). Both begin near their
# dotted line and leave it: after a restless start (some 500 steps) $D$'s loss sinks and
# $G$'s rises, so $D$ keeps a lead, and the lead grows while the pictures get *better*. (That the curves cross means nothing: they
# count different things.)
#
# So the losses say little: each player's depends on how good the other is. Nothing in
# these curves tells you when the pictures are good; that is why we measure.

# %%
gan.rng = torch.Generator(gan.device).manual_seed(1)
drawn = gan.sample(1000).cpu()
counts = reader.counts(drawn)
print(f"clear: {counts.sum() / 1000:.0%};  digits among them: {(counts > 0).sum()} of 10")
print(f"most often a {counts.argmax()} ({counts.max()}), least often a "
      f"{counts.argmin()} ({counts.min()})")
bars([str(digit) for digit in range(10)], {"clear, as this digit": counts}, "digit",
     "of 1000 drawn", "What the GAN of digits draws, seed 0",
     marks={"if all were equal": counts.sum().item() / 10})

# %%
grid(drawn[:60], columns=15, title="Drawn by your GAN after its last step (seed 0)",
     smooth=True)

# %% [markdown]
# **What to see.** Most of the pictures can be read; the rest, as the share of clear ones
# above says, are blots or digits that never were. In the bars no digit is missing, so $G$
# has not collapsed; but it has its favourites, named above the bars.
#
# ### Copied, or made up?
#
# A generator could learn the training digits by heart. Beside each drawn digit, here is the
# nearest real training digit; and a number: how far away is it, compared with the nearest
# one of a real digit that was held out?

# %%
near = torch.cdist(drawn[:15].flatten(1), reader.known).argmin(1)
pairs = torch.cat([drawn[:15], reader.known[near].view(-1, 1, 8, 8)])
middle = reader.distance(drawn).median()
print(f"median distance to the nearest training digit: drawn {middle:.2f}, "
      f"held-out real {reader.typical:.2f}")
grid(pairs, columns=15, title="Is it copied? Drawn digits and the nearest of training",
     rows=["drawn", "nearest"], smooth=True)

# %% [markdown]
# **What to see.** The pairs resemble each other, some closely. But in the median
# the drawn digits are at least as far from the training set as new handwriting is. So they
# are not copies, at least not most of them. Not all of the distance is invention, though: a blot is far from every
# digit too.

# %% [markdown]
# ## 8. Measured
#
# The same questions, measured by the course's benchmark over five seeds each. The first
# row asks section 3's question with other noise, so its number differs a little from
# yours. Close points: their share of all. Digits: of 1,000 drawn ones; seed 0 is the
# network of section 7 that ships; your own run, on two cores, differs a little.

# %%
rows = {"gradient of -log D / gradient of log(1 - D), D trained for 300 steps":
        seeds_row(values(found, "gradient/after 300 steps", "ratio"), 0)}
for name, way in ways.items():
    after_1500 = [modes[2] for modes in way]
    rows[f"modes of 8 after 1,500 steps, {name}"] = seeds_row(after_1500, 1)
    for what, measure, digits in (("modes of 8", "modes", 1), ("close points", "close", 2)):
        reached = values(found, f"ring/{name}", measure)
        rows[f"{what} after 4,000 steps, {name}"] = seeds_row(reached, digits)
for what, measure, digits in (
        ("share that is clear", "clear", 2), ("how many of the ten appear", "digits", 1),
        ("the rarest one, of 1,000", "fewest", 0),
        ("median distance to a training digit", "distance", 2)):
    rows[f"digits: {what}"] = seeds_row(values(found, "digits/gan", measure), digits)
Table(["mean ± deviation", "least", "greatest", "seeds"], rows,
      "t2i reproduce 01, on a CPU")

# %% [markdown]
# Published numbers beside them? There is none to print: the 2014 paper measured how likely
# the test digits of MNIST are under a density estimated from its samples, and papers on
# collapse counted modes on rings and grids of other sizes, with other networks and
# schedules (Lin et al. 2018 for one), so neither can be set beside our clear digits of
# 8 x 8 pixels and the modes of this ring.
#
# **To be honest.** The ring shows that collapse happens and that a look at the batch
# helps *here*; it doesn't show that it helps everywhere: eight bumps in a plane are
# far from faces. The learning rates and the momentum were chosen so that the collapse
# lasts long enough to be seen. And "clear" is our own measure: close to a training
# digit in pixels, which a copy would be as well.

# %% [markdown]
# ## 9. What goes wrong, and what comes next
#
# Slide GM-33 sums up: *beautiful samples*, but *trickier and more unstable to train*, and
# you can't ask a GAN for $p(x)$, how likely a picture is, nor for $p(z|x)$, which noise made
# it. You have seen the reasons: a gradient that vanishes, a game that circles, a player
# that repeats itself. One failure is left. Here is the same GAN at a size where people
# would want their digits, for a quarter of the steps above (`cool=0` leaves the learning
# rate as it is to the end). Its data are the same digits enlarged to 28 × 28 (the real
# ones, in the first row, are smooth), and the figure shows every pixel as it is.

# %% tags=["live"]
torch.manual_seed(0)
large = Gan.from_preset(run.preset, shape=(1, 28, 28), cool=0)
enlarged = Digits(large.settings["batch_size"], side=28)
fit(large, enlarged, run.choose(4, 1000))
some, made = enlarged.pictures()[:15], large.sample(30).cpu()
print(f"neighbouring pixels differ by {speckle(some):.2f} in real digits, "
      f"by {speckle(made):.2f} in drawn ones")
grid(torch.cat([some, made]), columns=15, rows=["real", "drawn", "drawn"],
     title="Plain layers at 28 x 28 pixels, step 1,000, seed 0")

# %% [markdown]
# **What to see.** Strokes, but with salt and pepper: each pixel has its own weights,
# and nothing in the network knows that neighbouring pixels belong together.
#
# Is it only a matter of patience? Here are five seeds of this run, and five of one that
# takes as many steps as section 7 and cools as it did. A drawn digit is clear here if it
# is when shrunk to 8 x 8 pixels, which averages the speckle away:

# %%
held = Digits(split="held-out", side=28).pictures()
rows = {"real, held out": [clear_digits(reader, held), speckle(held)]}
for name in ("1,000 steps", "4,000 steps, cooled"):
    rows[f"drawn after {name}"] = [with_spread(values(found, f"wide/{name}", measure))
                                   for measure in ("clear", "speckle")]
Table(["share that is clear", "neighbouring pixels differ by"], rows,
      "drawn: mean ± deviation over seeds; t2i reproduce 01 wide")

# %% [markdown]
# More steps make better digits with less salt and pepper, but real digits are still out of
# reach in the second column. Patience doesn't teach a network what a neighbour is. Lesson
# 02 builds networks that know it from the start, of convolutions, and measures what
# becomes of the speckle.
#
# ### Questions
# <details><summary>1. Your discriminator's loss is 0.01 after a thousand steps. Good
# news?</summary>No. D tells everything apart: each time G is found out. Under the game's own
# loss its gradient is then close to zero, and it can't learn any more; under -log D the
# gradient stays long, but all that G does is called wrong, so it hardly hears what was
# better. A lead of D is another matter: in section 7 D's loss sank from log 4 = 1.39 to less
# than 1, and G still fooled it often enough to learn.</details>
# <details><summary>2. D says 0.5 everywhere. Has G won?</summary>Perhaps, or D is too weak
# or has not been trained: a D that knows nothing says 0.5 too. Train a fresh D against the
# resting G and see.</details>
# <details><summary>3. Why does exercise 01.4 detach the fake, if only D is stepped
# anyway?</summary>Without it the backward pass would go through G for nothing, and in a
# plain PyTorch loop the gradients would pile up in G's weights until its own
# turn.</details>
# <details><summary>4. Would a smaller learning rate stop the circling of
# V = xy?</summary>No: simultaneous steps grow by sqrt(1 + rate^2) at each step, less but
# always; alternating ones stay on an ellipse of any size.</details>
# <details><summary>5. Could G cheat the deviation of exercise 01.6?</summary>Yes: two
# points far apart vary as much as eight. It says how much a batch varies, not how. It is a
# hint to D, not a cure.</details>
#
# ### To read
# - Goodfellow et al., *Generative Adversarial Nets*, 2014: section 4 for the proofs of what
#   you measured in part 2.
# - Salimans et al., *Improved Techniques for Training GANs*, 2016: minibatch
#   discrimination.
# - Metz et al., *Unrolled Generative Adversarial Networks*, 2017: the ring, and another
#   remedy.
# - Mescheder et al., *Which Training Methods for GANs do actually Converge?*, 2018: V = xy
#   and beyond.
# - Kahng et al., *GAN Lab*, 2019: the playground's model.
#
# ### At the paper's scale
# `t2i train gan --preset paper` plays the same game with the networks of the authors'
# released MNIST configuration: $G$ 100 → 1200 → 1200 → 784 with ReLU, $D$ with two layers
# of 240 **maxout** units (each the largest of 5 linear functions), dropout of 0.2 at the
# input and 0.5 within, plain gradient steps with momentum, minibatches of 100. The file
# names no last step; 250 passes over 50,000 pictures are our choice. It runs on the digits
# above, drawn at 28 x 28. Their sizes:

# %% tags=["nbval-check-output"]
with torch.device("meta"):  # shapes only, no memory
    paper = Gan.from_preset("paper")
for name in paper.players:
    count = sum(p.numel() for p in paper.player(name).parameters())
    print(f"{name}: {count:,} parameters")
