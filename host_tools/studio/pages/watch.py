"""Deploy a model and watch its events."""

from ..layout import empty_state
from ..project import Project


def page(project: Project) -> None:
    """Build the page's content inside the frame."""
    empty_state("hourglass_empty", "Deploy a model and watch its events",
                "This page is not there yet.")
