"""Conger's kappa (1980): agreement of several raters beyond what each rater's own habits would give.

Fleiss' kappa takes the raters as interchangeable; here chance is that two raters meet who mark as each of
them does over all subjects. With gaps as in Gwet, Handbook of Inter-Rater Reliability (4th ed., ch. 2 and
5) and R `irrCAC` 1.4: a rater's habits are the shares over the subjects that he marked, and the standard
error counts the sampling of subjects.
"""

from __future__ import annotations

from app.domain.statistics.chance import Chance, Rows, category_counts, weight_matrix
from app.domain.types import Text


def conger(rows: Rows, weighting: str = "identity") -> Chance | Text:
    """The coefficient of a table of subjects x raters (None: a gap) with its 95 % t interval."""
    import numpy as np
    from scipy.special import stdtrit

    table = category_counts(rows)
    if isinstance(table, Text):
        return table
    categories, counts = table
    marks = [list(row) for row in rows if any(v is not None for v in row)]
    sizes = counts.sum(axis=1)
    pairs = sizes >= 2
    if not pairs.any():
        return Text("无定义:没有被两人以上评分的对象。", "Not defined: no subject has two marks.")
    if len(categories) < 2:
        return Text("无定义:分数没有差异。", "Not defined: no variation.")
    if weighting == "ratio" and min(categories) < 0:
        return Text(
            "无定义:有负分,不是比率尺度。", "Not defined: negative marks are no ratio scale."
        )
    at = {value: index for index, value in enumerate(categories)}
    # given[i, g, k]: rater g put subject i in category k.
    given = np.zeros((len(marks), len(marks[0]), len(categories)))
    for i, row in enumerate(marks):
        for g, value in enumerate(row):
            if value is not None:
                given[i, g, at[value]] = 1.0
    given = given[:, given.any(axis=(0, 2))]
    n, raters = given.shape[:2]
    weights = weight_matrix(categories, weighting)
    with np.errstate(divide="ignore", invalid="ignore"):
        agree = (counts * (counts @ weights - 1.0)).sum(axis=1) / (sizes * (sizes - 1.0))
    agree = np.where(pairs, agree, 0.0)
    observed = float(agree.sum()) / int(pairs.sum())
    marked = given.sum(axis=(0, 2))  # subjects by rater
    habits = given.sum(axis=0) / marked[:, None]  # raters x categories
    others = habits.sum(axis=0) - habits  # of all but this rater
    chance = float((habits @ weights * others).sum()) / (raters * (raters - 1))
    if chance >= 1.0:
        return Text("无定义:随机一致率为 1。", "Not defined: chance agreement is 1.")
    value = (observed - chance) / (1.0 - chance)
    if n < 2:
        return Chance(value, observed, None, None, None)
    there = given.any(axis=2, keepdims=True)
    moved = np.where(there, given - habits[None], 0.0) * (n / marked)[None, :, None]
    pull = others @ ((weights + weights.T) / 2.0)
    each_chance = chance + (moved * pull[None]).sum(axis=(1, 2)) / (raters * (raters - 1))
    each = (n / int(pairs.sum())) * (agree - np.where(pairs, chance, 0.0)) / (1.0 - chance)
    each = each - 2.0 * (1.0 - value) * (each_chance - chance) / (1.0 - chance)
    se = float(np.sqrt(((each - value) ** 2).sum() / (n * (n - 1.0))))
    reach = float(stdtrit(n - 1, 0.975)) * se
    return Chance(value, observed, se, max(value - reach, -1.0), min(value + reach, 1.0))
