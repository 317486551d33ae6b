# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 97 · Tiny
# A lesson for tests.

# %% tags=["setup"]
from t2i_course import lesson

run = lesson.begin("97")

# %%
import sys

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from t2i_course.checks import check


# %% tags=["exercise"]
def generator_loss(logits):
    """The non-saturating loss. logits: (B,)."""
    ### BEGIN SOLUTION
    return F.softplus(-logits).mean()
    ### END SOLUTION


# %% tags=["check"]
generator_loss = check("97.1", generator_loss)

# %% tags=["nbval-check-output"]
print(f"{generator_loss(torch.zeros(4)):.4f}")


# %% tags=["exercise"]
def doubled(logits):
    """Twice the loss."""
    ### BEGIN SOLUTION
    return 2 * generator_loss(logits)
    ### END SOLUTION


# %% tags=["check"]
doubled = check("97.2", doubled)

# %% tags=["nbval-check-output"]
print(f"{doubled(torch.zeros(4)):.4f}")


# %% tags=["exercise"]
class Doubler(torch.nn.Module):
    """Doubles its input."""

    def forward(self, x):
        """Any shape in, the same out."""
        ### BEGIN SOLUTION
        return 2 * x
        ### END SOLUTION


# %% tags=["check"]
Doubler = check("97.3", Doubler)

# %% tags=["nbval-check-output"]
print(tuple(Doubler()(torch.zeros(4, 2)).shape))

# %% tags=["live"]
for _ in tqdm(range(3)):
    print("noise", file=sys.stderr)

# %% tags=["cover"]
from t2i_course.show.pictures import grid

grid(torch.rand(4, 3, 8, 8), 4, title="a picture")

# %% [markdown]
# <details><summary>What is to be seen?</summary>
# Nothing but `noise`, and *that* is folded.
# </details>

# %% [markdown]
# ## To play with

# %%
import ipywidgets

words = ipywidgets.Text(value="a red bird", description="caption")
button = ipywidgets.Button(description="Draw")
area = ipywidgets.Output()


def draw(_=None):
    """Shows a picture that depends on the words."""
    with area:
        area.clear_output(wait=True)
        torch.manual_seed(len(words.value))
        plt.figure(figsize=(2, 2))
        plt.imshow(torch.rand(4, 4, 3))
        plt.show()


button.on_click(draw)
draw()
ipywidgets.VBox([words, button, area])
