"""A phone as sensor: our page in its browser, or an app that it already has."""
