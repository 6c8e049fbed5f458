"""The small world in place of the suite's empty installation."""

from tests.attacks.world import settings, world, world_template

__all__ = ["settings", "world", "world_template"]
