# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Reading sentences
#
# Before a network can draw what a sentence says, it has to read it. Here one learns to read
# letter by letter, from nothing but birds and what was said of them.
#
# **What you will be able to do**
# - turn letters into numbers as the paper does, and follow a sentence through its network;
# - train sentences and pictures into one space, by two losses, and say how they differ;
# - measure reading on species that nobody trained on, beside what is possible at all;
# - say who reads better, letters or words, and what typing errors, rare words, word order and
#   new forms of sentences do to each.
#
# **Time:** about four minutes of computing on two CPU cores, about two hours with the six
# exercises.
#
# **You need:** lesson 00 (birds and captions), lesson 05 (labels as conditions). Convolutions
# and pooling.
#
# **Slides covered:** TM-10 (the joint embedding, eqs. (2) to (4), the char-CNN-RNN), TM-20 (its
# visual-semantic embedding, eq. (4)).

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("07")

# %%
import torch
from torch.nn import functional as F

from t2i_course.checks import check
from t2i_course.experiments import records, values
from t2i_course.measure import sentences
from t2i_course.measure.retrieval import caption_lists
from t2i_course.papers import joint_embedding
from t2i_course.papers.char_cnn_rnn import ALPHABET, CharCnnRnn, CharEmbedding
from t2i_course.play.agreement import Agreement
from t2i_course.show.measured import measured
from t2i_course.show.pictures import grid
from t2i_course.show.reading import length_table, slips_table
from t2i_course.show.sentences import sentence_map
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.bird_species import ATTRIBUTES, COLOURS
from t2i_course.worlds.birds import Birds

# %% [markdown]
# ## 1. A label is too few words
#
# Lesson 05 asked by labels: one of ten wing colours, one of twenty families. For the colours of
# four parts there would be 10,000 labels, and a network that has never met label 4,711 can't know
# what it means. A sentence is made of parts that it *has* met: "a bird with blue wings and a red
# belly". Who knows blue wings, and knows red bellies, can read it at first sight.

# %%
unseen = sentences.unseen(1000)
eight = unseen.image[::125]
grid(eight, 4, unseen.caption[::125], title="Birds of unseen species, and what was said of them"
     ).described("Eight birds with a sentence each, which names some of their colours.")

# %% [markdown]
# A caption never says what is false, and never says all. The world has ten of them for each bird,
# in many forms and with many words for the same thing. For us they are rows of letters. What lesson
# 08 needs is an **embedding**: a fixed number of numbers, in which sentences that mean nearly the
# same lie near each other.
#
# ## 2. Letters
#
# The paper (Reed, Akata, Lee and Schiele 2016; slide TM-10) begins at the very bottom. No list of
# words, no grammar: a sentence is a row of letters, and each letter a column with a single 1. The
# alphabet of the release has 70 entries. A letter's code is its place in it, from 1; 0 is nothing
# at all. Look closely:

# %%
print(ALPHABET)
print("places of '-':", [place for place, c in enumerate(ALPHABET, 1) if c == "-"])

# %% [markdown]
# "-" stands there twice. It is a slip of the release, and the table from letters to places keeps the
# *later* one: place 37 is never lit. We keep it, so that the numbers of weights agree.
#
# ### Exercise 07.1 · Letters as numbers (10 minutes, difficulty 2 of 5)
# Turn a list of captions into a tensor of whole numbers, (captions, `length`). Capitals are made
# small. A letter that the alphabet lacks is 0 in its place. What is longer than `length` is cut, what
# is shorter is filled with 0 at the end.
#
# <details><summary>Hint 1</summary>places = {c: i for i, c in enumerate(ALPHABET, 1)}: later entries
# write over earlier ones.</details>
# <details><summary>Hint 2</summary>places.get(c, 0) for c in caption.lower()[:length].</details>
# <details><summary>The idea of the answer</summary>A list of codes for each caption, filled up with
# [0] * (length - len(codes)); torch.tensor of all lists.</details>


# %% tags=["exercise"]
def characters(captions, length=201):
    """Captions as codes, (captions, length) int64: places in ALPHABET from 1, or 0."""
    ### BEGIN SOLUTION
    places = {c: i for i, c in enumerate(ALPHABET, 1)}
    rows = [[places.get(c, 0) for c in text.lower()[:length]] for text in captions]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])
    ### END SOLUTION


# %% tags=["check"]
characters = check("07.1", characters)

# %% tags=["nbval-check-output"]
codes = characters(["A red-winged bird"], 24)
lit = F.one_hot(codes, 71)[0, :, 1:].T  # (70, 24): a column a letter
print(codes[0].tolist())
print(f"one-hot: {tuple(lit.shape)}, {int(lit.sum())} ones; row 37 has {int(lit[36].sum())}")

# %% [markdown]
# Then three convolutions along the row, each over four neighbours, with pooling between: from
# letters to pieces of words to words. What is left is a short row of vectors, the "words". A recurrent
# network reads those from left to right, $h_i = \max(0, W x_i + U h_{i-1} + b)$; the mean of its
# states goes through a last linear layer. That is the **char-CNN-RNN**.
#
# A convolution of $k$ letters fits into a row of $n$ at $n - k + 1$ places; with stride $s$ only each
# $s$-th of them is taken:
#
# $$n_\text{out} = \lfloor (n - k) / s \rfloor + 1 \tag{1}$$
#
# ### Exercise 07.2 · How long is a sentence, inside? (5 minutes, difficulty 1)
# `layers` lists (kernel, stride) of convolutions and poolings in order. Return the list of lengths:
# the row's own first, then that after each layer.
#
# <details><summary>Hint 1</summary>Go on from the last length: found[-1].</details>
# <details><summary>The idea of the answer</summary>found = [length]; for each layer append
# (found[-1] - kernel) // stride + 1.</details>


# %% tags=["exercise"]
def lengths_through(length, layers):
    """[length, that after each of (kernel, stride), ...], without padding."""
    ### BEGIN SOLUTION
    found = [length]
    for kernel, stride in layers:
        found.append((found[-1] - kernel) // stride + 1)
    return found
    ### END SOLUTION


# %% tags=["check"]
lengths_through = check("07.2", lengths_through)

# %% tags=["nbval-check-output"]
paper = CharCnnRnn()
print("lengths:", *lengths_through(201, paper.layers()))
print(f"weights: {sum(w.numel() for w in paper.parameters()):,}")
gated = CharCnnRnn((384, 512, 512), 512, gated=True)
print("the gated variant:", *lengths_through(201, gated.layers(True)))
print(f"weights: {sum(w.numel() for w in gated.parameters()):,}")

# %% [markdown]
# **What to see.** 201 letters become eight steps of the recurrent network. (The release has a second
# variant that leaves out the last pooling and reads 18 steps with a GRU, a recurrent layer with
# gates.) Both have the published number of weights; 384 x 4 of them look at column 37 and never see
# a letter. Our cpu preset is narrower, and reads 128 letters.
#
# ## 3. Meaning by agreement
#
# What should the numbers *mean*? Nobody tells. But there are pictures. Let an **image encoder**
# $\phi(v)$ turn a picture $v$ into as many numbers as the **text encoder** $\varphi(t)$ makes of a
# sentence $t$, and call their dot product the **agreement**:
#
# $$F(v, t) = \phi(v)^T \varphi(t) \tag{2}$$
#
# Then each of the two can name a class $y$, here a species, by agreement with all that was said, or
# drawn, of it (TM-10, eqs. (3) and (4)):
#
# $$f_v(v) = \text{argmax}_y \, \mathbb E_{t \sim T(y)} F(v, t), \qquad f_t(t) = \text{argmax}_y \,
# \mathbb E_{v \sim V(y)} F(v, t) \tag{3}$$
#
# $T(y)$ are the sentences of class $y$, $V(y)$ its pictures. What one wants is few wrong answers,
# both ways (TM-10, eq. (2)); $\Delta$ is 0 where they are equal, else 1:
#
# $$\frac 1 N \sum_n \Delta(y_n, f_v(v_n)) + \Delta(y_n, f_t(t_n)) \tag{4}$$
#
# That has no slope. In its place stands a hinge. Take $B$ pairs $(v_i, t_i)$ of $B$ *different*
# classes. Each other sentence should agree with $v_i$ less than its own by a margin of 1, and each
# other picture with $t_i$:
#
# $$L = \frac{1}{B^2} \sum_{i \ne j} \max(0, 1 + F(v_i, t_j) - F(v_i, t_i)) + \max(0, 1 + F(v_j,
# t_i) - F(v_i, t_i)) \tag{5}$$
#
# One thing is ours. 150 species differ in many things at once; a reader that looks at the belly alone
# would do well. So each caption has a **false twin**, in which one thing is wrong ("red wings" for
# "blue wings"). It should agree with the picture less, too: $\frac 1 B \sum_i \max(0, 1 + F(v_i,
# t_i') - F(v_i, t_i))$ is added.
#
# ### Exercise 07.3 · Agree with your own (20 minutes, difficulty 4)
# Write (5) and the term of the false twins. `images`, `texts`, `untrue` are $(B, D)$, row $i$ of
# each belongs to pair $i$; `untrue` may be None: then there is no such term. The mean of (5) is over
# the whole $B \times B$ table, in which the diagonal is 0.
#
# <details><summary>Hint 1</summary>agreement = images @ texts.T has F(v_i, t_j) at row i, column j;
# the pairs' own are agreement.diagonal().</details>
# <details><summary>Hint 2</summary>Other sentences of a picture: (margin + agreement - own[:,
# None]).relu(). Other pictures of a sentence: own[None, :] in its place.</details>
# <details><summary>Hint 3</summary>Multiply by 1 - torch.eye(B) before the mean. Twins: (images *
# untrue).sum(1).</details>
# <details><summary>The idea of the answer</summary>The mean of (both tables, added, without the
# diagonal), plus the mean of (margin + twins - own).relu().</details>


# %% tags=["exercise"]
def structured_loss(images, texts, untrue=None, margin=1.0):
    """(5), and the false twins where there are some. (B, D) each; a scalar."""
    ### BEGIN SOLUTION
    agreement = images @ texts.T
    own = agreement.diagonal()
    wrong = (margin + agreement - own[:, None]).relu() + (margin + agreement - own[None]).relu()
    loss = (wrong * (1 - torch.eye(len(images), device=images.device))).mean()
    if untrue is not None:
        loss = loss + (margin + (images * untrue).sum(1) - own).relu().mean()
    return loss
    ### END SOLUTION


# %% tags=["check"]
structured_loss = check("07.3", structured_loss)

# %% [markdown]
# Pictures are seen through **frozen features**, the paper's of a network that had learned from a
# million photographs (GoogLeNet), ours of a small one that learned to read birds of another world;
# upon them one linear layer learns. A batch has 75 species, a bird and a caption each. Train the
# reader of letters, on your loss:

# %% tags=["live"]
torch.manual_seed(0)
letters = CharEmbedding.from_preset(run.preset, loss=structured_loss).to(run.device)
birds = Birds("train", 32, letters.settings["batch_size"])
source = joint_embedding.FalseTwins(birds, letters.settings["classes"])
course = run.train(letters, source, letters.settings["steps"], shipped="text_chars",
                   part=lambda system: system.network("encoders")["text"])

# %% [markdown]
# ## 4. Does it read?
#
# Ask on the 50 species that were never shown. Give it a picture and a hundred captions: its own, and
# 99 of birds of other species. Where does its own stand, sorted by agreement? If equal scores are
# decided by lot, then on average half of the equals stand before it.
#
# ### Exercise 07.4 · Where does its own caption stand? (10 minutes, difficulty 2)
# `scores` is $(B, N)$: row $i$ has the agreements of picture $i$ with $N$ captions, its own in
# column 0. Return the rank of the own one, $(B,)$ floats: 1 is the best, one more for each that
# scores more, a half for each *other* that scores the same.
#
# <details><summary>Hint 1</summary>own = scores[:, :1]; others = scores[:, 1:].</details>
# <details><summary>The idea of the answer</summary>1 + (others > own).sum(1) + 0.5 * (others ==
# own).sum(1).</details>


# %% tags=["exercise"]
def own_rank(scores):
    """The rank (B,) of column 0 in each row of (B, N): 1 is the best; equals count half."""
    ### BEGIN SOLUTION
    own, others = scores[:, :1], scores[:, 1:]
    return 1 + (others > own).sum(1) + 0.5 * (others == own).sum(1)
    ### END SOLUTION


# %% tags=["check"]
own_rank = check("07.4", own_rank)

# %%
encoder = letters.network("encoders")["text"].eval().cpu()
joint_embedding.standardize(encoder, birds.all())  # each number: mean 0, variance 1
reader = joint_embedding.reader_of(encoder)
pictures, texts = reader.see(unseen.image), reader.read(unseen.caption)
lists = caption_lists(unseen.class_id)  # of each picture: its own caption, 99 others
scores = sentences.scores_of(pictures, texts, lists)
rank = own_rank(scores)
print(f"own caption first: {(rank <= 1).float().mean():.1%} (blind: 1 %)")
print(f"among the first five: {(rank <= 5).float().mean():.1%} (blind: 5 %)")
print(f"median rank of 100: {rank.median():.0f}")
best = sentences.ceilings(unseen)
print(f"who sees and understands all: first {best['R@1']:.1%}, first five {best['R@5']:.1%}")

# %% [markdown]
# **What to see.** R@1 and R@5, as papers call the first two, are far above chance and far below what
# is possible. And what is possible is not 100 %: a caption that only says "a small bird" is true of
# half of all birds. (The image side that reads along here is fitted to the sentences by least
# squares, in a second; so it is the same for a network that you trained and for one that you
# loaded.)
#
# The paper's own test was another one, **zero-shot classification**: by (3), tell 50 species of
# which only sentences are known.
#
# ### Exercise 07.5 · A species that nobody showed it (10 minutes, difficulty 2)
# `pictures` $(N, D)$; `captions` $(M, D)$, the embeddings of sentences; `labels` $(M,)$, the species
# of each sentence, whole numbers below `count`. A species is the mean of its sentences' embeddings.
# Return for each picture the species that agrees with it most, $(N,)$.
#
# <details><summary>Hint 1</summary>captions[labels == k].mean(0) is species k.</details>
# <details><summary>The idea of the answer</summary>Stack the means, (count, D); pictures @ means.T;
# argmax(1).</details>


# %% tags=["exercise"]
def nearest_species(pictures, captions, labels, count):
    """f_v of (3): the species (N,) that agrees most, each the mean of its captions."""
    ### BEGIN SOLUTION
    species = torch.stack([captions[labels == k].mean(0) for k in range(count)])
    return (pictures @ species.T).argmax(1)
    ### END SOLUTION


# %% tags=["check"]
nearest_species = check("07.5", nearest_species)

# %%
kinds, labels = unseen.class_id.unique(return_inverse=True)
half = torch.arange(len(unseen)) % 4 < 2  # half of the birds lend their captions
guessed = nearest_species(pictures[~half], texts[half], labels[half], len(kinds))
right = (guessed == labels[~half]).float().mean()
print(f"right species of {len(kinds)}: {right:.1%} (blind: {1 / len(kinds):.0%})")

# %% [markdown]
# That is with ten captions a species; the table below has ninety. Reed and others published 54.0 %
# for letters and 56.8 % for words on CUB's 50 test species: photographs, people's sentences, another
# world. Not to be set beside ours; but their order of the two is a claim that we can test.

# %% [markdown]
# ## 5. Another loss: the hardest wrong partner
#
# SISGAN (lesson 14) reads by a **visual-semantic embedding**, VSE (slide TM-20). A GRU reads
# word by word, and its last state is the sentence. Agreement $s$ is the *cosine*. The hinge (TM-20,
# eq. (4)) adds up all other partners, with a margin of 0.2:
#
# $$L_i = \sum_{j \ne i} \max(0, 0.2 - s(v_i, t_i) + s(v_i, t_j)) + \sum_{j \ne i} \max(0, 0.2 -
# s(v_i, t_i) + s(v_j, t_i)) \tag{6}$$
#
# VSE++ (Faghri et al. 2018) asks: why add up a hundred easy partners? Only the *hardest* one in the
# batch counts, the other with the largest $s$: put $\max_{j \ne i}$ for each sum.
#
# ### Exercise 07.6 · All others, or the hardest (15 minutes, difficulty 3)
# Write the mean of (6) over the pairs, both forms. `images`, `texts`: $(B, D)$.
#
# <details><summary>Hint 1</summary>F.normalize(x, dim=1) gives each row length 1; then the dot
# product is the cosine.</details>
# <details><summary>Hint 2</summary>Two tables as in 07.3, without the diagonal. Rows are pictures:
# the sum over other sentences is .sum(1); columns are sentences: .sum(0).</details>
# <details><summary>The idea of the answer</summary>hardest: rows.amax(1).mean() +
# columns.amax(0).mean(); else the same with sums.</details>


# %% tags=["exercise"]
def vse_loss(images, texts, margin=0.2, hardest=False):
    """The mean of (6) over pairs; hardest: the largest term in place of each sum."""
    ### BEGIN SOLUTION
    agreement = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    own, others = agreement.diagonal(), 1 - torch.eye(len(images), device=images.device)
    rows = (margin - own[:, None] + agreement).relu() * others
    columns = (margin - own[None] + agreement).relu() * others
    if hardest:
        return rows.amax(1).mean() + columns.amax(0).mean()
    return rows.sum(1).mean() + columns.sum(0).mean()
    ### END SOLUTION


# %% tags=["check"]
vse_loss = check("07.6", vse_loss)

# %%
some = slice(0, 75)
for hardest in (False, True):
    value = vse_loss(pictures[some], texts[some], hardest=hardest)
    print(f"your reader of letters by (6), {'hardest' if hardest else 'all'}: {value:.2f}")

# %% [markdown]
# ## 6. Who reads best?
#
# Seven readers on the same birds and captions, each for as many steps, on three seeds:
# letters in two variants; words (lesson 08's encoder: word vectors, two convolutions, a sum); a
# **BiLSTM**, which reads words from both ends (lesson 11's); and VSE with both forms of (6). Then
# letters once more, for 3,000 steps: your network above.

# %%
found = records("07")
readers = {"letters": "letters", "letters, gated": "letters, gated", "words": "words",
           "words, BiLSTM": "bilstm", "words, VSE": "vse", "words, VSE, hardest": "vse, hardest",
           "letters, 3,000 steps": "letters, longer"}
rows = {name: f"encoders/{row}" for name, row in readers.items()}
measured(found, rows, {"R@1": ("R@1", 3), "R@5": ("R@5", 3), "median": ("median", 1),
         "picture R@1": ("picture R@1", 3), "zero-shot": ("zero-shot", 3),
         "seconds": ("seconds", 0)},
         f"ceiling of R@1: {values(found, 'encoders/words', 'ceiling')[0]:.3f}; mean ± deviation "
         "over seeds 0 1 2, 50 unseen species; t2i reproduce 07 encoders")

# %% [markdown]
# **What to see.** Words read far better than letters after as many steps: R@1 is about twice as high.
# A network of letters must first find out what a word is; here it has 1,200 batches for that, and a
# table of word vectors has each word as an entry from the start. More steps help letters, and don't
# close the gap. The paper has the same order with a far smaller gap (56.8 and 54.0): its sentences come
# from many people, with more words than any table holds well.
#
# Of the readers of words the simplest is the best, two convolutions and a sum. And the hardest wrong
# partner? VSE++ reports that it helps; here it reads much worse than the sum of all. One reading: another
# species' caption may be *true* of the picture ("a small bird"), and who takes the hardest one alone
# takes such a caption for false again and again. How often is there one in a batch?

# %% tags=["nbval-check-output"]
print(f"pictures of which another species' caption is true: {sentences.true_of_others():.0%}")

# %% [markdown]
# Of most pictures, then, some other caption in the batch is true. That makes the reading likely; it
# doesn't prove it.
#
# Nobody is near the ceiling.

# %%
measured(found, rows, {"as written": ("R@1", 3), "one slip": ("typed as it stands", 3),
         "one slip, corrected": ("typed", 3), "new forms": ("held-out", 3),
         "word order": ("order", 2), "rare words": ("synonyms", 2)},
         "R@1 (first four), share right (last two); mean ± deviation over seeds 0 1 2; "
         "t2i reproduce 07 encoders")

# %% [markdown]
# **What to see.** One slip of the fingers costs letters next to nothing. It costs words a good part of
# R@1: a misspelt word is an unknown word. But a list of words can be asked which word was meant
# (lesson 08's vocabulary does so), and then words lose nothing either. What letters can do by
# themselves, a spelling corrector can, too.
#
# *New forms* are captions in four forms that no training caption has. All readers lose something there;
# part of that is not their fault, for the ceiling is lower, too (0.738 against 0.788). *Word order*:
# how often "blue wings and a red belly" agrees more with a bird that has them than its swap, "red
# wings and a blue belly". 0.5 is blind. *Rare words*: is "crimson" read as red, "abdomen" as belly?

# %%
slips_table(found, rows, "R@1 by slips of the fingers a caption, as they stand; seeds 0 1 2; "
            "t2i reproduce 07 encoders")

# %%
length_table(found, {name: rows[name] for name in ("letters, 3,000 steps", "words")},
             "R@1 by how many attributes a caption names; seeds 0 1 2; t2i reproduce 07 encoders")

# %% [markdown]
# **What to see.** Four slips a caption cost letters little, and words most of what they knew. And the
# more a caption names, the easier its bird is found, for both; but the ceiling rises faster. With one
# attribute named nobody could do much; with five, everything is said, and it isn't all understood.

# %% [markdown]
# ## 7. Neighbours, and a map
#
# Which sentences lie near each other? For each of three questions the nearest of a thousand captions
# of unseen birds, by the reader of letters that ships:

# %%
taught = joint_embedding.reader_of(shipped("text_chars"))
asked = ["a bird with blue wings", "the belly of this bird is yellow", "a red crown"]
for question, near in zip(asked, sentences.nearest(taught, asked, unseen.caption, 3)):
    print(question)
    for caption in near:
        print("   ", caption)

# %% [markdown]
# **What to see.** Blue wings find blue wings. But to the yellow belly come a yellow tail ("rectrices")
# and a yellow bill, to the red crown other red parts: the colour is read more surely than the part.
#
# And all together? The plane on which 400 captions are spread most (by PCA):

# %%
few = 400
points = sentences.sentence_map(taught, unseen.caption[:few])
wing = list(ATTRIBUTES).index("wing")
sentence_map(points, unseen.named[:few, wing], COLOURS,
             "400 captions, by letters: the two directions of largest spread", "wing"
             ).described("Dots of one wing colour lie in loose clouds that overlap.")

# %% [markdown]
# **What to see.** A plane shows two of 256 directions, so much is folded together. Captions that name
# the same wing colour lean to the same side, and captions that say nothing of the wing are
# everywhere: for them other words decide.
#
# ## 8. Play
#
# Type two sentences. Below each bird two bars say how well each agrees with it. What does a swap of
# two colours do? What "not"? A typing error? A word the world never used?

# %%
lab = Agreement(taught, eight)
lab.figure().described("Eight birds with two numbers each.")

# %%
lab.widget()

# %% [markdown]
# ## 9. What still fails
#
# - **Nobody reaches the ceiling.** What is lost there, no generator can draw: lesson 08 is measured
#   through these eyes.
# - **"Not" is a word like another.** "A bird without red wings" lies near red wings, for every reader
#   here; the captions of the world never deny. (Try it above.)
# - **One list of numbers for the whole sentence.** The fifth attribute has to share it with four
#   others. Lesson 11 (AttnGAN) keeps what was read at every word, and lets each place of the picture
#   look at the word that it needs.
#
# ### Questions
#
# <details><summary>Why must the B pairs of a batch be of B different classes?</summary>In (5) every
# other sentence counts as wrong. One of the same species may well be true of the picture; pushing it
# away would teach the opposite.</details>
#
# <details><summary>A reader gives every sentence the same embedding. What is its median rank in
# 07.4?</summary>All 100 are equal: 1 + 99 / 2 = 50.5. Who forgets the equals says 1.</details>
#
# <details><summary>Letters know no words. How can they know a synonym?</summary>Only if they met it:
# "crimson" looks like nothing else. But captions of crimson birds say "crimson" now and then, and the
# same pictures taught "red".</details>
#
# ### To read
# - Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-Grained Visual Descriptions, 2016.
# - Kiros, Salakhutdinov, Zemel: Unifying Visual-Semantic Embeddings, 2014. Faghri et al.: VSE++, 2018.
#
# ### At the papers' scale
#
# `t2i train char_cnn_rnn --preset paper` has the release's network, its start, RMSprop and rate. A GAN
# reads with it by `t2i train gan_cls --preset paper --text runs/char_cnn_rnn-paper/checkpoint.pt`: no
# part of lesson 08 comes from anywhere else. How long it takes on a GPU: not measured yet.

# %% tags=["nbval-check-output"]
for name in ("char_cnn_rnn", "vse"):
    counts = ", ".join(f"{part} {n:,}" for part, n in parameter_counts(name, "paper").items())
    print(f"{name}: {counts}")
