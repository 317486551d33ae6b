"""Real pictures from disk; each data set is its own module."""
