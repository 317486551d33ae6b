"""GPU-readiness without a GPU: a round's losses on a pretend CUDA device.

PyTorch's FakeTensorMode computes shapes, types and devices of tensors but no numbers,
and its "cuda" tensors need no GPU. A tensor left on the CPU by mistake meets one of
them and raises. Forward passes and losses work this way; backward passes don't, so no
player steps.
"""

from contextlib import ExitStack
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils import rnn


def on_pretend_cuda(module: nn.Module, mode: FakeTensorMode) -> nn.Module:
    """Move a module to the pretend GPU, in place: what `.to("cuda")` would move.

    That is its parameters and registered buffers, and nothing else: a tensor that is
    an ordinary attribute stays on the CPU, as it would on a real machine.
    """
    moved: dict[int, Tensor] = {}

    def move(tensor: Tensor) -> Tensor:
        if id(tensor) not in moved:
            fake = torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")
            if isinstance(tensor, nn.Parameter):
                fake = nn.Parameter(fake, requires_grad=tensor.requires_grad)
            moved[id(tensor)] = fake
        return moved[id(tensor)]

    with mode:
        for part in module.modules():
            for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
                if tensor is not None:
                    setattr(part, name, move(tensor))  # recurrent layers notice this
    return module


def pretend_gradient(outputs, inputs, *arguments, **keywords) -> tuple[Tensor, ...]:
    """Stands for `torch.autograd.grad` (gradient penalties): the shapes, no numbers."""
    inputs = [inputs] if isinstance(inputs, Tensor) else inputs
    return tuple(torch.empty_like(tensor) for tensor in inputs)


# Recurrent layers ask for a driver even when their tensors are pretended. In their
# place stand sums over the same weights and inputs: right shapes, right devices.


def touch(layer: nn.Module, data: Tensor) -> Tensor:
    """(..., hidden) from data (..., D) and every weight of a recurrent layer."""
    first = getattr(layer, "weight_ih_l0", None)
    first = layer.weight_ih if first is None else first
    hidden = nn.functional.linear(data, first)[..., : layer.hidden_size]
    for weight in layer.parameters():
        hidden = hidden + weight.flatten()[:1]
    return hidden


def recurrent(layer: nn.RNNBase, given, state=None):
    """Stands for the forward pass of nn.GRU and nn.LSTM, packed or padded."""
    packed = isinstance(given, rnn.PackedSequence)
    hidden = touch(layer, given.data if packed else given)
    for tensor in (state,) if isinstance(state, Tensor) else state or ():
        hidden = hidden + tensor.flatten()[:1]
    ways = 2 if layer.bidirectional else 1
    if packed:
        count = len(hidden) // len(given.batch_sizes)
    else:
        count = hidden.shape[0 if layer.batch_first else 1]
    last = hidden.mean() + hidden.new_zeros(
        layer.num_layers * ways, count, layer.hidden_size
    )
    output = torch.cat([hidden] * ways, -1)
    output = given._replace(data=output) if packed else output
    return output, ((last, last) if isinstance(layer, nn.LSTM) else last)


def cell(layer: nn.RNNCellBase, given: Tensor, state=None):
    """Stands for the forward pass of nn.GRUCell and nn.LSTMCell."""
    hidden = touch(layer, given)
    for tensor in (state,) if isinstance(state, Tensor) else state or ():
        hidden = hidden + tensor
    return (hidden, hidden) if isinstance(layer, nn.LSTMCell) else hidden


def pack(data: Tensor, lengths: Tensor, batch_first: bool):
    """Stands for packing: as if every sentence were full."""
    assert lengths.device.type == "cpu", "packing wants the lengths on the CPU"
    time = data.shape[1 if batch_first else 0]
    return data.flatten(0, 1), torch.zeros(time, dtype=torch.int64, device="cpu")


def unpack(data: Tensor, sizes: Tensor, batch_first: bool, fill: float, total: int):
    """Stands for unpacking."""
    count = len(data) // len(sizes)
    shape = (count, len(sizes)) if batch_first else (len(sizes), count)
    lengths = torch.zeros(count, dtype=torch.int64, device="cpu")
    return data.reshape(*shape, -1), lengths


STAND_INS = {
    "torch.autograd.grad": pretend_gradient,
    "torch.nn.GRU.forward": recurrent,
    "torch.nn.LSTM.forward": recurrent,
    "torch.nn.GRUCell.forward": cell,
    "torch.nn.LSTMCell.forward": cell,
    "torch.nn.utils.rnn._VF._pack_padded_sequence": pack,
    "torch.nn.utils.rnn._VF._pad_packed_sequence": unpack,
}


def assert_plays_on_pretend_cuda(system_factory, batch_factory) -> list[str]:
    """Play a round's losses on the pretend GPU; whose turns there were.

    system_factory() builds the system on the CPU (shipped weights may be loaded);
    batch_factory() gives a `Batch`. Raises AssertionError when something stays on the
    CPU, when a value is read back from the device (a GPU would have to wait), or when a
    loss is no scalar on the device.
    """
    system, batch = system_factory(), batch_factory()
    system.start_averages()
    system.train()
    mode = FakeTensorMode()
    on_pretend_cuda(system, mode)
    batch = pretend_batch(batch, mode)
    turns = []
    try:
        with ExitStack() as stack:
            stack.enter_context(mode)
            for name, stand_in in STAND_INS.items():
                stack.enter_context(patch(name, stand_in))
            for player, loss in system.round(batch):
                assert loss.device.type == "cuda", (
                    f"{player}'s loss is on {loss.device}"
                )
                assert loss.shape == (), f"{player}'s loss has shape {loss.shape}"
                assert loss.requires_grad, f"{player}'s loss has no gradient"
                turns.append(player)
    except Exception as error:
        turn = len(turns) + 1
        raise AssertionError(
            f"{type(system).__name__} would not run on a GPU, turn {turn}: {error}"
        ) from error
    assert set(turns) <= set(system.players), "a player that the system doesn't list"
    assert turns, "nobody played"
    return turns


def pretend_batch(batch, mode: FakeTensorMode):
    """The batch as the loop would hand it over: on the device, pictures as floats."""
    for name, value in vars(batch).items():
        if isinstance(value, Tensor):
            setattr(batch, name, mode.from_tensor(value))
    with mode:
        return batch.to("cuda")
