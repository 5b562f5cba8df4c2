"""The parts of a head, one file each: functions that sculpt a field from a person's geometry."""
