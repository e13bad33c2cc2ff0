import pandas as pd

from mid_core.tables.claims import BEYOND, claims_table

ABOUT = {"test": "t", "n_images": 5, "seeds": 2}


def table(**psnr):
    """A paper's table of one test and two protocols; the second must not be read."""
    rows = [
        {"label": label, "psnr_db": value, **ABOUT, "protocol": protocol}
        for protocol, wrong in (("p", 0), ("q", 50))
        for label, value in psnr.items()
        for value in [value + wrong]
    ]
    return pd.DataFrame(rows)


def compared(**psnr):
    """Table 1: what was measured here, then what others published."""
    own = table(**psnr).rename(columns={"label": "method", "test": "of"})
    own["category"] = own["method"].map(CATEGORIES)
    unknown = dict.fromkeys(("seeds", "n_images"), float("nan"))
    others = own.assign(source="another paper", psnr_db=0, **unknown)
    return pd.concat([own.assign(source="measured here"), others])


CATEGORIES = {"AT-BSN": "self-supervised", "AP-BSN": "self-supervised"}
CATEGORIES |= {"MID": "unpaired", "DnCNN": "supervised"}


def banks(**nats):
    rows = {"bank": ["true noise", *nats], "kl_nats": [0.001, *nats.values()]}
    return pd.DataFrame(rows).assign(variant="v", pool="noisy", n_images=4)


def gaps(masked):
    rows = [
        ("floor", 0, 0.04),
        ("floor", 0.8, 0.01),
        ("N_0", 0, 6),
        ("N_0", 0.8, masked),
    ]
    table = pd.DataFrame(rows, columns=["bank", "mask_ratio", "gap_nats"])
    return table.assign(variant="v", pool="noisy", n_images=4)


WHITE, TRUE = "white noise, no mask", "true noise, no mask"
PAPER = {
    "comparison": compared(
        **{"noisy input": 24.0, WHITE: 28.0, TRUE: 39.0, "MID": 37.8},
        **{"MID, distilled": 37.95, "AT-BSN": 37.9, "AP-BSN": 36.0, "DnCNN": 38.0},
    ),
    "components": table(**{"MID": 37.8, "without masks": 28.0}),
    "by_round": table(
        **{"mid 0": 36.1, "mid 1": 37.4, "mid 2": 37.8, "mid 3": 37.8, "short 0": 1}
    ),
    "networks": table(nafnet=37.8, nafnet_16=36.0, unet=37.0, dncnn=36.5),
    "ensemble": table(**{"K = 1": 37.47, "K = 10": 37.8, "K = 20": 37.82}),
    "ratios": table(**{"0 %": 28.0, "20 %": 31.0, "80 %": 36.1}),
    "inpainting": table(**{"20 %": 45.0, "80 %": 35.4}),
    "realism": banks(N_0=5.0, N_1=0.2, N_2=0.1),
    "gap": gaps(0.4),
}
REFUTED = {
    "comparison": compared(
        **{"noisy input": 24.0, WHITE: 38.5, TRUE: 39.0, "MID": 35.8},
        **{"MID, distilled": 36.0, "AT-BSN": 36.1, "AP-BSN": 36.0, "DnCNN": 36.2},
    ),
    "components": table(**{"MID": 33.0, "without masks": 33.5}),
    "by_round": table(
        **{"mid 0": 33.5, "mid 1": 34.4, "long 0": 33, "long 1": 34, "long 2": 35}
    ),
    "networks": table(nafnet=37.8, unet=37.9),
    "ensemble": table(**{"K = 1": 31.0, "K = 10": 33.0, "K = 20": 33.3}),
    "ratios": table(**{"20 %": 34.0, "80 %": 33.9}),
    "inpainting": table(**{"20 %": 34.0, "80 %": 35.0}),
    "realism": banks(N_0=5.0, N_1=0.1, N_2=0.2),
    "gap": gaps(5.98),
}


def verdicts(tables, steps):
    """What the rules say; the claims for which there is none come last."""
    found = list(claims_table(tables, steps)["holds"])
    assert found[-len(BEYOND) :] == ["not measured"] * len(BEYOND)
    return set(found[: -len(BEYOND)])


def test_each_claim_can_come_out_either_way():
    assert verdicts(PAPER, 200_000) == {"yes"}
    assert verdicts(REFUTED, 200_000) == {"no"}
    assert verdicts(REFUTED, 3000) == {"not at this budget"}


def test_what_was_not_measured_is_not_judged():
    assert verdicts({}, 3000) == {"not measured"}
    short = {"by_round": table(**{"mid 0": 33.0})}
    assert verdicts(short, 3000) == {"not measured"}
    few = {
        "networks": table(nafnet=37.8, nafnet_16=36.0),
        "inpainting": table(**{"20 %": 45.0}),
        "realism": banks(N_0=5.0),
        "comparison": compared(**{WHITE: 28.0}),
    }
    assert verdicts(few, 3000) == {"not measured"}


def test_what_masks_never_brought_does_not_saturate():
    flat = {"ensemble": table(**{"K = 1": 33.0, "K = 10": 33.0, "K = 20": 33.0})}
    found = claims_table(flat, 200_000).set_index("claim")["holds"]
    assert found["It almost saturates at K = 10"] == "no"


def test_the_numbers_are_told():
    found = claims_table(PAPER, 200_000).set_index("claim")["measured"]
    assert found["Refining the noise brings about 1.7 dB"] == (
        "+1.70 dB from round 0 to round 3"
    )
    assert found["It almost saturates at K = 10"] == (
        "+0.33 dB from K = 1 to 10, +0.02 dB from 10 to 20"
    )
    assert found["Low mask ratios in the first round overfit"] == (
        "80 % hidden: +5.10 dB over 20 %"
    )


def test_each_number_is_of_something():
    found = claims_table(PAPER, 200_000).set_index("claim")["of"]
    first = "t, n = 5, p, 2 seed(s)"
    assert found["Low mask ratios in the first round overfit"] == first
    assert found["White noise trains poor denoisers of real noise"] == first
    banks = "banks of v; noise of noisy, n = 4"
    assert found["Noise samples become more realistic by round"] == banks
    assert found["About 1.3 dB above other unpaired methods on SIDD"] == "–"
