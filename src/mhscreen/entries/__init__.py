"""Ledger entries: their schema, their ids and their canonical form."""
