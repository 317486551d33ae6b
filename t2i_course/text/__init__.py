"""Vocabulary, tokenizer and the typing errors that people make."""

from .vocabulary import NoKnownWord, Vocabulary, split_words

__all__ = ["NoKnownWord", "Vocabulary", "split_words"]
