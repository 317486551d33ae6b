"""How a training is seen: a bar in a notebook or terminal, plain lines in a log."""

from __future__ import annotations

import html
import sys
import time

from .history import History
from .machine import in_notebook

PAUSE = 0.2  # seconds between two looks of a bar: enough for eyes, free for the loop
LINES = 10  # lines that a whole training leaves in a log


def progress_for(steps: int, first: int, wanted: bool):
    """The kind of progress that suits where this runs; a silent one if not wanted."""
    if not wanted or first >= steps:
        return Silent(steps, first)
    if in_notebook():
        return NotebookBar(steps, first)
    kind = TerminalBar if sys.stderr.isatty() else PlainLines
    return kind(steps, first)


def losses_in_words(history: History) -> str:
    """The last losses: "discriminator 1.386  generator 0.693"."""
    return "  ".join(f"{name} {past[-1]:.3f}" for name, past in history.losses.items())


def time_in_words(seconds: float) -> str:
    """Whole seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class Silent:
    """Shows nothing; the others build on it."""

    def __init__(self, steps: int, first: int):
        self.steps, self.first = steps, first
        self.begun = self.looked = time.perf_counter()
        self.history = History()
        self.open()

    def open(self) -> None:
        """Put up what there is to see."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error) -> None:
        if self.history.steps:
            self.close(self.history)
        self.end()

    def end(self) -> None:
        """Give back what `open` took, whatever happened."""

    def due(self, history: History) -> bool:
        """Whether it is time for another look."""
        return time.perf_counter() - self.looked >= PAUSE

    def update(self, history: History) -> None:
        """Tell of a finished step; most calls do nothing."""
        self.history = history
        if self.due(history):
            self.draw(history)
            self.looked = time.perf_counter()

    def draw(self, history: History) -> None:
        """Draw the present state."""

    def picture(self, figure) -> None:
        """Show what the `show` hook returned (a notebook does; None is nothing)."""

    def close(self, history: History) -> None:
        """Leave the final state to be read."""

    def left(self, history: History) -> float:
        """Seconds still to go, as far as the steps so far tell."""
        done = max(history.step - self.first, 1)
        return (time.perf_counter() - self.begun) / done * (self.steps - history.step)

    def line(self, history: History) -> str:
        """One line that says it all."""
        times = f"{time_in_words(history.elapsed)}, "
        times += f"{time_in_words(self.left(history))} left"
        where = f"step {history.step}/{self.steps}"
        return f"{where}  {losses_in_words(history)}  {times}"


class PlainLines(Silent):
    """A line every tenth of the way: what a log file keeps."""

    def due(self, history: History) -> bool:
        """A tenth further than the line before, or the end."""
        done = history.step - self.first
        every = max((self.steps - self.first) // LINES, 1)
        return done == 1 or done % every == 0 or history.step == self.steps

    def draw(self, history: History) -> None:
        """Print the line (on stderr: stdout belongs to results)."""
        print(self.line(history), file=sys.stderr, flush=True)


class TerminalBar(Silent):
    """tqdm's bar."""

    def open(self) -> None:
        """Put up an empty bar."""
        from tqdm import tqdm

        self.bar = tqdm(total=self.steps, initial=self.first, unit="step")

    def draw(self, history: History) -> None:
        """Move the bar, with the last losses behind it."""
        self.bar.set_postfix_str(losses_in_words(history), refresh=False)
        self.bar.update(history.step - self.bar.n)

    def close(self, history: History) -> None:
        """Leave the bar as it stands."""
        self.draw(history)

    def end(self) -> None:
        """Leave the line, so that the next one begins below."""
        self.bar.close()


class NotebookBar(Silent):
    """A line and a bar in HTML, with pictures below, all changing in place.

    No widget: what stands at the end stays readable in a saved or exported notebook.
    """

    def open(self) -> None:
        """Put up an empty bar and a place for pictures (filled when there is one)."""
        from IPython.display import display

        look = self.look(self.first, "starting")
        self.handle = display(look, display_id=True, raw=True)
        self.place = None

    def look(self, step: int, text: str) -> dict:
        """The bar at a step, as HTML and as plain text."""
        bar = f'<progress value="{step}" max="{self.steps}"></progress>'
        return {
            "text/plain": text,
            "text/html": f"{bar} <code>{html.escape(text)}</code>",
        }

    def draw(self, history: History) -> None:
        """Change the bar in place."""
        self.handle.update(self.look(history.step, self.line(history)), raw=True)

    def picture(self, figure) -> None:
        """Show a figure below the bar, in the place of the one before."""
        if figure is None:
            return
        from IPython.display import display

        if self.place is None:
            self.place = display(figure, display_id=True)
        else:
            self.place.update(figure)
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and hasattr(figure, "canvas"):
            pyplot.close(figure)  # or the notebook shows it once more at the cell's end

    def close(self, history: History) -> None:
        """Leave the losses and the time taken."""
        text = f"step {history.step}/{self.steps}  {losses_in_words(history)}"
        text += f"  {time_in_words(history.elapsed)}"
        self.handle.update(self.look(history.step, text), raw=True)
