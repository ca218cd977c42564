"""How a new language enters an encoder: its vocabulary, what moves, and towards what."""
