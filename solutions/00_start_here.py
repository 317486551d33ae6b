# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# Type a sentence, and a network draws what it says.
#
# **What you will be able to do**
# - have a trained network draw a bird from a sentence of yours;
# - say what this course means by *obedience*, and compute it;
# - find your way: the lessons, the slides they teach, the exercises and their checks, the
#   four presets, and what to do when something goes wrong.
#
# **Time:** less than a minute of computing on two CPU cores, about 25 minutes to
# read, to play, and to solve the one exercise.
#
# **You need:** Python, and to have seen a PyTorch tensor. Nothing about GANs.
#
# **Slides covered:** RE-1 (text as an interpretable interface to a model). Such an ID names
# a page of one of the documents that the course works out: GM (a lecture on generative
# models), RE (a report on Reed et al. 2016), AT (a talk on AttnGAN), TM (a talk on text
# and pictures), AM (feature visualization), HL (layouts inferred from text). Lesson 08
# returns to RE-1.

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("00")

# %% [markdown]
# ## 1. A bird, please

# %% tags=["cover"]
from t2i_course.checks import check
from t2i_course.play.caption_lab import Playground, read_birds
from t2i_course.systems import shipped
from t2i_course.worlds.birds import vocabulary

best = Playground(shipped("tree_painter_64"), vocabulary(), read_birds)
drawing = best.draw("a bird with purple wings and an orange belly", count=4, style=0)
best.figure(drawing, of="tree_painter_64, style 0").described(
    "Four birds with purple wings and orange bellies.")

# %% [markdown]
# Four birds that nobody has drawn before. A network, which comes with the course as
# `tree_painter_64`, made each of them from your sentence and some random numbers, its
# *noise*: the same words with other noise give another bird in the colours that you named,
# which may look the other way, or sit in another place. (Lesson 10 trains it.)
#
# Below each picture stand the colours that a second network, the **oracle**, reads in it.
# The oracle has never seen the sentence. Where it reads what you wrote, the first network
# has obeyed. (Of crown, the top of the head, and tail the sentence says nothing: there the network is
# free.)
#
# Two colours are an easy wish. Here are four, and they go to a smaller network of lesson 08,
# `projection_32`, which draws 32 pixels and learned for a few minutes. Go through the
# readings: is each colour, in each picture, the one that was asked for?

# %%
artist = Playground(shipped("projection_32"), vocabulary(), read_birds)
sentence = "a bird with purple wings, a green belly, an orange crown and a blue tail"
artist.figure(artist.draw(sentence, count=4), of="projection_32, style 0")

# %% [markdown]
# Not always: some of these bellies are read as blue, the colour that the tail should have.
# The more you ask for at once, the more can be lost. Section 5 counts how often that is.
# (These four also look alike; *style* below brings others, and lesson 08 measures the
# variety.)
#
# Your turn: change the sentence in the box, which starts with the same one. The line
# under its pictures sums up the readings; "belly blue (2 of 4)" says that the oracle reads
# blue bellies in two of four. Leave parts out, use other words for the same thing
# (breast, chest, cap, grey, gray), move *style* to see other noise. Ten colours are
# known: red, orange, yellow, green, blue, purple, brown, black, white, grey.

# %%
playground = artist.widget(sentence)
playground

# %% [markdown]
# (Are you reading without running? Then you see the four birds of the figure before once
# more; the text box works in JupyterLab and Colab.)
#
# A word that the network doesn't know is passed over and named. A sentence without any
# word that it knows is not drawn; the answer says what would be known:

# %%
import textwrap

for other in ("a blue bird with pink wings", "ein Vogel"):
    print(textwrap.fill(artist.draw(other).words, 88))

# %% [markdown]
# ## 2. Why sentences?
#
# The network is the half of a **GAN** (generative adversarial network, lesson 01) that
# draws, its **generator**. Why should one speak to it? It is an **implicit** model. It
# turns noise into pictures, and no formula in it says how probable a picture is, which
# number of the noise stands for the wing, or why it drew what it drew. You can sample
# from it and look, and that is all.
#
# A sentence changes this (report RE-1). It is an *interface that people understand*: you
# say "blue wings", you see whether the wings are blue, and you have learned something
# about the model without opening it. Change one word, keep the noise, and whatever
# changes in the picture is that word's doing:

# %%
import torch

from t2i_course.show.pictures import grid

colours = "red orange yellow green blue purple".split()
sentences = [f"this bird has {colour} wings and a white belly" for colour in colours]
changed = [artist.draw(wish, count=1, style=3).pictures for wish in sentences]
grid(torch.cat(changed), 6, sentences, "projection_32, style 3: one word changes, the noise stays"
     ).described("The wings take each colour in turn.")

# %% [markdown]
# Look at what stays: the bird's place in the picture, and how it is turned. Look at what
# moves along with the wings (the crown, the tail, even the ground?) although nobody asked
# for it. Lesson 08 measures both.
#
# ## 3. A world whose truth we know
#
# Did the network draw *blue* wings? For photographs somebody would have to look. So most
# lessons use a world that the course draws itself: 200 species of birds in place of the
# 200 species of CUB (Caltech-UCSD Birds), the photographs that the papers use.

# %%
from t2i_course.show.birds import anatomy, content_of, flock

many, _ = flock(range(16, 40), size=64)
grid(many, 8, title="Drawn by the course: one bird each of species 16 to 39"
     ).described("Birds of many colours, some with barred wings, on grass, branches and water.")

# %% [markdown]
# Look at how they differ: in colours, bars on the wings, beaks, and where they sit.
#
# A bird's **content** is what a caption can speak of: the colours of wing, belly, crown
# and tail, a plain or a barred wing, the beak's length and colour, the size, and the
# habitat. These nine are its **attributes**. (Beside them captions have only asides like
# "dark eyes", which are true of every bird.) Here is the content of one bird:

# %% tags=["nbval-check-output"]
for name, value in content_of(25).items():
    print(f"{name:<12} {value}")

# %% [markdown]
# Its species fixes the content, all but the four colours. As in nature (male and female,
# young and old, summer and winter), a species wears several **plumages**, six here. The
# colours above are those of its first; each of the other five keeps one or two of the
# four, on average. And every bird adds **style**, of which no caption ever speaks: how it
# is turned and tilted, where it sits, the light, the clouds or leaves behind it. Below,
# each row is one species; the seventh and eighth bird wear the plumages of the first and
# second again:

# %%
family, parts = flock([25, 10, 28], individuals=8)
plumages = [f"plumage {number % 6 + 1}" for number in range(8)]
grid(family, plumages, rows=["species 25", "species 10", "species 28"],
     title="Drawn by the course: eight birds of three species"
     ).described("Within a row colours change with the plumage, and pose and place with the bird.")

# %% [markdown]
# The pictures are ours, so we know which pixel belongs to which part, and where each part
# sits. (The colours of the map are labels, see its legend, and not the bird's.) Later
# lessons draw from such maps (lesson 12) and boxes (lesson 13).

# %%
anatomy(family[1], parts[1], "The second bird of species 25")

# %% [markdown]
# Each picture has ten captions, in the words that people use for CUB's photographs. A
# caption names only some of the attributes, and what it says is always true. Five of the
# ten:

# %%
from t2i_course.worlds.bird_captions import caption
from t2i_course.worlds.bird_species import species_table

for number in range(5):
    print(caption(species_table()[25], (25, 0, number))[0])

# %% [markdown]
# As with CUB, 150 species are for training and 50 others for testing: *unseen species*
# in this course are species that no network was trained on. (A colour of wing or belly
# is never new. But in four of five plumages of unseen species, the combination of the
# four colours (wing, belly, crown, tail) occurs nowhere in training.)

# %% tags=["nbval-check-output"]
from t2i_course.worlds.bird_species import ATTRIBUTES, split_species

split = split_species()
both = set(split["train"].tolist()) & set(split["test"].tolist())
print(len(split["train"]), "species to train,", len(split["test"]), "to test,", len(both), "in both")
print("attributes:", ", ".join(f"{name} ({len(v)})" for name, v in ATTRIBUTES.items()))

# %% [markdown]
# ## 4. Obedience, and your first exercise
#
# The **oracle** is a small classifier that reads all nine attributes from a picture. It
# is a measuring instrument, and is never used to train a generator: a pupil who writes
# the exam learns to please the examiner.
#
# How does one come to such a reader? By training: it sees drawn birds, guesses, is told
# the truth, and changes a little, step by step. Here is a smaller one at school, a pupil.
# It learns from batches of 64 birds, and sits the same exam again and again: 500 birds of
# unseen species.

# %%
from t2i_course.measure.birds import unseen_captions
from t2i_course.measure.oracle import OracleTraining, RandomBirds

steps = run.choose(4, 300)  # 4 in a quick test, 300 otherwise
pupil = OracleTraining(width=12, steps=steps)
school = RandomBirds(run.choose(64, 2000), 32, batch_size=64)
exam = unseen_captions(500).to(run.device)

# %%
from t2i_course.measure.obedience import accuracies
from t2i_course.show.curves import lines


def report(pupil, history):
    """How many wings, bellies and beaks does it read rightly? The curves so far."""
    read = pupil.network("oracle").read(exam.image)
    for name, share in accuracies(read, exam.attributes).items():
        history.measure(name, share)
    shares = {name: history.values(name) for name in ("wing", "belly", "beak_colour")}
    guesses = {"guessing one of 10 colours": 1 / 10, "one of a beak's 4 colours": 1 / 4}
    texts = "seconds of training", "share read rightly", "A pupil, birds of unseen species"
    return lines(history.times("wing"), shares, *texts, marks=guesses, between=(0, 1))


# %% [markdown]
# Now watch it learn, for about 20 seconds on two CPU cores. Every 15 steps it sits the
# exam, and the curves grow by a piece. Beside the bar stands the error that training lowers
# (a cross-entropy, added up over the nine attributes: about 14 for a mere guesser), of the
# last batch alone, so it jumps: some batches are harder than others. (It is headed
# `oracle`, for that is what the pupil learns to be.)

# %%
from t2i_course.training import fit

history = fit(pupil, school, steps, device=run.device, show=report)

for name in ("wing", "belly", "beak_colour"):
    half = [step for step, _, share in history.measures[name] if share > 0.5]
    print(f"{name:<12} more than half right at step {half[0] if half else 'none so far'}")

# %% [markdown]
# At first the pupil guesses: all three curves begin near their dotted lines, about once in
# ten for wing and belly, once in four for the beak, which comes in four colours only. Then
# they rise, and the printed lines say which of them passed one half when. The beak is a few
# pixels, wing and belly are large. We stop before
# it has learned all it could. The shipped oracle is larger and went on for minutes. How
# often does it read the attribute that is hardest for it rightly, on unseen species?

# %%
from t2i_course import weights

worst = min(weights.entry("oracle32")["measured"].values())
print(f"at least {worst:.3f} of each attribute")

# %% [markdown]
# ### Obedience
# **Obedience** is then one number: *of all attributes that the captions name, the share
# that the oracle sees as named*. A network that ignores its captions gets a colour right
# about one time in ten.
#
# Two tables of whole numbers are all one needs. `seen[i, a]` is the value of attribute
# $a$ that the oracle sees in picture $i$; `named[i, a]` is the value that caption $i$
# names, or $-1$ where the caption is silent. Take three captions and three attributes:
#
# | | wing | belly | crown | | | wing | belly | crown |
# |---|---|---|---|---|---|---|---|---|
# | `seen[0]` | 4 | 0 | 7 | | `named[0]` | 4 | 0 | -1 |
# | `seen[1]` | 2 | 2 | 2 | | `named[1]` | -1 | -1 | 5 |
# | `seen[2]` | 0 | 8 | 1 | | `named[2]` | 0 | -1 | -1 |
#
# Four attributes are named. Three are seen as named. Obedience is 3/4.
#
# ### Exercise 00.1 · Obedience (5 minutes, difficulty 1 of 5)
# Write it for tables of any size. Replace the line that raises, run the cell, then run
# the check below it. (The numbers stand for values in the order of their list: colours
# are 0 red, 1 orange, 2 yellow, 3 green, 4 blue, 5 purple, 6 brown, 7 black, 8 white, 9
# grey.)
#
# <details><summary>Hint 1</summary>`named >= 0` is a table of True and False: True where
# a caption speaks. How many are there?</details>
# <details><summary>Hint 2</summary>`seen == named` is True where the two agree; where the
# caption is silent they never do, for nothing that is seen is -1.</details>
# <details><summary>The idea of the answer</summary>Divide the sum of the second table by
# the sum of the first.</details>


# %% tags=["exercise"]
def obedience(seen, named):
    """The share of named attributes that are seen as named. seen, named: (captions,
    attributes), whole numbers, -1 where a caption is silent. Returns one number."""
    ### BEGIN SOLUTION
    return (seen == named).sum() / (named >= 0).sum()
    ### END SOLUTION


# %% tags=["check"]
obedience = check("00.1", obedience)

# %% tags=["nbval-check-output"]
seen_3 = torch.tensor([[4, 0, 7], [2, 2, 2], [0, 8, 1]])
named_3 = torch.tensor([[4, 0, -1], [-1, -1, 5], [0, -1, -1]])
print(f"obedience {float(obedience(seen_3, named_3)):.2f}")

# %% [markdown]
# That is how all exercises work:
#
# - the **check** says what is wrong in words. Try it: return the sum without dividing, or
#   forget the -1, and run both cells again;
# - if your function is right, **the rest of the lesson runs on it**; until then the course
#   puts its own in its place, so a lesson never stops because of an exercise;
# - hints are folded, in two steps and then the idea. The minutes are honest guesses;
# - `solutions/` holds each lesson solved, with all its pictures.
#
# ## 5. Measure it
#
# Now judge the network of section 1 with *your* function. We ask for all hundred pairs of
# wing and belly colour. (Each of them occurs in training, but some in only two of 900
# plumages.) Framed: where the oracle sees something else than was asked for.

# %%
from t2i_course.measure.birds import asked, draw
from t2i_course.measure.oracle import oracle
from t2i_course.show.pictures import crossed
from t2i_course.worlds.bird_captions import named_by
from t2i_course.worlds.bird_species import COLOURS

pairs = [(wing, belly) for wing in COLOURS for belly in COLOURS]
captions = [f"a bird with {wing} wings and a {belly} belly" for wing, belly in pairs]
named = torch.stack([torch.from_numpy(named_by({"wing": w, "belly": b})) for w, b in pairs])
hundred = draw(artist.system, asked(captions, named), seed=0)
seen = oracle(hundred.shape[-1]).read(hundred)
missed = ((seen != named) & (named >= 0)).any(1)
crossed(hundred, COLOURS, COLOURS, "projection_32, noise 0: wings (rows) and belly (columns)",
        framed=missed).described("Nearly all birds have the colours of their row and column.")

# %% [markdown]
# A network that always obeys would draw wings and belly of one colour on the diagonal, of
# two colours everywhere else, and each row would have its own wings. Here are the framed
# pictures once more (there may be only one), with the colours of wing and belly that were
# asked for, and those that the oracle read:

# %%
print(f"{int(missed.sum())} of {len(pairs)} pictures are framed")
some, said = missed.nonzero().flatten()[:12].tolist(), []
for i in some:
    wing, belly = (COLOURS[number] for number in seen[i, :2])
    said.append(f"{captions[i]}; read: {wing} wings, {belly} belly")
grid(hundred[some], 4, said, "projection_32, noise 0: asked for, and read") if some else None

# %% [markdown]
# Whom do you believe: has the network drawn something else than it was asked for,
# or has the oracle misread a picture that you would let pass? (On drawn birds of unseen
# species the oracle errs in less than one reading of a hundred; on a network's blurred
# birds nobody knows the truth.)
#
# One picture of each pair is a small sample. So draw each pair with several noises:

# %%
from t2i_course.show.tables import Table, with_spread

batch, reader, shares = asked(captions, named), oracle(hundred.shape[-1]), []
for seed in range(run.choose(2, 5)):
    read = reader.read(draw(artist.system, batch, seed))
    shares.append(float(obedience(read, named)))
print(f"obedience over {len(shares)} noises: {with_spread(shares, 3)}")
print("(mean ± standard deviation)")

# %% [markdown]
# Sentences as short and as tidy as these are the easy ones. The captions that come with
# the birds have other words and ask for other things, often for more at once. So here are
# 2,000 captions of unseen species, each drawn with three noises. (Guessing would get a
# colour right one time in ten, the beak's colour or the habitat one in four, the rest one
# in two.)

# %%
written = unseen_captions(run.choose(200, 2000))
noises = range(run.choose(2, 3))
readings = [reader.read(draw(artist.system, written, seed)) for seed in noises]
for i, name in enumerate(ATTRIBUTES):
    wanted = written.named[:, [i]]
    shares = [float(obedience(read[:, [i]], wanted)) for read in readings]
    print(f"{name:<12} {with_spread(shares, 3)}")

# %% [markdown]
# The ± is between noises of one network, the one that ships. (The first noise alone is
# what `t2i measure projection_32` prints in a terminal.) What would another
# training have given? A **seed** fixes the random numbers that a training starts from: the
# same seed trains the same network again, to the last digit, on the same machine with as
# many threads. With another number of threads sums are taken in another order, and in the
# end the pictures are others, as if the seed were another.
# Here are three trainings that differ in nothing else, each measured with the first noise;
# the first is the one that ships:

# %%
from t2i_course.experiments import records, values

found = records("08")
for name in ("wing", "belly"):
    shares = values(found, "projection/projection_32", name)
    each = ", ".join(f"{share:.3f}" for share in shares)
    print(f"{name:<6} {each}; in the mean", with_spread(shares, 3))

# %% [markdown]
# Only several seeds tell what the next may give. Their figures come from `t2i
# reproduce 08 projection`. Now sort the same readings by how much a caption asks for:

# %%
asks = (written.named >= 0).sum(1).clamp(max=5)  # 5 stands for five or more
wanted, rows = written.named, {}
obeyed = [((read == wanted) | (wanted < 0)).all(1).float() for read in readings]
for name, number in {"1 named": 1, "2": 2, "3": 3, "4": 4, "5 or more": 5}.items():
    of = asks == number
    share = [float(obedience(read[of], wanted[of])) for read in readings]
    whole = [float(kept[of].mean()) for kept in obeyed]
    rows[name] = [int(of.sum()), with_spread(share), with_spread(whole)]
columns = ["captions", "obedience", "captions obeyed in everything"]
Table(columns, rows, "projection_32 (seed 0): mean ± standard deviation over the noises")

# %% [markdown]
# Two things to read here. The right column has to fall: whoever keeps each of four wishes
# nine times in ten, each without regard to the others, keeps all four only
# $0.9^4 \approx 0.66$ of the time. The middle column need not, yet from two wishes on it
# falls, too. (The hundred captions with one wish are too few to place them.) Perhaps a
# wish is heard less in the company of others; perhaps long captions get to what is hard
# for this network. The list above says what that is: the pattern (where guessing is right
# one time in two), the beak's colour and the tail.
#
# What was published about such networks was judged by eye; lesson 08 sets it beside our
# numbers. And what obedience can't see: whether the bird is pretty, whether all birds
# with blue wings look alike, and whether the network obeys sentences of another kind.
# Lesson 08 has a number for each.
#
# ## 6. The map
#
# Every lesson begins with a failure that the one before left open. *Planned* lessons are
# not written yet: for now go from 01 to 08.

# %%
from t2i_course.course_map import course_map

course_map()

# %% [markdown]
# ## 7. From your laptop to the paper: four presets
#
# Each system of the course exists in four sizes with the same code. The hardware chooses
# between `cpu` and `gpu`. To choose yourself, set the environment variable `T2I_PRESET`
# before the first cell runs.
#
# | preset | when | what |
# |---|---|---|
# | smoke | tests | seconds; proves that it runs, claims nothing |
# | cpu | no GPU found | live training of a few minutes a lesson on two cores |
# | gpu | one GPU, as on Colab | larger networks (times are not measured yet) |
# | paper | `t2i train gan_cls --preset paper` | the published networks and schedule |
#
# The generator that draws from sentences (lesson 08) in all four, in weights to learn.
# The last one has the sizes of Reed et al. (2016):

# %% tags=["nbval-check-output"]
from t2i_course.systems import parameter_counts

for preset in ("smoke", "cpu", "gpu", "paper"):
    print(f"{preset:<6} {parameter_counts('gan_cls', preset)['generator']:>11,}")

# %% [markdown]
# What you see on a CPU is never passed off as a result at the paper's scale: each lesson
# that rebuilds a paper prints the published numbers beside its own, where there are any
# that can be compared, and says what the miniature can't show.
#
# ## 8. When something goes wrong
#
# - **A cell fails, or a lesson is slow.** Run `t2i doctor` in a terminal (or `!t2i doctor`
#   in a cell). It prints versions, device, free disk, data and networks, and for each
#   problem what to do.
# - **You stopped a training.** It says how to go on from its checkpoint, if it was given a
#   file for one (`fit(..., checkpoint=FILE)`). If not, run the cell that makes the pupil
#   once more, and then the training.
# - **You are lost in your own changes.** Restart the kernel and run all cells; a check
#   that is not right yet goes on with the course's own function.
# - **You want to know what you have solved.** Save the notebook, then run
#   `t2i grade 00_start_here.ipynb`, in the folder of the work sheets.
#
# ## 9. Before you go on
#
# <details><summary>Why must the oracle never be a training loss?</summary>The generator
# would learn whatever makes the oracle say "blue", which need not be blue wings. A
# measure that is trained on stops measuring.</details>
# <details><summary>The network draws blue wings for every caption. What is its obedience
# on wings, if each of the ten colours is asked for equally often?</summary>One tenth: it is
# right whenever blue is asked for.</details>
# <details><summary>Could obedience be 1 for a network that draws the same bird for the
# same caption, whatever the noise?</summary>Yes. Obedience doesn't see a lack of
# variety; that failure is called mode collapse, and lesson 01 shows it.</details>
#
# **What still fails.** You have a network that draws, and no idea how anybody trained it.
# There is no list of right pictures for a sentence, and no formula to go down. Lesson 01
# starts with the trick: let two networks play against each other.
#
# **To read:** S. Reed, Z. Akata, X. Yan, L. Logeswaran, B. Schiele, H. Lee, *Generative
# Adversarial Text to Image Synthesis*, ICML 2016, the paper that lesson 08 rebuilds.
