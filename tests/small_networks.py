"""Every network, small: by the examples among its keys."""

from mid_config.registry import keys, networks


def small(name: str) -> dict:
    """Settings of a small network."""
    own = {
        k: one["examples"][0]
        for k, one in keys(f"networks/{name}").items()
        if "examples" in one
    }
    return {"name": name, **own, "pixel_unshuffle": 2}


# The configs of the tests have NAFNet as their own.
OTHERS = [name for name in networks() if name != "nafnet"]
