"""What all pages of Studio share: frame, routes, access, shortcuts, widgets, project."""
