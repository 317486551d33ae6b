"""A round of Algorithm 1, watched: what exercise 01.4 is judged by."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

from ..papers import gan
from .compare import Wrong, expect, expect_shape, normal

__all__ = [
    "check_losses",
    "check_minibatches",
    "check_order",
    "check_turns",
    "play",
    "round_of",
]


class _Watched(nn.Module):
    """A small network that notes each call: the turns so far, what came, what went."""

    def __init__(self, outputs: int, seed: int):
        super().__init__()
        self.weight = nn.Parameter(normal(2, outputs, seed=seed))
        self.turn, self.seen = 0, []

    def forward(self, x: Tensor) -> Tensor:
        made = x @ self.weight
        made = made.squeeze(1) if made.shape[1] == 1 else made
        self.seen.append((self.turn, x.detach().clone(), made.detach().clone()))
        return made


def _reaches(loss: Tensor, network: _Watched) -> bool:
    """Whether a gradient of the loss arrives at the network's weight."""
    if not loss.requires_grad:
        return False
    (gradient,) = torch.autograd.grad(
        loss.sum(), [network.weight], allow_unused=True, retain_graph=True
    )
    return gradient is not None and bool(gradient.abs().sum() > 0)


def _count(number: int, word: str) -> str:
    """ "1 turn", "3 turns"."""
    return f"{number} {word}{'s' * (number != 1)}"


def round_of(k: int) -> dict:
    """The arguments of a round, for the guards."""
    return {
        "real": normal(4 * k, 2, seed=7) + 5,
        "noise": lambda count: normal(count, 2),
        "generator": _Watched(2, seed=5),
        "discriminator": _Watched(1, seed=6),
        "k": k,
        "discriminator_loss": gan.discriminator_loss,
        "generator_loss": gan.nonsaturating_loss,
    }


def play(answer, k: int, m: int = 4):
    """Plays one round as the loop does; what happened, by name."""
    g, d = _Watched(2, seed=5), _Watched(1, seed=6)
    real, noises, pairs, heard = normal(k * m, 2, seed=7) + 5, [], [], []

    def noise(count: int) -> Tensor:
        noises.append(normal(count, 2, seed=100 + len(noises)))
        return noises[-1]

    def d_loss(r, f):
        pairs.append((r.detach().clone(), f.detach().clone()))
        heard.append((_reaches(r, d), _reaches(f, d)))
        return gan.discriminator_loss(r, f)

    round_ = answer(real, noise, g, d, k, d_loss, gan.nonsaturating_loss)
    expect(
        inspect.isgenerator(round_) or hasattr(round_, "__next__"),
        "the function should `yield` whose turn it is and that player's loss; it has "
        "no `yield`.",
    )
    turns = []
    for turn in round_:
        player, loss = _turn(turn)
        reached = {
            "generator": _reaches(loss, g),
            "discriminator": _reaches(loss, d),
        }
        turns.append((player, float(loss.detach()), reached))
        net = g if player == "generator" else d
        net.weight.data += 0.1  # .data: a loss worked out too early is told in words
        g.turn = d.turn = len(turns)
        expect(len(turns) < 50, "the round never ends: k turns of D, then one of G.")
    _check_logits(heard)
    return turns, noises, pairs, real, g, d


def _check_logits(heard: list[tuple[bool, bool]]) -> None:
    """Both of D's answers must still hang on D when the loss gets them."""
    slips = {
        "the real minibatch": "leave them as D gives them",
        "the fakes": "detach the fake sample, generator(z).detach(), before D sees it, "
        "and not what D says",
    }
    for which, (kind, slip) in enumerate(slips.items()):
        expect(
            all(pair[which] for pair in heard),
            f"D's logits for {kind} reach discriminator_loss detached, so D doesn't "
            f"learn from them: {slip}.",
        )


def _turn(turn) -> tuple[str, Tensor]:
    """What a yield handed over: a player's name and a loss."""
    expect(
        isinstance(turn, tuple) and len(turn) == 2 and isinstance(turn[0], str),
        'each yield hands over a pair: whose turn it is ("discriminator" or '
        '"generator"), and that player\'s loss.',
    )
    player, loss = turn
    expect(
        player in gan.Gan.players,
        'the player\'s name should be "discriminator" or "generator", but is '
        f'"{player}".',
    )
    expect(
        not isinstance(loss, float),
        f"the {player}'s loss is a plain number, which has no gradient: hand it over "
        "as the loss function gives it, without .item() or float().",
    )
    expect_shape(loss, (), f"the {player}'s loss")
    return player, torch.as_tensor(loss)


def check_order(turns, k: int) -> None:
    """D plays k times, then G once; else `Wrong`, saying what came when."""
    players = [player for player, *_ in turns]
    if players == ["discriminator"] * k + ["generator"]:
        return
    count = players.count("discriminator")
    if players and players[0] == "generator":
        raise Wrong("the generator plays first; in Algorithm 1 D's k turns come first.")
    if players.count("generator") != 1:
        raise Wrong(
            f"with k = {k} the generator has "
            f"{_count(players.count('generator'), 'turn')} in a round; it has one, "
            "after the loop over D's turns (line it up with `for`)."
        )
    if count != k:
        raise Wrong(
            f"with k = {k} D has {_count(count, 'turn')} in a round; it should have k."
        )
    raise Wrong(f"the turns are {players}; expected k of D, then one of G.")


def check_turns(turns, d, k: int) -> None:
    """Gradients, and a D that is asked anew after each of its steps."""
    for player, _, reached in turns:
        expect(
            reached[player],
            f"the {player}'s loss gives the {player} no gradient; is its own work "
            "detached?",
        )
        expect(
            player == "generator" or not reached["generator"],
            "in the discriminator's turn a gradient reaches the generator: the fake "
            "picture is not detached.",
        )
    late = {turn for turn, *_ in d.seen}
    expect(
        k == 1 or late != set(range(k)),
        "D is not asked any more after its last step: the generator's loss needs D's "
        "logits for fresh fakes, from the updated D.",
    )
    expect(
        late == set(range(k + 1)),
        "a loss is worked out before the turn it belongs to: D must judge again after "
        "each of its steps, so call it between one `yield` and the next.",
    )


def _which(x: Tensor, real: Tensor) -> list[int]:
    """For each row of x: its number among the real samples, or -1 for a fake."""
    apart, where = torch.cdist(x, real).min(1)
    return torch.where(apart < 1e-3, where, -1).tolist()


def check_minibatches(d, real, k: int) -> None:
    """Each of D's turns shows it m real samples of its own, in whatever order."""
    shown = [set() for _ in range(k)]
    for turn, x, _ in d.seen:
        rows = set(_which(x, real))
        expect(
            len(rows) == 1 or -1 not in rows,
            "D was shown real and fake glued together; call it once for each.",
        )
        if turn < k:
            shown[turn] |= rows - {-1}
    expect(
        all(len(rows) <= len(real) // k for rows in shown),
        "each of D's turns takes one minibatch of m = len(real) / k real samples, not "
        "all of `real`; real.chunk(k) cuts it.",
    )
    expect(
        len(set().union(*shown)) == len(real),
        "each of D's turns needs its own fresh minibatch of `real`; here the turns "
        "don't show D every sample once.",
    )


def check_losses(turns, pairs, d, real, k: int) -> None:
    """`discriminator_loss(real logits, fake logits)`, and losses handed on as made."""
    logits = {True: [], False: []}  # of the first turn: real ones, fakes
    for turn, x, made in d.seen:
        if turn == 0:
            logits[-1 not in _which(x, real)].append(made)

    def are(got, kind: bool) -> bool:
        same = [made for made in logits[kind] if made.shape == got.shape]
        return any(torch.allclose(got, made, atol=1e-4) for made in same)

    got_real, got_fake = pairs[0]
    if are(got_real, False) and are(got_fake, True):
        raise Wrong("discriminator_loss got its arguments swapped: real logits first.")
    expect(are(got_real, True), "discriminator_loss should get D's logits for the real "
           "minibatch first.")  # fmt: skip
    expect(are(got_fake, False), "discriminator_loss should get D's logits for the "
           "fakes second.")  # fmt: skip
    last = [made for turn, x, made in d.seen if turn == k and -1 in _which(x, real)]
    wanted = [[float(gan.discriminator_loss(*pair))] for pair in pairs]
    wanted += [[float(gan.nonsaturating_loss(made)) for made in last]]
    for (player, loss, _), possible in zip(turns, wanted):
        expect(
            any(abs(loss - want) < 1e-3 * max(1.0, abs(want)) for want in possible),
            f"the {player}'s loss should be handed over as {player}_loss makes it from "
            f"D's logits, here {possible[-1]:.4g}, but is {loss:.4g}: is a sign "
            "turned, a factor put in front, or another loss used?"
            if possible
            else "the generator's loss needs D's logits for fresh fakes.",
        )
