"""Pictures as SVG, and the pages of reports."""
