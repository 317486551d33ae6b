"""What a check believes carries the lesson, and every cell can be run again.

Each lesson is run once, at the smoke preset, in this process. Then every cell that
hangs on the exercises runs once more on each of the other right answers that
tests/answers knows (all exercises' first ones at once, then the second ones, ...): what
is printed must stay the same, or the check believes what doesn't carry the lesson. At
last all cells run from the last one to the first, as a learner who jumps about would.

An answer that draws other lots than the course's own (another order, another random
function) gives other numbers in what it trains: its text must stay, its numbers may
differ. tests/answers names those in OTHER_LOTS.
"""

import json
import os

import build_notebooks
import pytest
from lesson_runs import Sheet, close, differences
from test_checks import MODULES

NAMES = json.loads(build_notebooks.NAMES.read_text())
RUNS = 3  # with other answers, at most
QUICK = 2.0  # seconds; slower cells run again only where they would see other things


@pytest.fixture(scope="module", params=build_notebooks.sources(), ids=lambda s: s.stem)
def ran(request):
    """A sheet that was run whole, and what each of its cells said."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("T2I_")]:
            if name != "T2I_CACHE":
                patch.delenv(name)
        patch.setenv("T2I_PRESET", "smoke")
        sheet = Sheet(request.param)
        yield sheet, sheet.run_all()


def other_answers(number):
    """Every exercise's first other right answer, then the second ones, and so on.

    Yields ({name: answer}, whether some of them draw other lots).
    """
    right = getattr(MODULES.get(number), "RIGHT", {})
    lots = getattr(MODULES.get(number), "OTHER_LOTS", {})
    for i in range(min(RUNS, max(map(len, right.values()), default=0))):
        chosen = {id: listed[i % len(listed)] for id, listed in right.items()}
        other = any(answer in lots.get(id, []) for id, answer in chosen.items())
        yield {NAMES[id][0]: answer for id, answer in chosen.items()}, other


def test_a_believed_answer_carries_the_lesson(ran):
    sheet, said = ran
    names = {
        id: found for id, found in NAMES.items() if id.split(".")[0] == sheet.number
    }
    faults = []
    for i, (answers, other_lots) in enumerate(other_answers(sheet.number), start=1):
        for number, text in sheet.run_with(answers, names).items():
            found = differences(said[number], text, numbers=not other_lots)
            if found:
                faults.append(f"answers {i}, {sheet.name}, cell {number}: {found}")
    assert not faults, "\n".join(faults)


def test_every_cell_runs_again_from_the_last_to_the_first(ran):
    sheet, _ = ran
    faults = []
    for cell in reversed(sheet.cells):
        slow = sheet.seconds[cell.number] > QUICK
        if slow and sheet.sees_the_same_at_the_end(cell):
            continue
        try:
            sheet.run(cell)
        except Exception as error:
            kind = type(error).__name__
            faults.append(
                f"{sheet.name}, cell {cell.number}: {kind}: {error}\n{cell.source}"
            )
    assert not faults, "\n\n".join(faults)


# What the runs are compared by --------------------------------------------------------


def test_rounding_is_no_difference():
    assert close("0.693", "0.694") and close("1,000", "1,000")
    assert not close("0.693", "0.712")
    assert differences("loss 0.6931, 5 birds", "loss 0.6932, 5 birds") == ""
    assert "0.69 became 0.83" in differences("loss 0.69", "loss 0.83")
    assert "became" in differences("clear", "unclear", numbers=False)
    assert differences("0.69", "0.83", numbers=False) == ""
