"""Every system of the course by name: its class, its lesson, what it trains on."""

from dataclasses import dataclass
from importlib import import_module

__all__ = ["SYSTEMS", "SystemInfo"]


@dataclass(frozen=True)
class SystemInfo:
    """Where a system is: `module`:`name`, its lesson, and what it is in a line."""

    module: str
    name: str
    lesson: str
    line: str

    def load(self) -> type:
        """The class itself (imports torch)."""
        return getattr(import_module(f"t2i_course.{self.module}"), self.name)


SYSTEMS: dict[str, SystemInfo] = {
    "gan": SystemInfo("papers.gan", "Gan", "01", "vanilla GAN on points and digits"),
    "joint_embedding": SystemInfo(
        "papers.joint_embedding", "JointEmbedding", "08", "sentences and pictures in one space"
    ),
    "gan_cls": SystemInfo(
        "papers.gan_cls", "GanCls", "08", "GAN, GAN-CLS, GAN-INT, GAN-INT-CLS"
    ),
    "projection": SystemInfo(
        "papers.projection", "ProjectionGan", "08", "projection discriminator with hinge loss"
    ),
}
