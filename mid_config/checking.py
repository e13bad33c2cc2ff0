"""What a schema cannot see: names that mean nothing, and settings that clash."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mid_config.loading import ConfigError, merge

RESERVED = {"awgn", "benchmarks", "data", "figures", "logs", "submissions"}
RESERVED |= {"tables", "truth"}
POOL_ROLES = ("clean", "noisy")


def has_truth(pool: Mapping) -> bool:
    """Whether a pool with these settings knows the clean partners of its images."""
    if pool["reader"] == "dnd":
        return False
    return pool.get("part") in ("noisy", "test", "validation") or "truth" in pool


def split_settings(pool: Mapping) -> dict | None:
    """What two pools have in common that are the sides of one split."""
    own = {"part", "crop", "crops", "broken", "level", "sides"}
    shared = {name: value for name, value in pool.items() if name not in own}
    return shared if "split" in pool else None


def _check_unpaired(where: str, clean: Mapping, noisy: Mapping) -> None:
    """Refuse two pools of one data set that may show the same scenes."""
    unsplit = ("camera", "folders")
    if clean["reader"] != noisy["reader"] or clean["reader"] in unsplit:
        return
    if Path(clean["path"]).absolute() != Path(noisy["path"]).absolute():
        return
    sides = [split_settings(pool) for pool in (clean, noisy)]
    if sides[0] is None or sides[0] != sides[1] or clean["part"] == noisy["part"]:
        raise ConfigError(
            f"{where}: its clean and its noisy pool are of one data set, {clean['path']}, "
            "but not the two sides of one split: give both the same path, split and "
            "choice of images, and different parts"
        )


def check_method(variant: str, method: Mapping, pools: Mapping) -> None:
    """Refuse what a schema cannot see, in the words of the config."""
    where = f"variant '{variant}'"
    for role in POOL_ROLES:
        if method[role] not in pools:
            raise ConfigError(
                f"{where}: method.{role} names the pool '{method[role]}', which is not "
                f"under 'pools' (there are: {', '.join(pools)})"
            )
    _check_unpaired(where, *(pools[method[role]] for role in POOL_ROLES))
    if method["first_bank"] == "true_noise" and not has_truth(pools[method["noisy"]]):
        raise ConfigError(
            f"{where}: first_bank true_noise needs the truth of pool "
            f"'{method['noisy']}', which has none"
        )
    network = method["network"]
    if len(network["encoder"]) != len(network["decoder"]):
        raise ConfigError(
            f"{where}: network.encoder and network.decoder must be lists "
            "of one length: a number of blocks for each level"
        )
    ranges = {
        f"rounds.{k}.mask_ratio": one["mask_ratio"]
        for k, one in enumerate(method["rounds"])
    }
    ranges["evaluation.mask_ratio"] = method["evaluation"]["mask_ratio"]
    ranges["awgn.sigma"] = method["awgn"]["sigma"]
    for key, value in ranges.items():
        if isinstance(value, list) and value[0] > value[1]:
            raise ConfigError(f"{where}: {key} {value} must be [low, high]")
    first = merge(method["training"], method["rounds"][0].get("training", {}))
    patch = first["patch"]
    if method["first_bank"] == "awgn" and method["awgn"]["size"] < patch:
        raise ConfigError(
            f"{where}: awgn.size {method['awgn']['size']} is smaller than "
            f"training.patch {patch}"
        )


def check_names(config: Mapping) -> None:
    """Refuse names that mean nothing, or two things."""
    for variant in RESERVED & set(config["variants"]):
        raise ConfigError(
            f"variants.{variant}: results/<dataset>/{variant} holds "
            "something else; choose another name"
        )
    if not config["variants"]:
        raise ConfigError("variants: at least one is needed, e.g. 'mid: {}'")
    pools = config["pools"]
    for test in config["tests"]:
        if test not in pools or not has_truth(pools[test]):
            raise ConfigError(f"tests: '{test}' must be a pool with a truth")
    for name, one in config["submissions"].items():
        pool = pools.get(one["pool"], {})
        wanted = (
            ("dnd", "test") if one["format"] == "dnd" else ("sidd_blocks", "benchmark")
        )
        if (pool.get("reader"), pool.get("part")) != wanted:
            raise ConfigError(
                f"submissions.{name}: pool '{one['pool']}' does not hold the images of "
                f"the format {one['format']}: name a pool of the reader {wanted[0]}, "
                f"part {wanted[1]}"
            )
    named = [*(config["tables"]["rounds"] or []), config["figures"]["variant"]]
    named += [one["variant"] for one in config["submissions"].values()]
    for variant in named:
        if variant is not None and variant not in config["variants"]:
            raise ConfigError(
                f"'{variant}' is asked for by a table or figure but is "
                f"not a variant (there are: {', '.join(config['variants'])})"
            )


def check_protocols(methods: Mapping[str, Mapping], table: Sequence[str]) -> None:
    """Refuse a table of variants that are scored in different ways."""
    found = {v: sorted(methods[v]["evaluation"]["protocols"]) for v in table}
    for variant, protocols in found.items():
        if protocols != found[table[0]]:
            raise ConfigError(
                f"variants.{variant}: its evaluation.protocols {protocols} are not those "
                f"of '{table[0]}', {found[table[0]]}, beside which tables.rounds has it"
            )
