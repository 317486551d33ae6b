# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Deep convolutional GANs
#
# Five rules that let a GAN draw pictures, and what three of them are worth.
#
# **What you will be able to do**
# - read the networks of DCGAN as five rules, and write the three parts that matter by hand:
#   the convolution at half steps, batch norm, the start;
# - say with numbers what a rule buys, and which one buys little here;
# - exchange the loss of the game for LSGAN's, WGAN-GP's or the hinge, and say what a
#   critic's loss means;
# - take a picture apart into a Laplacian pyramid, and draw it level by level (LAPGAN);
# - walk through the noise space, do sums in it, and judge both by a number.
#
# **Time:** about four minutes of computing on two CPU cores, three of them trainings to
# watch, about two hours with the six exercises. With shipped networks in place of the live
# trainings (start with `T2I_LIVE=0` in the environment) about a minute.
#
# **You need:** lesson 01 (the game of generator and discriminator, logits, the
# non-saturating loss), and what a convolution is.
#
# **Slides covered:** GM-17 (the year of the GAN), GM-18 (DCGAN), GM-19 and GM-20
# (interpolation and arithmetic in the noise space), GM-25 (the Laplacian pyramid).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("02")

# %%
import torch
from IPython.display import display
from torch import nn
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.inside.latent import arithmetic, around, average, is_as, lerp, path, to_shell
from t2i_course.experiments import on_the_way, records
from t2i_course.measure import dcgan as measure
from t2i_course.measure import specks
from t2i_course.measure.oracle import oracle
from t2i_course.papers.dcgan import TORCH_RELEASE, Dcgan, Discriminator, Generator
from t2i_course.papers.gan import Gan, discriminator_loss
from t2i_course.papers.lapgan import Lapgan, collapse, expand, generators, reduce

# %%
from t2i_course.show.curves import curves, lines
from t2i_course.show.family import family, family_map
from t2i_course.play.latent_lab import LatentLab
from t2i_course.show.measured import SCORES, measured
from t2i_course.show.pictures import crossed, grid
from t2i_course.play.caption_lab import read_birds
from t2i_course.show.tables import Table
from t2i_course.systems import shipped
from t2i_course.worlds.birds import Birds

found = records("02")  # what the course measured over seeds, for the tables

# %% [markdown]
# ## 1. Salt and pepper
#
# Lesson 01 ended with a failure: a GAN whose layers connect everything with everything
# draws larger pictures with salt and pepper in them, since nothing in it knows that
# neighbouring pixels belong together. Here is that very GAN on the **birds** of lesson 00:
# 32 x 32 pixels, three colours, so 3,072 numbers a picture.

# %% tags=["live"]
def mosaic_of(system, history):
    """Twenty pictures, from the same noise at each look."""
    when = f"step {history.step:,}, seed 0" if history.step else "as shipped, seed 0"
    name = {"Gan": "the plain GAN"}.get(type(system).__name__, type(system).__name__.upper())
    return grid(system.sample(20), 10, title=f"{name}, {when}").described(
        "Birds drawn from the same noise as at the other looks.")


torch.manual_seed(0)
plain = Gan.from_preset(run.preset, shape=(3, 32, 32), noise_size=100, cool=0)
rounds = run.choose(4, 1200)
run.train(plain, Birds("train", 32, 32), rounds, shipped="gan_birds_32", show=mosaic_of,
          part=lambda system: system.generator, show_every=max(rounds // 4, 1),
          seen="Noise about a dark spot; grey birds; coloured birds in salt and pepper.")
plain = plain.to("cpu")

# %%
count = run.choose(60, 2000)
real, made = measure.real_birds(count) / 127.5 - 1, measure.draw(plain, count)
rough = {"real birds": specks.roughness(real), "the plain GAN": specks.roughness(made)}
four = [real[:8], specks.shown(real[:8]), made[:8], specks.shown(made[:8])]
grid(torch.cat(four), 8, title="Specks, four times as bright as they are; seed 0",
     rows=["real birds", "their specks", "the plain GAN", "its specks"]).described(
    "Real birds have a few specks, at the eye and at corners. The plain GAN's are "
    "everywhere, as thick in the sky as on the bird.")

# %% [markdown]
# **What to see.** The plain GAN finds sky, ground and the outline of a bird, in muddy
# colours, with salt and pepper over all of it. How much? Lesson 01's number, the mean
# difference of neighbouring pixels, can't say: neighbours differ where there is salt and
# pepper, and where a thing ends. So we take the two apart:
#
# - A **speck** is a pixel that is brighter than all four of its neighbours, or darker than
#   all four (in one of the three colours). Its height is the difference to the nearest of
#   the four, and 0 for all other pixels. Along an edge there is always a neighbour that is
#   alike, so a straight edge has no specks.
# - **Edges** are what neighbours still differ by when each pixel has been replaced by the
#   median (the middle one) of the 3 x 3 pixels around it. That takes single specks away,
#   and leaves edges where they are.
#
# The second and the fourth row above show the specks. In real birds they are the eye, and
# some corners. As means over all pixels, where black is -1 and white is 1:

# %%
heads = {"neighbours": "neighbouring pixels differ by", "specks": "height of specks",
         "edges": "edges"}
Table(list(heads.values()),
      {name: [f"{row[part]:.3f}" for part in heads] for name, row in rough.items()},
      f"{count} pictures each, seed 0; the plain GAN's specks are "
      f"{rough['the plain GAN']['specks'] / rough['real birds']['specks']:.1f} times as high")

# %% [markdown]
# The plain GAN has about seven times the specks of real birds, and somewhat fewer edges.
#
# ### Two numbers for a heap of pictures
#
# From here on two scores go with every network. Both ask a classifier that knows the
# data. In papers it is the Inception network, trained on photographs; here it is the
# course's **oracle**, which reads a drawn bird's colours and is right on more than 98 of
# 100 real drawings. So our values compare networks on *this* world, and never with a
# number printed in a paper.
#
# The **inception score** (Salimans et al. 2016) looks at $p(y|x)$, how probable the oracle
# finds each class $y$ for a picture $x$. (A class is here a pair of wing and belly
# colour: 100 of them.) It should be sure for each picture, yet say something else for
# other pictures:
#
# $$\text{IS} = \exp\Big(\mathbb E_x \, \text{KL}\big(p(y|x) \,\|\, p(y)\big)\Big)$$
#
# Here $p(y)$ is the average over all pictures, and the Kullback-Leibler divergence
# $\text{KL}(p \| q) = \sum_y p(y) \log(p(y)/q(y))$ says how far $p$ is from $q$. The score
# is 1 where all pictures look alike to the oracle, or it can't read any; at most 100.
#
# The **Frechet distance** (Heusel et al. 2017; with the Inception network it is the FID)
# takes the 256 numbers of the oracle's last layer but one for each picture. Let $m_r, C_r$
# be their mean and covariance for real pictures, $m_g, C_g$ for drawn ones:
#
# $$d^2 = \|m_r - m_g\|^2 + \text{tr}\big(C_r + C_g - 2 (C_r C_g)^{1/2}\big)$$
#
# ($\text{tr}$ adds up the diagonal; the power $1/2$ is the root of a matrix: the one whose
# square it is.) It is 0 where the two heaps have the same mean and the
# same covariance. Two heaps of *real* birds never have exactly: as the table shows, 2,000
# real birds and 2,000 others are some 20 apart, by chance alone. That is the best we
# can hope for. The distance also notices what the score doesn't: a strange background, a
# bird without legs. (Both in code: `t2i_course/measure/scores.py`.)

# %%
others = measure.real_birds(count, part=1) / 127.5 - 1
scores = {"real birds": measure.quality(others), "the plain GAN": measure.quality(made)}
Table(["inception score", "Frechet distance"],
      {name: list(row.values()) for name, row in scores.items()},
      f"{count} pictures each, seed 0; the distance is to {count} other real birds")

# %% [markdown]
# The first row is about what a perfect generator would get. The second is what we start
# from.

# %% [markdown]
# ## 2. The five rules (slide GM-18)
#
# Convolutions know what a neighbour is. But earlier attempts to put them into a GAN had
# failed, until Radford, Metz and Chintala (2016) tried a great many networks and wrote
# down what those that learn have in common:
#
# 1. no pooling: **strided** convolutions in the discriminator $D$, **fractionally
#    strided** ones in the generator $G$;
# 2. **batch norm** in both, but not at $G$'s output nor at $D$'s input;
# 3. no fully connected hidden layers;
# 4. **ReLU** in $G$, and tanh at its output;
# 5. **leaky ReLU** in $D$: negative numbers are multiplied by 0.2 in place of 0.
#
# ```text
#  noise z, 100 --> 4x4, 128 channels --> 8x8, 64 --> 16x16, 32 --> 32x32 picture   (G)
#  picture 32x32 --> 16x16, 32 channels --> 8x8, 64 --> 4x4, 128 --> a logit        (D)
# ```
#
# ### Rule 1: half steps
#
# A convolution with stride 2 moves two places at a time, so its result has half the side.
# To double the side, the kernel should move *half* a place at a time. It can't, but the map
# (the table of numbers of one channel) can be spread out: put a zero between any two neighbours, and go over that one place at a
# time. A side of $S$ values becomes one of $2S - 1$. With a kernel of 4 x 4 and 2 zeros
# around the map, the result's side is $(2S - 1) + 2 \cdot 2 - 4 + 1 = 2S$.
#
# ### Exercise 02.1 · A convolution at half steps (10 minutes, difficulty 2 of 5)
# Write it. `maps` is $(B, I, S, S)$: $B$ pictures of $I$ channels; `kernel` is that of an
# ordinary convolution, as `F.conv2d` takes it.
#
# <details><summary>Hint 1</summary>torch.zeros(B, I, 2 * S - 1, 2 * S - 1) is the spread
# map before anything is in it.</details>
# <details><summary>Hint 2</summary>The values go to the even places:
# apart[:, :, ::2, ::2] = maps.</details>
# <details><summary>The idea of the answer</summary>Then F.conv2d(apart, kernel,
# padding=2).</details>


# %% tags=["exercise"]
def fractionally_strided(maps, kernel):
    """Half steps, slide GM-18. maps (B, I, S, S), kernel (O, I, 4, 4): (B, O, 2S, 2S)."""
    ### BEGIN SOLUTION
    batch, channels, side, _ = maps.shape
    apart = torch.zeros(batch, channels, 2 * side - 1, 2 * side - 1)
    apart[:, :, ::2, ::2] = maps
    return F.conv2d(apart, kernel, padding=2)
    ### END SOLUTION


# %% tags=["check"]
fractionally_strided = check("02.1", fractionally_strided)

# %% [markdown]
# PyTorch's layer for it is called `ConvTranspose2d`: the same layer seen from the other
# side (it is how a strided convolution's gradient is computed), so its kernel is turned by
# 180 degrees and has its channels exchanged. Is it the same?

# %% tags=["nbval-check-output"]
layer = nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1, bias=False)
maps = torch.randn(2, 3, 8, 8)
with torch.no_grad():
    ours = fractionally_strided(maps, layer.weight.flip(2, 3).transpose(0, 1))
    print("from", tuple(maps.shape), "to", tuple(ours.shape))
    print("the same as ConvTranspose2d:", torch.allclose(ours, layer(maps), atol=1e-5))

# %% [markdown]
# ### Rule 2: batch norm
#
# What leaves a layer may be large or tiny, and every layer multiplies that on. Batch norm
# (Ioffe and Szegedy 2015) sets it right anew after each layer. For channel $c$, with mean
# $\mu_c$ and variance $\sigma_c^2$ over *all pictures of the batch and all places*:
#
# $$y = \gamma_c \, \frac{x - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_c,
# \qquad \epsilon = 10^{-5}$$
#
# The **scale** $\gamma_c$ and the **shift** $\beta_c$ are learned, one number each a
# channel. (For drawing, running averages from training stand in for $\mu_c$ and
# $\sigma_c$, so that a picture doesn't depend on its neighbours in the batch.)
#
# ### Exercise 02.2 · Batch norm (10 minutes, difficulty 2)
# Write it as in training. The variance divides by the count, not by the count less one.
#
# <details><summary>Hint 1</summary>x.mean((0, 2, 3), keepdim=True) has shape (1, C, 1,
# 1), and fits beside x.</details>
# <details><summary>Hint 2</summary>x.var((0, 2, 3), unbiased=False, keepdim=True) is the
# variance; scale[:, None, None] fits beside x as well.</details>
# <details><summary>The idea of the answer</summary>Take the mean away, divide by the
# root of (variance + 1e-5), multiply by the scale, add the shift.</details>


# %% tags=["exercise"]
def batch_norm(maps, scale, shift):
    """Batch norm, slide GM-18. maps (B, C, H, W), scale and shift (C,). As maps."""
    ### BEGIN SOLUTION
    mean = maps.mean((0, 2, 3), keepdim=True)
    variance = maps.var((0, 2, 3), unbiased=False, keepdim=True)
    normal = (maps - mean) / (variance + 1e-5).sqrt()
    return scale[:, None, None] * normal + shift[:, None, None]
    ### END SOLUTION


# %% tags=["check"]
batch_norm = check("02.2", batch_norm)

# %% [markdown]
# ### The start
#
# DCGAN also fixes how its weights begin. $\mathcal N(a, b)$ has mean $a$ and, here,
# *standard deviation* $b$. Weights of convolutions come from $\mathcal N(0, 0.02)$; in
# the authors' released code scales of batch norm come from $\mathcal N(1, 0.02)$; shifts
# and biases are 0. The scales begin around **one**. Some code in circulation begins them
# around zero, by mistake; you will see in a moment what that does.
#
# ### Exercise 02.3 · The start (10 minutes, difficulty 2)
# Set the weights of all `nn.Conv2d`, `nn.ConvTranspose2d` and `nn.BatchNorm2d` in a
# network, in place, and return the network. (`nn.init.normal_` and its kin may change a
# weight in place; operations of your own need `with torch.no_grad():` around them.) $G$'s
# first layer, `FromPoint`, is a kind of
# `ConvTranspose2d`, so ask with `isinstance`. Where a layer has no bias, its `.bias` is
# `None`. A norm's scale is its `.weight`, its shift its `.bias`.
#
# <details><summary>Hint 1</summary>for module in network.modules(): goes through all
# layers, however deep; nn.init.normal_(tensor, mean, deviation) fills in
# place.</details>
# <details><summary>Hint 2</summary>Two cases: convolutions of either kind, isinstance(
# module, (nn.Conv2d, nn.ConvTranspose2d)), and nn.BatchNorm2d. nn.init.zeros_ for what is
# 0.</details>
# <details><summary>The idea of the answer</summary>normal_(module.weight, 0, 0.02) for
# convolutions, normal_(module.weight, 1, 0.02) for norms, zeros_(module.bias) where there
# is one; at the end return network.</details>


# %% tags=["exercise"]
def start(network):
    """DCGAN's first weights, in place. network: an nn.Module. Returns it."""
    ### BEGIN SOLUTION
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network
    ### END SOLUTION


# %% tags=["check"]
start = check("02.3", start)

# %% [markdown]
# Does it matter? Send noise through an untrained generator, with your batch norm in place
# of PyTorch's, and note how large the numbers are after each stage: as you start it, with
# scales around 0, and without any norm.

# %%
@torch.no_grad()
def sizes(generator, norm):
    """Deviation of what comes out of each stage, and of the picture."""
    x, seen = torch.randn(64, 100, generator=torch.Generator().manual_seed(0)), []
    for layer in generator.net:
        is_norm = isinstance(layer, nn.BatchNorm2d)
        x = norm(x, layer.weight, layer.bias) if is_norm else layer(x)
        if isinstance(layer, (nn.ReLU, nn.Tanh)):
            seen.append(f"{x.std():.1e}")
    return seen


# %%
torch.manual_seed(0)
right, zero = start(Generator(32, 32)), start(Generator(32, 32))
for module in zero.modules():
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
bare = start(Generator(32, 32, norm="none"))
Table(["4x4", "8x8", "16x16", "picture"],
      {"scales around 1": sizes(right, batch_norm), "scales around 0": sizes(zero, batch_norm),
       "no norm": sizes(bare, None)}, "deviation of what leaves each stage")

# %% [markdown]
# **What to see.** With scales around 1 every stage works with numbers of about the same
# size. With scales around 0 each stage has its numbers made small again: the picture is
# flat grey. Without a norm the signal fades from stage to stage. In both, $z$ hardly moves
# the picture at first. (Section 4 trains the network without a norm. Whether training gets
# over scales around 0 we haven't measured: this is the first step alone.)
#
# The networks themselves are in `t2i_course/papers/dcgan.py`. Here they are for our 32 x 32
# birds. Find the five rules in them:

# %%
print(Generator(32, 32).net, Discriminator(32, 32).net, sep="\n")

# %% [markdown]
# Two sizes go by the name DCGAN, both for pictures of 64 x 64. The paper's own network,
# as its first author released it, has 128 channels before the last layer and kernels of
# 5 x 5. A later release by one of the authors, in Torch, has 64 channels and kernels of
# 4 x 4; PyTorch's examples follow it. Ours here are of the smaller kind, with 32 channels
# and half the side.

# %% tags=["nbval-check-output"]
with torch.device("meta"):  # shapes only, no memory
    both = {"the paper": Dcgan.from_preset("paper"),
            "the Torch release": Dcgan.from_preset("paper", **TORCH_RELEASE)}
for whose, system in both.items():
    for name in system.players:
        count_of = sum(p.numel() for p in system.player(name).parameters())
        print(f"{whose}, {name}: {count_of:,} parameters")

# %% [markdown]
# ## 3. Train it
#
# Your start, lesson 01's game, the five rules. Three things are ours:
#
# - **The size**: a quarter of the paper's channels, half its side.
# - **The rates**: $D$ learns at 0.0002 and $G$ at 0.001. In the paper both learn at 0.0002.
#   (Section 5 tries larger ones; the paper's we haven't tried.)
# - **Who draws**: a running average of $G$'s weights. In the paper the last weights draw.
#   (What that is worth is measured below.)
#
# Watch first for backgrounds, then for shapes, then for beaks.

# %% tags=["live"]
torch.manual_seed(0)
gan = Dcgan.from_preset(run.preset, start=start)
steps, side = gan.settings["steps"], gan.settings["size"]
source = Birds("train", side, gan.settings["batch_size"])
history = run.train(gan, source, steps, shipped="dcgan_32", show=mosaic_of,
                    part=lambda system: system.generator, show_every=max(steps // 12, 1),
                    seen="Grey with a dark spot; then sky and ground; then birds with beaks.")
gan = gan.to("cpu")

# %% [markdown]
# The rows above are the training that made the shipped network, as it was recorded, from
# the same noise in each row. The losses, those of your own training if you watched one:

# %%
curves(history, marks={"D = 0.5: log 4": 1.3863, "log 2": 0.6931})

# %% [markdown]
# **What to see.** In the rows: grey with a dark spot, then birds before sky and ground,
# then beaks, feet and clearer colours. In the curves: as in lesson 01, $D$ keeps a lead that grows (its loss sinks,
# $G$'s rises), while the pictures get better. So we measure:

# %%
drawn = measure.draw(gan, count)
scores_now = scores | {"DCGAN": measure.quality(drawn)}
rough_now = rough | {"DCGAN": specks.roughness(drawn)}
Table(["inception score", "Frechet distance", *heads.values()],
      {name: [*row.values(), *(f"{rough_now[name][part]:.3f}" for part in heads)]
       for name, row in scores_now.items()}, f"{count} pictures each, seed 0")

# %% [markdown]
# **What to see.** Both scores are far better. And the salt and pepper? Lesson 01's number,
# in the third column, has hardly changed. But it adds up two changes: about half of the
# specks have gone, and the edges have grown stronger, even stronger than those of real
# birds. What is left of the specks:

# %%
grid(torch.cat([drawn[:8], specks.shown(drawn[:8])]), 8, rows=["DCGAN", "its specks"],
     title="DCGAN's specks, four times as bright as they are; seed 0").described(
    "Fewer specks than the plain GAN's, and fainter ones, still all over the picture.")

# %% [markdown]
# ### Where do they come from?
#
# Lesson 01's GAN has weights of its own for each pixel. Half steps have a little of that
# left. With a zero between any two values, a pixel of the result meets only 2 x 2 of the
# kernel's 4 x 4 numbers, and the pixel beside it meets four others. So the kernel is in
# truth four small ones, one for each place in a square of 2 x 2 pixels, and nothing but
# training makes them agree. (Odena, Dumoulin and Olah 2016 call what this leaves in pictures
# *checkerboard artifacts*.)
#
# Is that it? A trial: $G$ *enlarges*. It repeats each value 2 x 2 times, and goes over the
# result with an ordinary convolution, 3 x 3, whose numbers are the same for every pixel.
# $D$ and all else stay as they were. And what would the last weights draw, in place of
# their running average?

# %%
trials = {name: f"specks/{name}" for name in
          ("real birds", "the plain GAN", "DCGAN", "DCGAN, the last weights draw",
           "DCGAN, G enlarges")}
measured(found, trials,
         {"height of specks": ("specks", 4), "edges": ("edges", 3),
          "inception score": ("score", 1), "Frechet distance": ("distance", 0)},
         "1,200 steps; mean ± deviation over seeds 0, 1, 2; t2i reproduce 02 specks")

# %% [markdown]
# **What to see.** Convolutions do away with about half of the specks, as we saw. Of those
# that are left beyond what real birds have, more than half come from the half steps: where
# $G$ enlarges, their height is about half of DCGAN's, with edges as strong and scores no
# worse. The running average helps too: the last weights draw more specks, and their Frechet
# distance is far larger. Where the rest comes from we don't know.
#
# Now the same rules at 64 x 64. Look for eyes, beaks and the colours of tails; wings still
# smear:

# %%
large = shipped("dcgan_64")
grid(measure.draw(large, 18, seed=5), 6,
     title="dcgan_64, shipped: 2,000 steps, seed 0, the same rules at 64 x 64").described(
    "Birds with eyes, beaks and coloured tails on grass, water and branches; most wings "
    "are smeared.")

# %% [markdown]
# ## 4. What does each rule buy?
#
# The paper gives the rules as found by trial. So let us try: the same networks with one
# rule broken, three seeds each, 1,200 steps (half of the training above), everything else
# as it was. *Pooling for strides*: $D$ takes the largest of 2 x 2 values, $G$ repeats each
# value 2 x 2 times, both with 3 x 3 convolutions. *ReLU everywhere*: no leak in $D$. *The
# plain GAN* is that of section 1, which breaks rules 1 to 3. Rules 3 and 4 are not broken
# alone: fully connected layers occur in the plain GAN only, together with other changes,
# and another activation in $G$ we haven't tried.

# %%
broken = ["all five", "no batch norm", "pooling for strides", "ReLU everywhere",
          "the plain GAN"]
rules = {name: f"rules/{name}" for name in broken}
measured(found, rules, SCORES,
         "1,200 steps; mean ± deviation over seeds 0, 1, 2; t2i reproduce 02 rules")

# %%
lines(*on_the_way(found, rules), "step", "Frechet distance",
      "A rule broken: 1,000 pictures on the way, mean of seeds 0, 1, 2",
      log="y", outside=True, size=(8.2, 3.0))

# %% [markdown]
# **What to see.** Batch norm and the strides are worth most of it: without either one the
# inception score is no better than the plain GAN's, and the distance, though better, is
# still four to five times that of all five rules. With pooling the network is far ahead at
# the first look, and then it gets worse: its $D$ wins the game. At the end $D$'s loss is
# below 0.2 with pooling, and above 0.6 with all five rules. $G$'s half steps are not what is
# missing: where $G$ alone enlarges (section 3), the distance is no worse than with all five.
#
# The leak buys nothing here. With ReLU everywhere the network is as good as with all five,
# within the spread over seeds, or a little better. That doesn't refute the paper. A ReLU
# that is never positive passes no gradient ("dies"); whether that costs more in a deeper
# $D$ or a longer training than four layers and 1,200 steps, we haven't measured.
#
# Two fair doubts. Pooling and no norm might like other learning rates; ours were chosen for
# all five rules. And a network that learns slowly isn't one that never learns. The table
# says what a rule buys *in this time and at these rates*.

# %% [markdown]
# ## 5. A family of losses (slide GM-17)
#
# Lesson 01 left two complaints: a $D$ that is sure teaches little, and no loss curve says
# whether the pictures get better. So after the networks came the losses. 2017 was "the year of the GAN", and much of it kept
# the two networks and exchanged one line. Below, $D(x)$ is the number that $D$'s last layer
# gives, *without* a sigmoid:
#
# | name | $D$ goes down | $G$ goes down |
# |---|---|---|
# | non-saturating (2014) | $\mathbb E[\text{softplus}(-D(x))] + \mathbb E[\text{softplus}(D(G(z)))]$ | $\mathbb E[\text{softplus}(-D(G(z)))]$ |
# | LSGAN (Mao et al. 2017) | $\frac12 \mathbb E[(D(x) - 1)^2] + \frac12 \mathbb E[D(G(z))^2]$ | $\frac12 \mathbb E[(D(G(z)) - 1)^2]$ |
# | hinge (Geometric GAN, Lim and Ye 2017) | $\mathbb E[\max(0, 1 - D(x))] + \mathbb E[\max(0, 1 + D(G(z)))]$ | $-\mathbb E[D(G(z))]$ |
# | WGAN-GP (Gulrajani et al. 2017) | $\mathbb E[D(G(z))] - \mathbb E[D(x)] + \lambda \, \text{penalty}$ | $-\mathbb E[D(G(z))]$ |
#
# LSGAN wants real pictures at 1 and drawn ones at 0, and pulls back what overshoots. The
# hinge stops caring beyond a margin. WGAN has no limit at all, so it needs the penalty.
# Here is what $D$ pays for a drawn picture that scores $s$:

# %%
s = torch.linspace(-3, 3, 301)
lines(s, {"non-saturating": F.softplus(s), "LSGAN": s.square() / 2, "hinge": (1 + s).relu(),
          "WGAN": s}, "score s = D(G(z))", "D's loss",
      "What D pays for one drawn picture", outside=True)

# %% [markdown]
# **What to see.** To the left the first GAN's loss and the hinge go flat: $D$ asks no more
# of a fake that it has recognized. LSGAN's rises again, so $D$ is pulled back to 0. WGAN's
# falls without end: $D$ would gain for ever by making its scores larger.
#
# ### A critic that measures a distance
#
# WGAN (Arjovsky et al. 2017) changes what $D$ *means*. Think of the real pictures and the
# drawn ones as two heaps of earth. The **Wasserstein distance** $W$ is the least work
# (amount times way) that turns one heap into the other. A theorem (Kantorovich and
# Rubinstein) says that it is
#
# $$W = \max_{D} \; \mathbb E[D(x)] - \mathbb E[D(G(z))]
# \quad \text{over all } D \text{ whose slope is nowhere above 1.}$$
#
# So a $D$ with bounded slope, now called a **critic**, doesn't say "real" or "fake": the
# gap between its two mean scores *is* an estimate of how far apart the heaps are. How to
# bound its slope? With the **gradient penalty**, eq. (3) of Gulrajani et al.:
#
# $$\text{penalty} = \mathbb E_{\hat x}\big[(\|\nabla_{\hat x} D(\hat x)\|_2 - 1)^2\big],
# \qquad \hat x = \epsilon x + (1 - \epsilon) \tilde x, \quad \epsilon \sim U[0, 1]$$
#
# $x$ is a real picture, $\tilde x$ a drawn one, $\hat x$ a place on the straight line
# between them, $\nabla_{\hat x} D$ the gradient of the score with respect to the *picture*,
# $\|\cdot\|_2$ its length, $U[0, 1]$ the uniform distribution ($\epsilon$ is the paper's letter, and has nothing to do
# with batch norm's). $\lambda$ is 10. Since each
# picture's own slope is wanted, the critic has layer norm (over one picture) in place of
# batch norm, which mixes them.
#
# ### Exercise 02.4 · The gradient penalty (15 minutes, difficulty 4)
# Write it for inputs of any shape $(B, ...)$. One $\epsilon$ for each picture. Two traps:
# $\hat x$ must be cut off from $G$ (`detach`) but want a gradient itself
# (`requires_grad_`), and the penalty is trained on, so its own gradient must be possible:
# `create_graph=True`.
#
# <details><summary>Hint 1</summary>eps = torch.rand(len(real)).view(-1, *[1] *
# (real.ndim - 1)) has shape (B, 1, 1, 1) for pictures and (B, 1) for
# points.</details>
# <details><summary>Hint 2</summary>torch.autograd.grad(critic(between).sum(), between,
# create_graph=True)[0]: no score depends on another picture, so the gradient of the sum
# holds the gradient of each.</details>
# <details><summary>The idea of the answer</summary>slope.flatten(1).norm(dim=1) is one
# length a picture; take 1 away, square, take the mean.</details>


# %% tags=["exercise"]
def gradient_penalty(critic, real, fake):
    """Eq. (3), Gulrajani et al. 2017. real, fake (B, ...); critic: (B, ...) to (B,)."""
    ### BEGIN SOLUTION
    eps = torch.rand(len(real)).view(-1, *[1] * (real.ndim - 1))
    between = (eps * real + (1 - eps) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
    ### END SOLUTION


# %% tags=["check"]
gradient_penalty = check("02.4", gradient_penalty)

# %% [markdown]
# Does a critic know the distance? Take numbers in place of pictures: real ones from
# $\mathcal N(2, 0.5)$, fakes from $\mathcal N(-2, 0.5)$. Each grain has to go 4 to the
# right, so $W = 4$. A straight critic of slope $s$ has a gap of $4s$ and pays
# $10 (s - 1)^2$; $4s - 10(s - 1)^2$ is largest at $s = 1.2$, since the penalty pulls at the
# slope and doesn't clamp it. So theory says 4.8. We train lesson 01's $D$ and a critic with
# your penalty:

# %% tags=["live"]
def fresh_judge():
    """Lesson 01's D for points, of one number: two hidden layers of 64."""
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(),
                         nn.Linear(64, 1), nn.Flatten(0))


# %% tags=["live"]
def judge_numbers(judge, loss, weight, looks):
    """Trains a D on two heaps of numbers; its gap of scores at some steps."""
    optimizer, gaps = torch.optim.Adam(judge.parameters(), lr=2e-3), []
    for step in range(1, looks[-1] + 1):
        real, fake = 2 + 0.5 * torch.randn(128, 1), -2 + 0.5 * torch.randn(128, 1)
        value = loss(judge(real), judge(fake))
        value = value + weight * gradient_penalty(judge, real, fake)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if step in looks:
            gaps.append((judge(real).mean() - judge(fake).mean()).item())
    return gaps


# %% tags=["live"]
looks = run.choose((5, 10, 20), (100, 300, 900))
logistic, critic = fresh_judge(), fresh_judge()
gaps = {"lesson 01's D": judge_numbers(logistic, discriminator_loss, 0.0, looks),
        "critic": judge_numbers(critic, lambda r, f: f.mean() - r.mean(), 10.0, looks)}
away = [gap / 4.8 - 1 for gap in gaps["critic"]]
print(f"the critic's gaps are at most {max(map(abs, away)):.0%} away from 4.8")
Table([f"step {step}" for step in looks], gaps, "mean score of real numbers less that of "
      "fakes, seed 2; W = 4, by theory 4.8 for the critic")

# %%
numbers = torch.linspace(-4, 4, 201)
with torch.no_grad():
    said = {"lesson 01's D, as a probability": logistic(numbers[:, None]).sigmoid(),
            "the critic's score": critic(numbers[:, None])}
lines(numbers, said, "x", "what it says",
      f"Fakes around -2, real numbers around 2; step {looks[-1]}, seed 2",
      outside=True, size=(8.2, 2.8))

# %% [markdown]
# **What to see.** The old $D$ is a step: flat where the fakes are, flat where the real
# numbers are. Its gap grows the longer it trains, and says nothing about how far apart
# the heaps are. The critic is a straight line between the heaps, as steep at the fakes as
# anywhere, and its gap comes to rest near what theory says. So WGAN's loss can be *read*:
# it falls when the two heaps come closer.
#
# (A trap of one dimension: a critic that begins with the wrong sign can't turn round, since
# on the way, at slope 0, the penalty is high. Set `torch.manual_seed` to 0 above to see it.
# In many dimensions a slope can turn without ever being 0.)
#
# ### Measured: one switch, the same networks
# `Dcgan(loss="hinge")` and so on; rates as above for all four.

# %%
losses = {"non-saturating": "rules/all five", "LSGAN": "losses/lsgan",
          "hinge": "losses/hinge", "WGAN-GP": "losses/wgan_gp"}
measured(found, losses, SCORES,
         "1,200 steps; mean ± deviation over seeds 0, 1, 2; t2i reproduce 02 losses")

# %%
lines(*on_the_way(found, losses), "step", "Frechet distance",
      "Four losses: 1,000 pictures on the way, mean of seeds 0, 1, 2",
      log="y", outside=True, size=(8.2, 3.0))

# %% [markdown]
# **What to see.** The hinge and the first GAN's loss lead, within the spread of one
# another. LSGAN starts late and catches up in part. WGAN-GP is last, and its steps take over
# one and a half times as long, since the penalty's gradient is a gradient of a gradient.
# (Its authors give the critic five turns for one of $G$'s, and let both learn at 0.0001.
# Ours has one turn, and the rates of the others.)
#
# ### How much does each bear?
# Now 400 steps with both rates as they were, 8 times and 30 times as large:

# %%
kinds = {"non-saturating": "nonsaturating", "LSGAN": "lsgan", "hinge": "hinge",
         "WGAN-GP": "wgan_gp"}
measured(found, kinds, {"as above": 1, "8 times": 8, "30 times": 30},
         "Frechet distance after 400 steps; mean ± deviation over seeds 0, 1, 2; "
         "t2i reproduce 02 rates",
         cell=lambda kind, factor: (f"rates/{kind}/{factor}", "distance", 0))

# %% [markdown]
# **What to see.** A surprise in the second column: rates 8 times as large don't break a
# thing. In so few steps every loss is better off with them, and LSGAN most of all: its late
# start was a matter of small steps. So our rates are careful ones.
#
# At 30 times, haste begins to cost. The first GAN's loss and the hinge are worse off than at
# our rates, and vary more from seed to seed. LSGAN and WGAN-GP are still better off than at
# our rates, and LSGAN is now the best of the four. At the first two rates WGAN-GP is far
# behind the first GAN's loss; at 30 times the two meet.

# %% [markdown]
# ## 6. A pyramid (slide GM-25)
#
# A year before DCGAN, Denton and his co-authors had another answer to large pictures: don't
# draw them at once. A **Laplacian pyramid** (Burt and Adelson 1983) holds a picture $I_0$
# as a small picture and the details that each doubling lacks. With $d$ for halving the side
# (`reduce`) and $u$ for doubling it smoothly (`expand`):
#
# $$I_{k+1} = d(I_k), \qquad h_k = I_k - u(I_{k+1}), \qquad
# \text{and back:} \quad I_k = u(I_{k+1}) + h_k$$
#
# Nothing is lost, whatever $d$ and $u$ are. Three levels of our birds: $I_2$ with 8 x 8
# pixels, then $h_1$ with 16 x 16, then $h_0$ with 32 x 32.
#
# ### Exercise 02.5 · The Laplacian pyramid (10 minutes, difficulty 2)
# Return a list from coarse to fine, $[I_2, h_1, h_0]$ for three levels.
#
# <details><summary>Hint 1</summary>levels - 1 times: make the smaller picture, keep what
# its enlargement lacks, go on with the smaller one.</details>
# <details><summary>Hint 2</summary>The details are made from fine to coarse, so turn
# their order round at the end: details[::-1].</details>
# <details><summary>The idea of the answer</summary>small = reduce(pictures);
# details.append(pictures - expand(small)); pictures = small. At the end
# [pictures, *details[::-1]].</details>


# %% tags=["exercise"]
def pyramid(pictures, levels):
    """Slide GM-25. pictures (B, C, H, W). A list of `levels` tensors, coarse to fine."""
    ### BEGIN SOLUTION
    details = []
    for _ in range(levels - 1):
        small = reduce(pictures)
        details.append(pictures - expand(small))
        pictures = small
    return [pictures, *details[::-1]]
    ### END SOLUTION


# %% tags=["check"]
pyramid = check("02.5", pyramid)

# %% tags=["nbval-check-output"]
birds = Birds("train", 32, 8).batch(3).to("cpu").image
made_of = pyramid(birds, 3)
print("levels:", [tuple(level.shape[1:]) for level in made_of])
print("put together again, the largest difference is below 1e-5:",
      bool((collapse(made_of) - birds).abs().max() < 1e-5))

# %%
small, *details = (F.interpolate(level, size=32) for level in made_of)
grid(torch.cat([birds, small, *details]), 8, title="Real birds: a picture is a small one "
     "and its details (grey: 0)",
     rows=["picture", "I2, 8x8", "h1, 16x16", "h0, 32x32"]).described(
    "The 8x8 pictures are blocks of colour; h1 and h0 are grey but for outlines, which "
    "are finer in h0.")

# %% [markdown]
# **What to see.** The small picture has the colours and where things are; $h_1$ has the
# outlines, $h_0$ the last sharpness.
#
# LAPGAN trains one GAN for each level, and the levels never meet in training. The coarsest
# draws $I_2$ from noise: a plain GAN in the paper, a small DCGAN here. At each further level
# a *conditional* GAN gets $u(I_{k+1})$ and a plane of noise, and draws $h_k$; its
# discriminator sees $u(I_{k+1}) + h_k$. In drawing, each level gets what the one before has
# drawn:

# %% tags=["live"]
torch.manual_seed(0)
stack = Lapgan.from_preset(run.preset)
run.train(stack, Birds("train", 32, stack.settings["batch_size"]),
          stack.settings["steps"], shipped="lapgan_32", part=generators, show=mosaic_of,
          show_every=max(stack.settings["steps"] // 6, 1),
          seen="An orange blur; streaks of colour; shapes like birds, with hard outlines.")
stack = stack.to("cpu")

# %%
lapgan_rough = specks.roughness(measure.draw(stack, count))
print("height of specks:", *(f"{name} {row['specks']:.4f}," for name, row in rough_now.items()),
      f"LAPGAN {lapgan_rough['specks']:.4f}")
stack.rng = torch.Generator().manual_seed(2)
drawn_levels = [F.interpolate(level, size=32) for level in stack.sample_levels(8)]
grid(torch.cat(drawn_levels), 8, rows=["8x8", "16x16", "32x32"],
     title=f"LAPGAN, level by level: step {stack.settings['steps']}, seed 0").described(
    "Blocks of colour become birds with outlines; where the blocks are no bird, the "
    "finer levels draw none.")

# %% [markdown]
# **What to see.** The first row decides what it is: a finer level can sharpen a bird but
# not repair it. Each detail GAN saw only *real* small pictures in training; here it is
# given drawn ones. There are few specks: its convolutions are all ordinary ones, with no half
# steps. But few specks don't make a bird. Beside DCGAN, at about the same training time:

# %%
measured(found, {"DCGAN": "rules/all five", "LAPGAN": "lapgan/LAPGAN"}, SCORES,
         "DCGAN 1,200 steps, LAPGAN 700; mean ± deviation over seeds 0, 1, 2; "
         "t2i reproduce 02 lapgan")

# %% [markdown]
# In these seconds LAPGAN is far behind. Much differs: six networks share the time in which
# DCGAN trains two, the convolutions go over all 32 x 32 places where DCGAN's go over fewer
# and fewer, and there is no batch norm in the levels of detail. Which of these costs it most
# we haven't measured. It came first, though, and its idea returns: StackGAN (lessons 09
# and 10) draws a small picture and refines it.

# %% [markdown]
# ## 7. Walking through the noise (slide GM-19)
#
# A generator that learned its pictures by heart would jump from one to the next as $z$
# moves. Does ours? From here on we use the shipped `dcgan_32`, so that you see what the
# text speaks of.
#
# The straight way from $z_0$ to $z_1$ is $(1 - t) z_0 + t z_1$ with $t$ from 0 to 1
# (**lerp**). But noise of 100 independent normal numbers nearly always has a length near
# $\sqrt{100} = 10$: it lies on a *shell*. Two such vectors are nearly at right angles, so
# the middle of the straight line has length 7, where $G$ has hardly ever been. White
# (2016) goes along the arc instead (**slerp**). With $\omega$ for the angle between the
# two vectors, and for vectors of one length:
#
# $$z_t = \frac{\sin((1 - t)\,\omega)}{\sin \omega} z_0 + \frac{\sin(t\,\omega)}{\sin \omega} z_1,
# \qquad \cos \omega = \frac{z_0 \cdot z_1}{\|z_0\| \|z_1\|}$$
#
# ### Exercise 02.6 · Along the arc (10 minutes, difficulty 2)
# `t` may be one number, or a column $(T, 1)$, which gives $T$ vectors. The course's
# `to_shell` brings both ends to length 10 before.
#
# <details><summary>Hint 1</summary>(start * end).sum() is the dot product, start.norm()
# a length, torch.acos the arc cosine.</details>
# <details><summary>Hint 2</summary>torch.sin takes tensors; t * w is a column where t is,
# and a column times (D,) gives (T, D).</details>
# <details><summary>The idea of the answer</summary>The formula, word by word.</details>


# %% tags=["exercise"]
def slerp(start, end, t):
    """The arc, slide GM-19. start, end (D,), one length; t: a number, or (T, 1)."""
    ### BEGIN SOLUTION
    w = torch.acos((start * end).sum() / (start.norm() * end.norm()))
    return torch.sin((1 - t) * w) / torch.sin(w) * start + torch.sin(t * w) / torch.sin(w) * end
    ### END SOLUTION


# %% tags=["check"]
slerp = check("02.6", slerp)

# %% tags=["nbval-check-output"]
ends = to_shell(torch.randn(2, 100, generator=torch.Generator().manual_seed(13)))
for name, along in (("straight line", lerp), ("arc", slerp)):
    lengths = path(*ends, 5, along).norm(dim=1)
    print(f"{name:13}", *[f"{length:5.2f}" for length in lengths])
print(f"cosine of the angle between the ends: {(ends[0] @ ends[1] / 100).item():.2f}")

# %%
G = shipped("dcgan_32").generator
times = torch.linspace(0, 1, 7)
ways = {"line": G(path(*ends, 7, lerp)), "arc": G(path(*ends, 7, slerp)),
        "cross-fade": lerp(*G(ends), times[:, None, None, None])}
crossed(torch.cat(list(ways.values())), list(ways), [f"t = {t:.2f}" for t in times],
        "dcgan_32: three ways from one bird to another (noise of seed 13)").described(
    "The bird looks right at first and left at the end. On the line and the arc it turns "
    "near t = 0.33; in the cross-fade there are two pale heads between the ends.")

# %% [markdown]
# **What to see.** In the upper two rows the bird turns round, and its colours change on the
# way. Near t = 0.33, in the turn, it is torn; in all other pictures it is one bird. The third
# row needs no network: it lays one picture over the other, and from t = 0.17 to 0.83 there
# are two heads, one at the left and one at the right.
#
# A number for it? The **smoothness** of a path is its mean step over its largest step: 1
# if all steps are alike, near 0 for one sudden jump. Steps can be measured in pixels, or
# in the oracle's 256 numbers. And where does the middle lie? For that we take 2,000
# middles as a heap of pictures, and measure it like a network. 200 paths of 17 pictures,
# three seeds of noise:

# %%
measured(found, {way: f"paths/{way}" for way in ways},
         {"smoothness, pixels": ("pixels", 2), "smoothness, oracle": ("oracle", 2),
          "middles: Frechet distance": ("distance", 0),
          "middles: inception score": ("score", 1)},
         "dcgan_32; mean ± deviation over seeds 0, 1, 2; t2i reproduce 02 paths")

# %% [markdown]
# **What to see.** A surprise, and a warning. By smoothness the cross-fade wins: perfectly
# in pixels, which it must, and even to the oracle. Yet its middles are no birds: look at
# their Frechet distance. *Even steps* are not what we admire in slide GM-19; *birds all the
# way* are, and that is what the distance of the middles measures. There the arc beats the
# line. Its middles have about the distance of the shipped network's other pictures (481; yours of
# section 3 is another network); those
# of the line have a third more, and the only thing that differs is that their noise is
# shorter. In the picture above the two ways are hard to tell apart.

# %% [markdown]
# ## 8. Sums in the noise space (slide GM-20)
#
# *Smiling woman - neutral woman + neutral man = smiling man*: that is the slide. One $z$
# says as much about its own picture as about a smile, so the paper averages three for
# each term. Here the oracle finds us examples among thousands of drawn birds, and we
# average all that it finds. From birds
# with a red belly, we want the blue wing alone to be carried over to a green belly:
#
# $$\bar z_{\text{red belly, blue wing}} - \bar z_{\text{red belly, red wing}} +
# \bar z_{\text{green belly, red wing}} \;\overset{?}{\to}\; \text{green belly, blue wing}$$
#
# ($\bar z$ is the average over the examples.) We chose colours for which it works; the
# table below counts colours that nobody chose.

# %%
many = torch.randn(8000, 100, generator=torch.Generator().manual_seed(0))
seen = oracle(32).read(measure.in_parts(G, many))


def mean_of(**colours):
    """Average noise of the birds in which the oracle sees these colours."""
    return average(many, is_as(seen, measure.attributes_wanted(**colours)))


terms = [mean_of(belly="red", wing="blue"), mean_of(belly="red", wing="red"),
         mean_of(belly="green", wing="red")]
result = arithmetic(*terms)
print("length of the averages:", [round(term.norm().item(), 1) for term in terms])

# %%
points = to_shell(torch.stack([*terms, result]))
random = torch.Generator().manual_seed(1)
near = torch.cat([around(point, 2, 0.25, random) for point in points])
pictures = measure.in_parts(G, near).view(4, 2, 3, 32, 32).transpose(0, 1).flatten(0, 1)
below = [f"{r['belly']} belly, {r['wing']} wing" for r in read_birds(pictures)]
heads_of = ["red belly, blue wing", "minus red belly, red wing",
            "plus green belly, red wing", "gives"]
grid(pictures, heads_of, below, size=1.3,
     title="dcgan_32: around three averages of noise, and around their sum").described(
    "In each column the two birds are alike. The last column's have a green belly and "
    "a blue wing.")

# %% [markdown]
# **What to see.** Each column is one point; the two pictures in it have a little noise
# added, as in the paper, and below each is what the oracle reads. The sum, in the last
# column, is as wanted. But look at the first: the average of birds with a red belly and a
# blue wing came out purple all over, and yet the sum works. (Averages are much shorter than
# noise, as you see above, so each point is first brought to length 10.)
#
# Is it more than a lucky choice of colours? 60 sums with colours drawn at random (two of
# wing, belly and crown), 16 pictures each, three seeds. *As wanted*: the oracle sees
# **both** colours that should be there. *Kept*: it sees the colour that should stay (above,
# the green belly). *Brought*: it sees the colour that the sum should carry over (above, the
# blue wing).

# %%
shares = {"chance: any z": "chance", "nothing added": "start",
          "a random vector as long": "random", "the sum: as wanted": "sum",
          "the sum: kept": "kept", "the sum: brought": "brought",
          "an average: its own two colours": "average"}
examples = {"3 examples": "3", "3, on the shell": "3, on the shell",
            "all examples": "all", "all, on the shell": "all, on the shell"}
measured(found, shares, examples, "percent of pictures, dcgan_32; mean ± deviation over "
         "seeds 0, 1, 2; t2i reproduce 02 sums",
         cell=lambda figure, kind: (f"sums/{kind}", figure, 1), times=100)

# %% [markdown]
# **What to see.** The sum works far more often than chance, and than a random vector of
# the same length: differences of averages do mean something. More examples help, and with
# many of them (whose average is short) so does bringing each point to the length of noise.
#
# And yet it fails more often than it works. In the best column each of the two colours is
# there in about half of the pictures, and both in about a quarter, as when two coins are
# thrown: mostly the sum fulfils one wish and loses the other. Why? One would blame the
# terms: around an average (last row) fewer than half of the pictures show its own two
# colours. But that row goes the other way. With 3 examples averages keep their colours
# best, and sums fail most. And of the 60 sums, those whose first average keeps its colours
# hardly do better than the others. So we don't know. A figure of a few chosen examples
# tells you nothing of all this. A count does.
#
# ### Play
# A walk between two birds, and the same walk moved towards a wish: "belly red", with a
# strength of 2. First as pictures for those who only read:

# %%
lab = LatentLab(G)
for strength in (0.0, 2.0):
    print(f"strength {strength:.0f}:")
    display(lab.figure(left=3, right=8, way="arc", part="belly", colour="red",
                       strength=strength))

# %% [markdown]
# **What to see.** With the wish more of the bellies are read as red, and not only they
# change: a direction in the noise space is never one attribute alone. Now you. Try:
#
# - birds 3 and 8 again (left 3, right 8), with "arc" and "straight line": can you tell which is which? (The
#   line below gives the noise's length at the left, in the middle and at the right.)
# - a colour with strength 1, 2, 4: what else changes along with it?
# - part "belly", then "crown": which one obeys sooner?

# %%
lab.widget()

# %% [markdown]
# ## 9. The year of the GAN (slide GM-17)
#
# The slide lists nearly fifty named GANs. They are fewer ideas than names. Here they are
# under what each one changes. Those in bold you can run in this course, in the lesson in
# brackets:

# %%
family_map(lesson.LESSONS)

# %%
family("loss", lesson.LESSONS)  # or: networks, condition, way back, pictures to pictures

# %% [markdown]
# The grouping is ours; many a name would fit in two columns.
#
# ## 10. What we measured, and what it can't show
#
# Published scores beside ours? None is comparable: the DCGAN paper judges by how well $D$'s
# layers serve a classifier, and later papers' scores come from the Inception network on
# photographs. What can stand side by side is what was trained:
#
# | | published | here |
# |---|---|---|
# | DCGAN: channels before the last layer, kernel | 128, 5 x 5 (the paper's network); 64, 4 x 4 (Torch release) | 32, 4 x 4 |
# | its weights, $G$ and $D$ | 18,885,760 and 17,232,768; 3,576,704 and 2,765,568 | 370,624 and 167,808 |
# | its rates, $D$ and $G$ | 0.0002 and 0.0002 | 0.0002 and 0.001 |
# | WGAN-GP: $\lambda$, turns of the critic | 10, 5 | 10, 1 |
# | its rates; its rounds | 0.0001; 200,000 | as for DCGAN; 1,200 |
# | LAPGAN: what takes the steps | gradient steps with momentum, rate 0.02 | Adam |
#
# (Sizes by the released code of each; so are the settings.) The *orderings* can be compared,
# with care. Batch norm and strides matter here as the paper says; the leak doesn't.
# WGAN-GP, which its authors praise for learning with very many different networks, is the
# slowest to learn here, where trainings last a minute. One world of drawn birds, networks
# of half a million weights, three seeds, one set of rates: that is what the tables stand on.
#
# ## 11. What goes wrong, and what comes next
#
# You can draw now, walk and do sums. But take a *given* bird: which $z$ is it? A GAN has
# no answer, only a search: start somewhere, and go down the squared error by gradient
# steps. Half of the pictures below were drawn by $G$ itself, so that a perfect answer
# exists; half are real.

# %%
def search(pictures, steps):
    """The noise whose picture comes nearest, by gradient steps."""
    z = torch.zeros(len(pictures), 100, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=0.1)
    for _ in range(steps):
        loss = (G(z) - pictures).square().flatten(1).mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return z.detach()


# %%
hidden = to_shell(torch.randn(4, 100, generator=torch.Generator().manual_seed(1)))
wanted, tries = torch.cat([G(hidden), birds[:4]]), run.choose(5, 200)
nearest = G(search(wanted, tries))
error = (nearest - wanted).square().flatten(1).mean(1).sqrt()
print(f"error of a pixel: {error[:4].mean():.2f} for drawn birds, {error[4:].mean():.2f} for "
      f"real ones, {error[4:].mean() / error[:4].mean():.1f} times as much")
crossed(torch.cat([wanted, nearest]), ["wanted", "found"], ["drawn"] * 4 + ["real"] * 4,
        f"dcgan_32: what {tries} steps of search find").described(
    "The drawn birds are found again, nearly alike; for the real ones it finds birds of "
    "about that shape and about those colours, blurred.")

# %% [markdown]
# **What to see.** Birds that $G$ drew are found again, all but the last detail. Real ones
# come back as other birds, of about that shape and about those colours. And no GAN can say
# *how probable* a picture is.
#
# **Lesson 03** turns it round: it trains a network that goes from the picture to the noise,
# together with one that goes back (the variational autoencoder), and gets a likelihood as
# well. What it pays for that is sharpness.
#
# ### Questions
# <details><summary>1. Why has G no batch norm at its output?</summary>It would force each
# colour channel of each batch to one mean and one deviation: a batch of night pictures and
# one of day pictures would look alike on the average.</details>
# <details><summary>2. Why may a critic's loss be negative, and a discriminator's
# not?</summary>The critic's is a difference of two scores, any numbers; the
# discriminator's is minus the logarithm of probabilities, which are at most 1.</details>
# <details><summary>3. Why does the penalty look between real and drawn pictures, and not
# everywhere?</summary>Everywhere is too much for 3,072 dimensions. The best critic has
# slope 1 along the straight lines between paired points of the two heaps, so the
# authors sample there.</details>
# <details><summary>4. LAPGAN's levels never meet in training. What could go
# wrong?</summary>A detail GAN knows only real small pictures. What the level above draws
# may be of a kind that it has never seen, and nobody tells either of them.</details>
# <details><summary>5. A path has smoothness 1. Is it a good one?</summary>Not
# necessarily: a cross-fade has it too. Look at what lies on the way.</details>
#
# ### To read
# - Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional
#   Generative Adversarial Networks*, 2016.
# - Denton et al., *Deep Generative Image Models using a Laplacian Pyramid of Adversarial
#   Networks*, 2015.
# - Gulrajani et al., *Improved Training of Wasserstein GANs*, 2017, after Arjovsky et al.,
#   *Wasserstein GAN*, 2017.
# - Mao et al., *Least Squares Generative Adversarial Networks*, 2017; Lim and Ye,
#   *Geometric GAN*, 2017.
# - White, *Sampling Generative Networks*, 2016: the arc.
# - Odena, Dumoulin, Olah, *Deconvolution and Checkerboard Artifacts*, 2016.
#
# ### At the paper's scale
# `t2i train dcgan --preset paper` trains the paper's networks of section 2, with uniform
# noise, batches of 128 and both rates at 0.0002, on the course's birds at 64 x 64; `t2i
# train lapgan --preset paper` those of the pyramid. (Not measured yet: how long
# they take on a GPU.)
