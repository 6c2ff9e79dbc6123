"""Being watched: what an operator sees of the server. README.md says what there is to see."""
