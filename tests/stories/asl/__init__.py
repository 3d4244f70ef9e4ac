"""A small deterministic interpreter of the Amazon States Language, for the stories.

It knows the subset that Ovenbird's definitions use and refuses everything else loudly, so that a
definition which uses more fails here and not silently means something else. Time comes from a
timeline, so a wait of an hour costs nothing. The sandbox runs the same definitions in an emulator
that nobody here wrote.

Source: the Amazon States Language specification (states-language.net) and the Step Functions
developer guide.
"""
