"""`t2i grade`: what a notebook has solved, judged by the checks of the course."""
