"""Record gestures with a board."""

from ..layout import empty_state
from ..project import Project


def page(project: Project) -> None:
    """Build the page's content inside the frame."""
    empty_state("hourglass_empty", "Record gestures with a board", "This page is not there yet.")
