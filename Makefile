# One command each. `make` lists them; all of them call .ci/run, so that what passes here passes there.
.DEFAULT_GOAL := help
.PHONY: help lint types contracts yaml lock test docs bench conformance mutants all

help:
	@echo "make lint | types | contracts | yaml | lock | test | docs | bench | conformance | mutants | all"

lint types contracts yaml lock test bench conformance:
	@bash .ci/run $@

docs:
	@bash .ci/run pages

all:
	@bash .ci/run

# Minutes: every shipped instrument changed one thing at a time (needs the package installed).
mutants:
	@python tools/mutate_definitions.py
