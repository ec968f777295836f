"""The stages of each room: settings, options and help texts."""
