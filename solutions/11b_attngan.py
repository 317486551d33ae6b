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
