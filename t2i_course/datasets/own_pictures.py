"""Pictures of one's own: any file, made square and small, as networks read pictures."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["NoPicture", "Square", "square"]


class NoPicture(ValueError):
    """A file that can't be read as a picture; the message says why, in a line."""


@dataclass(frozen=True)
class Square:
    """The middle of a picture: (3, S, S) in [-1, 1], of one `wide` by `high` pixels."""

    picture: Tensor
    wide: int
    high: int

    @property
    def note(self) -> str:
        """How much of it was cut off, in words; "" where nothing was."""
        side, lost = min(self.wide, self.high), abs(self.wide - self.high)
        if not lost:
            return ""
        what = "column" if self.wide > self.high else "row"
        what = f"1 {what} is" if lost == 1 else f"{lost} {what}s are"
        return (
            f"the picture has {self.wide} x {self.high} pixels: its middle, {side} x "
            f"{side}, is taken, and {what} cut off"
        )


def square(file: str | Path | bytes, size: int) -> Square:
    """The largest centred square of a picture, scaled to size x size pixels.

    file: its path, or its content. Any mode; what is transparent becomes white, of a
    film the first frame is taken, and a photograph is turned as its camera says.
    Raises NoPicture for a file that isn't there, is no picture, or is damaged.
    """
    from PIL import Image

    image = opened(file)
    wide, high = image.size
    side = min(wide, high)
    left, above = (wide - side) // 2, (high - side) // 2
    image = image.crop((left, above, left + side, above + side))
    if side != size:
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return Square(pixels.float() / 127.5 - 1, wide, high)


def opened(file: str | Path | bytes):
    """The whole picture, in red, green and blue; raises NoPicture."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = "the file" if isinstance(file, bytes) else str(file)
    try:
        with warnings.catch_warnings():  # a large photograph is no attack
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as f:
                return in_colours(ImageOps.exif_transpose(f))
    except FileNotFoundError:
        raise NoPicture(f"there is no file {name}") from None
    except (IsADirectoryError, PermissionError) as error:
        raise NoPicture(f"{name} can't be read: {error.strerror}") from None
    except UnidentifiedImageError:
        why = "is no picture; a PNG or JPEG file will do"
        raise NoPicture(f"{name} {why}") from None
    except Image.DecompressionBombError:
        raise NoPicture(f"{name} has too many pixels; make it smaller") from None
    except Exception as error:  # each format has its own; all mean the same
        why = " ".join(str(error).split())
        raise NoPicture(f"{name} is a damaged picture ({why}); save it anew") from None


def in_colours(image):
    """A picture of any mode as RGB, on white where it is transparent."""
    from PIL import Image

    if image.mode[0] in "IF":  # 16 bits and more, whose range nothing says
        grey = np.asarray(image, np.float64)
        low, high = np.nanmin(grey), np.nanmax(grey)
        if image.mode[0] == "I" and low >= 0:
            low, high = 0, 255 if high < 256 else 65535 if high < 65536 else high
        share = np.nan_to_num((grey - low) / max(high - low, 1e-9))
        image = Image.fromarray((255 * share).round().astype(np.uint8))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("RGB")
