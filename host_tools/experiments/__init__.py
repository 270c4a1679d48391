"""What trains and judges: cross-validation, comparison, baselines, the search of a recipe."""
