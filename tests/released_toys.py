"""AttnGAN's released networks, written down from their published layout.

Names and shapes of every tensor, random numbers for them, what the networks compute of
them (by plain functions, one step at a time), and files as PyTorch wrote them in 2017.
"""

import pickle
from collections import OrderedDict

import torch
from torch.nn import functional as F

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
SMALL = {"gf": 2, "nets": 2, "residuals": 2, "z": 3, "c": 5, "sentence": 8}
CUB = {"gf": 32, "nets": 3, "residuals": 2, "z": 100, "c": 100, "sentence": 256}


# names and shapes ---------------------------------------------------------------------


def norm(name, channels):
    """A batch norm's tensors."""
    return {f"{name}.{leaf}": (channels,) for leaf in NORM[:4]} | {
        f"{name}.num_batches_tracked": ()
    }


def generator_shapes(gf, nets, residuals, z, c, sentence, alone=False):
    """G_NET of that many h_nets; alone: G_DCGAN, which has one img_net."""
    found = {
        "ca_net.fc.weight": (4 * c, sentence),
        "ca_net.fc.bias": (4 * c,),
        "h_net1.fc.0.weight": (512 * gf, z + c),
    } | norm("h_net1.fc.1", 512 * gf)
    for step, inside in enumerate((16 * gf, 8 * gf, 4 * gf, 2 * gf), start=1):
        # from `inside` channels to half as many, twice for the gates
        found[f"h_net1.upsample{step}.1.weight"] = (inside, inside, 3, 3)
        found |= norm(f"h_net1.upsample{step}.2", inside)
    for net in range(2, nets + 1):
        h = f"h_net{net}"
        found[f"{h}.att.conv_context.weight"] = (gf, sentence, 1, 1)
        for r in range(residuals):
            block = f"{h}.residual.{r}.block"
            found[f"{block}.0.weight"] = (4 * gf, 2 * gf, 3, 3)
            found |= norm(f"{block}.1", 4 * gf)
            found[f"{block}.3.weight"] = (2 * gf, 2 * gf, 3, 3)
            found |= norm(f"{block}.4", 2 * gf)
        found[f"{h}.upsample.1.weight"] = (2 * gf, 2 * gf, 3, 3)
        found |= norm(f"{h}.upsample.2", 2 * gf)
    drawn = ["img_net"] if alone else [f"img_net{i}" for i in range(1, nets + 1)]
    return found | {f"{name}.img.0.weight": (3, gf, 3, 3) for name in drawn}


def text_shapes(words=20, word=6, sentence=8):
    """RNN_ENCODER, with an LSTM each way."""
    hidden, found = sentence // 2, {"encoder.weight": (words, word)}
    for end in ("", "_reverse"):
        found[f"rnn.weight_ih_l0{end}"] = (4 * hidden, word)
        found[f"rnn.weight_hh_l0{end}"] = (4 * hidden, hidden)
        found[f"rnn.bias_ih_l0{end}"] = found[f"rnn.bias_hh_l0{end}"] = (4 * hidden,)
    return found


def image_shapes(sentence=8):
    """CNN_ENCODER: Inception-v3 by torchvision's names, and two layers more."""
    from torchvision.models import inception_v3

    with torch.device("meta"):
        whole = inception_v3(weights=None, init_weights=False).state_dict()
    kept = {name: tuple(value.shape) for name, value in whole.items()
            if not name.startswith(("AuxLogits.", "fc."))}  # fmt: skip
    return kept | {
        "emb_features.weight": (sentence, 768, 1, 1),
        "emb_cnn_code.weight": (sentence, 2048),
        "emb_cnn_code.bias": (sentence,),
    }


def filled(shapes, seed=0):
    """Random numbers of these shapes; spreads above 0, counts whole."""
    rng, made = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=rng)
        if name.endswith("running_var"):
            value = value.abs() + 0.5
        elif name.endswith("num_batches_tracked"):
            value = torch.tensor(7)
        elif len(shape) > 1:  # so that numbers stay of one size from layer to layer
            value = 1.5 * value / value[0].numel() ** 0.5
        made[name] = value
    return made


def doubled(state):
    """In twice the precision: deep networks of random numbers magnify small errors."""
    return {name: value.double() for name, value in state.items()}


# what they compute --------------------------------------------------------------------


def normed(state, name, x):
    told = [state[f"{name}.{leaf}"] for leaf in ("running_mean", "running_var")]
    return F.batch_norm(x, *told, state[f"{name}.weight"], state[f"{name}.bias"])


def halves(x):
    """The first half of the channels where the second lets them through."""
    count = x.shape[1] // 2
    return x[:, :count] / (1 + (-x[:, count:]).exp())


def enlarged(state, name, x):
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    x = F.conv2d(x, state[f"{name}.1.weight"], padding=1)
    return halves(normed(state, f"{name}.2", x))


def context(state, name, h, words, hidden):
    """What each place hears, and its attention; hidden: (B places, T), True is deaf."""
    told = torch.einsum("cd,bdt->bct", state[f"{name}.weight"][:, :, 0, 0], words)
    fits = torch.einsum("bcyx,bct->byxt", h, told)
    shape = fits.shape
    fits = fits.reshape(-1, shape[-1]).masked_fill(hidden, -torch.inf)
    attention = fits.softmax(1).view(shape)
    return torch.einsum("byxt,bct->bcyx", attention, told), attention


def hidden_places(padding, count, mask):
    """(B count, T): a place's own caption's padding, or as the release has it.

    There row k of all captions' places gets the padding of caption k mod B.
    """
    if mask == "words":
        return padding.repeat_interleave(count, 0)
    return padding[torch.arange(len(padding) * count) % len(padding)]


def drawn(state, z, eps, sentence, words, padding, mask="words"):
    """Pictures, and attention (B, y, x, T), of G_NET or G_DCGAN; mu and log sigma^2."""
    made = F.linear(sentence, state["ca_net.fc.weight"], state["ca_net.fc.bias"])
    mu, logvar = halves(made).chunk(2, 1)
    code = torch.cat([mu + eps * (logvar / 2).exp(), z], 1)
    h = normed(state, "h_net1.fc.1", F.linear(code, state["h_net1.fc.0.weight"]))
    h = halves(h)
    h = h.view(len(h), -1, 4, 4)
    for step in range(1, 5):
        h = enlarged(state, f"h_net1.upsample{step}", h)
    found, looked, net = [h], [], 2
    while f"h_net{net}.att.conv_context.weight" in state:
        name, places = f"h_net{net}", h.shape[2] * h.shape[3]
        deaf = hidden_places(padding, places, mask)
        heard, attention = context(state, f"{name}.att.conv_context", h, words, deaf)
        h, r = torch.cat([h, heard], 1), 0
        while f"{name}.residual.{r}.block.0.weight" in state:
            block = f"{name}.residual.{r}.block"
            more = F.conv2d(h, state[f"{block}.0.weight"], padding=1)
            more = halves(normed(state, f"{block}.1", more))
            more = F.conv2d(more, state[f"{block}.3.weight"], padding=1)
            h, r = h + normed(state, f"{block}.4", more), r + 1
        h, net = enlarged(state, f"{name}.upsample", h), net + 1
        found.append(h)
        looked.append(attention)
    if "img_net.img.0.weight" in state:
        names, found = ["img_net"], found[-1:]
    else:
        names = [f"img_net{i}" for i in range(1, net)]
    pictures = [F.conv2d(h, state[f"{name}.img.0.weight"], padding=1).tanh()
                for name, h in zip(names, found, strict=True)]  # fmt: skip
    return pictures, looked, mu, logvar


def read(state, sentence):
    """One caption's words (D, T), and the sentence (D,), cell by cell."""
    vectors, ends, states = state["encoder.weight"][sentence], [], []
    for end in ("", "_reverse"):
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [state[f"rnn.{kind}_l0{end}"] for kind in kinds]
        h = c = vectors.new_zeros(weights[1].shape[1])
        steps = []
        for x in vectors.flip(0) if end else vectors:
            gates = weights[0] @ x + weights[2] + weights[1] @ h + weights[3]
            enter, keep, new, show = gates.chunk(4)
            c = keep.sigmoid() * c + enter.sigmoid() * new.tanh()
            h = show.sigmoid() * c.tanh()
            steps.append(h)
        ends.append(h)
        states.append(torch.stack(steps[::-1] if end else steps, 1))
    return torch.cat(states), torch.cat(ends)


# files --------------------------------------------------------------------------------


class OnGpu:
    """Numbers that lay on a GPU."""

    def __init__(self, tensor, key):
        self.tensor, self.key = tensor.contiguous(), key


class Python2(pickle._Pickler):
    """As Python 2 pickled what PyTorch 0.3 gave it: bytes for words, lists of pairs."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.kept = []

    def save_str(self, text):
        data = text.encode("ascii")
        self.write(b"U" + bytes([len(data)]) + data)
        self.memoize(text)

    dispatch[str] = save_str

    def persistent_id(self, value):
        if not isinstance(value, OnGpu):
            return None
        kind, count = torch.cuda.FloatStorage, value.tensor.numel()
        return ("storage", kind, value.key, "cuda:0", count, None)

    def reducer_override(self, value):
        if isinstance(value, torch.Tensor):
            place = OnGpu(value, str(len(self.kept)))
            self.kept.append(place)
            told = place, 0, tuple(value.shape), place.tensor.stride()
            return torch._utils._rebuild_tensor, told
        if isinstance(value, OrderedDict):
            return OrderedDict, ([[k, v] for k, v in value.items()],)
        return NotImplemented


def save_as_in_2017(state, path):
    """A state dict's file of Python 2 and PyTorch 0.3, on a GPU."""
    sizes = {"short": 2, "int": 4, "long": 4}
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}
    with open(path, "wb") as file:
        for head in (0x1950A86A20F9469CFC6C, 1001, info):
            Python2(file).dump(head)
        body = Python2(file)
        body.dump(OrderedDict(state))
        Python2(file).dump([place.key for place in body.kept])
        for place in body.kept:
            file.write(place.tensor.numel().to_bytes(8, "little"))
            file.write(place.tensor.numpy().tobytes())
