# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11b · AttnGAN
#
# Lesson 11a taught a network to find a word's place in a picture. Here a generator learns to look the
# other way: each place of the picture that it draws asks the words of the sentence what belongs there.
#
# **What you will be able to do**
# - let every place of a picture look at the words, and draw with what it finds;
# - train a tree of generators with a third judge, who says how well each word is drawn;
# - re-run the paper's table of that judge's weight, and tell how much of the gain is his own opinion;
# - count how often a word is looked at where its part is drawn, stage by stage;
# - change one word, and measure whether the right part changes;
# - build two "painters" that a score believes, though they can't draw.
#
# **Time:** about five minutes of computing on two CPU cores, a minute with the shipped networks
# (`T2I_LIVE=0`); about an hour and a half with the four exercises.
#
# **You need:** lesson 11a (words, regions, DAMSM's four terms, R-precision, pointing) and lesson 10 (the
# tree, two heads).
#
# **Slides covered:** AT-1 to AT-3, AT-5, AT-6, AT-8 to AT-12, TM-22 to TM-24.

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("11b")

# %%
import torch

from t2i_course.checks import check
from t2i_course.drawing import with_attention
from t2i_course.experiments import records
from t2i_course.measure import birds as measure
from t2i_course.measure import branches as tree
from t2i_course.measure.obedience import two_colours
from t2i_course.measure.oracle import oracle
from t2i_course.measure.pointing import some_of
from t2i_course.measure.rewording import reworded
from t2i_course.measure.translation import part_maps

# %%
from t2i_course.papers import attngan
from t2i_course.play.attention_lab import START, AttentionLab
from t2i_course.show import attended as show
from t2i_course.show.branches import sizes
from t2i_course.show.measured import measured
from t2i_course.show.obeyed import learned_over_time, wishes
from t2i_course.show.pictures import grid
from t2i_course.systems import parameter_counts, shipped
from t2i_course.worlds.birds import Birds

# %% [markdown]
# ## 1. A place that can't ask
#
# Eight captions with one colour for the wing and another for the belly, and lesson 10's tree. A red
# frame: the oracle reads another colour than the caption asks for.

# %%
pairs = measure.unseen_captions(run.choose(60, 1000), 64, seed=31)
two = some_of(pairs, measure.of_two_colours(pairs)[:8])
stacked = shipped("stackgan_tree_64")
sizes([measure.draw(stacked, two)], "stackgan_tree_64, seed 0: the first eight captions with two "
      "colours", two.named).described("@@")

# %% [markdown]
# **What to see.** @@ Of 1,000 captions, lesson 10 counted, the tree has both colours right in 5 of 100 that
# name two. It can't know better. Each place of its features hears the sentence as one list of numbers,
# the *same* list at the wing, at the belly and in the sky (TM-22, AT-1). And no judge ever says which
# word is missing.
#
# AttnGAN (Xu et al. 2018) answers both. Equations (1) to (5) keep the paper's numbers (TM-23); (15)
# and (16) are of this lesson.
#
# ## 2. Places ask words
#
# The tree of generators stays. Its first stage is told the sentence, its later stages the words (AT-2):
#
# $$h_0 = F_0(z, F^{ca}(\bar e)); \qquad h_i = F_i(h_{i-1}, F_i^{attn}(e, h_{i-1})), \quad i = 1, 2,
# \dots, m - 1; \qquad \hat x_i = G_i(h_i) \tag{1}$$
#
# As in lesson 10 $h_i$ are features, and $\hat x_i$ the picture that $G_i$ makes of them. $\bar e$ is the vector of the
# whole sentence and $e$, a table of $D$ rows and $T$ columns, the vectors of its $T$ words; both are read by
# lesson 11a's text encoder, which rests from now on. $F^{ca}$ is conditioning augmentation (lesson 09),
# and $F_i^{attn}$ is new: the **attention** of stage $i$.
#
# Take a place $j$ of the features, one of $N$: its column $h_j$ has as many numbers as the features
# have channels. The words are first brought to that length by a learned matrix $U$: $e'_i = U e_i$.
# Then the place asks each word how well it fits, shares itself out among them, and gets a
# mixture, its **word-context vector** $c_j$:
#
# $$c_j = \sum_{i=0}^{T-1} \beta_{j,i} \, e'_i, \qquad \beta_{j,i} = \frac{\exp(s'_{j,i})}{\sum_{k=0}^{T-1}
# \exp(s'_{j,k})}, \qquad s'_{j,i} = h_j^\top e'_i \tag{2}$$
#
# $s'_{j,i}$ says how well word $i$ fits place $j$, and $\beta_{j,i}$ how much of place $j$ word $i$ gets;
# over the words they sum to 1. (In lesson 11a it was the other way round: each *word* shared itself out over the
# places.) All $c_j$ side by side are $F_i^{attn}(e, h)$, a map like $h$. Stage $i$ joins both, puts residual
# blocks on top, and doubles the size.
#
# Captions of a batch have different lengths, so behind a short one stand columns of padding. No place may
# look there: their $s'$ is set to minus infinity before the softmax.
#
# ### Exercise 11b.1 · A place asks the words (12 minutes, difficulty 3 of 5)
# Write (2) for a batch. `h` are features (B, C, H, W), `told` the words $e'$ (B, C, T), `mask` (B, T) is
# True at words. Return the contexts, in the shape of `h`, and the attention as maps (B, T, H, W).
#
# <details><summary>Hint 1</summary>places = h.flatten(2).mT is a table (B, N, C), a row a place; s' is
# then one matrix product.</details>
# <details><summary>Hint 2</summary>scores.masked_fill(~mask[:, None], -torch.inf) bars the padding, and
# softmax(2) shares each place out among the words.</details>
# <details><summary>Hint 3</summary>(2)'s sum is attention @ told.mT, (B, N, C). A table (B, N, C) becomes a
# map by .mT.unflatten(2, h.shape[2:]).</details>
# <details><summary>The idea of the answer</summary>scores = h.flatten(2).mT @ told; attention =
# scores.masked_fill(~mask[:, None], -torch.inf).softmax(2); context = attention @ told.mT; return
# both after .mT.unflatten(2, h.shape[2:]).</details>


# %% tags=["exercise"]
def attend(h, told, mask):
    """(2): contexts (B, C, H, W) and attention (B, T, H, W)."""
    ### BEGIN SOLUTION
    scores = h.flatten(2).mT @ told  # (B, N, T)
    attention = scores.masked_fill(~mask[:, None], -torch.inf).softmax(2)
    context = attention @ told.mT
    size = h.shape[2:]
    return context.mT.unflatten(2, size), attention.mT.unflatten(2, size)
    ### END SOLUTION


# %% tags=["check"]
attend = check("11b.1", attend)

# %% [markdown]
# Two places, two words and a padding; each word has its own direction, and place 0 lies in the
# direction of word 0:

# %% tags=["nbval-check-output"]
told_words = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])  # (1, 2 channels, 3 words)
two_places = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.5]]]])  # (1, 2 channels, 1, 2)
context, shares = attend(two_places, told_words, torch.tensor([[True, True, False]]))
for place in range(2):
    print(f"place {place}: shares", [round(x, 2) for x in shares[0, :, 0, place].tolist()],
          "context", [round(x, 2) for x in context[0, :, 0, place].tolist()])

# %% [markdown]
# Place 0 has made up its mind, place 1 is in doubt, and nobody looks at the padding. The network can say both:
# long columns choose, short ones mix.
#
# ## 3. Three judges, and a fourth opinion
#
# Each size has a discriminator with two heads, as in lesson 10: is $\hat x_i$ real, and does it fit the
# sentence $\bar e$ (AT-3)?
#
# $$\mathcal L_{G_i} = \underbrace{-\tfrac12 \mathbb E_{\hat x_i \sim p_{G_i}}[\log D_i(\hat x_i)]}_{\text{unconditional
# loss}} \; \underbrace{- \tfrac12 \mathbb E_{\hat x_i \sim p_{G_i}}[\log D_i(\hat x_i, \bar e)]}_{\text{conditional
# loss}} \tag{4}$$
#
# $$\mathcal L_{D_i} = \underbrace{-\tfrac12 \mathbb E_{x_i}[\log D_i(x_i)] - \tfrac12 \mathbb E_{\hat x_i}[\log(1 -
# D_i(\hat x_i))]}_{\text{unconditional loss}} \; \underbrace{- \tfrac12 \mathbb E_{x_i}[\log D_i(x_i, \bar e)] - \tfrac12
# \mathbb E_{\hat x_i}[\log(1 - D_i(\hat x_i, \bar e))]}_{\text{conditional loss}} \tag{5}$$
#
# These are lesson 10's (12) and (11), halved, and the judges hear $\bar e$ itself. (As there, the
# authors' code adds wrong sentences, and doesn't halve; so do we.) A judge of sentences says *that*
# something is wrong. Which word it was, lesson 11a's similarity model can tell, so it gets a say about the largest
# pictures:
#
# $$\mathcal L = \mathcal L_G + \lambda \mathcal L_{DAMSM}, \qquad \mathcal L_G = \sum_{i=0}^{m-1} \mathcal L_{G_i}
# \tag{3}$$
#
# $\mathcal L_{DAMSM}$ are lesson 11a's four terms (14), with the drawn pictures in place of real ones: does each find its caption among the
# batch's, and each caption its picture, by words and by whole sentences? DAMSM itself doesn't learn any
# more. Its gradient runs through its image encoder into the picture, and from there into the tree. $\lambda$
# says how much that opinion counts: 5 for birds, 50 for COCO. (Since $\mathcal L_G$ isn't halved in the code, a
# $\lambda$ of 5 there, and here, is one of 2.5 in (3).) The KL of the cloud of lesson 09 comes on top.
#
# ### Exercise 11b.2 · The fit counts lambda times (4 minutes, difficulty 1)
# Write (3): `game` is $\mathcal L_G$, a scalar; `terms` are the four scalars of $\mathcal L_{DAMSM}$.
#
# <details><summary>Hint</summary>torch.stack(tuple(terms)).sum(), or Python's sum, adds the
# four.</details>
# <details><summary>The idea of the answer</summary>game + lambda_ * sum(terms).</details>


# %% tags=["exercise"]
def with_fit(game, terms, lambda_=5.0):
    """(3): the tree's whole loss, a scalar."""
    ### BEGIN SOLUTION
    return game + lambda_ * sum(terms)
    ### END SOLUTION


# %% tags=["check"]
with_fit = check("11b.2", with_fit)


# %%
class YourTree(attngan.AttentionalTree):
    """The attentional tree with exercise 11b.1."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        for layer in self.modules():
            if isinstance(layer, attngan.WordAttention):
                layer.look = attend


class AttentionGame(attngan.AttnGan):
    """AttnGAN with your attention and your loss."""

    Tree = YourTree
    fitted = staticmethod(with_fit)


# %% tags=["nbval-check-output"]
for part, count in parameter_counts("attngan", "paper").items():
    print(f"{part:18} {count:>10,} weights")

# %% [markdown]
# At the paper's size the generator draws 64, 128 and 256 pixels with 7,084,592 weights, a third of
# StackGAN++'s; its judges have 6,313,730, 19,424,002 and 71,858,946, as in the authors' code. The text
# encoder (2,075,320) and the image encoder (22,506,720) of lesson 11a come on top, and rest. For COCO (AT-5: 80,000 photographs
# with five captions each; CUB has 8,855 and ten) it is wider: 13,811,456.
#
# ## 4. Train it
#
# Ours draws 16, 32 and 64 pixels with half a million weights; stage 1 looks at the words from 16 x 16 places, stage 2
# from 32 x 32. The shipped one took 750 steps; live it takes @@400, about @@ minutes. One thing is ours:
# what lesson 11a's text encoder says of a word are small numbers (0.08 in the mean), with which no
# softmax makes up its mind in so few steps. So places hear words 13 times as loud
# ([papers/attngan.py](../t2i_course/papers/attngan.py) has the figures).


# %%
asked = measure.unseen_captions(8, 64, seed=12)


def portrait(system, history=None):
    """Eight captions of unseen species at three sizes."""
    when = f"after {history.step:,} steps" if history and history.step else "as it ships"
    return sizes(tree.branches(system, asked), f"AttnGAN, seed 0, {when}", asked.named).described("@@")


# %% tags=["live"]
torch.manual_seed(0)
looking = AttentionGame.from_preset(run.networks, damsm=shipped("damsm_64"))
birds = Birds("train", 64, looking.settings["batch_size"])
steps = min(400, looking.settings["steps"])
course = run.train(
    looking, birds, steps, shipped="attngan_64", show=portrait, look=True,
    columns=wishes(measure.unseen_captions(8, 64, seed=11).named)[:6],
    part=lambda system: system.generator, course={"of": "caption and noise"},
    title="attngan_64 on its way, seed 0 (t2i reproduce 11 table8 --row 'two stages, lambda 5')",
    seen="@@")

# %% [markdown]
# **What to see.** Look down a column. Up to 32 pixels it is a StackGAN++ bird: dull, and unsure of its
# colours. Then, at 64, the colours jump out, flat and bright, and mostly those that were asked for. DAMSM sees the 64 pixels
# alone, and that is what it likes. @@
