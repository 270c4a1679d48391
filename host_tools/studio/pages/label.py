"""Label recordings: say where each gesture begins and ends."""

from ..layout import empty_state
from ..project import Project


def page(project: Project) -> None:
    """Build the page's content inside the frame."""
    if not project.recordings():
        empty_state(
            "show_chart", "Nothing to label yet",
            "Record some gestures first, or copy recordings (.csv) into the project's folder "
            "recordings/.", action="Go to Record", target="/record",
        )
