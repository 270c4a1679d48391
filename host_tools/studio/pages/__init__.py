"""One module a page; each has page(project), which builds its content inside the frame."""
