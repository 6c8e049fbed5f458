"""How surprising a count is: exact tests of few numbers, with the correction for looking at many.

Fisher's exact test (hypergeometric tail), the Poisson-binomial tail (sum of unequal chances, by exact
convolution), Clopper-Pearson intervals, and Holm's correction (Scand. J. Statist. 6, 1979). A case
that could not be significant whatever was observed is named "too few" instead of "nothing found".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

ALPHA: Final = 0.01  # family-wise, after Holm


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n with its exact 95 % interval."""

    k: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.k / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One of a family of tests: its p, Holm's p, and the verdict.

    `verdict`: high | usual | few (could not be significant, whatever had been observed).
    """

    p: float
    adjusted: float
    verdict: str


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ B(n, p)."""
    return min(1.0, sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(k, 0), n + 1)))


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Rate:
    """Exact interval of a share (Biometrika 26, 1934); (0, 1) for nothing observed."""
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else _root(lambda p: binomial_tail(k, n, p) - tail)
    high = 1.0 if k == n else _root(lambda p: tail - (1 - binomial_tail(k + 1, n, p)))
    return Rate(k, n, low, high)


def _root(increasing: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)
    return (low + high) / 2


def fisher_tail(k: int, n: int, others_k: int, others_n: int) -> float:
    """P(at least k of his n) when all k + others_k were spread by chance over n + others_n."""
    hits, total = k + others_k, n + others_n
    most = min(n, hits)
    ways = sum(comb(hits, i) * comb(total - hits, n - i) for i in range(k, most + 1))
    return ways / comb(total, n) if total else 1.0


def poisson_binomial_tail(k: int, chances: Sequence[float]) -> float:
    """P(X >= k) for a sum of independent yes/no events with these chances; exact convolution.

    Time grows with k x len(chances): only sums below k are kept apart.
    """
    if k <= 0:
        return 1.0
    if k > len(chances):
        return 0.0
    below = [1.0] + [0.0] * (k - 1)  # P(sum so far = i), i < k
    beyond = 0.0
    for p in chances:
        beyond += below[-1] * p
        for i in range(k - 1, 0, -1):
            below[i] = below[i] * (1 - p) + below[i - 1] * p
        below[0] *= 1 - p
    return min(1.0, beyond)


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted p in the order given: the step-down procedure, valid under any dependence."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted, highest = [1.0] * len(values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = highest
    return adjusted


def judge(tests: Sequence[tuple[float, float]], alpha: float = ALPHA) -> list[Judged]:
    """A family of (p, smallest p that could have been observed).

    Cases that can never reach `alpha / number of cases` say "few" and are not counted in the family
    (Tarone's method, Biometrics 46, 1990: what cannot reject costs nothing).
    """
    size = len(tests)
    testable = list(range(size))
    for bound in range(1, size + 1):
        testable = [i for i, (_, least) in enumerate(tests) if least * bound <= alpha]
        if len(testable) <= bound:
            break
    adjusted = holm([tests[i][0] for i in testable])
    known = dict(zip(testable, adjusted, strict=True))
    return [
        Judged(p, known.get(i, 1.0), _verdict(known.get(i), alpha))
        for i, (p, _) in enumerate(tests)
    ]


def _verdict(adjusted: float | None, alpha: float) -> str:
    if adjusted is None:
        return "few"
    return "high" if adjusted < alpha else "usual"


def operators(counts: Sequence[tuple[int, int]], alpha: float = ALPHA) -> list[Judged]:
    """Each operator's (k, n) held against all the others together, one-sided: too many?"""
    whole_k, whole_n = sum(k for k, _ in counts), sum(n for _, n in counts)
    tests = []
    for k, n in counts:
        rest = (whole_k - k, whole_n - n)
        most = min(n, whole_k)
        least = fisher_tail(most, n, whole_k - most, whole_n - n) if rest[1] else 1.0
        tests.append((fisher_tail(k, n, *rest) if rest[1] else 1.0, least))
    return judge(tests, alpha)


def shares(cases: Sequence[tuple[int, Sequence[float]]], alpha: float = ALPHA) -> list[Judged]:
    """Each person's (times drawn, chance of each draw), one-sided: drawn too often?"""
    tests = []
    for drawn, chances in cases:
        possible = sum(1 for p in chances if p > 0)
        least = poisson_binomial_tail(possible, chances) if possible else 1.0
        tests.append((poisson_binomial_tail(drawn, chances), least))
    return judge(tests, alpha)
