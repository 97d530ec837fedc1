"""The Track API: facts about people, in the shapes its client libraries send."""
