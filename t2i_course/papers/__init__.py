"""One file per paper: its networks, its losses, its round of play, its presets."""
