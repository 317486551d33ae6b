"""Tables of what is on record: each cell from its row and its column."""

from t2i_course.show.measured import measured

FOUND = {
    "rules": {
        "all five": {"runs": [{"seed": 0, "score": 2.0}, {"seed": 1, "score": 4.0}]}
    },
    "sums": {"3": {"runs": [{"seed": 0, "sum": 0.25}]}},
}


def test_a_row_says_where_and_a_column_what():
    rows = {"five": "rules/all five", "none": "rules/none"}
    table = measured(FOUND, rows, {"score": ("score", 1)}, "of two seeds")
    assert table.columns == ["score"] and table.note == "of two seeds"
    assert table.rows == [["five", "3.0 ± 1.4"], ["none", "not measured"]]


def test_a_cell_may_be_named_by_both():
    def cell(figure, examples):
        return f"sums/{examples}", figure, 0

    table = measured(FOUND, {"sum": "sum"}, {"three": 3}, cell=cell, times=100)
    assert table.rows == [["sum", "25 (one seed)"]]


def test_one_run_is_all_where_nothing_is_drawn_by_lot():
    rows, columns = {"three": "sums/3", "none": "sums/4"}, {"sum": ("sum", 2)}
    table = measured(FOUND, rows, columns, once=True)
    assert table.rows == [["three", "0.25"], ["none", "not measured"]]
