"""What is left of planted and real identifiers: markers, leak tables, and actions scored after MIDI-B."""
