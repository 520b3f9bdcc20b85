# One command each. `make` lists them; all of them call .ci/run, so that what passes here passes there.
.DEFAULT_GOAL := help
.PHONY: help lint types contracts yaml lock test engines docs bench conformance mutants speed all

help:
	@echo "make lint | types | contracts | yaml | lock | test | engines | docs | bench | conformance | mutants | speed | all"

lint types contracts yaml lock test engines bench conformance:
	@bash .ci/run $@

docs:
	@bash .ci/run pages

all:
	@bash .ci/run

# Minutes: every shipped instrument changed one thing at a time (needs the package installed).
mutants:
	@python tools/mutate_definitions.py

# A quarter of an hour on an idle machine, with the peers of benchmarks/speed/peers.txt; it goes on
# where it was stopped. What it finds becomes docs/reference/speed.md.
speed:
	@python benchmarks/speed/table.py --out benchmarks/speed/results.json
	@python benchmarks/speed/page.py
	@python benchmarks/speed/chart.py
