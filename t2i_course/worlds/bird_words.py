"""The words of the training captions (a test compares them with the grammar)."""

__all__ = ["WORDS"]

WORDS = """
a abdomen air all almost along also an and are as at back banded barred beak bellied
belly big bill bird black blackish blue bluish body branch breast breasted bright brown
brownish but cap capped chest chested color colorful completely coverts crest crimson
crown crowned dark displays entirely except eye eyes feathers featuring fellow flight
floating flying for forehead golden grass gray grayish green greenish grey greyish guy
has having head headed in is it its jet lake large legs little long magnificent mainly
meadow mostly nape of on orange orangish particular perched plain plumage pointy
primaries primarily pure purple purplish rectrices red reddish retrices round rounded
scarlet secondaries sharp short shows sitting sky small snow solid standing stomach
striped stubby swimming tail tailed tailfeathers that the thin this throat throated tiny
totally tree two underbelly underparts underside unmarked violet water well while white
whitish wing winged wings with yellow yellowish
"""
