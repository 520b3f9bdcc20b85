"""The ledger: what people enter, where each case stands, and what is due.

Entries are documents (dicts as parsed from a line of the ledger). `record` makes a person's
entry from a draft, `chain` links the entries of a pupil, and `fold` says where each case stands.
"""
