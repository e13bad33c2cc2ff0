import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.scores import mean_scores, over_seeds, score_text


def scores(psnr, k=(1, 10), protocol="p", images=("a", "b"), content="c0", split="s"):
    return pd.DataFrame(
        {
            "dataset": "SIDD",
            "split": split,
            "test": "t",
            "content": content,
            "image": image,
            "k": one,
            "mask_ratio": 0.8,
            "psnr_db": psnr + i + one / 10,
            "ssim": 0.5,
            "noisy_psnr_db": 20.0 + i,
            "noisy_ssim": 0.25,
            "protocol": protocol,
            "seed": 0,
        }
        for i, image in enumerate(images)
        for one in k
    )


def test_means_by_hand():
    found = mean_scores(scores(30))
    assert list(found["k"]) == [1, 10]
    assert list(found["psnr_db"]) == [30.6, 31.5]
    assert list(found["n_images"]) == [2, 2]
    both = mean_scores(pd.concat([scores(30), scores(33, protocol="q")]))
    assert list(both["protocol"]) == ["p", "p", "q", "q"]
    assert list(both["psnr_db"]) == [30.6, 31.5, 33.6, 34.5]
    with pytest.raises(MidError, match=r"differ in their content .c0 and c1."):
        mean_scores(pd.concat([scores(30), scores(30, content="c1")]))


def test_means_and_deviations_over_seeds():
    seeds = [mean_scores(scores(psnr)).assign(seed=psnr) for psnr in (30, 31, 35)]
    found = over_seeds(pd.concat(seeds), ["test", "k"])
    assert list(found["k"]) == [1, 10]
    # Of 30.6, 31.6 and 35.6: deviations -2, -1 and 3 make a variance of 7.
    assert found["psnr_db"].iloc[0] == pytest.approx(32.6)
    assert found["psnr_sd"].iloc[0] == pytest.approx(7**0.5)
    assert list(found["seeds"]) == [3, 3]
    alone = over_seeds(seeds[0], ["test", "k"])
    assert alone["psnr_sd"].isna().all()


def test_scores_as_texts():
    one = {"psnr_db": 36.505, "ssim": 0.9}
    assert score_text(one | {"psnr_sd": float("nan")}) == "36.51 / 0.900"
    several = one | {"psnr_sd": 0.707, "ssim_sd": 0.0004}
    assert score_text(several, "**") == "**36.51** ± 0.71 / 0.900 ± 0.000"
    assert score_text(one | {"ssim": float("nan")}) == "36.51 / –"
