"""Train a model and judge it."""

from ..layout import empty_state
from ..project import Project


def page(project: Project) -> None:
    """Build the page's content inside the frame."""
    empty_state("hourglass_empty", "Train a model and judge it", "This page is not there yet.")
