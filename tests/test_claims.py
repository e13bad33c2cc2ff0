import pandas as pd

from mid_core.claims import claims_table


def table(**psnr):
    """A paper's table of one test and two protocols; the second must not be read."""
    rows = [
        {"label": label, "test": "t", "protocol": protocol, "psnr_db": value}
        for protocol, wrong in (("p", 0), ("q", 50))
        for label, value in psnr.items()
        for value in [value + wrong]
    ]
    return pd.DataFrame(rows)


PAPER = {
    "components": table(**{"MID": 37.8, "without masks": 28.0}),
    "by_round": table(
        **{"mid 0": 36.1, "mid 1": 37.4, "mid 2": 37.8, "mid 3": 37.8, "short 0": 1}
    ),
    "ensemble": table(**{"K = 1": 37.47, "K = 10": 37.8, "K = 20": 37.82}),
    "ratios": table(**{"0 %": 28.0, "20 %": 31.0, "80 %": 36.1}),
    "inpainting": table(**{"80 %": 35.4}),
    "realism": pd.DataFrame(
        {
            "bank": ["true noise", "N_0", "N_1", "N_2"],
            "patch_kl_nats": [-0.01, 5.0, 0.2, 0.1],
        }
    ),
}
REFUTED = {
    "components": table(**{"MID": 33.0, "without masks": 33.5}),
    "by_round": table(
        **{"mid 0": 33.5, "mid 1": 34.4, "long 0": 33, "long 1": 34, "long 2": 35}
    ),
    "ensemble": table(**{"K = 1": 31.0, "K = 10": 33.0, "K = 20": 33.3}),
    "ratios": table(**{"20 %": 34.0, "80 %": 33.9}),
    "inpainting": table(**{"80 %": 35.0}),
    "realism": pd.DataFrame(
        {
            "bank": ["true noise", "N_0", "N_1", "N_2"],
            "patch_kl_nats": [-0.01, 5.0, 0.1, 0.2],
        }
    ),
}


def test_each_claim_can_come_out_either_way():
    assert set(claims_table(PAPER, 200_000)["holds"]) == {"yes"}
    assert set(claims_table(REFUTED, 200_000)["holds"]) == {"no"}
    assert set(claims_table(REFUTED, 3000)["holds"]) == {"not at this budget"}


def test_what_was_not_measured_is_not_judged():
    assert set(claims_table({}, 3000)["holds"]) == {"not measured"}
    short = {"by_round": table(**{"mid 0": 33.0})}
    assert set(claims_table(short, 3000)["holds"]) == {"not measured"}


def test_the_numbers_are_told():
    found = claims_table(PAPER, 200_000).set_index("claim")["measured"]
    assert found["Refining the noise brings about 1.7 dB"] == (
        "+1.70 dB from round 0 to round 3"
    )
    assert found["It almost saturates at K = 10"] == "+0.02 dB from K = 10 to 20"
    assert found["Low mask ratios in the first round overfit"] == (
        "80 % hidden: +5.10 dB over 20 %"
    )
