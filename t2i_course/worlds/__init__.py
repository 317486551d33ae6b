"""Worlds that the course draws itself, with everything about them known."""
