"""The words of the training captions (a test compares them with the grammar)."""

__all__ = ["WORDS"]

WORDS = """
5 8 a along also an and anther anthers are as beautiful big black blue bluish bright
broad brown brownish burgundy center centre colored creamy crimson dark delicate disc
displays eight featuring filaments five flower golden green greenish has have having in
is it its large lavender leaves lime lines long lot lots many markings maroon middle
narrow nice number numerous of on orange oval particular patches petals pink pinkish
pistil plain pointed pointy pure purple purplish red rose round rounded scarlet shaped
sharp shows single slender smell smooth soft solid spiky stamen stamens star stem
streaks stripes that the thin this tipped touches veins violet well while white whitish
wide wine with yellow yellowish
"""
