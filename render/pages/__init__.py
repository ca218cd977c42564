"""One module a kind of result: its view, from the result alone."""
