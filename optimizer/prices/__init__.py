"""Price files as markets publish them, read into the engine's hours.

Open the files (:mod:`.tables`), recognise whose layout they have (:mod:`.layouts`), read one
point of one market (:mod:`.quotes`) by the clock that the layout keeps (:mod:`.clock`), make
hours of it (:mod:`.series`), reckon what is told of them (:mod:`.figures`), and write the
engine's file (:mod:`.written`).
"""
