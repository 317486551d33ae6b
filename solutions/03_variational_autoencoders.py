# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Variational autoencoders
#
# A picture has a cause that nobody saw. Learn the cause and the picture together.
#
# **What you will be able to do**
# - derive the lower bound that a VAE climbs, and say exactly how much it is too low;
# - draw a random number in such a way that a gradient finds its way back through it;
# - tell a likelihood from an error, and compare models in bits per pixel;
# - recognize posterior collapse latent number by latent number, and work against it;
# - measure blur, and test whether the codes lie where the prior wants them.
#
# **Time:** about a minute and a half of computing on two CPU cores, about two hours with the six
# exercises.
#
# **You need:** lesson 01 (the GAN game) and, for section 8, a look at lesson 02 (DCGAN).
# What a Gaussian density is, and the chain rule of derivatives.
#
# **Slides covered:** GM-1 (densities one can and can't compute), GM-2 (the bound), GM-3
# (the reparameterization trick), GM-4 (pros and cons), GM-5 (posterior collapse), GM-27
# (the adversarial autoencoder).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("03")

# %%
import math

import torch

from t2i_course.checks import check
from t2i_course.experiments import records, values
from t2i_course.measure import vae as measured
from t2i_course.measure.dcgan import draw, real_birds
from t2i_course.measure.obedience import accuracies
from t2i_course.measure.oracle import oracle
from t2i_course.measure.samples import detail, radial_power_spectrum, two_sample_test
from t2i_course.papers.aae import Aae
from t2i_course.papers.vae import BIRDS, GREY, PIXELCNN, Vae, log_normal
from t2i_course.show.curves import bars, curves, lines
from t2i_course.show.latent import LatentPlane, code_map, pad
from t2i_course.show.pictures import grid
from t2i_course.show.tables import Table, with_spread
from t2i_course.systems import shipped
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader, Digits

# %% [markdown]
# ## 1. What the GAN wouldn't say
#
# Lesson 01 ended with two questions that a GAN can't answer. How likely is this picture,
# $p(x)$? And which noise made it, $p(z|x)$? Slide GM-1 has two ways to a density:
#
# - **one pixel after the other** (the $n$ pixels of a picture $x$ are $x_1$ to $x_n$):
#
# $$p(x) = \prod_{i=1}^n p(x_i | x_1, \ldots, x_{i-1}) \tag{1}$$
#
#   Each factor is a small network's answer, so the product can be computed. That is
#   PixelCNN, lesson 04 (in code: [pixelcnn.py](../t2i_course/papers/pixelcnn.py));
# - **a hidden cause**: first $z$ is drawn from a simple distribution, the **prior**
#   $p(z) = \mathcal N(0, I)$, then the picture from $p_\theta(x|z)$, by a network, the
#   **decoder**, with weights $\theta$:
#
# $$p_\theta(x) = \int p(z) \, p_\theta(x|z) \, dz \tag{2}$$
#
# The second gives us a short description $z$ of each picture, its **latent** (hidden)
# vector with $D$ numbers. The price is that integral over all $z$: nobody can take it.
# ("Intractable", says the slide.)
#
# Why not just average $p_\theta(x|z)$ over random $z$? Because for a given picture of a 3
# almost every $z$ says something else, and its $p_\theta(x|z)$ is practically 0.
# Section 6 shows how badly that goes. We need someone who looks at $x$ and says where to
# search: the **encoder** $q_\phi(z|x)$, a second network, with weights $\phi$. It answers
# with a Gaussian: a mean $\mu$ and a deviation $\sigma$ for each latent number.

# %% [markdown]
# ## 2. The bound
#
# Take any $q(z|x)$, and multiply and divide by it under the integral (slide GM-2):
#
# $$\log p(x) = \log \mathbb E_{z \sim q}\left[\frac{p(x, z)}{q(z|x)}\right]
# \;\ge\; \mathbb E_{z \sim q}\left[\log \frac{p(x, z)}{q(z|x)}\right] =: \text{ELBO} \tag{3}$$
#
# with $p(x, z) = p(z) \, p(x|z)$. The $\ge$ is **Jensen's inequality**: the logarithm is
# bent downwards, so the log of an average is at least the average of the logs. ELBO
# stands for *evidence lower bound*; $\log p(x)$ is called the **evidence**.
#
# How much is lost? Write $p(x, z) = p(x) \, p(z|x)$ in the same line, and the difference
# is
#
# $$\log p(x) - \text{ELBO} = \mathbb E_{z \sim q}\left[\log \frac{q(z|x)}{p(z|x)}\right]
# = \text{KL}(q(z|x) \,\|\, p(z|x)) \ge 0. \tag{4}$$
#
# The **Kullback-Leibler divergence** KL$(q \| p)$ is that average of the log ratio: 0 if
# the two are equal, more than 0 otherwise. So the bound is exact where the encoder gives
# the true **posterior** $p(z|x)$, what can be known of $z$ after seeing $x$.
#
# Let us see (3) and (4) in a model so small that everything can be integrated: one $z$,
# one pixel $x = z + 0.5 \, \varepsilon$ with $\varepsilon \sim \mathcal N(0, 1)$, and
# $x = 1$ was seen. Then the true posterior is $\mathcal N(0.8, 0.2)$. (`normal` is the
# density with that mean and that *variance*; `trapezoid` adds up over a fine grid.)

# %% tags=["nbval-check-output"]
z = torch.linspace(-8, 8, 8001, dtype=torch.float64)


def normal(x, mean, variance):
    bell = torch.exp(-((x - mean) ** 2) / (2 * variance))
    return bell / math.sqrt(2 * math.pi * variance)


joint, posterior = normal(z, 0, 1) * normal(1.0, z, 0.25), normal(z, 0.8, 0.2)
print("q: mean, variance       ELBO   KL(q || posterior)    sum")
for mean, variance in ((0.0, 1.0), (0.8, 1.0), (0.8, 0.4), (0.8, 0.2)):
    q = normal(z, mean, variance)
    bound = torch.trapezoid(q * (joint.log() - q.log()), z)
    gap = torch.trapezoid(q * (q.log() - posterior.log()), z)
    print(f"{mean:13.1f} {variance:5.1f} {bound:13.4f} {gap:13.4f} {bound + gap:13.4f}")
print(f"log p(x) = {normal(torch.tensor(1.0), 0, 1.25).log():.4f}")

# %% [markdown]
# **What to see.** The sum is $\log p(x)$ in every row, whatever $q$ is. A worse $q$ only
# moves a part of it from the ELBO into the gap; in the last row $q$ is the posterior and
# the gap is 0.
#
# Now split $p(x, z)$ the other way, $p(z) \, p(x|z)$, and you get the form that is
# computed:
#
# $$\text{ELBO} = \underbrace{\mathbb E_{z \sim q}[\log p_\theta(x|z)]}_{\text{draw it
# again from } z} - \underbrace{\text{KL}(q_\phi(z|x) \,\|\, p(z))}_{\text{price of what }
# z \text{ says}} \tag{5}$$
#
# The first term wants $z$ to say all about $x$. The second takes a price for it: how far
# the encoder moves from the prior to say so, in **nats** (the unit of natural logarithms;
# divided by $\log 2$ it is bits). For a minibatch (slide GM-2): encode, draw one $z$ for
# each picture, decode, add both terms, go up by gradient. Three pieces are missing: a way
# to draw $z$, the price, and the likelihood $p(x|z)$. They are your next exercises.

# %% [markdown]
# ## 3. A draw with a way back
#
# We want the gradient of the first term with respect to the encoder's $\mu$ and $\sigma$.
# But between them and the decoder somebody throws dice. Watch what PyTorch knows of a
# number that was *drawn*:

# %% tags=["nbval-check-output"]
mu, sigma = torch.tensor(1.5, requires_grad=True), torch.tensor(0.5)
drawn = torch.distributions.Normal(mu, sigma).sample()
print("the draw knows where it comes from:", drawn.requires_grad)
try:
    drawn.square().backward()
except RuntimeError as error:
    print("backward says:", str(error).split(" and ")[0])

# %% [markdown]
# The draw is a number like any other; that it would have been larger with a larger
# $\mu$ is forgotten. No gradient, so the encoder would never learn. Slide GM-3's trick:
# throw the dice *elsewhere*, $\varepsilon \sim \mathcal N(0, I)$, and compute
#
# $$z = \mu + \sigma \, \varepsilon. \tag{6}$$
#
# That has the same distribution, and it is plain arithmetic: $\partial z / \partial \mu =
# 1$ and $\partial z / \partial \sigma = \varepsilon$.
#
# ### Exercise 03.1 · A draw with a way back (10 minutes, difficulty 2 of 5)
# The encoder doesn't give $\sigma$, which must be positive, but $\log \sigma^2$, which
# may be anything. Write $z$ from `mean` ($\mu$), `log_variance` ($\log \sigma^2$) and
# `noise` ($\varepsilon$).
#
# <details><summary>Hint 1</summary>exp(log_variance) is sigma squared. You need
# sigma.</details>
# <details><summary>Hint 2</summary>The root of exp(v) is exp(v / 2).</details>
# <details><summary>The idea of the answer</summary>The mean, plus exp(log_variance / 2)
# times the noise. No random function inside.</details>


# %% tags=["exercise"]
def reparameterize(mean, log_variance, noise):
    """z = mu + sigma * eps, slide GM-3. All of shape (B, D), and so is z."""
    ### BEGIN SOLUTION
    return mean + (log_variance / 2).exp() * noise
    ### END SOLUTION


# %% tags=["check"]
reparameterize = check("03.1", reparameterize)

# %% [markdown]
# Is the gradient right? Take $f(z) = z^2$: its mean is $\mu^2 + \sigma^2$, whose
# derivative with respect to $\mu$ is $2 \mu = 3$. There is a second way that needs no
# trick, because the *density* knows $\mu$: the average of $f(z) \cdot \partial \log q(z) /
# \partial \mu$, where $\partial \log q / \partial \mu = (z - \mu) / \sigma^2$. (It is the
# only way where $z$ can't be written as arithmetic.) Both, draw by draw:

# %%
mean, log_variance = torch.full((10_000, 1), 1.5), torch.full((10_000, 1), -1.386)
noise = torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0))
mean.requires_grad_()
z = reparameterize(mean, log_variance, noise)
(through_z,) = torch.autograd.grad(z.square().sum(), mean)
by_density = (z.square() * (z - mean) / log_variance.exp()).detach()
ways = {"through z = mu + sigma eps": through_z, "by the density": by_density}
for name, each in ways.items():
    print(f"{name:27} mean {each.mean():.2f}, deviation of one draw {each.std():.2f}")

# %% [markdown]
# **What to see.** Both average to about 3. But one draw by the density is off by more
# than twice its own size, and one through $z$ by a third. A VAE takes one draw a picture, so
# it wants the way that wobbles less.

# %% [markdown]
# ## 4. The price
#
# ### Exercise 03.2 · KL in closed form (10 minutes, difficulty 2)
# For one latent number, $q = \mathcal N(\mu, \sigma^2)$ against the prior
# $\mathcal N(0, 1)$. The log ratio of the two densities is
# $\log q(z) - \log p(z) = \frac{1}{2}\left(z^2 - \frac{(z - \mu)^2}{\sigma^2} - \log
# \sigma^2\right)$. Average it over $z \sim q$; you need that under $q$ the average of
# $(z - \mu)^2$ is $\sigma^2$, and that of $z^2$ is $\mu^2 + \sigma^2$. Keep the latent
# numbers apart, we will look at each.
#
# <details><summary>Hint 1</summary>The middle term averages to 1, whatever sigma
# is.</details>
# <details><summary>Hint 2</summary>sigma squared is exp(log_variance), and log sigma
# squared is log_variance itself.</details>
# <details><summary>The idea of the answer</summary>Half of mu squared plus sigma squared
# minus 1 minus log sigma squared. At mu = 0, sigma = 1 it must be 0.</details>


# %% tags=["exercise"]
def kl(mean, log_variance):
    """KL(N(mu, sigma^2) || N(0, 1)) of each latent number, in nats: (B, D) to (B, D)."""
    ### BEGIN SOLUTION
    return (mean**2 + log_variance.exp() - 1 - log_variance) / 2
    ### END SOLUTION


# %% tags=["check"]
kl = check("03.2", kl)

# %% [markdown]
# Don't trust a formula, check it. A divergence is an average over draws, so draw.
#
# ### Exercise 03.3 · KL by sampling (15 minutes, difficulty 3)
# The same number for one picture, all its $D$ latent numbers together, without the
# formula: draw $K$ vectors $z$ from $q$ with your exercise 03.1, and average
# $\log q(z|x) - \log p(z)$. `log_normal(z, mean, log_variance)` from the package gives
# the log density of each row of $z$ (its $D$ numbers added up), all three of shape
# $(K, D)$.
#
# <details><summary>Hint 1</summary>z = reparameterize(mean, log_variance, noise): shapes
# (D,) and (K, D) go together by themselves there. For log_normal use
# mean.expand_as(z).</details>
# <details><summary>Hint 2</summary>The prior has mean 0 and log variance 0:
# torch.zeros_like(z), twice.</details>
# <details><summary>The idea of the answer</summary>The mean over the K draws of the log
# density under q, minus that under the prior.</details>


# %% tags=["exercise"]
def kl_by_sampling(mean, log_variance, noise):
    """E_q[log q(z|x) - log p(z)]. mean, log_variance: (D,); noise: (K, D). A scalar."""
    ### BEGIN SOLUTION
    z = reparameterize(mean, log_variance, noise)
    zero = torch.zeros_like(z)
    under_q = log_normal(z, mean.expand_as(z), log_variance.expand_as(z))
    return (under_q - log_normal(z, zero, zero)).mean()
    ### END SOLUTION


# %% tags=["check"]
kl_by_sampling = check("03.3", kl_by_sampling)

# %%
mean, log_variance = torch.tensor([0.7, -1.2]), torch.tensor([-2.0, 0.3])
exact = kl(mean[None], log_variance[None]).sum()
random, numbers = torch.Generator().manual_seed(0), [2**k for k in range(1, 17)]
sampled = [kl_by_sampling(mean, log_variance, torch.randn(count, 2, generator=random))
           for count in numbers]
lines(numbers, {"by sampling": sampled}, "draws of z (K)", "nats", "KL of one Gaussian",
      log="x", marks={f"closed form: {exact:.3f}": exact.item()}, size=(7, 2.8)
      ).described("With more draws the curve wanders in to the dotted level.")

# %% [markdown]
# **What to see.** The draws wander in to the closed form. In training we use the formula:
# it is exact, where one draw is off by a nat and a half (the deviation of the single terms).
#
# A few prices to get a feeling, for one latent number:

# %% tags=["nbval-check-output"]
print("  mu   sigma    KL in nats   in bits")
for mu, sigma in ((0, 1), (0, 0.1), (0, 0.01), (0, 0.001), (2, 0.1)):
    v = torch.tensor([[2 * math.log(sigma)]])
    price = kl(torch.tensor([[float(mu)]]), v).item()
    print(f"{mu:4} {sigma:7} {price:12.3f} {price / math.log(2):9.3f}")

# %% [markdown]
# Saying nothing ($\mu = 0$, $\sigma = 1$) is free. Being ten times as precise costs less
# than two nats the first time, and $\log 10 = 2.3$ nats each further time. A mean far from
# the prior's costs, too.

# %% [markdown]
# ## 5. A likelihood, not an error
#
# The decoder paints a picture from $z$. How well does the real $x$ fit? Many programs use
# the squared error here. That is a choice of $p(x|z)$ in disguise, and it pays to say
# which:
#
# - **Bernoulli**: pixels are black or white, and the decoder gives each pixel's
#   probability of white (a logit). $\log p(x|z)$ is the sum of the log-probabilities of
#   what was seen: minus the binary cross-entropy of lesson 01. For pixels *between* black
#   and white it is no likelihood at all: it doesn't sum to 1;
# - **Gaussian**: the decoder gives each pixel's mean $m_i$, and one deviation $\sigma$
#   for all of them is learned too (the decoder's; not the encoder's $\sigma$ of before):
#
# $$\log p(x|z) = \sum_{i=1}^n \left(-\frac{(x_i - m_i)^2}{2 \sigma^2} - \log \sigma -
# \frac{1}{2}\log 2 \pi\right) \tag{7}$$
#
# With $\sigma = 1$ that is half the squared error and a constant. But nobody told the
# pixels to be off by 1; and $\sigma$ sets how much the error counts against the KL.
#
# ### Exercise 03.4 · A likelihood, not an error (10 minutes, difficulty 2)
# Write it, from `log_deviation` ($\log \sigma$; not squared this time), one value for
# each picture.
#
# <details><summary>Hint 1</summary>Compute all pixels at once, in the pictures' own
# shape; then .flatten(1).sum(1) gives one number a picture.</details>
# <details><summary>Hint 2</summary>(x - mean) * exp(-log_deviation) is the distance in
# deviations.</details>
# <details><summary>The idea of the answer</summary>Minus half the squared distance in
# deviations, minus log sigma, minus half of log 2 pi; the sum over pixels, never the
# mean: a mean would make the KL n times too heavy.</details>


# %% tags=["exercise"]
def gaussian_log_likelihood(mean, log_deviation, x):
    """log N(x; mean, sigma^2), (B,) nats; mean, x: (B, C, H, W); log sigma: a scalar."""
    ### BEGIN SOLUTION
    far = (x - mean) * (-log_deviation).exp()
    each = -(far**2) / 2 - log_deviation - math.log(2 * math.pi) / 2
    return each.flatten(1).sum(1)
    ### END SOLUTION


# %% tags=["check"]
gaussian_log_likelihood = check("03.4", gaussian_log_likelihood)

# %% [markdown]
# One trap is left. A density isn't a probability; it can be larger than 1. Suppose that a
# decoder knows a black corner (16 pixels, all exactly $-1$) perfectly:

# %% tags=["nbval-check-output"]
corner = torch.full((1, 1, 4, 4), -1.0)
for sigma in (1.0, 0.1, 0.01, 0.0001):
    log_p = gaussian_log_likelihood(corner, torch.tensor(sigma).log(), corner).item()
    print(f"sigma {sigma:6}: log p(x|z) = {log_p:7.1f} nats, "
          f"bits per pixel {-log_p / 16 / math.log(2):6.2f}")

# %% [markdown]
# *Minus* twelve bits a pixel, and as many less as you like: a density can pile up at the
# few values that pixels really take. Two honest ways out:
#
# - **dequantize**: add noise as wide as a grey level to the pictures, so that there are
#   no exact values to pile up at;
# - **round**: let the Gaussian draw be rounded to the nearest grey level. Then each level
#   has a *probability*, the part of the bell within half a level of it, and black and
#   white get all that lies beyond them.
#
# The digits have only 17 grey levels, and many pixels are exactly black. So the live
# network takes the second way. How much does the choice matter? (Both trained alike;
# **bits per pixel**: how many bits a picture costs, shared among its pixels. Fewer are
# better; section 6 explains how it is measured, here with $K = 64$ draws. A dequantized
# density times the width of a level, 1/8 here, is what the level gets: that adds
# $\log_2 8 = 3$ bits a pixel, and makes the two rows comparable.)

# %%
found = records("03")
rows = {f"Gaussian, {how}": [with_spread(values(found, f"grey/{name}", column), digits)
                             for column, digits in (("bits", 3), ("kl", 1))]
        for how, name in (("dequantized", "gaussian"), ("rounded", "rounded"))}
Table(["bits per pixel, held-out digits", "KL in nats"], rows,
      "mean ± deviation over seeds 0 1 2; t2i reproduce 03 grey")

# %% [markdown]
# The same pictures, the same networks, and more than a bit between them: a bell with one
# width for all pixels can't be both narrow for the black corners and wide for the grey
# edges. Rounded, a black corner costs next to nothing: the decoder puts the bell's mean below
# black, and all of the bell rounds to it. Never compare bits without
# asking which likelihood they come from.

# %% [markdown]
# ## 6. Digits
#
# Now everything together: 64 pixels → 400 hidden units → $\mu$ and $\log \sigma^2$ of 8
# latent numbers; your draw; 8 → 400 → 64 pixels. One player, no game: the loss is $-$ELBO
# of a minibatch. This is the whole forward pass of slide GM-2, with your functions of 03.1
# and 03.2 in it (`observe` rounds the pixels to the scans' 17 levels):

# %%
torch.manual_seed(0)
yours = {"reparameterize": reparameterize, "kl": kl}
vae = Vae.from_preset(run.preset, **GREY[run.preset], **yours).to(run.device)
held = Digits(split="held-out").pictures().to(run.device)


@torch.no_grad()
def elbo(vae, pictures):
    """The bound of each picture at one draw of z, slide GM-2: (B,), nats."""
    x = vae.decoder.observe(pictures)
    mean, log_variance = vae.encoder(x)
    z = reparameterize(mean, log_variance, torch.randn_like(mean))
    return vae.decoder.log_likelihood(x, z) - kl(mean, log_variance).sum(1)


print(f"before training, held-out digits: {elbo(vae, held).mean():.1f} nats a picture")

# %% [markdown]
# The package's `vae.round` does the same with a gradient. Watch the rows: what the
# decoder makes of 30 random $z$, the same each time.

# %% tags=["live"]
source, steps = Digits(vae.settings["batch_size"]), vae.settings["steps"]


def show(vae, history):
    """Pictures of the same noise, each time we look."""
    title = f"VAE of digits, seed 0, step {history.step or vae.settings['steps']:,}"
    return grid(vae.sample(30), columns=15, title=title, smooth=True)


course = run.train(vae, source, steps, shipped="vae_digits", show=show,
                   show_every=max(steps // 10, 1), seen="Grey blots become digits.")
print(f"after it, held-out digits: {elbo(vae, held).mean():.1f} nats a picture")

# %%
curves(course, title="-ELBO of a minibatch, nats a picture: VAE of digits, seed 0")

# %% [markdown]
# **What to see.** In the rows of the record, rough shapes become digits within
# seconds; in the curve, one number goes down, and lower is better. Compare with the two
# curves of lesson 01, from which no quality could be read: here the loss *is* the quality,
# up to the gap (4).
#
# The encoder answers the GAN's second question. Real held-out digits (above), and what
# the decoder makes of their $\mu$ (below):

# %%
fifteen = held[::15][:15]
grid(torch.cat([fifteen, vae.eval().reconstruct(fifteen)]), columns=15, smooth=True,
     rows=["real", "copy"], title="Held-out digits, through z and back: VAE, seed 0, step 3,000"
     ).described("Each copy is the digit above it, a little smoother.")

# %%
reader = DigitReader()
vae.rng = torch.Generator(vae.device).manual_seed(1)
drawn = vae.sample(1000).cpu()
print(f"clear: {reader.read(drawn)[1].float().mean():.0%} of 1000 pictures of random z")
digits = Digits(split="held-out").class_id
alike = reader.read(vae.reconstruct(held).cpu())[0] == digits
print(f"read as the digit that was encoded: {alike.float().mean():.0%} of the copies")
per_latent = vae.kl_per_latent(held).cpu()
bars(range(1, len(per_latent) + 1), {"nats": per_latent}, "latent number",
     "KL on held-out digits", "VAE of digits, seed 0, step 3,000: together "
     f"{per_latent.sum():.1f} nats a picture").described("No bar is near zero.")

# %% [markdown]
# **What to see.** Eight numbers are enough to bring back nearly every digit. In the bars all
# eight carry more than a nat: the price of section 4, paid on
# average. (`clear` is lesson 01's measure: as near to some training digit as 95 % of real
# new ones. So about three in ten random $z$ give no clear digit; section 9 asks why.)
#
# ### How likely is a picture?
#
# The first question: $p(x)$. The ELBO is a lower bound of its logarithm. There is a
# better one with the same networks. Draw $K$ vectors $z_k$ from $q$ and average *before*
# the logarithm (Burda et al. 2016):
#
# $$\log p(x) \ge \mathbb E \left[\log \frac{1}{K} \sum_{k=1}^K w_k\right], \qquad w_k =
# \frac{p(x, z_k)}{q(z_k|x)} \tag{8}$$
#
# The $w_k$ are **importance weights**; each is an estimate of $p(x)$ that is right on
# average. With $K = 1$ this is the ELBO. More draws make the average wobble less, and
# Jensen takes less away.
#
# ### Exercise 03.5 · A tighter bound (10 minutes, difficulty 3)
# Given are $\log w_k$, for $K$ draws along axis 0 and $B$ pictures along axis 1. Real
# weights are around $e^{-90}$ and may be $e^{-2000}$, where `exp` gives 0.
#
# <details><summary>Hint 1</summary>log of a mean = log of the sum, minus
# log K.</details>
# <details><summary>Hint 2</summary>torch.logsumexp(log_weights, 0) computes log of the
# sum of exp safely.</details>
# <details><summary>The idea of the answer</summary>logsumexp over the draws, minus
# math.log(K), for each picture.</details>


# %% tags=["exercise"]
def importance_bound(log_weights):
    """log of the mean weight, a bound of log p(x). (K, B) in nats. Returns (B,)."""
    ### BEGIN SOLUTION
    return log_weights.logsumexp(0) - math.log(len(log_weights))
    ### END SOLUTION


# %% tags=["check"]
importance_bound = check("03.5", importance_bound)

# %% [markdown]
# `vae.log_weights(pictures, K)` gives them. Beside it, the naive way of section 1: the
# same average with $z$ from the *prior* ($w = p(x|z)$), without any encoder.

# %%
counts = [4**k for k in range(run.choose(3, 6))]
x = vae.decoder.observe(held)


@torch.no_grad()
def blind_weights(count):
    """log p(x | z) at z of the prior: (count, B)."""
    draws = vae.noise(count, vae.latent)
    each = [vae.decoder.log_likelihood(x, z.expand(len(x), -1)) for z in draws]
    return torch.stack(each)


# %%
weights = vae.log_weights(held, counts[-1])
blind = blind_weights(counts[-1])
bits = {name: [-importance_bound(w[:count]).mean().item() / 64 / math.log(2)
               for count in counts]
        for name, w in (("z from the encoder", weights), ("z from the prior", blind))}
print("by the encoder:", *[f"{value:.3f}" for value in bits["z from the encoder"]])
print("by the prior:  ", *[f"{value:.3f}" for value in bits["z from the prior"]])
left = bits["z from the prior"][-1] - bits["z from the encoder"][-1]
print(f"with {counts[-1]:,} draws the prior's bound is still {left:.1f} bits above")
lines(counts, bits, "draws of z (K)", "bits per pixel, at most",
      "Held-out digits under the VAE, seed 0, step 3,000", log="x"
      ).described("The encoder's curve is nearly flat; the prior's falls, and stays above it.")

# %% [markdown]
# **What to see.** Both curves are upper bounds of the same number, the digits' true bits
# under this model. With the encoder even one draw is close, and more draws shave off
# less than a tenth of a bit: the gap (4). Without it, a thousand draws are still about half
# a bit off: that is what the encoder is for. (The horizontal axis is logarithmic.)
#
# ### A weight on the price: beta
#
# What if the KL counts $\beta$ times? $\beta = 1$ is the bound; a larger one asks for
# simpler codes (the $\beta$-VAE, Higgins et al. 2017), a smaller one for better copies.

# %%
columns = {"KL, nats": ("kl", 1), "squared error of copies": ("error", 3),
           "bits per pixel": ("bits", 3), "share of clear samples": ("clear", 2)}
rows = {f"beta = {beta}": [with_spread(values(found, place, key), digits)
                           for key, digits in columns.values()]
        for beta, place in ((0.2, "beta/0.2"), (1, "grey/rounded"), (5, "beta/5"))}
Table(list(columns), rows, "mean ± deviation over seeds 0 1 2, held-out digits; "
      "t2i reproduce 03 beta (and 03 grey)")

# %% [markdown]
# **What to see.** Going down the rows $z$ says less, and the copies get worse. The bits
# are fewest at $\beta = 1$, as they should be: only there the loss is the bound itself.
# (The squared error alone would choose $\beta = 0.2$; as a model of digits it is the
# worse one.) A surprise is in the last column: samples are clearest where $z$ says
# *least*. (Perhaps the codes of all digits then lie so close together on the prior that
# hardly a draw falls between them. We haven't tested it, so we don't know.) Bits, copies
# and samples are three wishes; none stands for another.

# %% [markdown]
# ## 7. When z falls silent
#
# The decoder above paints each pixel alone, given $z$. What if we take a stronger one?
# Slide GM-5 warns: a PixelCNN (section 1's first way) predicts each pixel from those
# before it, and so can model digits *without* any $z$. We give it $z$ as an extra input,
# and see whether it listens. Digits in black and white, the same encoder, as many steps;
# only the decoder differs: MLP (each pixel alone, Bernoulli) or PixelCNN.

# %%
def black_and_white(shipped, **settings):
    """A VAE of black and white digits, trained or loaded."""
    torch.manual_seed(0)
    vae = Vae.from_preset(run.preset, **settings).to(run.device)
    run.train(vae, Digits(vae.settings["batch_size"]), vae.settings["steps"],
              shipped=shipped)
    return vae.eval()


# %% tags=["live"]
mlp = black_and_white("vae_mlp", rate=3e-3, steps=run.choose(4, 800))
pixelcnn = black_and_white("vae_pixelcnn", **PIXELCNN[run.preset])

# %%
def kl_of(vae):
    """Nats of each latent number on held-out digits, the largest first."""
    return vae.kl_per_latent(held).cpu().sort(descending=True).values


groups = {"MLP": kl_of(mlp), "PixelCNN": kl_of(pixelcnn)}
for name, nats in groups.items():
    print(f"{name}: {nats.sum():.2f} nats in all")
bars(range(1, vae.latent + 1), groups, "latent number, the largest first", "KL in nats",
     "Black and white digits, seed 0, step 800"
     ).described("All of the MLP's bars stand; the PixelCNN's are flat but for one or two.")

# %% [markdown]
# **What to see.** With the MLP (the decoder of plain layers that you know) all latent numbers
# carry something of the digit. With the PixelCNN one or two still speak (by more than a
# tenth of a nat), and the others are
# silent: they lie on the prior. That is **posterior
# collapse**. Does it matter? Encode real digits, and let each decoder draw from their
# codes:

# %%
copies = {"real": torch.where(held > 0, 1.0, -1.0)}
for name, network in {"MLP": mlp, "PixelCNN": pixelcnn}.items():
    network.rng = torch.Generator(network.device).manual_seed(0)
    copies[name] = network.reconstruct(held)
for name, pictures in copies.items():
    share = (reader.read(pictures.cpu())[0] == digits).float().mean()
    print(f"{name}: {share:.0%} read as the digit that was encoded")
grid(torch.cat([copies[name][::30][:12] for name in ("real", "MLP", "PixelCNN")]), columns=12,
     rows=["real", "MLP", "PixelCNN"], title="Drawn from the codes of real digits, seed 0, step 800"
     ).described("The MLP's grey copies resemble the real digits; the PixelCNN's crisp ones often don't.")

# %% [markdown]
# **What to see.** The MLP's copies (grey: its probabilities) are mostly of the digit above
# them. The PixelCNN's are black or white, and mostly of *another* digit (a guesser would be right
# one time in ten): it draws what it likes. As a model of digits it may be as good as the
# MLP (a table below), but as a
# description of this picture its $z$ is worth little.
#
# Why? Early on $z$ is noise to the decoder, while the pixels before are useful at once.
# So it learns from those, and the KL is a cost without a gain: the encoder lowers it
# nearly to zero (slide GM-5). If so, a cheaper KL at the start should help; see below. Once
# $q(z|x)$ is the prior for every $x$, there is nothing to listen to any more.
#
# Two remedies. **Warm-up** (Bowman et al. 2016): let $\beta$ of section 6 rise from 0 to
# 1 over the first steps, so that talking is free until the decoder has learned to
# listen. **Free bits** (Kingma et al. 2016): never charge a latent number for less than
# $\lambda$ nats.
#
# ### Exercise 03.6 · Free bits (10 minutes, difficulty 3)
# From the KL of a batch, `kl` of shape $(B, D)$, make the price to pay: for each latent
# number its mean over the batch, but at least `least` ($\lambda$). Below that the price
# is constant, so no gradient pushes the KL further down. Keep the row's shape, $(1, D)$.
#
# <details><summary>Hint 1</summary>First the mean over the pictures, then the
# floor.</details>
# <details><summary>Hint 2</summary>mean(0, keepdim=True) gives (1, D); clamp_min puts a
# floor under it.</details>
# <details><summary>The idea of the answer</summary>max(mean KL, least), number by number.
# clamp_min has no gradient where it holds.</details>


# %% tags=["exercise"]
def free_bits(kl, least):
    """max(mean over the batch, least) of each latent number. (B, D) to (1, D)."""
    ### BEGIN SOLUTION
    return kl.mean(0, keepdim=True).clamp_min(least)
    ### END SOLUTION


# %% tags=["check"]
free_bits = check("03.6", free_bits)

# %% tags=["live"]
freed = black_and_white("vae_free_bits", **PIXELCNN[run.preset], free=0.5,
                        floor=free_bits)

# %%
bars(range(1, vae.latent + 1), {"PixelCNN, free bits": kl_of(freed)},
     "latent number, the largest first", "KL in nats", "With free bits, seed 0, step 800",
     marks={"free: half a nat": 0.5}).described("All bars end near the dotted level.")

# %%
freed.rng = torch.Generator(freed.device).manual_seed(0)
heard = {"real": copies["real"], "without": copies["PixelCNN"],
         "free bits": freed.reconstruct(held)}
share = (reader.read(heard["free bits"].cpu())[0] == digits).float().mean()
print(f"with free bits: {share:.0%} read as the digit that was encoded")
grid(torch.cat([each[15::30][:12] for each in heard.values()]), columns=12, rows=list(heard),
     title="Twelve other digits: PixelCNN without and with free bits, seed 0, step 800"
     ).described("With free bits more of the draws are the real digit of their column.")

# %% [markdown]
# **What to see.** Each latent number now carries about the half nat that is free (and
# hardly more: beyond it, it would have to pay). And more of the PixelCNN's
# draws are of the digit that was encoded: count the columns, or read the printed share.
# Over seeds, and with warm-up too (400 of the 800 steps;
# "pixels kept": the share that is the same after encoding and drawing anew; of the MLP, which
# this flatters a little, its most probable pixels are taken in place of a draw):

# %%
columns = {"KL, nats": ("kl", 2), "bits per pixel": ("bits", 3),
           "pixels kept": ("kept", 3)}
kinds = {"MLP": "mlp", "PixelCNN": "pixelcnn", "PixelCNN, warm-up": "warm-up",
         "PixelCNN, free bits": "free bits"}
rows = {name: [with_spread(values(found, f"collapse/{kind}", key), digits)
               for key, digits in columns.values()] for name, kind in kinds.items()}
Table(list(columns), rows, "mean ± deviation over seeds 0 1 2, held-out digits in black "
      "and white; t2i reproduce 03 collapse")

# %%
half = len(held) // 2
same = (held[:half] > 0) == (held[half:] > 0)
print(f"pixels that two unrelated digits share: {same.float().mean():.2f}")

# %% [markdown]
# **What to see.** Read the columns together. Left alone, the PixelCNN hears about a sixth
# of what the MLP hears, and keeps barely more pixels than two unrelated digits share by
# chance (printed below the table). And its bits? About the MLP's. That is the trap: **the
# loss doesn't show the collapse**; it asks for a good model of $x$, by whatever means. Look
# at the KL, number by number.
#
# With either remedy $z$ speaks again, and the bits are the *fewest* of the table: the best
# model uses both, $z$ for the whole and the pixels before for the details. So the
# collapse was no wisdom of the bound. It was a place where training got stuck.

# %% [markdown]
# ## 8. Birds
#
# Now colour: the course's birds at 32 x 32, convolutions in place of plain layers, and a
# dequantized Gaussian likelihood (256 levels, so that no level is special).

# %% tags=["live"]
torch.manual_seed(0)
painter = Vae.from_preset(run.preset, **BIRDS[run.preset], **yours).to(run.device)
size, steps = painter.shape[-1], painter.settings["steps"]
birds = Birds("train", size, painter.settings["batch_size"])


def show(painter, history):
    """Birds of the same noise, each time we look."""
    title = f"VAE of birds, seed 0, step {history.step or painter.settings['steps']:,}"
    return grid(painter.sample(16), columns=8, title=title).described(
        "Soft birds; some stand in a haze, some have fallen apart.")


painted = run.train(painter, birds, steps, shipped="vae_birds_32", show=show,
                    show_every=max(steps // 8, 1))

# %%
unseen = Birds("test", size).all(run.choose(64, 500)).to("cpu")
again = painter.eval().reconstruct(unseen.image.to(painter.device)).cpu()
learned_sigma = painter.decoder.log_deviation.exp().item()
print(f"the decoder's sigma, learned: {learned_sigma:.3f} (pixels go from -1 to 1)")
for name, share in accuracies(oracle(size).read(again), unseen.attributes).items():
    print(f"the oracle reads it as it was in {share:.0%} of the copies: {name}")
every = len(again) // 8
grid(torch.cat([unseen.image[::every][:8], again[::every][:8]]), columns=8, rows=["real", "copy"],
     title="Unseen species, through z and back: VAE of birds, seed 0, step 3,000"
     ).described("The copies keep place, pose and large colours; beaks and feet are soft.")

# %% [markdown]
# **What to see.** Much of a bird comes back, of species that were never seen: the habitat
# and the belly's colour nearly always, as the oracle of lesson 00 reads the copies. What is
# small comes back least, the bars on the wing (a guesser is right every second time) and
# the beak's colour: edges are soft, beak and feet are washed out. Of random $z$ (the figure
# before) some birds stand in a haze, others have fallen apart: section 9 comes back to it.
#
# Why? For a given $z$ many pictures are possible: the beak a little higher, the wing's
# edge a little further left. A Gaussian's best single answer is their *mean*, and the
# mean of many sharp edges is a soft one. The discriminator of a GAN can learn to see that;
# the squared distance rewards it. Slide GM-4 lists it first among the cons.
#
# ### Blur, measured
#
# A picture is a sum of waves. Slow ones (few **cycles**, ups and downs, across the
# picture) make the broad areas, fast ones the edges. The **power spectrum** says how much
# of each there is; blur takes the fast ones. Beside the VAE: real birds, and the DCGAN of
# lesson 02 at 32 x 32.

# %%
count = run.choose(64, 2000)
heaps = {"real": real_birds(count).float() / 127.5 - 1,
         "DCGAN": draw(shipped("dcgan_32"), count), "VAE": draw(painter, count)}
random = torch.Generator().manual_seed(0)
noise = torch.randn(heaps["VAE"].shape, generator=random)
heaps["VAE, with its noise"] = (heaps["VAE"] + learned_sigma * noise).clamp(-1, 1)
grid(torch.cat([heap[16:24] for heap in heaps.values()]), columns=8, rows=list(heaps),
     title="Birds at 32 x 32, seed 0: DCGAN of lesson 02, VAE at step 3,000"
     ).described("The DCGAN's edges are crisp, the VAE's soft, its noise a grain over all.")

# %%
spectra = {name: radial_power_spectrum(heap)[1:] for name, heap in heaps.items()}
for name, heap in heaps.items():
    ratio = spectra[name] / spectra["real"]
    print(f"{name:20} variance above {size // 4} cycles: {detail(heap):.3f}; power beside real: "
          + ", ".join(f"{ratio[k - 1]:.2f} at {k}" for k in (1, 3, size // 2)))
lines(range(1, size // 2 + 1), spectra, "cycles across the picture", "power",
      "Power spectra of the four rows", log="xy", outside=True, size=(8.2, 3.2)
      ).described("The VAE's curve falls away below the others at the right.")

# %% [markdown]
# **What to see.** The DCGAN's curve stays close to the real one. The VAE's lies below it
# everywhere: by nearly half at one cycle (its broad areas are paler), least at three, and
# from there more and more towards the right, where the edges are: at 16 cycles about a fifth
# is left (the axes are logarithmic). The fourth row
# of pictures is what the model *really* says: a Gaussian draw is its mean plus noise of
# deviation $\sigma$. Its curve ends flat, as noise does: what the mean lacks in edges,
# the model believes to be grain. (So everybody shows the means.)
#
# Now with the Fréchet distance beside it (lesson 02's FID by the oracle, to 2,000 real
# birds; 0 is best):

# %%
names = {"real birds, others": "real", "DCGAN": "dcgan", "VAE": "vae"}
rows = {name: [with_spread(values(found, f"birds/{kind}", key), digits)
               for key, digits in (("detail", 3), ("distance", 0), ("score", 1))]
        for name, kind in names.items()}
Table(["variance in fast waves", "Fréchet distance", "inception score"], rows,
      "2,000 pictures each; VAE: seeds 0 1 2; DCGAN: one network, three sets of noise; "
      "t2i reproduce 03 birds")

# %% [markdown]
# **What to see.** The first row is the yardstick: other real birds. The VAE has about half
# of their fast waves, the DCGAN most of them, and its Fréchet distance is about a
# third of the VAE's. The inception score agrees. No column alone would do: the VAE *with its
# noise*, above, has more fast waves than real birds, and they are grain.

# %% [markdown]
# ## 9. A GAN for codes
#
# One thing isn't right yet. You have seen it: about three in ten of section 6's random $z$
# gave no clear digit, and some birds fell apart. To draw new pictures we take $z$ from the
# prior. But the decoder has learned from codes of *pictures*. All of those together are
# the **aggregate posterior** $q(z) = \frac{1}{N} \sum_j q(z | x^{(j)})$, over the $N$ pictures
# $x^{(j)}$ of the training. Where prior and
# aggregate posterior differ, we draw from places where no picture ever was, and get
# blots. A VAE pulls *each* picture's codes to the prior, which isn't the same.
#
# The **adversarial autoencoder** (Makhzani et al. 2015, slide GM-27) asks for just that:
# a GAN in the space of codes. Let $f$ be the encoder, $g$ the decoder, $C$ a
# discriminator of codes (the slide's $D$, which counts latent numbers here). Three turns a
# round, as `round` of [aae.py](../t2i_course/papers/aae.py) has them:
#
# 1. $f$ and $g$ go down the squared error $\|x - g(f(x))\|^2$;
# 2. $C$ learns to tell draws of the prior (real) from codes $f(x)$ (fake);
# 3. $f$ alone learns to fool $D$: the non-saturating loss of lesson 01.
#
# No density of codes is needed, no KL; and no bound of $p(x)$ comes out. Two latent
# numbers, so that we can look at all of it; a VAE with two beside it.

# %% tags=["live"]
torch.manual_seed(0)
plane = Vae.from_preset(run.preset, **GREY[run.preset] | {"latent": 2}).to(run.device)
run.train(plane, source, plane.settings["steps"], shipped="vae_plane")
torch.manual_seed(0)
aae = Aae.from_preset(run.preset).to(run.device)
game = run.train(aae, Digits(aae.settings["batch_size"]), aae.settings["steps"],
                 shipped="aae_digits")

# %%
curves(game, title="AAE of digits, seed 0") if game else None

# %%
both = {"VAE": plane.eval(), "AAE": aae.eval()}
codes = {name: system.encode(held).cpu() for name, system in both.items()}
code_map({f"{name}, seed 0, step 3,000": each for name, each in codes.items()}, digits
         ).described("Islands of digits; the VAE's reach farther out than the AAE's.")

# %% [markdown]
# **What to see.** In the curves (there are some where the training was live) the
# discriminator's loss settles at $\log 4 = 1.386$, and the encoder's for fooling it
# (`autoencoder.encoder`) at $\log 2 = 0.693$: lesson 01's equilibrium, where $C$ can't tell.
# The third, `autoencoder`, is the squared error of the copies.
# Then the codes: each dot is that of a held-out digit, coloured by which digit it
# is (nobody told the networks). Inside the dotted circles lie 39 % and 86 % of the prior.
# Both make islands of digits; the question is how well the islands together fill the
# round cloud of the prior.
#
# Eyes are easily fooled; a **two-sample test** isn't. Put 454 codes and 454 draws of the
# prior side by side. The **maximum mean discrepancy** asks whether codes are, on average,
# nearer to codes than to draws of the prior (near by a bell of distance, at several
# widths). Then shuffle the labels 500 times: $p$ is the share of shuffles that come out
# at least as far apart. A small $p$ says: these are two distributions.

# %%
for name, system in both.items():
    test = measured.codes_and_prior(system)
    print(f"{name}: distance {test.distance:.4f}, p = {test.p:.3f}")
codes_of_birds = painter.encode(unseen.image.to(painter.device)).cpu()
draws = torch.randn(codes_of_birds.shape, generator=torch.Generator().manual_seed(1))
test = two_sample_test(codes_of_birds, draws, seed=0)
print(f"section 8's birds, {painter.latent} numbers: distance {test.distance:.4f}, p = {test.p:.3f}")

# %%
columns = {"distance to the prior": ("distance", 4),
           "squared error of copies": ("error", 3),
           "share of clear samples": ("clear", 2)}
rows = {name: [with_spread(values(found, f"codes/{kind}", key), digits)
               for key, digits in columns.values()]
        + [" ".join(f"{p:.3f}" for p in values(found, f"codes/{kind}", "p"))]
        for name, kind in (("VAE", "vae"), ("AAE", "aae"))}
Table([*columns, "p of seeds 0 1 2"], rows, "mean ± deviation over seeds, two latent "
      "numbers, held-out digits; t2i reproduce 03 codes")

# %% [markdown]
# **What to see.** The AAE's codes are two to seven times nearer to the prior than the VAE's,
# seed by seed, as its game asks; and its copies are about as good. But look at the last column:
# the $p$ of both are small. The test still tells the AAE's codes from draws of the prior,
# only less surely. Nearer, then, not equal. (Perhaps two latent numbers are tight for ten
# digits, and islands
# leave gaps; we haven't tested it.) The printed line for birds says the same of section 8: codes
# and prior differ. The AAE's samples don't suffer, as the third column says. With only two
# numbers there is little room to miss, so nearly all of the VAE's are clear already, by a
# measure that lets some blots through: the gain is in the codes.

# %% [markdown]
# ## 10. Play: go through the plane
#
# With two latent numbers one can see *all* that a network can draw. First the VAE's
# plane on paper:

# %%
lab = LatentPlane(both, reader)
lab.figure("VAE", "Every z from -2.5 to 2.5: VAE with two numbers, seed 0, step 3,000"
           ).described("Regions of one digit pass into the next through shapes in between.")

# %% [markdown]
# **What to see.** Each place draws one picture, and neighbours draw similar ones. Between
# two islands a digit turns into another, through shapes that may be neither. Now move the
# two sliders: the red frame follows, your $z$ in both networks at once, with the picture
# below and what the reader of lesson 01 makes of it. You begin at (0, 0), with blots to
# your eye; yet the reader says "clearly", for it only asks how near the closest training
# digit is. Look for blots of your own, by eye, and find them on the map of codes above. Is
# the place an empty one, or does it lie between two colours?

# %%
pad(lab)

# %% [markdown]
# ## 11. Measured, and what it can't show
#
# Every table above was made by `t2i reproduce 03` over seeds 0, 1, 2, on one
# thread of a CPU. What did a training take?

# %%
times = {"digits, 17 grey levels": "grey/rounded", "black and white, MLP": "collapse/mlp",
         "black and white, PixelCNN": "collapse/pixelcnn", "VAE, two numbers": "codes/vae",
         "AAE, two numbers": "codes/aae", "birds at 32 x 32": "birds/vae"}
Table(["seconds"], {name: [with_spread(values(found, place, "seconds"), 0)]
                    for name, place in times.items()},
      found["grey"]["rounded"]["hardware"])

# %% [markdown]
# **Published numbers beside them?** Slides GM-4 and GM-5 give statements, not numbers:
# samples are blurrier than a GAN's, the bound is not as good an evaluation as PixelCNN's
# likelihood, a powerful decoder may ignore $z$. The first and the last you have seen in
# miniature; the second is lesson 04's, on these very digits. The papers' own figures are
# for MNIST and natural images with other likelihoods, and bits of other data can't be set
# beside ours.
#
# **To be honest.** 1,343 training digits are few. Three seeds show a spread, no more.
# "Clear" is closeness to training digits,
# which a copy would have too. And the course's birds are drawn, with flat colours: what
# blur costs on
# photographs, with fur and leaves, these numbers can't say.

# %% [markdown]
# ## 12. What goes wrong, and what comes next
#
# You have both answers now that the GAN couldn't give: bits for a picture, and a code
# for it. Slide GM-4's pros and cons: a principled bound, and inference of $z$; but only
# a bound, and blur.
#
# Two failures are left open, and they pull against each other. A *weak* decoder (each
# pixel alone) needs $z$ and blurs: the birds above. A *strong* one (PixelCNN) is sharp
# and lets $z$ fall silent: section 7; and our two remedies bring back only a part of what
# the MLP's $z$ said. Can one have sharp pictures *and* codes that say something?
#
# **Lesson 04** finds a way out. Its codes are not drawn from a Gaussian that may drift
# onto the prior, but looked up in a dictionary: each place of the picture names one of
# $K$ entries, which can't be shaded down to nothing. The strong PixelCNN comes back too,
# as the *prior* over such codes, where it can't drown anything out.
#
# ### Questions
# <details><summary>1. The KL term of your VAE is 0.00 after a thousand steps. Good
# news?</summary>No. q(z|x) is the prior for every x: z says nothing, the posterior has
# collapsed. The bound may still be fine, if the decoder is strong; as an encoder it is
# useless.</details>
# <details><summary>2. Someone uses the mean squared error over pixels, plus the KL summed
# over latent numbers. What have they done?</summary>They divide the first term by the
# number of pixels n (and fix sigma): the KL weighs n times too much, as with beta = n.
# With 32 x 32 x 3 = 3,072 numbers that is a sure way to collapse.</details>
# <details><summary>3. Model A has -3.1 bits per pixel, model B 1.9, on the same pictures.
# Is A better?</summary>A's must be a density at exact levels, which can be as high as one
# likes; bits of a probability can't be negative. Ask for dequantized or rounded
# ones.</details>
# <details><summary>4. Why is the importance bound with K = 1,000 no loss to train with
# right away?</summary>It can be (that is the importance weighted autoencoder), at K times
# the decoder's work. But it trains the decoder; with many draws the encoder's gradient
# drowns in noise (Rainforth et al. 2018).</details>
# <details><summary>5. Suppose an AAE passes the two-sample test. Are its samples as good as its
# copies?</summary>Not necessarily. A large p only says that so many codes don't show a
# difference, and a decoder may still paint blots between two islands of codes.</details>
#
# ### To read
# - Kingma, Welling, *Auto-Encoding Variational Bayes*, 2014: section 2, and appendix B for
#   the KL.
# - Burda, Grosse, Salakhutdinov, *Importance Weighted Autoencoders*, 2016.
# - Bowman et al., *Generating Sentences from a Continuous Space*, 2016: collapse and
#   warm-up, in text.
# - Kingma et al., *Improved Variational Inference with Inverse Autoregressive Flow*, 2016:
#   free bits.
# - Makhzani et al., *Adversarial Autoencoders*, 2015.
# - Theis, van den Oord, Bethge, *A note on the evaluation of generative models*, 2016: why
#   bits, samples and copies needn't agree.
#
# ### At the paper's scale
# `t2i train vae --preset paper` trains the network of PyTorch's own example (784 → 400 →
# 20 → 400 → 784) on the digits drawn at 28 x 28, black and white;
# `t2i train vae --data birds --preset paper` a convolutional one at 64 x 64;
# `t2i train aae --preset paper` two hidden layers of 1000 in each network. On a GPU
# nobody has measured them yet.

# %% tags=["nbval-check-output"]
with torch.device("meta"):  # shapes only, no memory
    for kind in (Vae, Aae):
        paper = kind.from_preset("paper")
        count = sum(weight.numel() for weight in paper.parameters())
        print(f"{kind.__name__} at the paper preset: {count:,} parameters")
