"""Carry: the work between the stages and the disk, one file a job. `pipeline` calls it, stages don't."""
