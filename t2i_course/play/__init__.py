"""Playgrounds: each a plain class, and a thin widget over it."""
