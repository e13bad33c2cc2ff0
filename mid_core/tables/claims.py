"""What the paper claims in its text, beside what was measured: nothing is taken as true.

Every claim is a rule on one table; what the rule says is the verdict. Numbers are of
the table's first test and protocol, means over images and seeds.
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
# Two networks of one quality, by two seeds, differ by as much.
ON_PAR_DB = 0.3
# Whoever is so far below the same network trained on true noise does poorly.
POOR_DB = 1.0


class Claim(NamedTuple):
    """A claim of the paper: section, words, the table that tells, and how it judges."""

    where: str
    text: str
    table: str
    judge: Callable[[pd.DataFrame], Found]


def _first(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table's first test, source and protocol."""
    keys = [key for key in ("of", "test", "source", "protocol") if key in table]
    return table[(table[keys] == table.iloc[0][keys]).all(axis=1)]


def _psnr(table: pd.DataFrame) -> pd.Series:
    """A table's PSNR in dB by what its rows are called."""
    name = "label" if "label" in table else "method"
    return _first(table).set_index(name)["psnr_db"]


def _of(table: pd.DataFrame) -> str:
    """Say what a table's numbers are of."""
    rows = _first(table)
    one = rows.iloc[0]
    if "pool" in table:
        return (
            f"banks of {one['variant']}; noise of {one['pool']}, n = {one['n_images']}"
        )
    test = one["test"] if "test" in table else one["of"]
    # Published numbers beside them, which tell neither, make these columns floats.
    seeds = f"{rows['seeds'].max():.0f} seed(s)"
    return f"{test}, n = {one['n_images']:.0f}, {one['protocol']}, {seeds}"


def _white_noise(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if "true noise, no mask" not in psnr:
        return None
    white, true = psnr["white noise, no mask"], psnr["true noise, no mask"]
    text = f"{white:.2f} dB; the same network trained on true noise {true:.2f} dB"
    return text, true - white > POOR_DB


def _gap(table: pd.DataFrame) -> Found:
    nats = table.assign(mask_ratio=table["mask_ratio"].round(2))
    nats = nats.pivot(index="mask_ratio", columns="bank", values="gap_nats")
    if "N_0" not in nats:
        return None
    whole, masked, floor = nats["N_0"][0], nats["N_0"][0.8], nats["floor"][0]
    text = f"N_0: {whole:.3f} nats, {masked:.3f} at 80 % hidden; floor {floor:.3f}"
    return text, whole - masked > abs(floor)


def _masking(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    gain = psnr["MID"] - psnr["without masks"]
    return f"masks bring {gain:+.2f} dB", gain > NOTHING_DB


def _rounds(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The PSNR of each variant's rounds, in their order; the paper's variant first."""
    psnr = _psnr(table)
    variants = psnr.index.astype(str).str.rsplit(" ", n=1).str[0]
    return dict(list(psnr.groupby(variants, sort=False)))


def _refinement(table: pd.DataFrame) -> Found:
    psnr = next(iter(_rounds(table).values()))
    if len(psnr) < 2:
        return None
    gain = psnr.iloc[-1] - psnr.iloc[0]
    text = f"{gain:+.2f} dB from round 0 to round {len(psnr) - 1}"
    return text, abs(gain - 1.7) <= ABOUT_REFINEMENT


def _stagnation(table: pd.DataFrame) -> Found:
    rounds = _rounds(table)
    variant = max(rounds, key=lambda v: len(rounds[v]))
    if len(rounds[variant]) < 3:
        return None
    gains = rounds[variant].diff().dropna()
    listed = ", ".join(f"{gain:+.2f}" for gain in gains)
    holds = gains.iloc[0] > NOTHING_DB >= gains.iloc[-1]
    return f"gains of '{variant}' by round: {listed} dB", holds


def _networks(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    is_nafnet = psnr.index.str.startswith("nafnet")
    own, others = psnr[is_nafnet], psnr[~is_nafnet]
    if own.empty or others.empty:
        return None
    listed = (f"{name} {value:.2f}" for name, value in [*own.items(), *others.items()])
    return f"{', '.join(listed)} dB", own.max() - others.max() > NOTHING_DB


def _ensemble(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if not {"K = 1", "K = 10"} <= set(psnr.index):
        return None
    gain = psnr["K = 10"] - psnr["K = 1"]
    return f"{gain:+.2f} dB from K = 1 to 10", abs(gain - 0.33) <= ABOUT_ENSEMBLE


def _saturation(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if not {"K = 1", "K = 10", "K = 20"} <= set(psnr.index):
        return None
    gains = psnr["K = 10"] - psnr["K = 1"], psnr["K = 20"] - psnr["K = 10"]
    text = "{:+.2f} dB from K = 1 to 10, {:+.2f} dB from 10 to 20".format(*gains)
    # What never gained has nothing to saturate.
    return text, gains[0] > NOTHING_DB >= abs(gains[1])


def _low_ratios(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    low = [label for label in psnr.index if float(label.split()[0]) <= 20]
    if not low or "80 %" not in psnr:
        return None
    best = psnr[low].idxmax()
    gain = psnr["80 %"] - psnr[best]
    return f"80 % hidden: {gain:+.2f} dB over {best}", gain > NOTHING_DB


def _inpainting(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if "80 %" not in psnr:
        return None
    return f"{psnr['80 %']:.2f} dB at 80 % hidden", psnr["80 %"] > 35


def _harder(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if len(psnr) < 2:
        return None
    text = ", ".join(f"{label} {value:.2f}" for label, value in psnr.items())
    return f"{text} dB", psnr.diff().dropna().lt(0).all()


def _realism(table: pd.DataFrame) -> Found:
    far = table.set_index("bank")["kl_nats"]
    floor, banks = far["true noise"], far.drop("true noise")
    if len(banks) < 2:
        return None
    text = ", ".join(f"{bank} {value:.3f}" for bank, value in banks.items())
    closer = banks.diff().dropna().lt(0).all()
    return f"KL of single samples (nats): {text}; floor {floor:.3f}", closer


def _families(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """PSNR by method, and the category of each."""
    first = _first(table).dropna(subset=["psnr_db"]).set_index("method")
    return first["psnr_db"], first["category"]


def _self_supervised(table: pd.DataFrame) -> Found:
    psnr, category = _families(table)
    others = psnr[category == "self-supervised"]
    rival = others[others.index.str.startswith("AT-BSN")]
    rest = others.drop(rival.index)
    if rival.empty or rest.empty:
        return None
    gains = psnr["MID"] - rival.max(), psnr["MID"] - rest.max()
    text = f"{gains[0]:+.2f} dB over {rival.idxmax()}, {gains[1]:+.2f} over {rest.idxmax()}"
    return text, gains[0] > -ON_PAR_DB and gains[1] > 0


def _supervised(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    if "DnCNN" not in psnr or pd.isna(psnr["DnCNN"]):
        return None
    gain = psnr["MID"] - psnr["DnCNN"]
    return f"{gain:+.2f} dB over DnCNN on pairs", gain > -ON_PAR_DB


def _distilled(table: pd.DataFrame) -> Found:
    psnr = _psnr(table)
    rival = psnr[psnr.index.str.startswith("AT-BSN")].dropna()
    if rival.empty or "MID, distilled" not in psnr:
        return None
    gain = psnr["MID, distilled"] - rival.max()
    return f"{gain:+.2f} dB over {rival.idxmax()}", gain > 0


CLAIMS = (
    Claim(
        "3.1",
        "White noise trains poor denoisers of real noise",
        "comparison",
        _white_noise,
    ),
    Claim("3.2", "Masks shrink the gap between synthetic and real inputs", "gap", _gap),
    Claim("3.3", "Inpainting gets worse, the more is hidden", "inpainting", _harder),
    Claim("3.3", "Inpainting at 80 % hidden is above 35 dB", "inpainting", _inpainting),
    Claim("3.4", "Noise samples become more realistic by round", "realism", _realism),
    Claim(
        "5.1", "Masking is needed: training overfits without it", "components", _masking
    ),
    Claim(
        "4",
        "On par with AT-BSN, above other self-supervised methods",
        "comparison",
        _self_supervised,
    ),
    Claim("4", "Comparable with DnCNN trained on pairs", "comparison", _supervised),
    Claim("5.1", "Refining the noise brings about 1.7 dB", "by_round", _refinement),
    Claim("5.1", "Averaging predictions brings about 0.33 dB", "ensemble", _ensemble),
    Claim("5.2", "Low mask ratios in the first round overfit", "ratios", _low_ratios),
    Claim("5.3", "Further rounds stop gaining", "by_round", _stagnation),
    Claim("5.4", "NAFNet does better than weaker networks", "networks", _networks),
    Claim("5.5", "It almost saturates at K = 10", "ensemble", _saturation),
    Claim("C", "Distilled, it outperforms AT-BSN", "comparison", _distilled),
)
# Section, claim, and why no table here can tell.
BEYOND = (
    ("4", "About 1.3 dB above other unpaired methods on SIDD", "their networks"),
    ("B", "More detail than other unsupervised methods", "their pictures, and eyes"),
)


def claims_table(tables: Tables, steps: int) -> pd.DataFrame:
    """Judge every claim.

    Parameters
    ----------
    tables
        By name: ``components``, ``by_round``, ``ensemble``, ``ratios``, ``inpainting``,
        ``networks`` as ``paper.paper_table`` makes them, ``comparison``,
        ``realism`` and ``gap``; any may be missing.
    steps
        Of a training; the paper takes 200 000.

    Returns
    -------
    ``section``, ``claim``, ``measured``, ``of`` (test or banks, n, protocol), ``holds``:
    "yes"; "no", or "not at this budget" for fewer steps than the paper's; "not measured".
    """
    refuted = "no" if steps >= 200_000 else "not at this budget"
    rows = []
    for claim in CLAIMS:
        table = tables.get(claim.table)
        found = None if table is None else claim.judge(table)
        if found is None:
            rows.append((claim.where, claim.text, "–", "–", "not measured"))
            continue
        measured, holds = found
        verdict = "yes" if holds else refuted
        rows.append((claim.where, claim.text, measured, _of(table), verdict))
    rows += [(*one[:2], f"needs {one[2]}", "–", "not measured") for one in BEYOND]
    return pd.DataFrame(rows, columns=["section", "claim", "measured", "of", "holds"])
