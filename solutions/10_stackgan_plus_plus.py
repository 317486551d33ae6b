# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · StackGAN++
#
# Lesson 09 trained two generators, one after the other. Here one generator draws a small, a middling
# and a large picture at once, and a discriminator looks at each size.
#
# **What you will be able to do**
# - build a tree of generators: features that grow, and a picture from each;
# - ask two questions of a picture at once, and measure what that gains;
# - re-run the paper's table of what can be left out, and say which of its orderings hold here;
# - tell which branch of the tree decides a bird's colours;
# - draw birds that nobody asked for, and keep their colours alike from size to size.
#
# **Time:** about LIVE minutes of computing on two CPU cores, about two hours with the six exercises.
#
# **You need:** lesson 09 (conditioning augmentation, $\mu$, two stages, the discriminator's second
# head) and lesson 08 (wrong sentences, obedience, the oracle).
#
# **Slides covered:** TM-17 (eqs. (7) to (10)), TM-18 (eqs. (11), (12)), TM-19 (table 5), a row of
# TM-13, and TM-22's questions.

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("10")

# %%
import torch
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.experiments import records
from t2i_course.measure import birds as measure
from t2i_course.measure import branches as tree
from t2i_course.measure import stages, variety
from t2i_course.measure.obedience import two_colours
from t2i_course.measure.oracle import oracle
from t2i_course.measure.samples import detail
from t2i_course.measure.scores import diversity
from t2i_course.papers import stackgan_v2
from t2i_course.papers.joint_embedding import text_encoder
from t2i_course.play.tree_lab import START, TreeLab
from t2i_course.show import branches as show
from t2i_course.show.measured import measured
from t2i_course.show.obeyed import beside_wishes
from t2i_course.show.pictures import grid
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.birds import Birds

# %% [markdown]
# ## 1. Two trainings that can't help each other
#
# Once more lesson 09's two stages, on eight captions that it didn't show. A red frame says that the
# oracle reads another colour than the caption asks for.

# %%
asked = measure.unseen_captions(8, 64, seed=12)
two_stages = shipped("stackgan_64")
sketches, pictures = stages.pairs(two_stages, asked, seed=0)
beside_wishes({"sketch, 32": stages.enlarged(sketches), "picture, 64": pictures}, asked.named,
              "stackgan_64: stage I's sketch, and stage II's picture of it, seed 0").described(
    "Where a sketch has a red frame, the picture below often has one too")

# %% [markdown]
# **What to see.** Stage II inherits. What the sketch got wrong it seldom mends, and some of what was
# right it spoils (lesson 09: about a quarter of each). And it goes one way only: stage I was finished
# when stage II began. Nothing that stage II finds hard can make the sketches better, and nothing
# asked whether a sketch is *good to draw on from*.
#
# StackGAN++ (Zhang et al. 2018, TM-17) trains all sizes in one generator, at once. Equations (7) to
# (12) keep the slides' numbers; (1) to (3) are of this lesson.
#
# ## 2. Gates in place of ReLUs
#
# Its layers end in a **gated linear unit** (GLU). A layer makes twice the channels that are wanted,
# and splits them in halves: $a$, the first half of the channels, are values, and $b$, the second,
# open and close them:
#
# $$\text{GLU}(a, b) = a \odot \sigma(b) \tag{1}$$
#
# $\sigma$ is the sigmoid, $\odot$ multiplies number by number. A ReLU closes a channel where the
# channel's own value is negative; here another channel decides, and by any part. (Lesson 04's
# PixelCNN had gates, too, with a tanh around the value.)
#
# ### Exercise 10.1 · Channels that open and close (5 minutes, difficulty 1 of 5)
# Write (1). Channels are axis 1, in rows (B, 2 C) as in maps (B, 2 C, H, W).
#
# <details><summary>Hint 1</summary>x.chunk(2, 1) gives the two halves of axis 1.</details>
# <details><summary>The idea of the answer</summary>value, gate = x.chunk(2, 1), then value *
# gate.sigmoid().</details>


# %% tags=["exercise"]
def gated(x):
    """(1): the first half of the channels, each times the sigmoid of one of the second."""
    ### BEGIN SOLUTION
    value, gate = x.chunk(2, 1)
    return value * gate.sigmoid()
    ### END SOLUTION


# %% tags=["check"]
gated = check("10.1", gated)

# %% tags=["nbval-check-output"]
for gate in (-6.0, -1.0, 0.0, 1.0, 6.0):
    passed = gated(torch.tensor([[2.0, -2.0, gate, gate]]))
    print(f"gate {gate:4}: of 2 and -2 pass", [round(value, 2) for value in passed[0].tolist()])

# %% [markdown]
# ## 3. A tree of generators
#
# Between noise and picture stand **hidden features** $h$: maps of many channels. The tree makes them
# grow, and takes a picture off at each size. For $m$ branches (TM-17):
#
# $$h_0 = F_0(z); \qquad h_i = F_i(h_{i-1}, z), \quad i = 1, 2, \dots, m - 1 \tag{7}$$
#
# $$s_i = G_i(h_i), \quad i = 0, 1, \dots, m - 1 \tag{8}$$
#
# $F_0$ makes the first features of the noise $z$; each $F_i$ makes features of twice the size of the
# former ones and, once more, $z$. $G_i$ is small: one convolution and a tanh make the picture $s_i$
# of $h_i$.
#
# Where a sentence is asked for, it comes in as the condition $c$ that conditioning augmentation draws
# (lesson 09): $h_0 = F_0(c, z)$, and $h_i = F_i(h_{i-1}, c)$. So each branch hears the sentence again,
# as stage II did.
#
# ### Exercise 10.2 · Features that grow (8 minutes, difficulty 2)
# Write (7) with a sentence. `first` is $F_0$ and takes one tensor, c and then z side by side; `others`
# are $F_1$ to $F_{m-1}$, and each takes features and c. Return the list of all features, smallest
# first.
#
# <details><summary>Hint 1</summary>first(torch.cat([c, z], 1)) is the first of the list.</details>
# <details><summary>Hint 2</summary>Go through others; each reads the list's last entry, found[-1], and
# c.</details>
# <details><summary>The idea of the answer</summary>found = [first(torch.cat([c, z], 1))]; for branch in
# others: found.append(branch(found[-1], c)); return found.</details>


# %% tags=["exercise"]
def grown(first, others, z, c):
    """(7) with a condition: [h_0, h_1, ..., h_m-1]. z: (B, Z); c: (B, C)."""
    ### BEGIN SOLUTION
    found = [first(torch.cat([c, z], 1))]
    for branch in others:
        found.append(branch(found[-1], c))
    return found
    ### END SOLUTION


# %% tags=["check"]
grown = check("10.2", grown)


# %% [markdown]
# Your gates and your tree, in the package's layers. (Each $F_i$ repeats pixels to double its map, has
# residual blocks, and halves the channels; `Tree.branches` is (8).)


# %%
class YourTree(stackgan_v2.Tree):
    """A tree with exercises 10.1 and 10.2."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        for layer in self.modules():
            if isinstance(layer, stackgan_v2.Gated):
                layer.gate = gated

    def features(self, c, z):
        """h_0, h_1 and h_2."""
        return grown(self.first, self.others, z, c)


# %% tags=["nbval-check-output"]
small_tree = YourTree(size=64, base=32, blocks=1, embedding=256, condition=64)
with torch.no_grad():
    features = small_tree.features(torch.randn(2, 64), torch.randn(2, 100))
    drawn = small_tree.branches(torch.randn(2, 64), torch.randn(2, 100))
for h, s in zip(features, drawn):
    print(f"features {tuple(h.shape[1:])} make a picture {tuple(s.shape[1:])}")

# %% [markdown]
# ## 4. A discriminator for each size
#
# Each branch has a discriminator of its own, $D_i$, which sees drawn pictures $s_i$ and real pictures
# $x_i$ of that size (TM-17):
#
# $$\mathcal L_{D_i} = -\mathbb E_{x_i \sim p_{\text{data}_i}}[\log D_i(x_i)] - \mathbb E_{s_i \sim
# p_{G_i}}[\log(1 - D_i(s_i))] \tag{9}$$
#
# The generators share their features, so they have one loss, the sum over the sizes:
#
# $$\mathcal L_G = \sum_{i=0}^{m-1} \mathcal L_{G_i}, \qquad \mathcal L_{G_i} = -\mathbb E_{s_i \sim
# p_{G_i}}[\log D_i(s_i)] \tag{10}$$
#
# (The slide's sum goes from 1 to m; its branches are counted from 0 in (7) and (8), so we write 0 to
# m - 1.) $p_{\text{data}_i}$ are the real pictures at size $i$. Small real pictures are made of large
# ones: each pixel is the mean of a square.

# %%
show.sizes([real[:8] for real in tree.real_branches(8)],
           "Real birds of unseen species at three sizes").described(
    "Above, birds of a few square blobs of colour; in the middle and below more and more detail")

# %% [markdown]
# **What to see.** At 16 pixels a bird is a blob with a second colour: where it sits and what colours
# it has, and no more. That is easier to learn than 64 pixels at once. The paper's motive: if the drawn
# pictures match the real ones at *any* size, that discriminator gives a useful gradient, and through
# the shared features it helps all of them.
#
# ## 5. Two questions at once
#
# A discriminator can be asked of the picture alone, *is it real?*, and of picture and sentence, *do
# they fit?* The paper asks both, and calls it the **joint conditional and unconditional** loss, JCU
# (TM-18):
#
# $$\mathcal L_{D_i} = \underbrace{-\mathbb E_{x_i}[\log D_i(x_i)] - \mathbb E_{s_i}[\log(1 -
# D_i(s_i))]}_{\text{unconditional loss}} \; \underbrace{- \mathbb E_{x_i}[\log D_i(x_i, c)] -
# \mathbb E_{s_i}[\log(1 - D_i(s_i, c))]}_{\text{conditional loss}} \tag{11}$$
#
# $$\mathcal L_{G_i} = \underbrace{-\mathbb E_{s_i}[\log D_i(s_i)]}_{\text{unconditional loss}} \;
# \underbrace{- \mathbb E_{s_i}[\log D_i(s_i, c)]}_{\text{conditional loss}} \tag{12}$$
#
# Each $D_i$ has one trunk and two heads, as stage II's had. As before it hears $\mu$ of the cloud for
# $c$. The slide's (11) has no wrong sentences; the authors' code has them, and so have we: a real
# picture with another bird's sentence is a third kind of pair, to be called wrong. Drawn and wrong
# pairs count half each, as in lesson 08.
#
# ### Exercise 10.3 · Two questions to one judge (10 minutes, difficulty 2)
# Write (11) with wrong sentences. All five are logits (B,): `real` and `drawn` of pictures alone;
# `right` (real picture, its sentence), `fake` (drawn picture, its sentence), `wrong` (real picture,
# another sentence).
#
# <details><summary>Hint 1</summary>-log D of logits is F.softplus(-logits), -log(1 - D) is
# F.softplus(logits); take means.</details>
# <details><summary>Hint 2</summary>The unconditional loss has two terms; the conditional one has three,
# the last two halved.</details>
# <details><summary>The idea of the answer</summary>With yes = softplus(-x).mean() and no =
# softplus(x).mean(): yes(real) + no(drawn) + yes(right) + (no(fake) + no(wrong)) / 2.</details>


# %% tags=["exercise"]
def judges_loss(real, drawn, right, fake, wrong):
    """(11) of one scale with wrong sentences: a scalar."""
    ### BEGIN SOLUTION
    alone = F.softplus(-real).mean() + F.softplus(drawn).mean()
    negatives = F.softplus(fake).mean() + F.softplus(wrong).mean()
    return alone + F.softplus(-right).mean() + negatives / 2
    ### END SOLUTION


# %% tags=["check"]
judges_loss = check("10.3", judges_loss)

# %% [markdown]
# ### Exercise 10.4 · One loss for three painters (7 minutes, difficulty 2)
# Write (12) put into (10). `alone` and `pairs` are logits (M, B) of M scales: a row a scale, a column
# a picture. The expectation is the mean over a scale's pictures; the scales are added.
#
# <details><summary>Hint 1</summary>F.softplus(-alone) + F.softplus(-pairs) is a table (M, B).</details>
# <details><summary>The idea of the answer</summary>Of that table .mean(1).sum().</details>


# %% tags=["exercise"]
def tree_loss(alone, pairs):
    """(10) and (12): the tree's loss, from logits (M, B) of M scales; a scalar."""
    ### BEGIN SOLUTION
    return (F.softplus(-alone) + F.softplus(-pairs)).mean(1).sum()
    ### END SOLUTION


# %% tags=["check"]
tree_loss = check("10.4", tree_loss)


# %%
class TreeGame(stackgan_v2.StackGanTree):
    """StackGAN++ with your tree and your losses."""

    Tree = YourTree
    judged = staticmethod(judges_loss)
    painted = staticmethod(tree_loss)


# %% tags=["nbval-check-output"]
for part, count in parameter_counts("stackgan_tree", "paper").items():
    print(f"{part:18} {count:>10,} weights")

# %% [markdown]
# At the paper's size the tree draws 64, 128 and 256 pixels with 21,239,696 weights; its three judges
# have 5,723,906, 18,834,178 and 71,269,122, as in the authors' code
# ([papers/stackgan_v2.py](../t2i_course/papers/stackgan_v2.py) lists what differs). Stage I and II had
# 36.6 million between them.
#
# ## 6. Train the tree
#
# Ours draws 16, 32 and 64 pixels with a million weights. The shipped tree took 1,200 steps; live it
# takes 800, about two and a half minutes. Each round draws once, and shows each judge its size.


# %%
def portrait(system, history=None):
    """Eight captions of unseen species at three sizes."""
    when = f"after {history.step:,} steps" if history and history.step else "as it ships"
    return show.sizes(tree.branches(system, asked), f"The tree, seed 0, {when}",
                      asked.named).described(
        "The same birds three times, from blobs of colour to small drawings, some framed in red")


# %% tags=["live"]
torch.manual_seed(0)
growing = TreeGame.from_preset(run.networks, text_encoder=text_encoder())
birds = Birds("train", 64, growing.settings["batch_size"])
steps = min(800, growing.settings["steps"])
course = run.train(
    growing, birds, steps, shipped="stackgan_tree_64", show=portrait,
    part=lambda system: system.generator, course={"of": "caption and noise"},
    title="stackgan_tree_64 on its way, seed 0 (t2i reproduce 10 table5 --row full)",
    seen="First blots of colour, then birds with a beak and a tail")

# %% [markdown]
# **What to see.** The three rows are one bird: the same pose, the same place, mostly the same colours.
# SEEN

# %%
growing.to("cpu").eval()
some = measure.unseen_captions(run.choose(40, 1000), 64)
reached = measure.obedience_of(growing, some)
print("obedience on unseen species:", {k: round(reached[k], 2) for k in ("wing", "belly", "all")})

# %% [markdown]
# ## 7. What can be left out? Table 5
#
# The paper leaves parts out, one at a time (TM-19). Its numbers are inception scores on CUB, with
# branches of 64, 128 and 256 pixels; ours have 16, 32 and 64:
#
# - **full**: the tree;
# - **no JCU**: the discriminators have the conditional head alone;
# - **G3**: the same generator, but only the last branch draws and is judged;
# - **three G3**: three last layers draw 64 pixels from the same last features, each with a judge of its own;
# - **all 64**: three branches, all of full size.
#
# (The slide gives the branches' sizes and no more; the last two are our reading of it.)

# %%
found = records("10")
names = {"full": 4.04, "no JCU": 3.77, "G3": 3.49, "three G3": 3.22, "all 64": 2.89}
rows = {name: f"table5/{name}" for name in names}
measured(found, rows, {"inception score": ("inception score", 1),
                       "Frechet distance": ("frechet distance", 0), "obedience, all": ("all", 2),
                       "wing": ("wing", 2), "diversity": ("diversity", 2), "detail": ("detail", 3),
                       "seconds": ("seconds", 0)},
         "mean ± deviation over seeds 0 1 2, 1,200 steps, 2,000 unseen captions; by the oracle's "
         "features; t2i reproduce 10 table5")

# %%
show.dots(found, rows, {"inception score": "inception score", "Frechet distance":
                        "frechet distance", "obedience, all": "all"},
          "What can be left out: a dot a seed").described("DOTS")

# %% [markdown]
# **What to see.** TABLE

# %% [markdown]
# ## 8. Who decides the colours?
#
# Every branch hears the sentence. Which of them decides? Tell $F_0$ one sentence and all later
# branches another:

# %%
grown_tree = shipped("stackgan_tree_64")
blue_red = TreeLab({"stackgan_tree_64": grown_tree}).view(*START)
show.sizes(blue_red.pictures, "F_0 is told 'a completely blue bird', F_1 and F_2 'red'; seed 0"
           ).described("DESCRIBED")

# %%
measured(found, {"the tree, full": "table5/full"},
         {"obeys F_0's sentence": ("F_0's", 2), "obeys the later ones'": ("others'", 2),
          "both told the same": ("all", 2), "at 32 pixels": ("32 pixels, all", 2)},
         "obedience, all that is named, 2,000 pairs of unseen captions; mean ± deviation over seeds "
         "0 1 2; t2i reproduce 10 table5 --row full")

# %% [markdown]
# **What to see.** DECIDES
#
# ## 9. Birds that nobody asked for
#
# The tree works without sentences, too: then (7) is as it stands, $z$ in each branch, and each
# discriminator has the first question alone, (9). But what keeps the three pictures *one* bird? With a
# sentence, the sentence says its colours at each size. Without it, one branch may well draw a red bird
# and the next a blue one: each discriminator sees its own size only, and finds both likely.
#
# So the paper adds **colour consistency**. A picture's colours are taken as three means and a table of
# covariances. With $x_k$ the three colours of pixel $k$ of $N$:
#
# $$\mu = \frac1N \sum_k x_k, \qquad \Sigma = \frac1N \sum_k (x_k - \mu)(x_k - \mu)^\top \tag{2}$$
#
# (These are a picture's own $\mu$ and $\Sigma$; nothing to do with the cloud's of lesson 09.) $\mu$ is
# the mean colour; $\Sigma$ says how far each colour spreads and which go together.
#
# ### Exercise 10.5 · The colours of a picture in twelve numbers (12 minutes, difficulty 3)
# Write (2) for a batch, without a loop.
#
# <details><summary>Hint 1</summary>pictures.flatten(2) is (B, 3, N); its mean over axis 2 is
# mu.</details>
# <details><summary>Hint 2</summary>With apart = pixels - mean[:, :, None], the sum over k in (2) is the
# matrix product apart @ apart.mT.</details>
# <details><summary>The idea of the answer</summary>mean, apart @ apart.mT / N, with N =
# pixels.shape[2].</details>


# %% tags=["exercise"]
def colours(pictures):
    """(2): mean colours (B, 3) and covariances (B, 3, 3) of pictures (B, 3, H, W)."""
    ### BEGIN SOLUTION
    pixels = pictures.flatten(2)
    mean = pixels.mean(2)
    apart = pixels - mean[:, :, None]
    return mean, apart @ apart.mT / pixels.shape[2]
    ### END SOLUTION


# %% tags=["check"]
colours = check("10.5", colours)

# %% tags=["nbval-check-output"]
plain = torch.zeros(1, 3, 4, 4)
plain[:, 2], plain[:, :2, :, 2:] = 1.0, 1.0
mean, spread = colours(plain)
print("half blue, half white; mean of red, green, blue:", mean[0].tolist())
print("covariances:", spread[0].tolist())

# %% [markdown]
# (Red and green go up together from blue to white, and blue stays.) The term compares a branch's
# pictures $s_i$ with those of the branch before it, picture by picture:
#
# $$\mathcal L_{C_i} = \lambda_1 \|\mu_{s_i} - \mu_{s_{i-1}}\|_2^2 + \lambda_2 \|\Sigma_{s_i} -
# \Sigma_{s_{i-1}}\|_F^2 \tag{3}$$
#
# As released, both squares are means over numbers and pictures, $\lambda_2$ is 5 $\lambda_1$, and
# $\lambda_1$ is 50 without sentences and 0 with them. And the smaller picture leads: no gradient
# reaches it, so the large picture comes to the small one's colours and not the other way round.
#
# ### Exercise 10.6 · The larger picture keeps the colours (8 minutes, difficulty 2)
# Write (3) with $\lambda_1 = 1$ and $\lambda_2$ = `covariances`, from your `colours`.
#
# <details><summary>Hint 1</summary>colours(coarse.detach()): no gradient comes to coarse.</details>
# <details><summary>The idea of the answer</summary>F.mse_loss(mean, mean_led) + covariances *
# F.mse_loss(spread, spread_led).</details>


# %% tags=["exercise"]
def colour_consistency(fine, coarse, covariances=5.0):
    """(3) of pictures (B, 3, H, W) and of smaller ones (B, 3, h, w), which lead."""
    ### BEGIN SOLUTION
    (mean, spread), (mean_led, spread_led) = colours(fine), colours(coarse.detach())
    means = F.mse_loss(mean, mean_led)
    return means + covariances * F.mse_loss(spread, spread_led)
    ### END SOLUTION


# %% tags=["check"]
colour_consistency = check("10.6", colour_consistency)

# %%
wild = shipped("stackgan_tree_alone_64")
unasked = tree.branches(wild, count=8)
show.sizes(unasked, "stackgan_tree_alone_64: no sentence, colours held together; seed 0").described(
    "WILD")

# %%
large, middling, least = (unasked[i] for i in (2, 1, 0))
print(f"(3) of these pictures: {colour_consistency(large, middling):.4f} from 64 to 32 pixels, "
      f"{colour_consistency(middling, least):.4f} from 32 to 16")
print(f"with another bird's small picture: {colour_consistency(large, middling.roll(1, 0)):.4f}")

# %% [markdown]
# Does the term do what it is for? *Mean colour* and *covariance* say how far neighbouring branches are
# apart (root mean square of the differences of (2)'s numbers; white less black is 2). Real pictures
# and their small versions show what is natural: the same means, and covariances that narrow, since a
# pixel that is a mean of four is less extreme.

# %%
measured(found, {"real birds": "colour/real birds", "no sentences, without (3)":
                 "colour/no sentences, 0", "no sentences, with (3)": "colour/no sentences, 50",
                 "sentences, without (3)": "table5/full", "sentences, with (3)":
                 "colour/sentences, 50"},
         {"mean colour": ("mean colour", 3), "covariance": ("covariance", 3), "inception score":
          ("inception score", 1), "Frechet distance": ("frechet distance", 0), "detail":
          ("detail", 3)},
         "mean ± deviation over seeds 0 1 2, 1,200 steps, 2,000 pictures; t2i reproduce 10 colour")

# %% [markdown]
# **What to see.** COLOUR
#
# ## 10. In parallel?
#
# The discriminators don't depend on one another. Each needs one thing of the rest, its own drawn
# pictures; so in a round the tree draws once, and each judge takes its turn without waiting for
# another's. On many GPUs they can be trained side by side. What does that give on two cores? We timed
# a step of the cpu preset in three ways: one process with one thread; one process with two threads;
# and two processes by Accelerate, each with half of the batch, which average their gradients.

# %%
measured(found, {name: f"parallel/{name}" for name in
                 ("one process", "one process, two threads", "two processes")},
         {"seconds a step": ("seconds a step", 3)},
         "median of 40 steps, mean ± deviation over three repetitions; t2i reproduce 10 parallel")

# %% [markdown]
# **What to see.** PARALLEL
#
# ## 11. The tree before lesson 08's judge
#
# The tree draws clean birds that obey little. Lesson 09's painter obeys and varies, and its birds are
# grainy. Put them together: the tree as generator, and at each size the projection discriminator of
# lesson 08 in place of (11). Lesson 09's remedies stay (mirrors, a price on sameness, rates that
# fall), with two changes. The price is asked of pictures shrunk to 8 pixels, where grain is gone, and
# it falls with the rates. And the tree practises on sentences half-way between two others, as GAN-INT
# does. Nothing of this is StackGAN++'s, and the network has one seed
# ([papers/tree_painter.py](../t2i_course/papers/tree_painter.py)).

# %%
question = "a bird with yellow wings and a blue belly"
wish = measure.asked([question], named_by({})[None])
painters = {name: shipped(name) for name in ("painter_64", "tree_painter_64")}
grid(torch.cat([measure.draw(painter, wish, samples=8) for painter in painters.values()]), 8,
     rows=list(painters), title=f"{question}: eight of each, seed 0").described("PAINTERS")

# %%
many, real = measure.unseen_captions(run.choose(6, 100), 64, seed=21), variety.plumages(64)
for name, painter in painters.items():
    obeys = measure.obedience_of(painter, some)
    own = variety.drawn_with(painter, many, variety.all_lots(painter, len(many.caption), 8, seed=1))
    print(f"{name:16}", {part: round(obeys[part], 2) for part in ("wing", "belly", "crown", "all")},
          f"diversity {diversity(own):.2f}, both ways {variety.both_ways(own):.2f}, "
          f"detail {detail(own.flatten(0, 1)):.3f}")
print(f"real birds of one plumage: diversity {diversity(real):.2f}, detail "
      f"{detail(real.flatten(0, 1)):.3f}")

# %% [markdown]
# **What to see.** PAINTERTEXT
#
# ## 12. Play
#
# Two sentences for one bird: one for $F_0$, one for the branches behind it. PLAYTEXT

# %%
lab = TreeLab({"stackgan_tree_64": grown_tree, "tree_painter_64": painters["tree_painter_64"]})
print(lab.view(*START, "tree_painter_64").words)

# %%
lab.widget()

# %% [markdown]
# ## 13. What still fails
#
# Take captions that name one colour for the wing and *another* for the belly. Three things can become
# of them: both are right; the colours are exchanged, each on the other's part; or one of the two is on
# both.

# %%
pairs = measure.unseen_captions(run.choose(60, 1000), 64, seed=31)
for name, network in {"stackgan_tree_64": grown_tree, **painters}.items():
    seen = oracle(64).read(measure.draw(network, pairs))
    print(f"{name:17}", {what: round(share, 2) for what, share in two_colours(seen, pairs.named).items()})

# %% [markdown]
# **What to see.** TWOCOLOURS
#
# ### The table that grows (TM-13)
#
# | | TGIM | T2I | negative text | text + image |
# |---|---|---|---|---|
# | 1 · style encoder | O | X | X | concat |
# | 1 · GAN-CLS, GAN-INT | X | O | random | concat |
# | 2 · StackGAN | X | O | random | concat |
# | 2 · StackGAN++ | X | O | random | concat |
#
# The last column has one word in it. In all of these the sentence is joined to the picture as a list of
# numbers beside the channels, the same list at every place. The talk's summary (TM-22) asks three
# things of that:
#
# - Text and picture are joined by **concatenation** only. Could the picture ask the text something?
# - The text comes as **one sentence** only. Could a place of the picture look at one word?
# - Text and picture are **weakly aligned**: a discriminator says that they fit, or don't, of all at
#   once. Could something say *which word* isn't there?
#
# ### Questions
#
# <details><summary>1. Why is c told to each F_i again, when h_0 was made of it?</summary>
#
# What h_0 lost of the sentence no later layer could find again. Section 8 shows that it is used: what
# the later branches are told changes the picture's colours.
# </details>
#
# <details><summary>2. A tree without JCU still sees real and drawn pictures in its conditional head. What
# does the unconditional head add?</summary>
#
# A judgement of the picture that no sentence can excuse or spoil: its gradient pulls towards real
# pictures of any sentence. The conditional head answers both questions with one number.
# </details>
#
# <details><summary>3. In (3) no gradient reaches the smaller picture. What would happen if one
# did?</summary>
#
# The small branch would be pulled towards the large one's colours, too. It learns sooner and judges
# colours better (its discriminator sees little else), so it would follow the branch that knows less.
# </details>
#
# <details><summary>4. Why are the means of half-size pictures the same as those of the full size, and the
# covariances not?</summary>
#
# A mean of means over squares of one size is the mean of all. But a small pixel has averaged four
# neighbours, so extremes are gone: the spread is less (the row "real birds" in section 9).
# </details>
#
# ### To read
# - Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas: *StackGAN++: Realistic Image Synthesis with Stacked Generative
#   Adversarial Networks*, TPAMI 2018;
# - Dauphin, Fan, Auli, Grangier: *Language Modeling with Gated Convolutional Networks*, ICML 2017 (the GLU);
# - in the package: `papers/stackgan_v2.py`, `measure/branches.py`.
#
# ### At paper scale
# ```
# t2i train joint_embedding --preset paper
# t2i train stackgan_tree --preset paper --text runs/joint_embedding-paper/checkpoint.pt
# t2i train stackgan_tree_alone --preset paper
# ```
# How long that takes on a GPU: not measured yet.
#
# ### Why there is a lesson 11
# One list of numbers for the whole sentence, at every place of the picture: so a wing can't look for
# the word *wing*. **AttnGAN** keeps the tree, lets each place of the picture attend to the words, and
# adds a network that says how well each word is drawn. That is lesson 11.
