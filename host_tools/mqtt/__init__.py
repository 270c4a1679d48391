"""The broker's side: addresses, a broker of our own, events, subscribers, commands to a device."""
