"""Strategies for made-up pupils, and the plain scorer that the fast one is compared with."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import strategies as st

GROUPS = [("junior", 8), ("primary", 5), ("primary", 2)]
ON_EVENT = {
    ("junior", 8): ("phq9", "asq", "dsrsc", "observer@teacher", "sdq@self", "sdq@parent"),
    ("primary", 5): ("asq", "observer@parent", "sdq@teacher"),
    ("primary", 2): (),
}


class Strategies:
    """Pupils with forms: mostly calm, with some answers changed or left out."""

    def __init__(self, school):
        self.school = school

    def change(self, slot):
        """Return one item and what it is answered with, None for a blank."""
        form = self.school.form(slot)
        return st.sampled_from([item.id for item in form.items]).flatmap(
            lambda item: st.tuples(
                st.just(item), st.sampled_from([*self.school.codes(slot, item), None])
            )
        )

    def form(self, slot, most=8):
        base = st.sampled_from([self.school.calm(slot), self.school.full(slot), {}])
        calm = st.just(self.school.calm(slot))
        changes = st.lists(self.change(slot), max_size=most).map(dict)
        return st.tuples(st.one_of(calm, calm, base), changes).map(lambda pair: pair[0] | pair[1])

    @st.composite
    @staticmethod
    def _pupil(draw, self, subject, duplicates):
        group = draw(st.sampled_from(GROUPS))
        forms = {}
        for slot in self.school.required[group]:
            if draw(st.integers(0, 9)) == 0:
                forms[slot] = None
                continue
            forms[slot] = draw(self.form(slot))
        for slot in draw(
            st.lists(st.sampled_from(ON_EVENT[group] or ("asq",)), max_size=2, unique=True)
        ):
            if ON_EVENT[group]:
                forms[slot] = draw(self.form(slot))
        if duplicates and draw(st.booleans()):
            slot = draw(st.sampled_from(sorted(forms)))
            if forms[slot] is not None:
                forms[slot] = [forms[slot], draw(self.form(slot))]
        return self.school.pupil(subject, stage=group[0], grade=group[1], forms=forms)

    def pupil(self, subject="A1", *, duplicates=True):
        return self._pupil(self, subject, duplicates)

    def pupils(self, most=5, *, duplicates=True):
        return (
            st.integers(1, most)
            .flatmap(
                lambda n: st.tuples(*(self.pupil(f"A{k}", duplicates=duplicates) for k in range(n)))
            )
            .map(list)
        )


@pytest.fixture(scope="session")
def made_up(school):
    return Strategies(school)


@pytest.fixture(scope="session")
def score_each():
    place = Path(__file__).parent / "each_form.py"
    spec = importlib.util.spec_from_file_location("each_form", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score_each
