"""What a schema cannot see: names that mean nothing, and settings that clash."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mid_config.automatic import AUTO
from mid_config.errors import ConfigError
from mid_config.pools import POOL_ROLES, has_truth, split_settings
from mid_config.rounds import lessons, own_settings, parallelism

# The folders beside those of the variants, in results/<dataset>.
FOLDERS = {"awgn", "baselines", "benchmarks", "data", "figures", "logs"}
FOLDERS |= {"measured", "submissions", "tables"}


def _check_unpaired(
    where: str, clean: Mapping[str, Any], noisy: Mapping[str, Any]
) -> None:
    """Refuse two pools of one data set that may show the same scenes."""
    if clean == noisy:
        raise ConfigError(
            f"{where}: its clean and its noisy pool are the same images; noisy ones must "
            "not be learnt as clean: name other images under method.clean"
        )
    if clean["reader"] != noisy["reader"] or not {"path", "part"} <= clean.keys():
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


def _check_parallelism(where: str, method: Mapping[str, Any]) -> None:
    """Refuse a batch that cannot be shared out evenly, or not without a change."""
    for k in range(len(method["rounds"])):
        ways = parallelism(method, k)
        parts = ways["gpus"] * ways["gradient_accumulation"]
        batch = own_settings(method, "training", k)["batch_size"]
        what = f"gpus {ways['gpus']} x gradient_accumulation {ways['gradient_accumulation']}"
        if batch % parts:
            raise ConfigError(
                f"{where}: training.batch_size {batch} of round {k} cannot be cut into "
                f"{what} equal parts: choose a multiple of {parts}"
            )
        if parts > 1 and method["network"].get("norm") == "batch":
            raise ConfigError(
                f"{where}: network.norm batch looks at a whole batch, but training.{what}"
                " cuts it into parts: set both to 1, or norm to none"
            )


def _check_initial_noise(
    where: str,
    method: Mapping[str, Any],
    pools: Mapping[str, Any],
    known: Iterable[str],
) -> None:
    """Refuse a first bank that cannot be, and a teacher that is not asked for."""
    if method["initial_noise"] == "true_noise" and not has_truth(
        pools[method["noisy"]]
    ):
        raise ConfigError(
            f"{where}: initial_noise true_noise needs the truth of pool "
            f"'{method['noisy']}', which has none"
        )
    patch = own_settings(method, "training", 0)["patch_size"]
    drawn = method["initial_noise"] in ("awgn", "measured")
    if drawn and method["awgn"]["size"] < patch:
        raise ConfigError(
            f"{where}: awgn.size {method['awgn']['size']} is smaller than "
            f"training.patch_size {patch}"
        )
    if method["rounds"][0].get("taught"):
        raise ConfigError(
            f"{where}: rounds.0.taught has no round before it that could teach: take it "
            "away, or set initial_noise teacher and the key teacher"
        )
    teacher, wanted = method.get("teacher"), method["initial_noise"] == "teacher"
    if wanted != (teacher is not None):
        raise ConfigError(
            f"{where}: initial_noise teacher and the key teacher need each other: set both, "
            "or neither"
        )
    if teacher and teacher["variant"] not in known:
        raise ConfigError(
            f"{where}: teacher.variant '{teacher['variant']}' is no variant above it "
            f"(there are: {', '.join(known)})"
        )


def _check_held_out(
    where: str, method: Mapping[str, Any], pools: Mapping[str, Any]
) -> None:
    """Refuse held-out images without a truth, or of the training."""
    if "held_out" not in method:
        return
    pool = method["held_out"]["pool"]
    if pool not in pools or not has_truth(pools[pool]) or pool == method["clean"]:
        raise ConfigError(
            f"{where}: held_out.pool '{pool}' must be a pool with a truth, and not the "
            "training's own"
        )
    if any(lessons(method, k) for k in range(len(method["rounds"]))):
        raise ConfigError(
            f"{where}: a round that is taught trains on no clean images, so none can be "
            "held out: take held_out away"
        )


def _check_centred(where: str, method: Mapping[str, Any]) -> None:
    """Refuse differences to a local mean that hidden pixels would darken."""
    hides = any(one["mask_ratio"] != 0 for one in method["rounds"])
    if method["network"].get("centred") and hides and method["mask"]["fill"] != "mean":
        raise ConfigError(
            f"{where}: network.centred looks at differences to the local mean, which "
            f"hidden pixels of the value {method['mask']['fill']} would change: set "
            "mask.fill to mean, or network.centred to false"
        )


def check_method(
    variant: str,
    method: Mapping[str, Any],
    pools: Mapping[str, Any],
    known: Iterable[str],
) -> None:
    """Refuse what a schema cannot see; ``known`` are the variants above this one."""
    where = f"variant '{variant}'"
    for role in POOL_ROLES:
        if method[role] not in pools:
            raise ConfigError(
                f"{where}: method.{role} names the pool '{method[role]}', which is not "
                f"under 'pools' (there are: {', '.join(pools)})"
            )
    _check_unpaired(where, *(pools[method[role]] for role in POOL_ROLES))
    _check_initial_noise(where, method, pools, known)
    _check_held_out(where, method, pools)
    network = method["network"]
    if len(network.get("encoder", ())) != len(network.get("decoder", ())):
        raise ConfigError(
            f"{where}: network.encoder and network.decoder must be lists "
            "of one length: a number of blocks for each level"
        )
    _check_centred(where, method)
    ranges = {
        f"rounds.{k}.mask_ratio": one["mask_ratio"]
        for k, one in enumerate(method["rounds"])
    }
    ranges["evaluation.mask_ratio"] = method["evaluation"]["mask_ratio"]
    for k, one in enumerate(method["rounds"]):
        if one["mask_ratio"] == AUTO and (k or lessons(method, 0)):
            raise ConfigError(
                f"{where}: rounds.{k}.mask_ratio cannot be auto: only that of round 0 is "
                "chosen by trials, unless it is taught; give a number"
            )
    ranges["awgn.sigma"] = method["awgn"]["sigma"]
    for key, value in ranges.items():
        if isinstance(value, list) and value[0] > value[1]:
            raise ConfigError(f"{where}: {key} {value} must be [low, high]")
    _check_parallelism(where, method)


def _check_folders(
    section: str, taken: Iterable[str], config: Mapping[str, Any]
) -> None:
    """Refuse two names that are one folder: some disks do not tell `a` from `A`."""
    seen = {folder: f"results/<dataset>/{folder} of the workflow" for folder in taken}
    for name in config[section]:
        if (other := seen.get(name.lower())) is not None:
            raise ConfigError(
                f"{section}.{name}: its folder would be {other}; choose another name"
            )
        seen[name.lower()] = f"that of '{name}'"


def _check_logs(rounds: Mapping[str, int], pools: Iterable[str]) -> None:
    """Refuse names that, joined by ``_``, give two jobs one log."""
    seen: dict[str, tuple[str, str]] = {}
    for variant, pool in itertools.product(rounds, pools):
        for k in range(rounds[variant]):
            name = f"{variant}_{k}_{pool}"
            other = seen.setdefault(name, (variant, pool))
            if other != (variant, pool):
                raise ConfigError(
                    f"{variant}: its log on pool '{pool}' would be that of "
                    f"'{other[0]}' on pool '{other[1]}', {name}.log; rename one of them"
                )


def check_compared(
    name: str, entry: Mapping[str, Any], pools: Mapping[str, Any]
) -> None:
    """Refuse a compared method whose pools or truths are not there."""
    where = f"compared.{name}"
    for role in (*POOL_ROLES, "pairs"):
        if role in entry and entry[role] not in pools:
            raise ConfigError(
                f"{where}: {role} names the pool '{entry[role]}', which is not under "
                f"'pools' (there are: {', '.join(pools)})"
            )
    if "pairs" in entry and not has_truth(pools[entry["pairs"]]):
        raise ConfigError(
            f"{where}: pairs names the pool '{entry['pairs']}', which has no truth"
        )


def check_names(config: Mapping[str, Any], rounds: Mapping[str, int]) -> None:
    """Refuse names that mean nothing, or two things.

    Parameters
    ----------
    config
        As ``load_config`` returns it.
    rounds
        How many each variant and each compared method has.
    """
    for section in ("pools", "submissions"):
        _check_folders(section, (), config)
    _check_folders("variants", FOLDERS, config)
    _check_folders(
        "compared", FOLDERS | {v.lower() for v in config["variants"]}, config
    )
    _check_logs(rounds, config["pools"])
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
    for key in ("choices", "compared"):
        named += config.get("paper", {}).get(key, [])
    for variant in named:
        if variant is not None and variant not in config["variants"]:
            raise ConfigError(
                f"'{variant}' is asked for by a table or figure but is "
                f"not a variant (there are: {', '.join(config['variants'])})"
            )


def check_protocols(
    methods: Mapping[str, Mapping[str, Any]], table: Sequence[str]
) -> None:
    """Refuse a table of variants that are scored in different ways."""
    found = {v: sorted(methods[v]["evaluation"]["protocols"]) for v in table}
    for variant, protocols in found.items():
        if protocols != found[table[0]]:
            raise ConfigError(
                f"variants.{variant}: its evaluation.protocols {protocols} are not those "
                f"of '{table[0]}', {found[table[0]]}, beside which tables.rounds has it"
            )
