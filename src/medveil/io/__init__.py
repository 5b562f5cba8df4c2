"""The only rooms that touch image files: open them into values, write values into files."""
