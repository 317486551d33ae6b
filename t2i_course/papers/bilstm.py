"""Reading words both ways: the sentence encoder that AttnGAN draws with (lesson 11).

Xu et al.: AttnGAN, CVPR 2018, after Schuster and Paliwal's bidirectional recurrent
network, 1997. One LSTM reads from the left, one from the right; where each ends up is
the sentence. Lesson 07 trains it by the structured loss beside letters and words;
AttnGAN also keeps what it has read at every word.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from ..data import Batch

__all__ = ["BiLstmEncoder", "last_states"]


def last_states(recurrent: nn.Module, vectors: Tensor, lengths: Tensor) -> Tensor:
    """Where an LSTM or a GRU ends up: (B, directions * hidden).

    vectors: (B, T, word); lengths: (B,) at least 1. Sentences are packed, so that each
    ends at its own last word: read to the end of the row, the padding would go into the
    state of every sentence but the longest.
    """
    packed = pack_padded_sequence(
        vectors, lengths.cpu(), batch_first=True, enforce_sorted=False
    )
    _, states = recurrent(packed)
    states = states[0] if isinstance(states, tuple) else states  # an LSTM's (h, c)
    return torch.cat(tuple(states), 1)


class BiLstmEncoder(nn.Module):
    """Word vectors, an LSTM each way, and a linear layer over both last states.

    words: size of the vocabulary; word: of a word's vector; hidden: of each direction;
    embedding: of the result. AttnGAN's has word 300, hidden 128, half of its word
    vectors' numbers dropped in training, and no linear layer.
    """

    def __init__(
        self, words: int, word: int = 64, hidden: int = 128, embedding: int = 256
    ):
        super().__init__()
        self.embedding = embedding
        self.word_vectors = nn.Embedding(words, word, padding_idx=0)
        self.lstm = nn.LSTM(word, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, embedding)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Sentences (B, T) with their lengths (B,) to (B, embedding)."""
        return self.out(last_states(self.lstm, self.word_vectors(tokens), lengths))

    def of(self, batch: Batch) -> Tensor:
        """Embeddings (B, embedding) of a batch's sentences, on the encoder's device."""
        device = self.out.weight.device
        return self(batch.tokens.to(device), batch.lengths.to(device))
