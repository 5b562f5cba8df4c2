"""Carry: the work between the stages and the disk, one file a job. `pipeline` calls it, stages don't.

protect       protecting ─> jobs ─> one_session ─> one_image ─> one_file or one_series, both by applying
              naming (new names)   companions (sidecars, tables)   manifest   told   residual   picturing
attack        means (what an attacker holds) ─> auditing, blocking   inferring, in_folds   tabling   members
say           answering   finding   limits
share         sharing/: people, codecs, scheme ─> encoding or whole_folder   granting   opening   telling   stored
              training (of networks)
other verbs   inspecting: exposures, claiming, spotting     verifying: leftover     converting: laying_out
              keeping (keys)   canary   mean_face   simulating   alone (one stage without the others)
"""
