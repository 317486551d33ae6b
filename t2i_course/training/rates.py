"""Learning rates that fall while a system trains."""


def falling(step: int, first: int, last: int, least: float = 0.0) -> float:
    """What a rate is multiplied by: 1, after `first` steps in a line to 0 at `last`.

    It stays at `least` once the line is below it. For `learning_rate_factor`.
    """
    return min(1.0, max((last - step) / (last - first), least))
