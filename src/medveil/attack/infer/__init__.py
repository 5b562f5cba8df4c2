"""Infer: guess what is true of a person, not who they are: sex, age, group, membership in a training set."""
