# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Pictures to pictures
#
# A condition can be a picture. A network learns to paint a bird from a map of its parts, and
# to mark the parts of a bird. Another one tries to turn plain wings into barred ones though
# nobody ever showed it how, and we measure how far it gets.
#
# **What you will be able to do**
# - build a U-Net, and say what its joins carry past the bottleneck;
# - say why the mean distance to the truth makes dull pictures, and what a judge of patches adds;
# - compute what one number of a discriminator sees;
# - train from pairs (pix2pix) and without pairs (CycleGAN), and measure both against the truth;
# - show what a translation hides in a picture, where no eye sees it.
#
# **Time:** about five minutes of computing on two CPU cores (with the shipped networks, that is
# with `T2I_LIVE=0` in the environment, half a minute), about two hours with the six exercises.
#
# **You need:** the oracle that reads a picture's attributes (lesson 00), the game (lesson 01),
# convolutions that halve and double, the Fréchet distance and the loss by squares, LSGAN (lesson
# 02), and that both players are told a condition (lesson 05).
#
# **Slides covered:** GM-22 (pix2pix), GM-24 (maps and photos, segmentation), GM-23 (unpaired
# sets, cycle consistency).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("06")

# %%
import torch
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.experiments import records
from t2i_course.measure import translation
from t2i_course.papers.cyclegan import CycleGan, least_squares
from t2i_course.papers.gan import nonsaturating_loss
from t2i_course.papers.pix2pix import PatchDiscriminator, Pix2Pix
from t2i_course.play.part_painter import PartPainter
from t2i_course.show.measured import measured
from t2i_course.show.pictures import grid
from t2i_course.show.translated import both_ways, each_seed, survival_table
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_drawing import PARTS
from t2i_course.worlds.birds import Birds
from t2i_course.worlds.domains import Pairs, nearest_part

# %% [markdown]
# ## 1. A label doesn't say where
#
# Lesson 05 asked for "family 3, blue wings", and could not say where the bird should sit. A
# picture can. The world's **part map** of a bird says of each pixel which part it shows:
# wing, belly, crown, tail, beak, eye, legs, or none. Here each part has a colour of its own,
# one corner of the colour cube: wings are blue, bellies yellow, crowns red, tails green, beaks
# cyan, eyes white, legs magenta, and all else black.

# %%
maps, birds, masks = translation.unseen("parts", 500)
eight = torch.arange(0, 500, 63)
grid(torch.cat([maps[eight], birds[eight]]), 8, rows=["part map", "bird"],
     title="Eight birds of species that no network has seen"
     ).described("Above coloured outlines, below the birds they belong to.")

# %% [markdown]
# Two tasks lie in such a pair $(x, y)$. **Segmenting**: from the bird to its map. **Painting**:
# from the map to a bird. Slide GM-24 has both: photos from the air to road maps and back. They
# are not equally hard, and the difference is the point of this lesson:
#
# - a bird has *one* map. There is a right answer.
# - a map has *many* birds. It says where the wing is, not which colour it has.
#
# The network of both is **pix2pix** (Isola et al. 2017, slide GM-22). We begin where there is a
# right answer.

# %% [markdown]
# ## 2. One right answer: the U-Net
#
# A generator of noise starts at one point and doubles. A network from picture to picture first
# halves (to see the whole) and then doubles (to draw). In between everything has to pass a map
# of a single pixel: this narrowest place is the **bottleneck**. Whether there is an eye at place
# (12, 20) is lost on the way, and yet the answer needs it: it has the *same outline* as the
# question. Two networks that paint birds from maps show it. They ship with the course and were
# trained alike (section 3 says how); in the second row everything has to pass the bottleneck.

# %%
joins = {"part map": maps[eight]}
for name, network in {"no joins": "pix2pix_straight", "joins": "pix2pix_paint"}.items():
    joins[name] = shipped(network).sample(maps[eight])
grid(torch.cat([*joins.values(), birds[eight]]), 8, rows=[*joins, "a truth"],
     title="Painted without joins and with them: two shipped networks, seed 0, step 800"
     ).described("Without joins eight birds of much the same size and outline, and no legs; with "
                 "them each bird has the outline of its map.")

# %% [markdown]
# **What to see.** Without joins the birds look the right way, left or right. But they are nearly the same
# bird eight times: little of its size and outline, and nothing of its legs, has come through.
#
# So pix2pix lets it pass by. The **U-Net** (Ronneberger et al. 2015) joins to each map of the way up
# the map of the way down that has the same side. The papers call these joins **skip connections**:
#
# ```
# x --down--> h1 --down--> h2 --down--> h3        sides 32, 16, 8, 4 (three halvings of five)
#              |            |            |
#              |            |           up
#              |            '---------> [g2, h2]   g2: from below, side 8
#              |                         |
#              |                        up
#              '----------------------> [g1, h1]   g1: from below, side 16
#                                        |
#                                       up ------> y
# ```
#
# ### Exercise 06.1 · Down and up, with joins (15 minutes, difficulty 3 of 5)
# You get $x$, $(B, C, S, S)$, and two lists of layers, as many `downs` as `ups`. Go down;
# keep what you meet. Go up: the first of `ups` gets the innermost map alone. Every other
# one gets two maps joined along axis 1: the map from below first, then the one of the way down
# with the same side. Return what the last one makes.
#
# <details><summary>Hint 1</summary>
#
# ```python
# kept = []
# for down in downs:
#     x = down(x)
#     kept.append(x)
# ```
#
# The last kept map is the innermost one: nothing is joined to it.
# </details>
# <details><summary>Hint 2</summary>
#
# On the way up you need the kept maps in reverse: `kept.pop()` takes the last one off the list.
# </details>
# <details><summary>The idea of the answer</summary>
#
# After the way down, drop the innermost from the list. For all `ups` but the last:
#
# ```python
# x = torch.cat([up(x), kept.pop()], 1)
# ```
#
# Then the last one of `ups`.
# </details>


# %% tags=["exercise"]
def u_shape(x, downs, ups):
    """Down and up with joins. x: (B, C, S, S); downs, ups: lists of layers, as many."""
    ### BEGIN SOLUTION
    kept = []
    for down in downs:
        x = down(x)
        kept.append(x)
    kept.pop()
    for up in ups[:-1]:
        x = torch.cat([up(x), kept.pop()], 1)
    return ups[-1](x)
    ### END SOLUTION


# %% tags=["check"]
u_shape = check("06.1", u_shape)

# %% [markdown]
# What should the network go down? The obvious thing: the mean distance of its picture to the
# truth, over all pixels and channels,
#
# $$L_1(G) = \mathbb E_{x, y} \, |\, y - G(x) \,| \tag{1}$$
#
# A part map comes out as a picture; its parts are read off by the nearest colour. And how good
# is it? The share of right pixels says little: most pixels are background, so a map without
# any bird has a high share. The paper's figure is the **intersection over union** of each part
# (IoU; *overlap* for short):
# of the pixels that either map calls *wing*, the share that both call so.
#
# ### Exercise 06.2 · How well do two maps agree? (10 minutes, difficulty 2)
# `found` and `truth` are maps, $(B, H, W)$, of whole numbers below `count`. Return a float32 tensor
# `(count,)`: for each part the pixels that both maps call so, divided by those that at least one
# of them does. Count the pixels of all pictures together. A part that neither has is 0 / 0:
# leave it NaN.
#
# <details><summary>Hint 1</summary>
#
# For one part, with `a & b` for "both" and `a | b` for "at least one":
#
# ```python
# a, b = found == part, truth == part
# ```
# </details>
# <details><summary>Hint 2</summary>
#
# All parts at once, $(B, H, W, \text{count})$; sum over the first three axes:
#
# ```python
# a = F.one_hot(found.long(), count).bool()
# ```
# </details>
# <details><summary>The idea of the answer</summary>
#
# `(a & b).sum() / (a | b).sum()` for each part, stacked.
# </details>


# %% tags=["exercise"]
def class_iou(found, truth, count):
    """Intersection over union of each part. (B, H, W) whole numbers, twice; (count,)."""
    ### BEGIN SOLUTION
    a, b = (F.one_hot(m.long(), count).bool() for m in (found, truth))
    return (a & b).sum((0, 1, 2)) / (a | b).sum((0, 1, 2))
    ### END SOLUTION


# %% tags=["check"]
class_iou = check("06.2", class_iou)

# %% tags=["nbval-check-output"]
nothing = torch.zeros_like(masks)
right = (nothing == masks).float().mean()
overlap = class_iou(nothing, masks, len(PARTS))
print(f"a map without a bird: {right:.0%} of the pixels are right")
print(f"mean intersection over union of the {len(PARTS)} parts: {overlap.nanmean():.2f}")

# %% [markdown]
# Now train it, on your U-Net: 32 x 32 pixels, so five halvings. No game yet, only (1).
#
# (One thing differs from DCGAN. The paper trains with one picture a batch. Its batch norm then
# takes mean and deviation of each channel over one picture alone, in training and afterwards.
# That is called **instance norm**, and our networks have it under its own name.)

# %% tags=["live"]
def watch(system, history):
    """Four other birds, their maps as drawn, and the truth, each time we look."""
    four = eight[:4] + 30
    sheet = [birds[four], system.sample(birds[four].to(run.device)).cpu(), maps[four]]
    step = history.step or system.settings["steps"]
    return grid(torch.cat(sheet), 4, rows=["given", "drawn", "truth"],
                title=f"This notebook's U-Net, seed 0, step {step:,}")


# %% tags=["live"]
torch.manual_seed(0)
segment = Pix2Pix.from_preset(run.preset, way="segment", adversarial=False, through=u_shape)
segment = segment.to(run.device)
source, steps = Pairs(Birds("train", 32, segment.settings["batch_size"])), segment.settings["steps"]
segmenting = run.train(
    segment, source, steps, shipped="pix2pix_segment", show=watch, show_every=200,
    part=lambda system: system.generator,
    seen="First a blur where the bird is, then its large parts.",
    course={"title": "The shipped run of segmenting by L1, on its way (seed 0)", "of": "bird",
            "given": birds[eight]})

# %% [markdown]
# The figure with four steps is the course of the training that ships, recorded once by `t2i reproduce
# 06 segment --row L1 --seed 0 --ship`, for readers who don't train. Below is the network of *this*
# notebook, on the same eight birds.

# %%
made = segment.sample(birds[eight].to(run.device)).cpu()
grid(torch.cat([birds[eight], made, maps[eight]]), 8, rows=["given", "drawn", "truth"],
     title="This notebook's U-Net: segmenting by L1 alone, seed 0, step 800"
     ).described("The maps drawn have wing, belly, crown and tail in place.")

# %%
drawn = torch.cat([segment.sample(some.to(run.device)).cpu() for some in birds.split(100)])
named = nearest_part(drawn)
parts = class_iou(named, masks, len(PARTS))
print(f"right pixels: {(named == masks).float().mean():.1%}; mean overlap {parts.nanmean():.2f}")
for name, value in zip(PARTS, parts):
    print(f"  {name}: {value:.2f}")

# %% [markdown]
# **What to see.** The large parts are nearly right; beak, eye and legs are missed, each in its way.
# A leg is one pixel wide: where the network is in doubt whether a pixel is leg or background,
# (1) is least for the *likelier* one, the background. The eye lies in the crown or beside the
# belly, and is given to them. Beaks are drawn, but in blue, so most of their pixels are read as
# wing: each of the three channels goes its own way, and the green that would make cyan of it
# never came. (Why the green is missing and the blue isn't, we don't know.)

# %% [markdown]
# ## 3. Many right answers
#
# The other way round. Which bird belongs to a map? The map doesn't say which colours. What would
# (1) make of that? The number with the least mean distance to many others is their **median**. Say a
# pixel is red (0.8, 0.2, 0.2) in a third of the birds, blue (0.2, 0.3, 0.8) in another, and green
# (0.3, 0.6, 0.3) in the rest: by channel the medians are 0.3, 0.3 and 0.3, a dark grey that no bird has.
#
# Take all training birds, look at all their wing pixels, and take the median of each channel; the
# same for each part. That is the best answer to (1) of a painter who uses one colour a part. Below it a
# U-Net that was trained by (1) alone:

# %%
train = Pairs(Birds("train", 32)).all(3000).to("cpu")
medians = translation.in_median_colours(masks, train.image[:, 3:], train.masks)
by_distance = shipped("pix2pix_distance").sample(maps[eight])
grid(torch.cat([maps[eight], medians[eight], by_distance, birds[eight]]), 8,
     rows=["given", "medians", "U-Net, (1) alone", "a truth"],
     title="Median colours of real birds, and a U-Net trained by (1) alone (seed 0, step 800)"
     ).described("The birds of both middle rows are dull brown, all alike.")

# %%
red, green, blue = ((medians.movedim(1, -1)[masks == 1][0] + 1) / 2).tolist()
print(f"median colour of wings: red {red:.2f}, green {green:.2f}, blue {blue:.2f}, a dull brown")
other = birds.roll(100, 0)  # of another species
same = (masks == masks.roll(100, 0)) & (masks > 0)  # pixels of one part in both birds
for name, guess in (("medians", medians), ("another bird's colour", other)):
    apart = (guess - birds).abs().mean(1)[same].mean() / 2
    print(f"where both birds show the same part, mean distance of {name}: {apart:.3f} of the range")

# %% [markdown]
# **What to see.** All birds are the same dull brown, and the trained network paints its birds as the
# medians do. (Its backgrounds are scenes: legs in a map go with grass and branches, none with sky and
# water, and that much it has found out.) Yet by (1) the medians are better than the colours of another *real* bird. So (1) can't be all that we want. We want a bird that fits the map
# and looks real, whichever it is. Who judges whether a picture looks real? A discriminator.
#
# ### A judge of patches
#
# $D$ is shown map and bird together, as in lesson 05, and says real or drawn:
#
# $$L_\text{cGAN}(G, D) = \mathbb E_{x, y} [\log D(x, y)] + \mathbb E_x [\log (1 - D(x, G(x)))]
# \tag{2}$$
#
# (Slide GM-22.) Two things are special. There is no noise $z$ beside $x$: the authors tried, and $G$
# ignored it. The only noise left is **dropout** in the first layers of the way up: half of the numbers
# are set to 0 at random, in training and, where many answers are wanted, when drawing too. And $D$ doesn't give one logit a picture but a map of logits, each of which sees
# only a **patch**. The large things are (1)'s business; $D$ has to look for texture and edges.
#
# How large is the patch? Go back from one logit. In the layer before it sees `kernel` pixels. If
# $r$ neighbouring numbers of a layer matter, then in its input
#
# $$r_\text{in} = (r - 1) \cdot \text{stride} + \text{kernel} \tag{3}$$
#
# do: $r - 1$ steps from the first window to the last, and one window.
#
# ### Exercise 06.3 · What one logit sees (10 minutes, difficulty 2)
# `layers` lists (kernel, stride) of each convolution, the first one first. Return the pixels a side
# that one number of the last layer depends on.
#
# <details><summary>Hint 1</summary>
#
# Begin with $r = 1$ and go through the layers from the last to the first.
# </details>
# <details><summary>Hint 2</summary>
#
# `reversed(layers)`, and (3) in each round.
# </details>
# <details><summary>The idea of the answer</summary>
#
# ```python
# field = 1
# for kernel, stride in reversed(layers):
#     field = (field - 1) * stride + kernel
# ```
# </details>


# %% tags=["exercise"]
def receptive_field(layers):
    """Pixels a side that one number sees. layers: [(kernel, stride), ...], first one first."""
    ### BEGIN SOLUTION
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field
    ### END SOLUTION


# %% tags=["check"]
receptive_field = check("06.3", receptive_field)

# %% tags=["nbval-check-output"]
for count in (1, 2, 3):
    layers = PatchDiscriminator(layers=count).layers
    print(f"of stride 2: {count}, then two of stride 1: {receptive_field(layers)} pixels of a side")

# %% [markdown]
# 70 is the paper's, at 256 pixels: about a quarter of the picture's side. Ours at 32 pixels has one
# layer of stride 2, and sees 16. At the end of this section we let it see more and less.
#
# The generator's loss has both parts; the paper's weight is $\lambda = 100$ (section 4 will have
# another $\lambda$):
#
# $$\min_G \; \mathbb E_x [-\log D(x, G(x))] + \lambda \, L_1(G) \tag{4}$$
#
# (That is the non-saturating form of lesson 01; the mean is over patches, too.)
#
# ### Exercise 06.4 · Look real, and be near (10 minutes, difficulty 2)
# Write (4) from $D$'s logits of the drawn pictures (any shape), the pictures and the truth,
# $(B, 3, H, W)$. `nonsaturating_loss(logits)` of lesson 01 is there.
#
# <details><summary>Hint 1</summary>
#
# `F.l1_loss(a, b)` is the mean of $|a - b|$.
# </details>
# <details><summary>Hint 2</summary>
#
# `weight` belongs to the distance, not to the game.
# </details>
# <details><summary>The idea of the answer</summary>
#
# ```python
# nonsaturating_loss(fake_logits) + weight * F.l1_loss(drawn, truth)
# ```
# </details>


# %% tags=["exercise"]
def generator_loss(fake_logits, drawn, truth, weight=100.0):
    """(4), a scalar. fake_logits: any shape; drawn, truth: (B, 3, H, W)."""
    ### BEGIN SOLUTION
    return nonsaturating_loss(fake_logits) + weight * F.l1_loss(drawn, truth)
    ### END SOLUTION


# %% tags=["check"]
generator_loss = check("06.4", generator_loss)

# %% tags=["live"]
torch.manual_seed(0)
paint = Pix2Pix.from_preset(run.preset, loss=generator_loss, through=u_shape).to(run.device)


def show(system, history):
    """Given, drawn and a truth, each time we look."""
    sheet = [maps[eight], system.sample(maps[eight].to(run.device)).cpu(), birds[eight]]
    step = history.step or system.settings["steps"]
    return grid(torch.cat(sheet), 8, rows=["given", "drawn", "a truth"],
                title=f"This notebook's painter, by L1 and the game: seed 0, step {step:,}")


# %% tags=["live"]
painting = run.train(
    paint, source, steps, shipped="pix2pix_paint", show=show, show_every=200,
    part=lambda system: system.generator,
    seen="At first one brown bird for all, then scenes and colours.",
    course={"title": "The shipped run of painting, on its way (seed 0)", "of": "map",
            "given": maps[eight]})

# %%
again = [paint.sample(maps[eight].to(run.device), seed=number).cpu() for number in (1, 2, 3)]
grid(torch.cat(again), 8, rows=["dropout 1", "dropout 2", "dropout 3"],
     title="The same maps painted three times, with dropout: seed 0, step 800"
     ).described("Down a column the three birds are nearly the same.")

# %% [markdown]
# **What to see.** Where the training ran, the first figure is the painter of this notebook; the one with
# four steps is the run that ships (`t2i reproduce 06 paint --row 'L1 + cGAN' --seed 0 --ship`). Birds,
# where the maps have them, with a scene behind. They are mottled, and the
# parts are not as clean as real ones: 800 steps are few. Their colours the network chose. It had to
# choose, because $D$ knows that real birds are not all of one dull brown. Painted again with other dropout, the bird hardly changes: the noise
# is little used (the table has the number).

# %%
found = records("06")
ways = {"distance alone (L1)": "paint/L1", "game alone (cGAN)": "paint/cGAN",
        "both": "paint/L1 + cGAN", "both, no joins": "paint/no skips"}
columns = {"parts read back (IoU)": ("iou", 3), "error": ("error", 3),
           "colour": ("colour", 2), "Fréchet distance": ("distance", 0),
           "diversity": ("diversity", 3)}
measured(found, ways | {"real birds": "paint/real birds"}, columns,
         "mean ± deviation over seeds 0 1 2, 2,000 maps; t2i reproduce 06 paint")

# %% [markdown]
# **What to see.** A network that segments real birds (section 2's, as it ships) reads the
# paintings; the paper judged its street scenes in the same way. *Parts read back* says how well they
# are read as they were asked for (it can't reach 0.625, for this judge never reads a beak, an eye or a
# leg: five parts of eight), *error* is (1) as a share of the range, *colour* the strength of colours
# as a share of that of the real birds. The *Fréchet distance* (lesson 02) compares 2,000 paintings
# with as many other real birds; what real birds themselves have is as good as it gets.
#
# - The distance alone has the least error, the palest birds, and a large Fréchet distance. The five
#   large parts are read even better than those of real birds.
# - The game alone has the largest error, and its parts lie less well. By the Fréchet distance it is
#   hardly better than the distance alone, which surprised us.
# - Both together: nearly the error and the parts of the first, far more colour, and by
#   far the least Fréchet distance. That both together are best is the paper's claim, too.
# - Without the joins the parts are drawn in the wrong places (section 2 has the pictures): all that is
#   known of the outline has to pass a single pixel.
# - *Diversity* is that of eight drawings of one map by dropout, as a share of that of eight real
#   birds. With both terms it is about a twentieth. The paper says so of its own networks: many
#   answers, but they give one.
#
# The paper's own tables score photographs of streets (Cityscapes). Their numbers aren't printed here:
# this course prints only those that it could check, and on other pictures, by another judge, they
# couldn't be set beside ours. What was compared above is
# the claim that both together are best.

# %%
rows = {"1 pixel": "patches/1", "6": "patches/6", "16": "paint/L1 + cGAN", "34 (all)": "patches/34"}
measured(found, rows, columns | {"seconds": ("seconds", 0)},
         "mean ± deviation over seeds 0 1 2, 2,000 maps; t2i reproduce 06 patches (16: t2i reproduce 06 paint)")

# %% [markdown]
# **What to see.** (The field of 6 has kernels of 2; 34 is more than the picture has.) Even a $D$ of single pixels helps: colour is something that one pixel can show, and
# its birds are more colourful than those of the distance alone, at a far smaller Fréchet distance.
# A larger patch lowers the distance further: with 16 pixels or all 34 the worst seed (2,497) is ahead of
# the best one of single pixels (2,662). Between 16 and the whole picture these three seeds can't decide. In the paper, at 256 pixels, the
# patch of 70 did best and the whole picture worse; at 32 pixels the whole is only twice the patch.
# The outlines are as good with each of them: those are the business of (1).

# %%
rows = {"distance alone (L1)": "segment/L1", "both": "segment/L1 + cGAN"}
each_seed(found, rows, {"overlap": ("iou", 3), "right pixels": ("accuracy", 3)},
          "2,000 birds of unseen species; t2i reproduce 06 segment")

# %% [markdown]
# **What to see.** Back to the task with one right answer, now with the game beside the distance.
# The middle seed fails in both rows; why, we didn't find out.
# In the other two seeds the game raises the overlap and lowers the share of right pixels. A likely
# reading, which we didn't test: $D$ knows that birds have eyes and legs, so $G$ draws some, and not
# always where they are. Whether that is wanted depends on what is counted. The
# authors, on street scenes, found the distance alone to be the better one.
#
# These tables are of one small world and of 800 steps. They can show which part of the loss does what;
# how large the effects are on photographs they can't.

# %% [markdown]
# ## 4. Without pairs
#
# Pairs are rare. There are many photos of horses and many of zebras, and none of *the same*
# animal as both (slide GM-23). Our world has birds with plain wings and birds with barred ones.
# A network shall learn to bar plain wings from two heaps of pictures, in which no bird is in both.
#
# But our world can do what no photographer can: draw the same bird both ways. So there *is* a
# truth; the network never sees it, and we measure with it. (The two heaps are called **domains**.)

# %%
plain, barred, _ = translation.unseen("wings", 500)
grid(torch.cat([plain[eight], barred[eight]]), 8, rows=["plain (x)", "barred (y)"],
     title="The hidden truth: the same birds in both domains"
     ).described("Only the stripes on the wings differ.")

# %% [markdown]
# Two domains, $X$ and $Y$; two generators, $G: X \to Y$ and $F: Y \to X$ (in code `to_y` and
# `to_x`, for `F` is torch's); a discriminator for each domain, $D_Y$ and $D_X$. That $G(x)$ should
# look like one of $Y$ is the game. It doesn't say *which* one: $G$ could turn every bird into the same
# barred bird, or a red one into a blue one, and $D_Y$ would be content. A network that ships was trained so,
# by the game alone:

# %%
free = shipped("cyclegan_wings_game")
sheet = [plain[eight], free.sample(plain[eight]), free.sample(free.sample(plain[eight]), "x")]
grid(torch.cat(sheet), 8, rows=["plain x", "G(x)", "F(G(x))"],
     title="The game alone, without a cycle: a shipped network, seed 0, step 1,200"
     ).described("Striped birds that look alike, in two kinds of scene; none is the bird above it.")

# %% [markdown]
# **What to see.** Stripes there are. But whoever comes in, much the same bird comes out, and water has
# turned into grass. Of the bird that was given hardly anything is left, and the way back doesn't find it.
#
# **CycleGAN** (Zhu et al. 2017, slide GM-23) asks for one thing more: there and back again must be where one
# began. $F(G(x)) = x$ and $G(F(y)) = y$:
#
# $$L_\text{cyc}(G, F) = \mathbb E_x \, | F(G(x)) - x | + \mathbb E_y \, | G(F(y)) - y |
# \tag{5}$$
#
# Its game has squares in place of logs (LSGAN, lesson 02): $D$ shall give real pictures 1 and
# translations 0; the generators want 1 for their translations. So they go down
#
# $$\mathbb E_x (D_Y(G(x)) - 1)^2 + \mathbb E_y (D_X(F(y)) - 1)^2 + \lambda \, L_\text{cyc}(G, F),
# \qquad \lambda = 10 \tag{6}$$
#
# and the discriminators in their turn (each with the half that lesson 02's $D$ has, too)
#
# $$\tfrac12 \left( \mathbb E_y (D_Y(y) - 1)^2 + \mathbb E_x D_Y(G(x))^2 \right) +
# \tfrac12 \left( \mathbb E_x (D_X(x) - 1)^2 + \mathbb E_y D_X(F(y))^2 \right) \tag{7}$$
#
# ### Exercise 06.5 · There and back (15 minutes, difficulty 3)
# Write the generators' turn: return the loss (6), and both translations, $G(x)$ and $F(y)$. (The
# discriminators' turn needs them: draw each but once.) `least_squares(scores, wanted)` is
# $\mathbb E (\text{scores} - \text{wanted})^2$.
#
# <details><summary>Hint 1</summary>
#
# `fake_y = to_y(x)` arrives in $Y$: `d_y` judges it.
# </details>
# <details><summary>Hint 2</summary>
#
# Back: `F.l1_loss(to_x(fake_y), x)`, and the same from `y`.
# </details>
# <details><summary>The idea of the answer</summary>
#
# Translate both. Two games with wanted 1; two ways back, their sum times `weight`:
#
# ```python
# return game + weight * (back_x + back_y), fake_y, fake_x
# ```
# </details>


# %% tags=["exercise"]
def generators_turn(x, y, to_y, to_x, d_x, d_y, weight=10.0):
    """(loss of (6), G(x), F(y)). x, y: (B, 3, S, S); to_y is G, to_x is F."""
    ### BEGIN SOLUTION
    fake_y, fake_x = to_y(x), to_x(y)
    game = least_squares(d_y(fake_y), 1.0) + least_squares(d_x(fake_x), 1.0)
    back = F.l1_loss(to_x(fake_y), x) + F.l1_loss(to_y(fake_x), y)
    return game + weight * back, fake_y, fake_x
    ### END SOLUTION


# %% tags=["check"]
generators_turn = check("06.5", generators_turn)

# %% [markdown]
# Two networks that chase each other can run in circles: $G$ finds a trick, $D$ forgets the last
# one. CycleGAN keeps a **pool** of 50 former translations and shows $D$ some of those among the
# new ones. Until it is full, new pictures are shown and kept. Then each new one has an even chance:
# it is shown and forgotten, or it goes into the pool and an old one is shown in its place.
#
# ### Exercise 06.6 · A pool of old pictures (15 minutes, difficulty 3)
# Write the exchange for a full pool. `new` $(B, C, H, W)$, `pool` $(N, C, H, W)$, `places` $(B,)$:
# a place of the pool for each new picture, all different; `swap` $(B,)$: true where it is
# exchanged. Return what $D$ is shown, $(B, C, H, W)$, and the pool after it, as new tensors.
#
# <details><summary>Hint 1</summary>
#
# `old = pool[places]` has the picture at each place, $(B, C, H, W)$.
# </details>
# <details><summary>Hint 2</summary>
#
# This takes `old` where `swap` is true, else `new`:
#
# ```python
# torch.where(swap[:, None, None, None], old, new)
# ```
#
# A copy of the pool is `pool.clone()`, or `pool.index_copy(0, places, ...)`.
# </details>
# <details><summary>The idea of the answer</summary>
#
# Shown: old where `swap`, else new. The pool at `places`: new where `swap`, else old.
# </details>


# %% tags=["exercise"]
def exchange(new, pool, places, swap):
    """(what D is shown, the pool after); see the text for the shapes."""
    ### BEGIN SOLUTION
    wide = swap[:, None, None, None]
    old = pool[places]
    shown = torch.where(wide, old, new)
    return shown, pool.index_copy(0, places, torch.where(wide, new, old))
    ### END SOLUTION


# %% tags=["check"]
exchange = check("06.6", exchange)

# %% [markdown]
# Is that enough? Here is a shipped network that was trained by (6) and (7):

# %%
closed = shipped("cyclegan_wings_cycle")
sheet = [plain[eight], closed.sample(plain[eight]), closed.sample(closed.sample(plain[eight]), "x")]
grid(torch.cat(sheet), 8, rows=["plain x", "G(x)", "F(G(x))"],
     title="Game and cycle, no identity: a shipped network, seed 0, step 1,200"
     ).described("G puts each bird into another scene, F puts it back into its own.")

# %%
flock, _, _ = translation.unseen("wings", 200)
ways = [flock, closed.sample(flock), closed.sample(closed.sample(flock), "x")]
scenes = [translation.read(pictures, "habitat") for pictures in ways]
for before, after in sorted(set(zip(scenes[0], scenes[1]))):
    print(f"{before} becomes {after}")
there = sum(a == b for a, b in zip(scenes[0], scenes[2]))
print(f"after the way back {there} of {len(flock)} are in their first scene")

# %% [markdown]
# **What to see.** The cycle is closed by a trick (the oracle of lesson 00 reads the scenes): water becomes a branch, a branch water, grass sky and sky
# grass, for each bird the same way. $F$ undoes it, so (5) is content with it. Which scenes belong
# together nobody had said.
#
# One more term, from the paper's release, says it: the **identity loss**. What is of $Y$ already, $G$ shall
# leave as it is:
#
# $$\tfrac{\lambda}{2} \left( \mathbb E_y |G(y) - y| + \mathbb E_x |F(x) - x| \right) \tag{8}$$
#
# In the paper it is for paintings, which otherwise change their colours. Now train, with all three, on
# your code (`identity=0.5` is the half in (8)). The generator is not a U-Net but a **ResNet**: it halves
# twice, then adds small changes to what it has, block by block, and doubles twice. Ours has three blocks,
# the paper's nine.
#
# What to expect of 1,200 steps of four pictures: blurs become birds that keep their scene and most of their
# colours. Clean bars you will *not* see. The wings get restless, and both ways look alike.

# %% tags=["live"]
torch.manual_seed(0)
wings = CycleGan.from_preset(run.preset, identity=0.5, turn=generators_turn, exchange=exchange)
wings = wings.to(run.device)
apart = Pairs(Birds("train", 32, wings.settings["batch_size"]), "wings", paired=False)


def look(system, history):
    """Both ways, each time we look."""
    x, y = plain[eight].to(run.device), barred[eight].to(run.device)
    sheet = torch.cat([x, system.sample(x), y, system.sample(y, "x")]).cpu()
    step = history.step or system.settings["steps"]
    return grid(sheet, 8, rows=["plain x", "G(x)", "barred y", "F(y)"],
                title=f"This notebook's CycleGAN, wings, seed 0, step {step:,}")


# %% tags=["live"]
four = eight[1:5]
course = run.train(
    wings, apart, wings.settings["steps"], shipped="cyclegan_wings", show=look, show_every=300,
    part=lambda system: system.generators, columns=["G(x)"] * 4 + ["F(y)"] * 4,
    seen="At first blurs, later birds with their own colours; bars are hard to make out.",
    course={"title": "The shipped run of wings, on its way (seed 0)", "of": "bird",
            "only": [1, 2, 3, 4, 9, 10, 11, 12],
            "given": torch.cat([plain[four], barred[four]])})

# %%
sheet = torch.cat([wings.sample(plain[four].to(run.device)).cpu(), barred[four],
                   wings.sample(barred[four].to(run.device), "x").cpu(), plain[four]])
grid(sheet, 4, translation.read(sheet, "pattern"), rows=["G(x)", "its truth", "F(y)", "its truth"],
     title="This notebook's CycleGAN beside the truth; below each what the oracle reads"
     ).described("Birds much as they were, with unquiet wings; the truths are clean.")

# %% [markdown]
# **What to see.** (The figure with four steps is the run that ships: `t2i reproduce 06 wings --row 'cycle
# and identity' --seed 0 --ship`.) Each bird stays itself: place, scene, and most colours. $G$ puts
# something light and dark on the wings, but stripes are hard to tell from noise here; $F$ hardly takes
# them off. Below each picture stands what the oracle reads in it; four birds are few, so the second table
# counts a thousand. And all of it is rough: 1,200 steps of four pictures are little, and the paper's network had
# two hundred epochs. How much is right? The hidden truth tells.

# %%
demands = {"the game alone": "no cycle", "and the cycle": "cycle",
           "and the identity": "cycle and identity", "change nothing": "nothing"}
columns = {"error of G(x)": ("to y", 3), "error of F(y)": ("to x", 3),
           "there and back": ("there and back", 3), "attributes kept": ("kept", 2)}
measured(found, {name: f"wings/{row}" for name, row in demands.items()},
         columns | {"patterns as in the truth": ("changed", 2), "seconds": ("seconds", 0)},
         "mean ± deviation over seeds 0 1 2, 1,000 unseen birds; t2i reproduce 06 wings")

# %%
networks = {"the game alone": "cyclegan_wings_game", "and the cycle": "cyclegan_wings_cycle",
            "and the identity": "cyclegan_wings"}
pair = translation.unseen("wings", 1000)[:2]
shares = {name: translation.patterns(shipped(one), *pair) for name, one in networks.items()}
both_ways(shares | {"bars every wing": (1.0, 0.0), "change nothing": (0.0, 0.0)},
          "the last column of the table above, both ways apart: the shipped networks, seed 0")

# %% [markdown]
# **What to see.** *Attributes kept* are the eight that should not change (colours, beak, size,
# scene), as the oracle (lesson 00) reads them in the translation and in the truth; blind guessing would
# keep about a quarter. *Patterns as in the truth*: is $G(x)$ read as barred, $F(y)$ as plain? There are
# only these two, so whoever bars every wing, or tosses a coin, has 0.50. The second table takes both ways
# apart.
#
# - The game alone makes other birds of them: about three attributes in ten are kept. Nothing asks
#   for more.
# - With the cycle the way there and back is closed far better, and yet hardly more is kept, and the
#   error against the truth is even the largest of the table. $G$ maps each bird to *another* one,
#   consistently, and $F$ maps it back. The cycle is satisfied; the truth is not. (With horses and
#   zebras nobody could measure that, for there the truth isn't known.)
# - The identity loss is what keeps the birds: nine attributes in ten, and a third of the error. What
#   the paper adds for paintings, our birds need.
# - Of the *task* little is learned with it: 0.52 of the patterns in seed 0, next to nothing above a coin.
#   $G$ bars about two wings in three, but $F$ leaves three in five barred: a coin would do better. Both do
#   nearly the same to a wing. And it costs patterns: without the identity loss the mean is higher, 0.65 in
#   this seed.
# - Whoever changes nothing has by far the least error and keeps everything. By pixels that "wins";
#   stripes are few pixels. No single column of this table would do.
#
# The paper's tables, too, are of street scenes and of maps, judged in other ways. Their numbers aren't
# printed here, for the same reason as in section 3.

# %% [markdown]
# Bars change few pixels. A second pair of domains changes all of them: $X$ is the same world by day, $Y$ at
# dusk, darker and bluer, and dim at the rim. The networks have half the steps. They aren't trained here;
# one ships, and the table has all seeds.

# %%
by_day = {f"{name} of F(y)" if name == "attributes kept" else name: one
          for name, one in columns.items()} | {"seconds": ("seconds", 0)}
measured(found, {name: f"dusk/{row}" for name, row in demands.items()}, by_day,
         "mean ± deviation over seeds 0 1 2, 1,000 unseen birds; t2i reproduce 06 dusk")

# %%
trained = {name: f"dusk/{row}" for name, row in demands.items() if row != "nothing"}
each_seed(found, trained, {"kept of F(y)": ("kept", 2), "error of G(x)": ("to y", 3)},
          "the same, seed by seed: 1,000 unseen birds; t2i reproduce 06 dusk")

# %%
day, dusk, _ = translation.unseen("dusk", 500)
evening = shipped("cyclegan_dusk")
sheet = [day[eight], evening.sample(day[eight]), dusk[eight], evening.sample(dusk[eight], "x")]
grid(torch.cat(sheet), 8, rows=["day x", "G(x)", "dusk y", "F(y)"],
     title="CycleGAN, day and dusk, with cycle and identity, seed 0"
     ).described("G darkens the birds; F lights them up again, mottled and partly striped.")

# %% [markdown]
# **What to see.** *Attributes kept* are of $F(y)$ alone here, of dusk made day again: the oracle has
# learned from birds by day, and can't read dusk. (That is why whoever changes nothing keeps 0.29: the
# oracle is handed the dusk itself.) Everything changes, so whoever changes nothing is furthest from the
# truth. The game alone gets the light about right, and makes other birds: of their attributes no more are kept than by
# guessing. With the cycle two seeds of three keep more than half; the third found another closed cycle
# and is further from the truth than the game alone. With the identity loss all three agree. And in every
# trained row the way back to day has the larger error: what is dark has to be told apart again. The
# figure shows it: $G$'s dusk is near the truth, but $F$'s birds are mottled, some are striped, and the red
# crown of the last one comes out orange.
#
# What these two tables can't show: 600 or 1,200 steps in one small world say what each term asks for, and
# what it lets pass. They don't say what a network of the paper's size makes of photographs in two hundred
# epochs, nor how much of that it owes to the identity loss.

# %% [markdown]
# ## 5. What a picture hides
#
# Back to maps and birds, now *without* pairs: a CycleGAN with $X$ = part maps and $Y$ = birds. From
# a bird to its map and back, (5) demands the same bird. But a map has no colours! How can the bird
# come back?

# %%
hider = shipped("cyclegan_parts")
_, many, outlines = translation.unseen("parts", 200)
middle = hider.sample(many, "x")
clean = translation.as_parts(middle)
from_map, from_clean = hider.sample(middle), hider.sample(clean)
in_scene = translation.alike(many, from_clean, "habitat")  # is each bird's scene the same?
chosen = torch.cat([(~in_scene).nonzero()[:4], in_scene.nonzero()[:4]]).flatten()
grid(torch.cat([p[chosen] for p in (many, middle, from_map, clean, from_clean)]),
     ["scene lost"] * 4 + ["scene kept"] * 4,
     rows=["bird y", "map F(y)", "back from it", "cleaned map", "back from it"],
     title="CycleGAN, part maps and birds, no pairs, seed 0: the first four of each kind"
     ).described("Back from the map as drawn come brown birds in the right scene; from the cleaned "
                 "one four speckled birds in another scene, and four brown ones in their own.")

# %%
emptied = torch.where((outlines == 0)[:, None], -1.0, clean)  # black outside the true bird
backs = {"the map as drawn": from_map, "the cleaned map": from_clean,
         "the same, black around the true bird": hider.sample(emptied)}
for name, birds_back in backs.items():
    scene, wing = (translation.alike(many, birds_back, of).sum() for of in ("habitat", "wing"))
    brown = translation.read(birds_back, "wing").count("brown")
    print(f"of {len(many)} birds from {name}, as the oracle reads them: {scene} in their scene, "
          f"{wing} with their wing colour, {brown} with brown wings")
print(f"of the real ones: {translation.read(many, 'wing').count('brown')} with brown wings")

# %% [markdown]
# **What to see.** Second row: maps, of a network that never saw which map belongs to which bird. Third
# row: back from them. The *colours* have not come back, so the answer to our question is: only in part.
# Four wings in five are read as brown, the dull brown of section 3. But the *scene* has come back,
# water as water and grass as grass, though the background of a map is black. Fourth row: each
# pixel of the map set to the nearest of the eight colours. To the eye little has changed. Fifth row: back
# from those. The oracle reads another scene in about one bird of eight, and before in none. The
# first four of them are on the left, and they have turned speckled besides; on the right the first four that
# kept their scene.
#
# So where was the scene written? Mostly where one can see it, once one knows. Beside the birds lie
# specks of red and cyan, and outlines are bent. Paint everything black that is outside the true bird (the
# last line of the print), and the scene of more than half is lost. What only differences that no eye
# sees had carried is the rest: one bird in eight, that the cleaning took away. (5) asked for all of it: the network
# had to bring back what a map can't say, so it wrote what it could between the lines, and scenes
# fill most of a picture.
#
# How robust is the writing? Damage the map in the middle, and measure what comes back:

# %%
survival_table(found, "parts/cycle", "error of the bird that comes back from a damaged map; 1,000 "
               "unseen birds; t2i reproduce 06 parts")

# %% [markdown]
# **What to see.** Three seeds, three ways to close the cycle.
#
# - Seed 0 drew the pictures above. Rounding its maps to the 256 levels of a file destroys nothing: its
#   writing is coarser than that. Blur (of one pixel) and noise (a tenth of the range) destroy some,
#   and the nearest colours most.
# - Seed 1 hides next to nothing: whatever is done to its maps, the same comes back, a bird of mean
#   colours.
# - Seed 2 brings the bird back best of all. And its maps are *empty*: their overlap is that of a map
#   without a bird (section 2). What comes back is written in differences smaller than one level of
#   256. Save such a map as a file, and nothing can be read in it.
#
# With pairs the overlap of the maps was above 0.5 in two seeds of three; without them it is a third in
# two, by a network that never saw which map belongs to which bird. A closed
# cycle is no proof that a translation keeps what it should *visibly* keep. Chu and others found such
# writing in 2017, with photographs from the air and road maps.

# %% [markdown]
# ## 6. Play
#
# **Paint a bird.** Choose a part, paint on the map, lift the pointer. What does a second tail do? A
# bird without a beak? A picture that is all wing, an empty one? The line below the canvas says what the
# shipped segmenting network of section 2 reads in the painting (never a beak, an eye or a leg).

# %%
lab = PartPainter(paint, masks[eight[1]])
lab.figure(title="Painted by pix2pix, seed 0").described(
    "A bird whose parts lie where the map has them.")

# %%
lab.widget()

# %% [markdown]
# <details><summary>What came of it (of the painter that ships)</summary>
#
# A second tail becomes a loose brown patch in the sky: the painter colours patches, and nobody told it
# that a bird has one tail. Without a beak the bird has none, and nothing else changes much. All wing gives
# a mottle with no bird in it. And an empty map gives water, sky and a small bright smudge in the middle,
# where a bird would be: it has never seen a map without one. The strip below shows all four.
# </details>

# %%
PartPainter(shipped("pix2pix_paint"), masks[eight[1]]).answers(
    "Four questions to the shipped painter (seed 0)"
).described("A loose brown patch; a bird without a beak; a mottle; a smudge above water.")

# %% [markdown]
# ## 7. What still fails
#
# - **Many birds fit a map, one is drawn.** Dropout hardly varies it. Lesson 13 draws many pictures from
#   one layout, with noise that the network can't ignore.
# - **Nobody said what should change.** Two heaps of pictures say that wings differ, and leave it to the
#   networks to find out. Colours were exchanged as well, until the identity loss forbade it. Lessons 14
#   and 15 say it in words: "make the wings barred".
# - **Somebody has to paint the map.** A sentence is easier to give. Lesson 07 learns to read it.
#
# ### Questions
#
# <details><summary>Why does the U-Net join maps, and not add them as a ResNet does?</summary>Joining
# keeps both: the next layer has weights of its own for what came from below and for what came across.
# Adding would mix them before anybody could choose.</details>
#
# <details><summary>D of pix2pix sees x beside y. What if it saw y alone?</summary>It would ask whether
# the bird looks real, not whether it fits the map; fitting would be left to (1). Try
# Pix2Pix.from_preset("cpu", conditional=False).</details>
#
# <details><summary>Is F(G(x)) = x enough for G to be right?</summary>No. If G turns each colour into
# another one and F turns it back, the cycle is closed. (5) asks for a pair of maps that undo each
# other, and there are many.</details>
#
# <details><summary>A part map has 8 colours at 1,024 pixels. How much could it hold of a
# bird?</summary>Exactly drawn, the outline and no more. But drawn in floats (or bytes) each pixel has
# room for many bits beside its part: enough for the whole bird.</details>
#
# ### To read
# - Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015.
# - Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, 2017.
# - Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
#   Networks, 2017.
# - Chu, Zhmoginov, Sandler: CycleGAN, a Master of Steganography, 2017.
#
# ### At the papers' scale
#
# `t2i train pix2pix --preset paper` and `t2i train cyclegan --preset paper` have the papers' networks
# at 256 x 256 pixels, one picture a batch. The authors' facades, 400 pictures for 200 epochs, took
# them about two hours on a Pascal Titan X. How long ours take on a GPU: not measured yet.

# %% tags=["nbval-check-output"]
for name in ("pix2pix", "cyclegan"):
    counts = ", ".join(f"{p} {n:,}" for p, n in parameter_counts(name, "paper").items() if n)
    print(f"{name}: {counts}")
