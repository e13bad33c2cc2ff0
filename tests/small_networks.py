"""Every network, small: by the examples among its keys."""

from mid_config.registry import keys, networks


def small(name: str) -> dict:
    """Settings of a small network."""
    known = keys(f"networks/{name}")
    own = {k: one["examples"][0] for k, one in known.items() if "examples" in one}
    settings = {"name": name, **own}
    return settings | {"pixel_unshuffle": 2} if name in MIDS else settings


# Those that MID trains, which may see a mask; the rest are of the compared methods.
MIDS = [name for name in networks() if "pixel_unshuffle" in keys(f"networks/{name}")]
# The configs of the tests have NAFNet as their own.
OTHERS = [name for name in MIDS if name != "nafnet"]
