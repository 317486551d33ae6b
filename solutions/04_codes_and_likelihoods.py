# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Codes and likelihoods
#
# A picture becomes a short page of words from a small dictionary, and a second network
# learns, exactly, how likely each page is.
#
# **What you will be able to do**
# - turn a picture into a map of whole numbers, and send a gradient past a step that has
#   none;
# - say how many entries of a dictionary are in use, and revive the dead ones;
# - build a network that can't look ahead, and prove it with gradients;
# - compute a likelihood that sums to 1, and compare models in bits per dimension on the
#   same pictures;
# - draw birds that nobody drew, code by code, and fill the lecture's comparison of GAN,
#   VAE, PixelCNN and VQ-VAE with numbers of your own.
#
# **Time:** about a minute and a half of computing on two CPU cores, about 120 minutes with the
# six exercises.
#
# **You need:** lesson 03 (the encoder $q(z|x)$, the decoder $p(x|z)$, the lower bound of
# $\log p(x)$), and what a convolution is. Lesson 02's DCGAN appears in one table.
#
# **Slides covered:** GM-1 (tractable density), GM-6 to GM-9 (VQ-VAE: dictionary, gradient,
# sampling, density), GM-10 (beside a GAN), GM-11 (the comparison table), GM-12 (several
# stages).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("04")

# %%
import time

import torch
from torch.nn import functional as F

from t2i_course import weights
from t2i_course.checks import check
from t2i_course.experiments import records, values
from t2i_course.measure import codes as measure
from t2i_course.measure.codes import unseen_birds
from t2i_course.papers.pixelcnn import (BIRDS, BlindPixelCnn, GatedPixelCnn, PixelCnn,
                                        beside_mask)
from t2i_course.papers.vqvae import VectorQuantizer, VqVae
from t2i_course.papers.vqvae2 import VqVae2
from t2i_course.play.code_lab import WAYS, CodeLab
from t2i_course.show.codes import code_maps, planes, views
from t2i_course.show.pictures import crossed, grid
from t2i_course.show.tables import Table, with_spread
from t2i_course.training import fit
from t2i_course.worlds.bird_species import COLOURS
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.digits import DigitReader, Digits

# %% [markdown]
# ## 1. What the VAE left open
#
# Lesson 03 ended with three complaints. A VAE's pictures are **blurred**: its decoder
# gives one mean for all pictures that share a $z$. Its likelihood is only a **bound**.
# And if the decoder is strong, $z$ falls silent (posterior collapse). Here is the first
# one as a number, from trainings on our birds with three seeds: *detail* is the share of
# a picture's variance that lies in fine waves, in units of what real birds have.

# %%
found = records("04")
for name in ("other real birds", "VAE", "DCGAN"):
    detail = values(found, f"rivals/{name}", "detail")
    print(f"detail of {name:17} {with_spread(detail)}")

# %% [markdown]
# (More than 1 isn't better: a picture full of speckle would have it too.)
#
# The lecture's answer: make $z$ **discrete**. A sentence can't be blurred half-way to
# another sentence, because words are whole things. So let the encoder describe a picture
# by *words* from a dictionary that is learned too. Then
#
# - the decoder gets a sharp message, one of finitely many;
# - saying nothing earns no reward: under a uniform prior every page of codes costs the
#   same, $n \log K$ for $n$ codes from $K$ entries;
# - and a map of numbers can be modelled *exactly*, one number after another (slide GM-1):
#   that is the second half of this lesson.
#
# This is the **VQ-VAE** (vector quantized VAE; van den Oord, Vinyals and Kavukcuoglu 2017).

# %% [markdown]
# ## 2. A dictionary in the plane
#
# Slide GM-6 takes a toy: the encoder gives a map of 4 × 4 places with 2 channels,
# $z_e(x)$. That makes 16 vectors with two numbers each, so all of them can be plotted in
# the plane. The dictionary, called the **codebook**, is $K$ more points of the plane: the
# **entries** $e_1, \dots, e_K$. Each of the 16 vectors gives way to its nearest entry:
#
# $$k = \operatorname{argmin}_j \lVert z_e - e_j \rVert_2, \qquad z_q = e_k$$
#
# $\lVert \cdot \rVert_2$ is the Euclidean distance, $\operatorname{argmin}_j$ "the $j$ for which it is
# least". $k$ is the place's **code**, a whole number; $z_q$ is what the decoder gets. (In
# Python entries are counted from 0.)
#
# ### Exercise 04.1 · The nearest entry (8 minutes, difficulty 2 of 5)
# `vectors` holds $N$ vectors of $D$ numbers, `codebook` $K$ entries. Return the number of
# the nearest entry for each vector.
#
# <details><summary>Hint 1</summary>`torch.cdist(a, b)` gives all distances between the
# rows of `a` and those of `b`, as a table (N, K).</details>
# <details><summary>Hint 2</summary>Look for the smallest number in each row of that
# table: `argmin`, along dimension 1.</details>
# <details><summary>The idea of the answer</summary>The distances of every vector to every
# entry, and `.argmin(1)`. Large codebooks spare themselves the roots: |z - e|² = |z|² - 2
# z·e + |e|², and |z|² is the same for all entries.</details>


# %% tags=["exercise"]
def nearest(vectors, codebook):
    """Slide GM-6. vectors: (N, D); codebook: (K, D). Returns codes (N,), int64."""
    ### BEGIN SOLUTION
    return torch.cdist(vectors, codebook).argmin(1)
    ### END SOLUTION


# %% tags=["check"]
nearest = check("04.1", nearest)

# %% [markdown]
# The toy by hand: 16 vectors, four entries.

# %% tags=["nbval-check-output"]
entries = torch.tensor([[1.0, 1.0], [-1.0, 0.8], [-0.6, -1.0], [1.2, -0.7]])
random = torch.Generator().manual_seed(0)
around = torch.tensor([0, 0, 1, 1, 0, 3, 3, 1, 2, 3, 3, 1, 2, 2, 2, 2])
vectors = entries[around] + 0.45 * torch.randn(16, 2, generator=random)
winners = nearest(vectors, entries)
print(winners.view(4, 4))

# %%
planes({"16 vectors (dots), 4 entries (crosses)": (vectors, entries)})

# %% [markdown]
# **What to see.** Dots are the 16 vectors of the map, crosses the entries with their
# numbers. The background shows which entry is nearest to each place of the plane; its
# borders are straight lines half-way between two entries. A line leads from each vector to
# the entry that takes its place. Of 32 real numbers, 16 codes of 2 bits each are left.

# %% [markdown]
# ## 3. A gradient for a step that has none
#
# How should the encoder learn? Move $z_e$ a little, and $k$ stays what it was: the look-up
# is flat, its gradient is zero wherever there is one. Slide GM-7 cuts the knot by a rule:
#
# - a gradient arrives at the dictionary vector $z_q$, from the decoder;
# - the dictionary vector is **not** updated by it;
# - instead it is applied **as it is** to the undiscretized vector $z_e$.
#
# That is a lie about the derivative, but a useful one: $z_q$ is near $z_e$, so what would
# improve the one mostly improves the other. It is called the **straight-through**
# estimator. In PyTorch it is a line with `detach()`, which keeps a value and stops its
# gradient.
#
# ### Exercise 04.2 · Straight through (8 minutes, difficulty 3)
# Return a tensor with the *values* of `entries` whose gradient goes to `encoded`,
# unchanged, and none of it to `entries`.
#
# <details><summary>Hint 1</summary>Write entries as encoded + (entries - encoded). The
# value is right. Which part must not carry a gradient?</details>
# <details><summary>Hint 2</summary>The derivative of encoded + constant with respect to
# encoded is 1. So make the bracket a constant.</details>
# <details><summary>The idea of the answer</summary>encoded + (entries -
# encoded).detach()</details>


# %% tags=["exercise"]
def straight_through(encoded, entries):
    """Slide GM-7. encoded: z_e; entries: the nearest entries, of the same shape."""
    ### BEGIN SOLUTION
    return encoded + (entries - encoded).detach()
    ### END SOLUTION


# %% tags=["check"]
straight_through = check("04.2", straight_through)

# %% [markdown]
# The slide's rule, verified: let any gradient arrive at the decoder's input, and see what
# reaches the two sides.

# %% tags=["nbval-check-output"]
z_e, book = vectors.clone().requires_grad_(), entries.clone().requires_grad_()
z_q = straight_through(z_e, book[winners])
arriving = torch.arange(32.0).view(16, 2)  # whatever the decoder sends back
z_q.backward(arriving)
print("the decoder gets the entries:      ", torch.allclose(z_q, entries[winners]))
print("z_e gets the gradient as it arrived:", torch.equal(z_e.grad, arriving))
moved = book.grad is not None and bool(book.grad.abs().sum() > 0)
print("the entries get any of it:         ", moved)

# %% [markdown]
# ## 4. Three terms
#
# Now the decoder and the encoder learn, but nothing moves the entries, and nothing keeps
# the encoder's vectors near them. So the loss has three terms (slide GM-7, eq. (3) of the
# paper):
#
# $$L = -\log p(x \mid z_q(x)) \; + \; \lVert \operatorname{sg}[z_e(x)] - e \rVert_2^2
# \; + \; \beta \, \lVert z_e(x) - \operatorname{sg}[e] \rVert_2^2$$
#
# $\operatorname{sg}[\cdot]$ is *stop gradient*, in code `.detach()`. The first term is the
# reconstruction error; it teaches decoder and encoder. The second, the *codebook loss*,
# moves entries to the vectors that chose them. The third, the *commitment loss*, keeps the
# encoder near the entries it chose; $\beta$, here 0.25, says how strongly. (The slide
# prints $\log p$ without the minus. A loss goes down and a likelihood should go up, so the
# minus belongs there.)
#
# The second and third terms have the *same value*. Only the stop-gradients tell them
# apart.
#
# ### Exercise 04.3 · The three-term loss (10 minutes, difficulty 2)
# `reconstruction` is $-\log p$, up to scale, as a number: it is ready to be added. Take
# the mean of each squared difference over all of its numbers.
#
# <details><summary>Hint 1</summary>F.mse_loss(a, b) is the mean of the squared
# differences.</details>
# <details><summary>Hint 2</summary>Second term: encoded.detach() and entries. Third term:
# encoded and entries.detach(), times beta.</details>
# <details><summary>The idea of the answer</summary>reconstruction +
# F.mse_loss(encoded.detach(), entries) + beta * F.mse_loss(encoded,
# entries.detach())</details>


# %% tags=["exercise"]
def three_term_loss(reconstruction, encoded, entries, beta=0.25):
    """Slide GM-7. reconstruction: a scalar; encoded, entries: (B, D, h, w). A scalar."""
    ### BEGIN SOLUTION
    codebook = F.mse_loss(encoded.detach(), entries)
    commitment = F.mse_loss(encoded, entries.detach())
    return reconstruction + codebook + beta * commitment
    ### END SOLUTION


# %% tags=["check"]
three_term_loss = check("04.3", three_term_loss)

# %% [markdown]
# Everything is there for the lecture's toy with real input: handwritten digits at 16 × 16
# pixels, an encoder that gives 4 × 4 vectors with 2 channels, and 16 entries. We follow
# the 16 vectors of one digit, and the entries, through the plane. Your look-up, your
# gradient and your loss do the work.

# %% tags=["live"]
torch.manual_seed(0)
lookup = VectorQuantizer(16, 2, spread=1.0, nearest=nearest,
                         straight_through=straight_through)
toy = VqVae(16, channels=1, hidden=32, entries=16, code_size=2, rate=2e-3,
            quantizer=lookup, loss=three_term_loss)
some = Digits(12, split="held-out", side=16).batch(0).to("cpu").image
steps, moments = run.choose(4, 600), {}


def look(toy, history, step):
    """Keeps the plane at three moments."""
    if step in (1, steps // 10 + 1, steps):
        encoded = toy.autoencoder["encoder"](some[:1])[0].flatten(1).T
        moments[f"step {step}"] = encoded.clone(), lookup.codebook.detach().clone()


history = fit(toy, Digits(64, side=16), steps, device="cpu", on_step=look)

# %%
planes(moments, "One digit's 16 vectors and the codebook")

# %% [markdown]
# **What to see.** At step 1 all 16 vectors lie in a heap and share a few entries. Then the
# encoder spreads them, since different parts of a digit must be told apart, and the
# entries that are in use come nearer to the vectors that chose them (the lines get
# shorter). A cross without a number is chosen by no vector of *this* digit; other digits may
# choose and move it. Only an entry that no digit chooses gets no gradient, and stays.

# %% tags=["live"]
toy.eval()
print(toy.codes(some[:1])[0])
print("squared error:", round(F.mse_loss(toy.reconstruct(some), some).item(), 3))
grid(torch.cat([some, toy.reconstruct(some)]), columns=12, rows=["real", "from codes"],
     title="Twelve digits never trained on, and what their 16 codes say (seed 0)")

# %% [markdown]
# Sixteen numbers from 0 to 15: 64 bits of a page that anyone with the same codebook can
# read. That is all the decoder has seen of the second row.

# %% [markdown]
# ## 5. A dictionary that dies
#
# An entry without a vector never moves again. It is **dead**. How many are in use? Let
# $p_j$ be the share of places whose code is $j$. The **perplexity** is
#
# $$\exp\Big(-\sum_{j=1}^{K} p_j \log p_j\Big)$$
#
# the exponential of the *entropy*. If $n$ entries are used alike and the others not at
# all, it is exactly $n$; if some are used more than others, it is less. $0 \log 0$ counts
# as 0.
#
# ### Exercise 04.4 · How many entries are in use (8 minutes, difficulty 2)
# `codes` holds whole numbers from 0 to $K - 1$, in any shape; `entries` is $K$. Return the
# perplexity of all of them together, a scalar tensor.
#
# <details><summary>Hint 1</summary>torch.bincount(codes.flatten(), minlength=entries)
# counts each code; divide by how many codes there are.</details>
# <details><summary>Hint 2</summary>torch.special.entr(p) is -p log p, and 0 where p is
# 0.</details>
# <details><summary>The idea of the answer</summary>Shares, entr, sum, exp.</details>


# %% tags=["exercise"]
def perplexity(codes, entries):
    """codes: int64 of any shape; entries: K. A scalar between 1 and K."""
    ### BEGIN SOLUTION
    shares = torch.bincount(codes.flatten(), minlength=entries) / codes.numel()
    return torch.special.entr(shares).sum().exp()
    ### END SOLUTION


# %% tags=["check"]
perplexity = check("04.4", perplexity)

# %% tags=["nbval-check-output"]
print("four entries of 16, alike:  ", round(perplexity(torch.arange(4), 16).item(), 3))
skewed = torch.tensor([0] * 97 + [1, 2, 3])
print("four entries, one does it all:", round(perplexity(skewed, 16).item(), 3))

# %% [markdown]
# Two remedies. The first is the paper's own (its appendix): don't move entries by a loss
# but put each where its vectors are *on average*. With $n_j$ the number of vectors that
# chose entry $j$ in a minibatch and $m_j$ their sum, keep **exponential moving averages**
# (EMA)
#
# $$N_j \leftarrow \gamma N_j + (1 - \gamma)\, n_j, \qquad
# M_j \leftarrow \gamma M_j + (1 - \gamma)\, m_j, \qquad e_j = M_j / N_j$$
#
# with $\gamma$ near 1. This is $k$-means on the fly; the second term of the loss falls
# away. In code, for the 16 vectors of section 2:

# %% tags=["nbval-check-output"]
gamma, chosen = 0.9, F.one_hot(winners, 4).float()  # (16 vectors, 4 entries)
count, total = torch.ones(4), entries.clone()  # N and M, before the minibatch
count = gamma * count + (1 - gamma) * chosen.sum(0)
total = gamma * total + (1 - gamma) * chosen.T @ vectors
steps_taken = (total / count[:, None] - entries).norm(dim=1)
print("vectors that chose each entry:", chosen.sum(0).int().tolist())
print("N after one minibatch:        ", [round(n, 2) for n in count.tolist()])
print("how far each entry moves:     ", [round(d, 2) for d in steps_taken.tolist()])

# %% [markdown]
# The second remedy is rude: an entry whose $N_j$ sinks below half a vector a minibatch is
# **revived**, that is, put where some vector of the present minibatch is. (Both in full:
# `VectorQuantizer.learn` and `revive_dead` in
# [vqvae.py](../t2i_course/papers/vqvae.py).)
#
# Does it matter? Birds with 128 entries, 600 steps, three seeds each:

# %%
rows = {}
for way in ("by its loss", "moving averages", "and revival"):
    figures = [values(found, f"codebook/{way}", name)
               for name in ("used", "perplexity", "error")]
    rows[way] = [with_spread(f, d) for f, d in zip(figures, (0, 0, 4))]
Table(["entries used, of 128", "perplexity", "squared error"], rows,
      "2,000 unseen birds, seeds 0 to 2; t2i reproduce 04 codebook, "
      "one thread")

# %% [markdown]
# **What to see.** Moved by the loss alone, about half of the dictionary is dead after 600
# steps. Moving averages bring nearly all of it to life and lower the error. Revival evens
# out the use further; the error stays the same within the seeds' spread.

# %% [markdown]
# ## 6. Birds
#
# Now 32 × 32 birds: 8 × 8 codes from a codebook of 128 entries of 16 numbers, with moving
# averages and revival. In the encoder two strided convolutions halve the picture twice, and two
# *residual blocks* follow (small networks whose output is added to their input); the
# decoder mirrors this. These are the paper's networks, narrower.

# %%
def show(coder, history):
    """Ten unseen birds, and what the decoder makes of their codes."""
    when = f"step {history.step:,}" if history.step else "as shipped"
    return grid(torch.cat([few, coder.reconstruct(few.to(coder.device)).cpu()]), 10,
                title=f"VQ-VAE, seed 0, {when}", rows=["a bird", "decoded"])


# %% tags=["live"]
torch.manual_seed(0)
coder = VqVae.from_preset(run.preset, nearest=nearest, loss=three_term_loss,
                          straight_through=straight_through)
settings = coder.settings
birds = Birds("train", coder.size, settings["batch_size"], run.choose(2, 60))
unseen = unseen_birds(run.choose(60, 2000), coder.size)
few = unseen.image[:: len(unseen.image) // 10][:10]
history = run.train(coder, birds, settings["steps"], shipped="vqvae_birds", show=show)

# %%
coder.to("cpu").eval()
codes = coder.codes(unseen.image)
painted = coder.decode(codes)
alike = perplexity(codes, coder.values)
print(f"squared error on unseen species: {F.mse_loss(painted, unseen.image):.4f}")
print(f"entries in use, as if alike: {alike:.0f} of {coder.values}")
print(f"a bird: {few[0].numel() * 8:,} bits as pixels, "
      f"{codes[0].numel() * (coder.values - 1).bit_length()} as codes")
maps = code_maps(coder.codes(few), coder.autoencoder["quantizer"].codebook, few.shape[-1])
grid(torch.cat([few, maps, coder.reconstruct(few)]), 10,
     title="Ten birds of unseen species through the VQ-VAE, seed 0",
     rows=["a bird", "its codes", "decoded"])

# %% [markdown]
# **What to see.** Each bird can be told from its codes: place, pose and colours are there.
# What is lost is fine: the outline, the eye, the bars of a barred wing. In the middle row
# similar entries have similar colours: sky, water and grass are runs of a few codes, and
# the bird is a small patch of others. The bits have shrunk to about a fiftieth.
#
# Who can still read them? The oracle (lesson 00's classifier, at least 98 % right on real
# drawings), asked for the birds' attributes before and after:

# %%
parts = "habitat", "belly", "wing", "beak", "pattern", "beak_colour"
kept = measure.of_species(painted, unseen.attributes, parts)
print({part: round(share, 2) for part, share in kept.items()})

# %% [markdown]
# Large areas come through, and so does the beak's length. The bars of a wing and the
# beak's colour, a pixel or two wide, often don't (0.5 and 0.25 would be guesses).
#
# ### And new birds?
#
# A VAE draws $z$ from its prior $\mathcal N(0, I)$. The VQ-VAE's prior, while it trains, is
# "all codes alike" (slide GM-9: *uniform categorical* against Gaussian). So draw 64 codes
# at random, and decode:

# %%
coder.rng = torch.Generator().manual_seed(0)
grid(coder.sample(10), 10, title="Decoded: 64 codes drawn alike, each by itself (seed 0)")

# %% [markdown]
# **What to see.** Every patch is a patch of some bird or some sky, and they don't belong
# together. The encoder never uses all maps alike: neighbouring codes hang together, as
# words of a sentence do. What is missing is a model of *which pages make sense*.

# %% [markdown]
# ## 7. One place at a time
#
# Any distribution over $n$ numbers is a product of conditionals (slide GM-1):
#
# $$p(x) = \prod_{i=1}^{n} p(x_i \mid x_1, \dots, x_{i-1})$$
#
# in *reading order*: row by row, from the left. This **chain rule** is no approximation.
# If a network gives each factor as a softmax over $K$ values ($K$ scores, made into
# probabilities that sum to 1), then $p(x)$ can be computed,
# and sums to 1 over all $x$. That is what "tractable density" means. **PixelCNN** (van den
# Oord et al. 2016) is such a network: a stack of convolutions that computes all factors of
# a known picture in one go. The one thing it must never do is look ahead: the factor for
# place $i$ must not depend on $x_i$ or anything after it.
#
# A convolution's kernel looks all around. So multiply its weights by a **mask** of ones and
# zeros. In the *first* layer (kind A) the middle, the very value that is to be predicted,
# is shut. In later layers (kind B) the middle is open: what stands there has been computed
# from earlier places only.
#
# ### Exercise 04.5 · What a kernel may see (10 minutes, difficulty 2)
# Return a mask (size, size), size odd, of floats: 1 where the kernel may look.
#
# <details><summary>Hint 1</summary>Three parts: all rows above the middle one; in the
# middle row what is left of the middle; the middle itself for kind B.</details>
# <details><summary>Hint 2</summary>Begin with torch.zeros(size, size); mask[: size // 2] = 1
# opens the rows above.</details>
# <details><summary>The idea of the answer</summary>Then mask[middle, : middle] = 1, and
# mask[middle, middle] = 1 if kind == "B".</details>


# %% tags=["exercise"]
def raster_mask(size, kind):
    """Slide GM-1. size: odd; kind: "A" for the first layer, "B" for the others."""
    ### BEGIN SOLUTION
    mask, middle = torch.zeros(size, size), size // 2
    mask[:middle] = 1
    mask[middle, :middle] = 1
    mask[middle, middle] = float(kind == "B")
    return mask
    ### END SOLUTION


# %% tags=["check"]
raster_mask = check("04.5", raster_mask)

# %% tags=["nbval-check-output"]
print("A, first layer:", raster_mask(3, "A").int().tolist())
print("B, the others: ", raster_mask(3, "B").int().tolist())

# %% [markdown]
# Is it really blind for what comes? Don't trust, differentiate: take the output at one
# place, and ask which inputs it has a gradient to.

# %%
def seen_by(read, channels, row, column, side=9):
    """(side, side) bool: the inputs that move the output at that place."""
    torch.manual_seed(0)
    features = torch.randn(1, channels, side, side, requires_grad=True)
    read(features)[0, :, row, column].square().sum().backward()
    return features.grad[0].abs().sum(0) > 0


torch.manual_seed(0)
first = BlindPixelCnn(1, 16, layers=8, mask=raster_mask)
open_mask = lambda size, kind: raster_mask(size, "B")
leaking = BlindPixelCnn(1, 16, layers=8, mask=open_mask)
gated = GatedPixelCnn(17, channels=8, layers=8, first=3)
place = 5, 3
views({"masks A, B, B, ...": (seen_by(first, 1, *place), place),
       "with B in the first layer": (seen_by(leaking, 1, *place), place),
       "two stacks": (seen_by(gated.read, 8, *place), place)},
      "What the place with the star is predicted from")

# %% [markdown]
# **What to see.** *Left:* nothing later is seen, as it should be. But a red wedge is
# not seen: places above and to the right come earlier, and yet no path of kernels reaches
# them. A layer passes news on from the row above by at most one column, and never from
# the right within a row. So eight layers don't help, nor would eighty. This is the
# **blind spot** of the first PixelCNN. *Middle:* the wrong mask; the star's own square is
# orange. Such a network predicts a value it is shown: a perfect loss in training, rubbish
# when it draws.
#
# *Right:* the remedy of the **gated PixelCNN**. Two stacks of layers run side by side. The
# *vertical* one looks at whole rows above (its kernel is a block of rows, with no corner
# cut out, so nothing hides). The *horizontal* one looks left along the present row and
# hears the vertical one, never the other way round. All that is earlier is seen, and
# nothing else. Each layer ends in a *gate*, $\tanh(a) \cdot \operatorname{sigmoid}(b)$, where
# $a$ and $b$ are the two halves of the channels: half of them say something, the other half
# how much of it passes. In code (`gate` in
# [pixelcnn.py](../t2i_course/papers/pixelcnn.py), where the two stacks are too):

# %% tags=["nbval-check-output"]
def gated_half(features):
    """tanh of the first half of the channels times the sigmoid of the second."""
    a, b = features.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


said = torch.tensor([0.5, 0.5, -5.0, 5.0]).view(1, 4, 1, 1)  # a, a, b, b
print("0.5, with b = -5 and b = 5:", [round(v, 3) for v in gated_half(said).flatten().tolist()])

# %% [markdown]
# ## 8. A likelihood that is one
#
# ### Exercise 04.6 · The chain rule (10 minutes, difficulty 3)
# The network gives `logits` of shape (B, K, H, W): at each place $K$ scores for its value.
# The picture's values are `codes` (B, H, W). Return $\log p(x)$ of each picture in nats
# (natural logarithm), shape (B,). It must stay right when the network is very sure.
#
# <details><summary>Hint 1</summary>The logarithm of a product is a sum of
# logarithms.</details>
# <details><summary>Hint 2</summary>F.cross_entropy(logits, codes, reduction="none") is
# minus the logarithm of the right value's softmax at each place, (B, H, W).</details>
# <details><summary>The idea of the answer</summary>Minus that, summed over the places, not
# over the batch.</details>


# %% tags=["exercise"]
def log_probability(logits, codes):
    """Slide GM-1. logits: (B, K, H, W); codes: (B, H, W). log p in nats, (B,)."""
    ### BEGIN SOLUTION
    each = F.cross_entropy(logits, codes, reduction="none")
    return -each.sum((1, 2))
    ### END SOLUTION


# %% tags=["check"]
log_probability = check("04.6", log_probability)

# %% [markdown]
# Does it sum to 1? In a tiny space one can count: pictures of 2 × 3 places with 3 values,
# 729 of them all. A fresh network, untrained:

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
every = measure.all_maps(3, (2, 3))
for name, beside in (("right masks", beside_mask),
                     ("one that leaks", lambda size, kind: beside_mask(size, "B"))):
    tiny = GatedPixelCnn(3, channels=8, layers=4, first=3, beside=beside).double()
    with torch.no_grad():
        p = log_probability(tiny(every), every).exp()
    print(f"{name}: p summed over {len(every)} pictures: {p.sum().item():.9f}")

# %% [markdown]
# With the right masks it isn't about 1: it *is* 1, to nine digits, with weights at random.
# (`beside_mask` is the horizontal stack's, a row of what lies to the left.) A network that
# leaks gives numbers that look like probabilities and are none: their sum is another. So to add up a tiny space is a test that no
# cheating "likelihood" passes. No GAN can be put to it at all, and a VAE would need an
# integral for each picture.
#
# ### Train one on pixels
#
# Lesson 03's digits: 8 × 8 pixels, each at one of the 17 grey levels that the scanner
# gave. So a pixel is a softmax over 17 values, and the same pictures can be put to lesson
# 03's VAE later. The system's round of play is yours:

# %%
class ByChainRule(PixelCnn):
    """The course's PixelCNN, trained by the chain rule of exercise 04.6."""

    def round(self, batch):
        """Goes down -log p, in nats a place."""
        codes = self.coder.codes(batch.image)
        kind = batch.class_id if self.classes else None
        log_p = log_probability(self.pixelcnn(codes, kind), codes)
        yield "pixelcnn", -log_p.mean() / self.places


# %% tags=["live"]
torch.manual_seed(0)
pixels = ByChainRule.from_preset(run.preset, classes=0)
trained_on = Digits(pixels.settings["batch_size"])


def show(pixels, history):
    """Digits drawn pixel by pixel, so far."""
    when = f"step {history.step:,}" if history.step else "as shipped"
    return grid(pixels.sample(count=15), 15, title=f"PixelCNN of digits, seed 0, {when}",
                smooth=True)


history = run.train(pixels, trained_on, pixels.settings["steps"], show=show,
                    shipped="pixelcnn_digits")

# %% [markdown]
# Likelihoods are compared in **bits per dimension**: $-\log_2 p(x)$, divided by how many
# numbers make up the picture. It is the length, in bits a pixel, of the shortest message
# that tells the picture to somebody who has the same model. One of 17 levels told plainly
# costs $\log_2 17 = 4.09$ bits. Held-out digits, 454 that no model saw:

# %%
pixels.to("cpu").eval()
held = Digits(split="held-out").pictures()
for name, digits in (("held out", held), ("trained on", trained_on.pictures())):
    bits = pixels.bits_per_dimension(digits).mean()
    print(f"PixelCNN, digits {name}: {bits:.2f} bits a pixel")
pixels.rng = torch.Generator().manual_seed(2)
clear = DigitReader().read(pixels.sample(count=run.choose(30, 1000)))[1]
print(f"clear digits among the drawn ones (lesson 01's reader): {clear.float().mean():.0%}")
rows = torch.cat([held[::30][:15], pixels.sample(count=30)])
grid(rows, 15, title="Drawn pixel by pixel by the PixelCNN, seed 0", smooth=True,
     rows=["held out", "drawn", "drawn"])

# %% [markdown]
# **What to see.** Strokes of the right width that turn and close as strokes do. Some are
# digits, some are none (the third printed line says how many are clear): the network has
# good handwriting and a poor memory of where it began. The gap between the first two
# numbers is *overfitting*: there are only 1,343
# digits to learn from. (The learning rate falls to zero after 600 steps for that reason:
# longer training made held-out digits dearer again.)
#
# ### Drawing without doing everything twice
#
# Drawing goes place by place: $n$ places, $n$ runs of the network, if one is simple-minded.
# But place $i + 1$ needs nearly the same sums as place $i$. `sample` keeps what every layer
# has computed: the vertical stack moves on once a row, the horizontal one by a single
# place. `sample_slowly` computes the whole picture for each place:

# %% tags=["live"]
prior_like = PixelCnn(values=128, shape=(1, 16, 16), classes=0, channels=32, out=96)
noise, took = torch.rand(8, 16, 16, generator=torch.Generator().manual_seed(0)), {}
for name in ("sample", "sample_slowly"):
    began = time.perf_counter()
    took[name] = getattr(prior_like.pixelcnn.eval(), name)(noise), time.perf_counter() - began
(fast, quick), (slow, long) = took["sample"], took["sample_slowly"]
print("the same codes:", torch.equal(fast, slow))
print(f"16 x 16 codes, 8 maps at once, this run: {long / quick:.0f} times as fast")

# %%
rows = {}
for side in (8, 16, 32):
    figures = [values(found, f"speed/{side} x {side}", name)
               for name in ("kept", "anew", "times")]
    rows[f"{side} x {side} places"] = [with_spread(f, d) for f, d in zip(figures, (2, 2, 0))]
Table(["seconds, kept", "seconds, anew", "times as fast"], rows, "4 maps at once, 128 "
      "values, seeds 0 to 2; t2i reproduce 04 speed, one thread")

# %% [markdown]
# The gain grows with the picture: what is saved is the rest of the picture, at every
# place. (Your run above draws more maps at once, on as many threads as your machine has;
# its figure may differ from the table's.) It is still one place after another, and a GAN
# draws a whole picture in one go.

# %% [markdown]
# ## 9. A prior over pages
#
# Now put the two halves together (slide GM-8). A code is a value in 0 … 127, a map has
# 8 × 8 of them. So a PixelCNN can learn which maps of codes there are, from the codes of
# the training birds. The VQ-VAE rests meanwhile. Drawing a bird is then: draw 64 codes,
# one after the other, and decode once.
#
# Why not a PixelCNN on the birds' pixels? 3,072 values of 256 levels each, against 64
# codes of 128: the codes have already dealt with what is local and dull.

# %% tags=["live"]
torch.manual_seed(0)
prior = ByChainRule.from_preset(run.preset, coder=coder, **BIRDS[run.preset] | {"classes": 0})
coder.rng = torch.Generator().manual_seed(0)
birds = Birds("train", coder.size, prior.settings["batch_size"], run.choose(2, 60))


def show(prior, history):
    """Birds of drawn codes, so far."""
    when = f"step {history.step:,}" if history.step else "as shipped"
    return grid(prior.sample(count=10).cpu(), 10, title=f"Prior over codes, seed 0, {when}")


history = run.train(prior, birds, prior.settings["steps"], show=show,
                    shipped="pixelcnn_birds")

# %% tags=["cover"]
prior.to("cpu").eval()
prior.rng = torch.Generator().manual_seed(1)
drawn = prior.sample(count=30)
grid(drawn, 10, title="Birds that nobody drew, code by code (learned prior, seed 0)")

# %% [markdown]
# **What to see.** Compare with the mush of section 6: the *same decoder*, the same
# dictionary; only the choice of codes is new. Most are whole birds in front of a whole
# background. Some have two beaks, or no belly: a PixelCNN decides the top rows before it
# knows what will stand below.

# %%
bits = prior.bits_per_dimension(unseen.image).mean()
uniform = torch.tensor(float(coder.values)).log2()
print(f"bits a code: uniform {uniform:.2f}, learned prior {bits:.2f} (unseen species)")
now = measure.pictures_in_figures(prior.sample(count=run.choose(60, 2000)))
print({name: round(value, 2) for name, value in now.items()})

# %% [markdown]
# How good are they, beside lesson 02's and lesson 03's? **IS**, the inception score, is
# high if each bird is clearly of some kind and all kinds appear; **FID**, the Fréchet
# distance, is low if the birds as a crowd are like real ones (lesson 02 has both). Here
# the oracle's features stand in for an ImageNet network's.

# %%
names = ("inception score", "frechet distance", "detail", "seconds")
kinds = {"real birds, others": "rivals/other real birds", "DCGAN (lesson 02)": "rivals/DCGAN",
         "VAE, Gaussian": "rivals/VAE", "VQ-VAE, uniform prior": "birds/uniform prior",
         "VQ-VAE, learned prior": "birds/learned prior",
         "VQ-VAE, prior by species": "birds/prior by species",
         "VQ-VAE-2 (section 11), prior": "levels/learned prior"}
gan_seconds = weights.entry("dcgan_32")["seconds"]
elsewhere = {"real birds, others": "none", "DCGAN (lesson 02)": f"{gan_seconds:.0f}",
             "VQ-VAE, uniform prior": "its coder's"}
rows = {}
for kind, row in kinds.items():
    cells = [with_spread(values(found, row, n), d) for n, d in zip(names, (1, 0, 2, 0))]
    rows[kind] = [elsewhere.get(kind, cell) if cell == "not measured" else cell
                  for cell in cells]
Table(["IS", "FID", "detail", "seconds of training"], rows, "2,000 birds, seeds 0 to 2 "
      "(DCGAN and real birds: one set of weights, one set of birds); a prior's seconds come "
      "on top of its coder's; t2i reproduce 04 birds (rivals, levels)")

# %% [markdown]
# **What to see.** The learned prior brings the distance down to about a quarter of the
# uniform prior's, with the same decoder. (Hearing the species doesn't lower it further.)
# Beside the GAN: less detail and about twice the distance, in a little more time (coder
# and prior together). Beside the VAE, which had nearly as much time, it is clearly ahead in
# IS and FID, and not in detail. Slide GM-10 shows VQ-VAE-2's and BigGAN's photographs as
# equals, and ends with DALL·E 2 as an outlook: a prior over codes that hears a *sentence*
# is where text-to-image was heading. In our miniature the GAN is ahead.
#
# *Detail* says why the GAN is ahead: both autoencoders learn by squared error, and the best
# answer to "the beak is somewhere here" is a grey smear. Discrete codes did not abolish
# that. They moved it: what the 448 bits can't say is still averaged. What the prior brings
# is another thing: a whole bird, whose parts belong together.
#
# ### "Class: pickup"
#
# The slide's samples are drawn *by class*. In the gated PixelCNN a class adds a learned
# vector to both stacks of each layer, before the gate. Here the class is the bird's
# species. In our world it fixes habitat, size, beak and wing pattern, while colours change
# with the plumage.

# %%
known = sorted(set(birds.species.tolist()))
chosen = torch.tensor([known[i] for i in (3, 40, 77, 110) for _ in range(8)])
by_species = PixelCnn.from_preset("cpu", coder=VqVae.from_preset("cpu"), **BIRDS["cpu"])
weights.load_into(by_species, "pixelcnn_birds_species")
by_species.eval().rng = torch.Generator().manual_seed(0)
grid(by_species.sample(chosen), 8, rows=[f"species {known[i]}" for i in (3, 40, 77, 110)],
     title="Four species, drawn by the prior that hears the species (shipped, seed 0)")

# %%
names, rows = ("habitat", "size", "beak", "pattern"), {}
for kind, row in (("prior by species", "prior by species"), ("prior without", "learned prior")):
    shares = [values(found, f"birds/{row}", name) for name in names]
    rows[kind] = [with_spread(share) for share in shares]
Table(names, rows, "Share of drawn birds that are as the species is, by the oracle; seeds 0 "
      "to 2; t2i reproduce 04 birds")

# %% [markdown]
# **What to see.** The habitat is obeyed nearly always, the size often, the beak somewhat, the
# pattern not at all (compare with the second row). Patterns the codes themselves hardly hold
# (section 6). The beak they do hold; but it is a matter of one or two of the 64 codes,
# while the habitat decides most of them, so it is of the habitat that the loss speaks.
# (That is our reading of it; a longer training might learn the rest.)

# %% [markdown]
# ## 10. Bits
#
# Now the fair comparison (slide GM-9): the *same* 454 held-out digits at the same 17 grey
# levels, bits per pixel, three models. None hears which digit it is. All give each level a
# *probability*; VAE and VQ-VAE by a Gaussian around the decoder's picture, rounded to the
# levels, as in lesson 03. What each can compute:
#
# - **PixelCNN:** $p(x)$ itself;
# - **VAE** (lesson 03's `vae_digits`): a lower bound of $\log p(x)$, the ELBO or, tighter,
#   the one with 64 weighted draws of $z$;
# - **VQ-VAE:** also a bound. With $k(x)$ the codes that the encoder chooses,
#   $p(x) = \sum_k p(k)\, p(x|k) \geq p(k(x))\, p(x|k(x))$: one term of a sum over *all*
#   maps of codes. $p(k)$ is the prior: $K^{-n}$ if it is uniform, or a trained PixelCNN's.
#
# For pictures this small we can do what nobody can at full size. 8 × 8 pixels give 2 × 2
# codes, and with 16 entries there are $16^4 = 65{,}536$ maps. **All** of them can be
# decoded, and the sum be taken. So for once we know how loose the bound is.

# %%
few_codes = PixelCnn(VqVae(**measure.FEW_CODES), **measure.FEW_CODES_PRIOR)
weights.load_into(few_codes, "pixelcnn_few_codes")
small, log_prior = few_codes.eval().coder, few_codes.log_prob(held).detach()
sigma = measure.deviation_of(small, trained_on.pictures())
for name, given in (("uniform", None), ("learned", log_prior)):
    bound = small.bits_per_dimension(held, sigma, given, levels=17, rounded=True)
    print(f"bound, {name} prior: {bound.mean():.3f} bits a pixel")
exact = measure.exact_bits(small, held, sigma, few_codes)
print(f"all {16**4:,} maps:       {exact.mean():.3f}")
print("the bound is never below:", bool((bound >= exact - 1e-5).all()))

# %% tags=["live"]
every = measure.all_maps(16, (2, 2))
total = measure.log_prior_of(few_codes, every).exp().sum().item()
print(f"the prior's {len(every):,} probabilities sum to {total:.6f}")

# %%
rows, of_vae = {"each level alike": ["4.09", "exact"]}, records("03")
for name, figure, kind in (("VAE, ELBO", "elbo", "bound"),
                           ("VAE, 64 draws", "bits", "tighter bound")):
    rows[name] = [with_spread(values(of_vae, "grey/rounded", figure), 3), kind]
for name, row, figure, kind in (
        ("PixelCNN", "PixelCNN", "bits", "exact"),
        ("PixelCNN that hears the class", "PixelCNN by class", "bits", "exact"),
        ("VQ-VAE, uniform prior", "VQ-VAE", "uniform", "bound"),
        ("VQ-VAE, learned prior", "VQ-VAE", "learned", "bound"),
        ("VQ-VAE, uniform prior, summed", "VQ-VAE", "uniform_exact", "exact"),
        ("VQ-VAE, learned prior, summed", "VQ-VAE", "learned_exact", "exact")):
    rows[name] = [with_spread(values(found, f"digits/{row}", figure), 3), kind]
Table(["bits a pixel", "what it is"], rows, "454 held-out digits, 17 grey levels, seeds 0 "
      "to 2; t2i reproduce 04 digits, 03 grey")

# %% [markdown]
# **What to see.** The PixelCNN is best, and better still when it hears which digit it is.
# The VAE comes within a tenth of a bit, and its number is a bound: the truth may be closer.
# The VQ-VAE is far behind, by its bound and summed up. So for once we know what is whose
# fault. The bound's: what the last two rows have less than the two above them. (Several
# maps could have made the same picture; the encoder's single choice throws their share
# away.) The rest is the model's own: 2 × 2 codes of 16 entries say 16 bits a picture, a
# quarter of a bit a pixel, and what they don't say the decoder's Gaussian has to pay for.
# (Other pictures, or other grey levels, may bring another order. These we measured.)
#
# The learned prior is worth little here: four codes that are used alike leave little to
# predict. Of the birds' 64 codes it saves more than half of the bits (section 9). But
# what share do the codes have in a bird's bits?

# %%
rows = {name: [with_spread(values(found, row, figure), 2)] for name, row, figure in (
        ("VAE, ELBO", "rivals/VAE", "bits_elbo"), ("VAE, 64 draws", "rivals/VAE", "bits"),
        ("VQ-VAE, uniform prior", "birds/reconstructed", "bits"),
        ("VQ-VAE, learned prior", "birds/learned prior", "bits"))}
Table(["bits a number, at most"], rows, "Birds of unseen species, 3 x 32 x 32 numbers of 256 "
      "levels; one Gaussian deviation for all; t2i reproduce 04 birds, 04 rivals")

# %% [markdown]
# Told plainly a number costs 8 bits. Here VQ-VAE and VAE lie close together, which is what
# slide GM-9 says of CIFAR-10: "comparable with VAE in terms of density estimation". (The
# slide prints no figure for it, so the comparison is of words with a measurement, on other
# pictures.) Of a bird's
# bits only a few hundred are codes; some 19,000 say what the decoder's Gaussian left
# open. So the prior, which decides whether a sample is a bird at all, is hardly seen in
# this unit. And section 8's PixelCNN, best of all in bits, drew few digits that are clear.
# Bits per dimension and good pictures are two different things.

# %% [markdown]
# ## 11. Two levels
#
# One map of codes has to say what is far apart (sky, pose) and what is fine (a beak).
# **VQ-VAE-2** (Razavi et al. 2019; slide GM-12, *multi-stage*) uses two: a small **top** map,
# here 4 × 4, seen from afar; and a **bottom** map of 8 × 8 that is chosen *knowing the top's*
# and adds what is missing. A PixelCNN draws the top, a second one the bottom given the top.
# What does each level hold? Take two birds and exchange one level.

# %%
levels = VqVae2.from_preset("cpu")
weights.load_into(levels, "vqvae2_birds")
levels.eval()
one, other = unseen_birds(16).image.split(8)
rows = {"first": one, "second": other, "first's\ncodes": levels.swap(one, one),
        "top 1,\nbottom 2": levels.swap(one, other),
        "top 2,\nbottom 1": levels.swap(other, one)}
crossed(torch.cat(list(rows.values())), list(rows), [f"pair {i}" for i in range(1, 9)],
        "Exchanging one level of the shipped VQ-VAE-2, seed 0")

# %% [markdown]
# Let the oracle say whose bird it is. Of the pairs that differ in an attribute, in how many
# has the mixture the one's value, in how many the other's?

# %%
swapped, rows = values(found, "levels/coder", "swapped"), {}
for name in ("habitat", "wing", "belly", "crown", "pattern", "beak", "size"):
    top, bottom = ([seed[name][side] for seed in swapped] for side in (0, 1))
    rows[name] = [with_spread(top), with_spread(bottom)]
Table(["as the bird of the top codes", "as the bird of the bottom codes"], rows,
      "2,000 pairs of unseen birds, seeds 0 to 2; t2i reproduce 04 levels")

# %%
many = unseen_birds(run.choose(60, 1000)).image
others = many.roll(len(many) // 3, 0)
for name, mixed in (("its own codes", levels.swap(many, many)),
                    ("another's top codes", levels.swap(others, many)),
                    ("another's bottom codes", levels.swap(many, others)),
                    ("another bird itself", others)):
    print(f"squared error to the bird, {name:22} {F.mse_loss(mixed, many):.3f}")
for part in ("perplexity_top", "perplexity_bottom"):
    print(f"{part:18}", with_spread(values(found, "levels/coder", part), 0), "of 64")

# %% [markdown]
# **What to see.** Not what one hopes for. In the pictures, outline, pose and habitat come
# with the *bottom* codes (fourth row: the second birds in other dyes); the *top* codes give
# a tint to the plumage, and little more. The table agrees: the oracle follows the bottom
# map. The network shown is seed 0's; in the two other trainings the top codes do not even
# tint (hence the large spread of the colours). (Where both columns say 0.50, of the pattern, the mixture's wing is read as
# plain whichever bird it is, and that is right half of the time.) Yet the top's entries
# are nearly all in use: its codes are said, and hardly heard.
#
# Why? The bottom's encoder sees all of a picture this small, and 64 codes are enough for a
# bird (section 6). Nothing in the loss asks it to leave anything to the top. It is
# posterior collapse once more, lesson 03's trouble: where one part can do it all, another
# falls silent. The paper's pictures are 256 × 256, and a bottom code there knows but a
# small patch, so that what is far apart has to come from above. That size is not for a CPU,
# and we have not run it. Nor does the second level make better birds here: see its row in
# section 9's table. (It has 64 entries a level, not 128.)

# %% [markdown]
# ## 12. The lecture's table
#
# Slide GM-11 compares four families in six lines. (Of the slide's marks only the crosses and one
# question mark have come down to us, so the cells here are our own.) Behind each cell is a
# figure of this course, or a reason.

# %%
from t2i_course.experiments.families import FAMILIES, comparison

Table(FAMILIES, comparison(found), "GM-11. On birds, unless digits are named")

# %% [markdown]
# Cell by cell:
#
# - **Exact likelihood.** Only the PixelCNN's $p(x)$ is a number one can compute; section 8
#   added it up to 1. VAE and VQ-VAE bound it; how loose the VQ-VAE's bound is we know from
#   section 10's sum over all maps, the VAE's only from below (a tighter bound is at least
#   that much better). A GAN draws and can't be asked.
# - **Latent $z$ and inference.** GAN, VAE and VQ-VAE draw from a $z$; only the two with an
#   encoder give the $z$ of a picture, and the squared error says how much of the picture it
#   holds. A PixelCNN has no $z$: it goes from pixel to pixel.
# - **Discrete.** The VQ-VAE's alone.
# - **Stable training.** How far apart do three trainings end, greatest less least as a
#   share of the mean? (The GAN's are lesson 02's three of 1,200 steps. The PixelCNN's figure
#   is of bits and can't be ranked with the other three.) The other families' lie about equally
#   far apart, the GAN's no farther than the VAE's, against the slide's cross; but the GAN's
#   rates were searched until it worked, and three trainings are few. What may happen to it
#   otherwise is lesson 01's subject (collapse, circling) and lesson 02's (losses and rates).
# - **Sharp.** The slide gives VQ-VAE a tick *with a question mark*. Our numbers side with the
#   question mark: its birds have no more detail than the VAE's, and half of the GAN's. They
#   are better birds by the Fréchet distance, though.

# %% [markdown]
# ## 13. Play
#
# A bird is 64 whole numbers. Change some. `CodeLab` marks places, and puts there the codes
# of another bird, one entry of your choice, or what the *prior* draws for them. First as a
# figure: the upper half is replaced in three ways.

# %% tags=["live"]
lab = CodeLab(prior, unseen.image[:: max(len(unseen.image) // 12, 1)][:12])
marked = torch.zeros(lab.codes[0].shape, dtype=torch.bool)
marked[:4] = True
three = [lab.change(0, marked, way, other=5) for way in WAYS]
for way, row in zip(("as it was", *WAYS), (lab.codes[0], *three)):
    print(f"{way:23} {lab.words(row)}")
pictures = [lab.row(0, codes, marked, 5) for codes in three]
heads = ["the bird", "from its codes", "the other bird", "marked", "changed"]
grid(torch.cat(pictures), heads, rows=["other bird's", "one entry", "prior's"],
     title="The upper half of a bird's codes replaced in three ways")

# %% [markdown]
# **What to see.** Each row: the bird, what its codes say, the other bird, the marked places
# (white), the changed one. The *bits* are what the prior would pay for the new map: few for
# a likely map. What no bird ever had above its belly, half a picture of one entry, is dear.
#
# Now you: click on numbers to mark places. Which codes hold the head's colour? Mark two or
# three there and slide through the entries. Then choose "drawn by the prior", mark the lower
# half, and turn the draw number: the prior has seen what stands above, and goes on from it.
# Mark the *upper* half instead: it knows nothing of what follows below, and the halves don't
# fit. Why? (Reading order: the past is all that it sees.)

# %%
lab.widget()

# %% [markdown]
# ## 14. What goes wrong, and what comes next
#
# Three things are left open.
#
# - **Order.** A PixelCNN can't know what will stand below. Some of section 9's birds that
#   are none come from there.
# - **Two trainings.** The codes were learned to reconstruct, not to be predicted; section
#   10 showed that what the bits are spent on isn't what we care about.
# - **Nobody can ask.** A species is a number from a list. "A bird with blue wings" can't be
#   said. Put the oracle on the drawn birds and see how often chance would obey:

# %%
many_birds = prior.sample(count=run.choose(60, 1000))
asked = torch.zeros(len(many_birds), 9, dtype=torch.long)
asked[:, 0] = COLOURS.index("blue")  # of the wing
share = measure.of_species(many_birds, asked, ("wing",))["wing"]
print(f"birds with blue wings, if one may not ask for them: {share:.0%}")

# %% [markdown]
# **Lesson 05** makes a generator that is told what to draw: conditional GANs.
#
# ### Questions
# <details><summary>1. The codebook loss and the commitment loss have the same value. Why
# not write (1 + beta) times one of them, without any sg?</summary>The value would be the
# same, the gradients not: then encoder and entries would both be moved by both. The encoder
# would be pulled with 1 + beta instead of beta, and might follow its entries rather than
# its pictures.</details>
# <details><summary>2. Perplexity is 1. What has happened, and what does the decoder
# paint?</summary>One entry is chosen everywhere. The decoder gets the same map for every
# picture, and paints the mean picture.</details>
# <details><summary>3. In the first layer the mask leaves out the middle, later it keeps it.
# What would leaving it out everywhere cost?</summary>Nothing leaks, but the neighbour on the
# left could be reached only by odd paths, and a layer could not pass on what the layer
# before it found at the same place. The network would see less.</details>
# <details><summary>4. A model claims 0 bits a pixel on held-out pictures. What do you look
# for first?</summary>A leak: a mask of kind B in the first layer, or a residual way past it.
# Differentiate, as in section 7, or sum p over a tiny space: it won't be 1.</details>
# <details><summary>5. Why has the bound of section 10 no KL term like the VAE's?</summary>It
# has one: the encoder's q(k|x) is all on one map, so KL(q || p) = -log p(k(x)). With a
# uniform prior that is n log K for every picture, a constant; that is why the training loss
# leaves it out (and why nothing can collapse).</details>
#
# ### To read
# - van den Oord, Vinyals, Kavukcuoglu, *Neural Discrete Representation Learning*, 2017:
#   section 3 is exercises 04.1 to 04.3.
# - van den Oord et al., *Conditional Image Generation with PixelCNN Decoders*, 2016: the
#   blind spot is its figure 1.
# - Razavi, van den Oord, Vinyals, *Generating Diverse High-Fidelity Images with VQ-VAE-2*,
#   2019.
# - Theis, van den Oord, Bethge, *A note on the evaluation of generative models*, 2016: why
#   likelihood and good samples are two things.
#
# ### At the paper's scale
# `t2i train vqvae --preset paper` trains the paper's networks: 256 channels, 512 entries,
# pictures of 128 × 128 that become 32 × 32 codes, as in the lecture's reconstructions;
# `t2i train pixelcnn --preset paper` a prior of 15 layers over the codes of digits (it wants
# `--codes`, a trained VQ-VAE of digits); `t2i train vqvae2 --preset paper` the two levels at
# 256 × 256. On birds drawn at that size, since ImageNet isn't ours to give. GPU times: not
# measured yet.

# %% tags=["nbval-check-output"]
with torch.device("meta"):  # shapes only, no memory
    paper = {"VQ-VAE": VqVae.from_preset("paper"), "VQ-VAE-2": VqVae2.from_preset("paper"),
             "PixelCNN": PixelCnn.from_preset("paper").pixelcnn}
for name, network in paper.items():
    print(f"{name}: {sum(p.numel() for p in network.parameters()):,} parameters")
