"""`polyglot compare`: results side by side, and which differences are significant."""
