"""What the paper claims in its text, beside what was measured: nothing is taken as true.

Every claim is a rule on the tables; what the rule says is the verdict. Numbers are of
the first test and protocol, means over images and seeds.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

Tables = Mapping[str, pd.DataFrame]
# What was measured, and whether the claim holds; None where it was not measured.
Found = tuple[str, bool] | None

# How far from the paper's number "about" reaches, in dB.
ABOUT_REFINEMENT, ABOUT_ENSEMBLE = 0.5, 0.15
# Gains below this are none: two seeds of a small network differ by as much.
NOTHING_DB = 0.1


class Claim(NamedTuple):
    """A claim of the paper: where it stands, its words, and the rule that judges it."""

    where: str
    text: str
    judge: Callable[[Tables], Found]


def _psnr(tables: Tables, name: str) -> pd.Series:
    """A table's PSNR in dB by label, of its first test and protocol; empty: no table."""
    if name not in tables:
        return pd.Series(dtype=float)
    table = tables[name]
    first = table.iloc[0]
    own = (table["test"] == first["test"]) & (table["protocol"] == first["protocol"])
    return table[own].set_index("label")["psnr_db"]


def _masking(tables: Tables) -> Found:
    psnr = _psnr(tables, "components")
    if "without masks" not in psnr:
        return None
    gain = psnr["MID"] - psnr["without masks"]
    return f"masks bring {gain:+.2f} dB", gain > NOTHING_DB


def _rounds(tables: Tables) -> dict[str, pd.Series]:
    """The PSNR of each variant's rounds, in their order; the paper's variant first."""
    psnr = _psnr(tables, "by_round")
    variants = psnr.index.astype(str).str.rsplit(" ", n=1).str[0]
    return dict(list(psnr.groupby(variants, sort=False)))


def _refinement(tables: Tables) -> Found:
    psnr = next(iter(_rounds(tables).values()), ())
    if len(psnr) < 2:
        return None
    gain = psnr.iloc[-1] - psnr.iloc[0]
    text = f"{gain:+.2f} dB from round 0 to round {len(psnr) - 1}"
    return text, abs(gain - 1.7) <= ABOUT_REFINEMENT


def _stagnation(tables: Tables) -> Found:
    rounds = _rounds(tables)
    variant = max(rounds, key=lambda v: len(rounds[v]), default=None)
    if variant is None or len(rounds[variant]) < 3:
        return None
    gains = rounds[variant].diff().dropna()
    listed = ", ".join(f"{gain:+.2f}" for gain in gains)
    holds = gains.iloc[0] > NOTHING_DB >= gains.iloc[-1]
    return f"gains of '{variant}' by round: {listed} dB", holds


def _ensemble(tables: Tables) -> Found:
    psnr = _psnr(tables, "ensemble")
    if not {"K = 1", "K = 10"} <= set(psnr.index):
        return None
    gain = psnr["K = 10"] - psnr["K = 1"]
    return f"{gain:+.2f} dB from K = 1 to 10", abs(gain - 0.33) <= ABOUT_ENSEMBLE


def _saturation(tables: Tables) -> Found:
    psnr = _psnr(tables, "ensemble")
    if not {"K = 10", "K = 20"} <= set(psnr.index):
        return None
    gain = psnr["K = 20"] - psnr["K = 10"]
    return f"{gain:+.2f} dB from K = 10 to 20", gain <= NOTHING_DB


def _low_ratios(tables: Tables) -> Found:
    psnr = _psnr(tables, "ratios")
    low = [label for label in psnr.index if float(label.split()[0]) <= 20]
    if not low or "80 %" not in psnr:
        return None
    best = psnr[low].idxmax()
    gain = psnr["80 %"] - psnr[best]
    return f"80 % hidden: {gain:+.2f} dB over {best}", gain > NOTHING_DB


def _inpainting(tables: Tables) -> Found:
    psnr = _psnr(tables, "inpainting")
    if "80 %" not in psnr:
        return None
    return f"{psnr['80 %']:.2f} dB at 80 % hidden", psnr["80 %"] > 35


def _realism(tables: Tables) -> Found:
    if "realism" not in tables:
        return None
    far = tables["realism"].set_index("bank")["patch_kl_nats"]
    floor, banks = far["true noise"], far.drop("true noise")
    text = ", ".join(f"{bank} {value:.2f}" for bank, value in banks.items())
    closer = banks.is_monotonic_decreasing and banks.is_unique
    return f"KL of patches (nats): {text}; floor {floor:.2f}", closer


CLAIMS = (
    Claim("5.1", "Masking is needed: training overfits without it", _masking),
    Claim("5.1", "Refining the noise brings about 1.7 dB", _refinement),
    Claim("5.3", "Further rounds stop gaining", _stagnation),
    Claim("5.1", "Averaging predictions brings about 0.33 dB", _ensemble),
    Claim("5.5", "It almost saturates at K = 10", _saturation),
    Claim("5.2", "Low mask ratios in the first round overfit", _low_ratios),
    Claim("3.3", "Inpainting at 80 % hidden is above 35 dB", _inpainting),
    Claim("3.4", "Noise samples become more realistic by round", _realism),
)


def claims_table(tables: Tables, steps: int) -> pd.DataFrame:
    """Judge every claim.

    Parameters
    ----------
    tables
        By name: ``components``, ``by_round``, ``ensemble``, ``ratios``, ``inpainting``
        as ``paper_tables.paper_table`` makes them, and ``realism``; any may be missing.
    steps
        Of a training; the paper takes 200 000.

    Returns
    -------
    ``section``, ``claim``, ``measured``, ``holds``: "yes"; "no", or "not at this
    budget" for fewer steps than the paper's; "not measured".
    """
    refuted = "no" if steps >= 200_000 else "not at this budget"
    rows = []
    for claim in CLAIMS:
        found = claim.judge(tables)
        measured, holds = found or ("–", None)
        verdict = {True: "yes", False: refuted, None: "not measured"}
        holds = None if holds is None else bool(holds)
        rows.append((claim.where, claim.text, measured, verdict[holds]))
    return pd.DataFrame(rows, columns=["section", "claim", "measured", "holds"])
