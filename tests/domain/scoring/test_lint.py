"""The linter finds each planted defect, at its line, and has nothing to say of the shipped library."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.forms import forms_group
from app.domain.scoring.library import Library, library_path, load_library, read_files
from app.domain.scoring.lint import lint_files
from app.domain.scoring.lint_findings import Finding
from app.domain.scoring.yaml_source import SchemaError
from app.domain.types import DomainError
from tests.domain.scoring.conftest import SHIPPED

FILES = read_files(SHIPPED)
DESK = "forms/mlr15-desk-I.yaml"
CLASS_TWO = "forms/mlr15-desk-II.yaml"
SITE = "forms/mlr15-site.yaml"
RULE = "forms/yfxz-main.yaml"
SURVEY = "forms/mlr15-survey.yaml"
QUAL = "forms/mlr15-qual.yaml"
BONUS = "forms/js22-bonus.yaml"
BEIJING = "schemes/beijing-2012-2nd.yaml"
NATIONAL = "schemes/mlr-model-county-2015.yaml"
JIANGSU = "schemes/jiangsu-enforcement-2022.yaml"
SMALL = "      small_class: {method: target_ratio, target: 3000, status: default}\n"

# file, text to replace (once), replacement, code of the finding, where it is
DEFECTS = [
    (DESK, "gdp23_wan / construction_land_ha", "gdp23 / construction_land_ha", "expression", "A1"),
    (DESK, "gdp23_wan / construction_land_ha", "gdp23_wan ** 2", "expression", "A1"),
    (DESK, "gdp23_wan / construction_land_ha", "gdp23_wan / 0", "expression", "A1"),
    (DESK, "    max: 8\n", "    max: 7\n", "points-sum", "sections[A]"),
    (DESK, "total: 100\n", "total: 99\n", "points-sum", "total"),
    (DESK, "total: 100\n", "", "points-sum", "total"),
    (DESK, "    max: 8\n", "    max: 8.001\n", "decimals", "A1"),
    (DESK, "    max: 8\n", "", "required", "A1"),
    (DESK, "      zero_denominator: not_applicable\n", "", "zero-denominator", "A1"),
    (DESK, "    max: 8\n", "    max: 8\n    maximum: 8\n", "unknown-key", "A1"),
    (DESK, "kind: score\n", "kind: scoring\n", "choice", "kind"),
    (DESK, "id: A2\n", "id: A1\n", "duplicate-id", "A1"),
    (DESK, "- {id: C, title", "- {id: A, title", "duplicate-id", "sections[A]"),
    (DESK, "    section: D\n", "    section: E\n", "unknown-section", "D1"),
    (DESK, "else_move_points_to: A}", "else_move_points_to: E}", "moved-points", "sections[B]"),
    (DESK, ", else_move_points_to: A}", "}", "moved-points", "sections[B]"),
    (DESK, "applies_if: has_mines", "applies_if: has_gold", "expression", "sections[B]"),
    (DESK, "applies_if: has_mines", "applies_if: idle_ha > 0", "applies-if", "sections[B]"),
    (DESK, "{ge: 0.70, points: 6}", "{gt: 0.70, points: 6}", None, None),
    (DESK, "{lt: 0.50, points: 0}", "{lt: 0.40, points: 0}", "band-gap", "A6"),
    (DESK, "{lt: 0.50, points: 0}", "{ge: 0.65, points: 0}", "unreachable-band", "A6"),
    (DESK, "{ge: 0.70, points: 6}", "{ge: 0.70, points: 5}", "points-sum", "A6"),
    (DESK, "per_case: 1\n", "per_case: 0\n", "per-case", "C3"),
    (DESK, "formal document}, points: 1}", "formal document}, points: 2}", "points-sum", "C1"),
    (DESK, "modelled_on: landplan", "modelled_on: elsewhere", "unknown-source", "A1"),
    (DESK, "{zh: 有矿山, en: Has mines}", "{zh: 有矿山}", "missing-en", "has_mines"),
    (DESK, "{zh: 有矿山, en: Has mines}", "{zh: 有矿山, en: 有矿山}", "missing-en", "has_mines"),
    (DESK, "{zh: 有矿山, en: Has mines}", "{en: Has mines}", "missing-zh", "has_mines"),
    (
        DESK,
        "figures:\n",
        "figures:\n  spare: {title: {zh: 甲, en: A}, unit: {zh: 个, en: n}}\n",
        "unused-name",
        "spare",
    ),
    (DESK, "    trace: S0 §3 提高资源节约集约利用水平\n", "", "trace", "A1"),
    (DESK, "    scorer: formula\n", "    scorer: expert\n", "scorer", "A1"),
    (DESK, "      type: formula\n", "      type: magic\n", "choice", "A1"),
    (DESK, "id: mlr15-desk-I\n", "id: mlr15-desk-1\n", "file-name", "id"),
    (DESK, "id: mlr15-desk-I\n", "id: mlr15-desk-II\n", "duplicate-id", "id"),
    (DESK, "total: 100\n", "total: 100\ntotal: 100\n", "duplicate-key", "total"),
    (DESK, "total: 100\n", "total: 1.0e+2\n", "value", "total"),
    (DESK, "total: 100\n", "total: &t 100\n", None, None),
    (DESK, "total: 100\n", "total: ten\n", "type", "total"),
    (DESK, "schema: mingjian-form/1", "schema: mingjian-form/9", "schema", "schema"),
    (DESK, "total: 100\n", "total: [100\n", "yaml", "file"),
    (CLASS_TWO, SMALL, "", "small-class", "A1"),
    (CLASS_TWO, "target: 3000", "target: 0", "target", "A1"),
    (CLASS_TWO, "      target: 0.9\n", "", "target", "A4"),
    (SITE, "      type: grade\n", "      type: grade\n      step: 5\n", "grid", "P1"),
    (SITE, "      type: grade\n", "      type: grade\n      step: 6\n", "unreachable-level", "P1"),
    (SITE, "max: 15}", "max: 15, min_share: 75}", "section-floor", "sections[G]"),
    (SITE, "max: 15}", "max: 15, min_share: 0.75}", "section-floor", "sections[G]"),
    (RULE, "step: 0.5\n", "step: 0.7\n", "grid", "Y04"),
    (
        RULE,
        "expression: casefile_mean / 100\n      direction: up\n      normalise: target_ratio\n      target: 1",
        "expression: casefile_mean / 100\n      direction: up\n      normalise: minmax_in_class\n      small_class: {method: target_ratio, target: 1, status: default}",
        "mixed-figures",
        "Y19",
    ),
    (RULE, "from_form: yfxz-casefile", "from_form: yfxz-other", "unknown-form", "casefile_mean"),
    (
        RULE,
        "{id: good, title: {zh: 良好, en: Good}, points: 3}",
        "{id: good, title: {zh: 良好, en: Good}, points: 2}",
        "points-sum",
        "Y15",
    ),
    (RULE, "    source: yfxz80\n", "    trace: S4\n", "unknown-source", "Y04"),
    (SURVEY, "sample_figure: respondents", "sample_figure: answers", "unknown-name", "U1"),
    (SURVEY, "awareness_pct * 0.40", "awareness_pct * 0.50", "points-sum", "U1"),
    (QUAL, "vetoes: [V1]", "vetoes: [V9]", "unknown-veto", "Q03"),
    (QUAL, "kind: veto\n", "kind: veto\ntotal: 10\n", "points-sum", "total"),
    (BONUS, "points: 0.5}", "points: 0}", "bonus", "JB1"),
    (BEIJING, "weight: 0.70", "weight: 0.60", "weights", "aggregation"),
    (
        BEIJING,
        "weight: 0.30, method: trimmed_mean",
        "weight: 0.30, method: mean",
        "methods",
        "aggregation",
    ),
    (BEIJING, "form: mlr15-desk-II,", "form: mlr15-desk-9,", "unknown-form", "region_classes[II]"),
    (
        BEIJING,
        'code: "110101", region_class: II',
        'code: "110101", region_class: III',
        "unknown-class",
        "candidates",
    ),
    (BEIJING, "subjects: [东城区, 海淀区]", "subjects: [西城区]", "unknown-subject", "guidance"),
    (
        BEIJING,
        "- scheme: mlr-model-county-2015",
        "- scheme: mlr-1999",
        "unknown-scheme",
        "supplies",
    ),
    (BEIJING, "    source: fzbdw\n", "", "trace", "V1"),
    (BEIJING, "illegal_arable_mu >= 100", "illegal_mu >= 100", "expression", "V1"),
    (
        BEIJING,
        "forms: [bj12-material, mlr15-qual, mlr15-desk-I, mlr15-desk-II, mlr15-site]",
        "forms: [bj12-material, mlr15-qual, mlr15-desk-I, mlr15-desk-II, mlr15-site, x]",
        "unknown-form",
        "forms",
    ),
    (NATIONAL, "to: [held]", "to: [gone]", "unknown-state", "recheck_passed"),
    (NATIONAL, "{below: 40,", "{below: 95,", "quota", "quotas[declare]"),
    (JIANGSU, "    share: 0.40\n", "", "quota", "quotas[recommend]"),
    (JIANGSU, "    max: 10\n", "", "quota", "quotas[model]"),
    (JIANGSU, "- id: JV1b\n", "- id: JV1a\n", "duplicate-id", "JV1a"),
]


def test_the_shipped_library_is_clean() -> None:
    assert lint_files(FILES) == []


def _lint_changed(name: str, old: str, new: str) -> list[Finding]:
    assert old in FILES[name], f"{old!r} is not in {name}"
    return lint_files({**FILES, name: FILES[name].replace(old, new, 1)})


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "where"), [case for case in DEFECTS if case[3] is not None]
)
def test_each_planted_defect_is_found(name: str, old: str, new: str, code: str, where: str) -> None:
    findings = _lint_changed(name, old, new)
    hits = [f for f in findings if f.code == code and where in f.where]
    assert hits, [(f.code, f.where, f.what.en) for f in findings]
    for hit in findings:
        assert hit.line >= 1 and hit.what.zh and hit.what.en and hit.fix.zh and hit.fix.en
        assert not re.search("[一-鿿]", re.sub("西城区|JV1a", "", hit.what.en))


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "where"), [c for c in DEFECTS if c[3] is None]
)
def test_harmless_changes_pass(name: str, old: str, new: str, code: None, where: None) -> None:
    assert _lint_changed(name, old, new) == []


def test_a_finding_names_its_line() -> None:
    findings = _lint_changed(DESK, "    max: 8\n", "    max: 8\n    maximum: 8\n")
    (finding,) = [f for f in findings if f.code == "unknown-key"]
    changed = FILES[DESK].replace("    max: 8\n", "    max: 8\n    maximum: 8\n", 1)
    assert changed.splitlines()[finding.line - 1].strip() == "maximum: 8"


def test_aliases_are_refused() -> None:
    text = FILES[SITE].replace("total: 100", "total: &t 100\noffline: *t", 1)
    assert "alias" in {f.code for f in lint_files({**FILES, SITE: text})}


@pytest.mark.parametrize("text", ["", "a: " + "[" * 200_000, "- " * 50_000, "{" * 31 + "}" * 31])
def test_hostile_yaml_is_one_finding(text: str) -> None:
    assert [f.code for f in lint_files({"forms/x.yaml": text})] == ["yaml"]


def test_the_example_of_the_readme_is_clean() -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", readme, re.S)
    assert lint_files({"forms/example.yaml": example}) == []


def test_a_library_without_english_would_not_load() -> None:
    counts = {
        language: sum(len(re.findall(rf"\b{language}: ", text)) for text in FILES.values())
        for language in ("zh", "en")
    }
    assert counts["zh"] == counts["en"] > 500


def test_notices_contact_persons_do_not_appear() -> None:
    for text in [*FILES.values(), (SHIPPED / "README.md").read_text(encoding="utf-8")]:
        assert "联系人" not in text and "联系电话" not in text
        assert not re.search(r"(?<![0-9])1?[0-9]{10}(?![0-9])|电话[:：]", text)


def test_every_indicator_keeps_its_status_and_origin(library: Library) -> None:
    for form in library.forms.values():
        for entry in form.indicators:
            assert entry.status and (entry.trace or entry.source)
            found = entry.status.startswith("found")
            assert entry.maximum_status == (entry.status if found else "default")


def test_the_corrections_of_the_second_reading_are_kept(library: Library) -> None:
    status = {
        (form.id, entry.id): entry.status
        for form in library.forms.values()
        for entry in form.indicators
    }
    assert status["mlr15-recheck", "R5"] == "default"
    for key in [
        ("mlr15-site", "G1"),
        ("mlr15-site", "P1"),
        ("mlr15-recheck", "R1"),
        ("js22-site", "K1"),
        *[("lh10-selfcheck", f"L{n}") for n in (1, 2, 3)],
    ]:
        assert status[key] == "reconstructed", key
    national = library.schemes["mlr-model-county-2015"]
    assert {"reports", "query"} <= {stage.id for stage in national.stages}
    assert {v.decided_by_status for v in national.vetoes} == {"default"}
    delisting = [t.event for t in national.transitions if "delisting" in t.to and "27" in t.trace]
    assert len(delisting) == 3
    beijing = library.schemes["beijing-2012-2nd"]
    site = next(stage for stage in beijing.stages if stage.id == "site")
    assert (site.supplied_by, site.status) == (national.id, "default")
    assert beijing.supplies[0].parts == ("panel", "site")
    assert [pair.subjects for pair in beijing.guidance] == [
        ("东城区", "海淀区"),
        ("丰台区", "怀柔区"),
        ("平谷区", "顺义区"),
    ]


def test_the_library_is_found_by_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MINGJIAN_FORMS", raising=False)
    assert load_library().digests.keys() == FILES.keys()
    monkeypatch.setenv("MINGJIAN_FORMS", str(tmp_path))
    with pytest.raises(DomainError):
        library_path()
    for part in ("forms", "schemes"):
        (tmp_path / part).mkdir()
    with pytest.raises(DomainError):
        load_library()
    (tmp_path / "forms/x.yaml").write_text("id: x\n", encoding="utf-8")
    with pytest.raises(SchemaError):
        load_library()


def test_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINGJIAN_FORMS", str(SHIPPED))
    run = CliRunner()
    clean = run.invoke(forms_group, ["lint"])
    assert (clean.exit_code, clean.output.splitlines()[-1]) == (
        0,
        f"{len(FILES)} file(s): 0 error(s), 0 warning(s)",
    )
    broken = tmp_path / "mlr15-desk-I.yaml"
    broken.write_text(FILES[DESK].replace("total: 100", "total: 90"), encoding="utf-8")
    result = run.invoke(forms_group, ["lint", str(broken), "--json"])
    body = json.loads(result.output)
    assert result.exit_code == 1
    assert body["errors"] >= 1 and body["findings"][0]["file"] == str(broken)
    alone = run.invoke(forms_group, ["lint", str(SHIPPED / SITE)])
    assert alone.exit_code == 0 and "1 file(s): 0 error(s)" in alone.output
    shown = run.invoke(forms_group, ["show", "mlr15-desk-I", "--fact", "has_mines=no"])
    assert json.loads(shown.output)["sections"][0]["effective_max"] == "60"
    assert run.invoke(forms_group, ["show", "nothing"]).exit_code == 1
    assert run.invoke(forms_group, ["show", "mlr15-desk-I", "--fact", "x=no"]).exit_code == 2
