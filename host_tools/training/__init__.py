"""From labelled recordings to a model: windows, network, quantising, the decision."""
