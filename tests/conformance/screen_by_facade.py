"""A screening program as a vendor would write it, with nothing but the façade of mhscreen.

Reads pupils with their answers from standard input, as `mhscreen conformance check --policy
--command` hands them over, and prints what is found.
"""

import csv
import sys

import mhscreen as mh

PROGRAMMES = {"three-tier-cn": "qingdao-2023@1", "sdq-multi-informant": "sdq-three-informants@1"}
AT = "2026-10-15T08:00:00+08:00"


def main(policy):
    rows = list(csv.DictReader(sys.stdin))
    library = mh.installed_library()
    name = next(name for stem, name in PROGRAMMES.items() if policy.startswith(stem))
    plan = mh.compile_plan(library, programme=name)
    roster = {key: [row[key] or None for row in rows] for key in ("stage", "grade", "sex", "age")}
    roster |= {"subject": [row["vector"] for row in rows], "school": ["school"] * len(rows)}
    responses = {}
    for slot in plan.slots:
        form = folder_of(plan, slot)
        filed = [row for row in rows if row[form] == "yes"]
        stem = f"{form}."
        items = [key for key in rows[0] if key.startswith(stem)]
        responses[slot] = {"subject": [row["vector"] for row in filed]} | {
            key.removeprefix(stem): [row[key] or None for row in filed] for key in items
        }
    batch = mh.bind(plan, roster=roster, responses=responses, on_problem="report", at=AT)
    found = mh.triage(plan, mh.norm(plan, mh.score(plan, batch)))
    rules = [rule.id for rule in found.plan.triage.rules]
    output = csv.writer(sys.stdout)
    output.writerow(["vector", "established", "possible", "screen", "rules", "undecided", "flags"])
    for place, subject in enumerate(found.subjects.tolist()):
        truth = found.truth[:, place].tolist()
        output.writerow([
            subject,
            found.established_tier[place],
            found.possible_tier[place],
            found.screen_tier[place],
            ";".join(rule for rule, state in zip(rules, truth, strict=True) if state == 2),
            ";".join(rule for rule, state in zip(rules, truth, strict=True) if state == 1),
            ";".join(map(str, found.flags_of(place))),
        ])  # fmt: skip


def folder_of(plan, slot):
    """Return the name of a form in the kit: ``gad7-1.0.0``, ``sdq-1.0.0-parent``."""
    form = plan.forms[plan.slot(slot)]
    instrument = plan.instruments[form.instrument]
    stem = f"{instrument.id}-{instrument.version}"
    return f"{stem}-{form.informant}" if len(instrument.informants) > 1 else stem


if __name__ == "__main__":
    main(sys.argv[1])
