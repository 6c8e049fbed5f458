"""What a scheme's `aggregation` becomes: one way of counting for all parts, and no floor that is ignored."""

from __future__ import annotations

import pytest

from app.domain.scoring.library import library_path, read_text
from app.domain.scoring.schema import parse_form
from app.domain.types import DomainError
from app.programme.scheme import library_forms, library_schemes, parsed_scheme, score_rule_from

ID = "beijing-2012-2nd"


def test_every_shipped_scheme_counts_its_experts_in_one_way() -> None:
    forms = library_forms()
    made = {
        name: score_rule_from(scheme, forms)
        for name, (scheme, _) in library_schemes().items()
        if scheme.aggregation is not None
    }
    assert len(made) == 5
    assert {rule.estimator for rule in made.values()} == {"trimmed_mean"}


def test_a_scheme_with_two_ways_of_counting_makes_no_rule() -> None:
    source = library_schemes()[ID][1]
    site = "weight: 0.30, method: trimmed_mean"
    assert source.count(site) == 1
    mixed = parsed_scheme(source.replace(site, "weight: 0.30, method: mean"))
    with pytest.raises(DomainError, match=r"mean, trimmed_mean") as caught:
        score_rule_from(mixed)
    assert caught.value.field == "scheme_id"
    both = parsed_scheme(source.replace("method: trimmed_mean", "method: median"))
    assert score_rule_from(both).estimator == "median"


def test_a_floor_of_a_form_is_not_passed_over() -> None:
    source = read_text(library_path() / "forms" / "mlr15-site.yaml")
    source = source.replace("max: 15}", "max: 15, min_share: 0.75}", 1)
    floored = parse_form(source)
    assert [s.id for s in floored.sections if s.min_share is not None] == ["G"]
    scheme = library_schemes()[ID][0]
    with pytest.raises(DomainError, match="mlr15-site"):
        score_rule_from(scheme, {**library_forms(), "mlr15-site": floored})
    score_rule_from(scheme, library_forms())
