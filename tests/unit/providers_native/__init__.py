"""The pure parts of the native providers, and what no local AWS can show."""
