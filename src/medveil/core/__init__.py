"""The values that flow through medveil: numpy and the standard library only."""
