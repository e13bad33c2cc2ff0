"""What has to be made: variants unfolded into rounds, equal rounds made once.

Every bank, model and score table has a key: all the settings that its numbers depend
on, from round 0 on. It lives under the first variant that has the key.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from mid_config.loading import ConfigError, merge

RESERVED = {"awgn", "benchmarks", "data", "figures", "logs", "tables", "truth"}
POOL_ROLES = ("clean", "noisy")
SSIM_WINDOW = 11


@dataclass(frozen=True)
class Round:
    """One round of one variant, with the settings of its three stages."""

    extract: dict
    train: dict
    evaluate: dict


def _round(method: Mapping, k: int) -> Round:
    """Settings of round ``k``: only what its numbers depend on."""
    own = method["rounds"][k]
    before = method["rounds"][k - 1]["mask_ratio"] if k else None
    extract = {"first_bank": method["first_bank"]}
    if k:
        extract = {
            **merge(method["extraction"], own.get("extraction", {})),
            "pool": method["noisy"],
            "masking": {"ratio": before, **method["mask"]},
            "seed": method["seed"],
            "round": k,
        }
    elif method["first_bank"] == "awgn":
        extract |= {**method["awgn"], "seed": method["seed"]}
    else:
        extract |= {"pool": method["noisy"]}
    evaluation = method["evaluation"]
    ratio = evaluation["mask_ratio"]
    ratio = own["mask_ratio"] if ratio is None else ratio
    return Round(
        extract=extract,
        train={
            "pool": method["clean"],
            "network": method["network"],
            "training": merge(method["training"], own.get("training", {})),
            "masking": {"ratio": own["mask_ratio"], **method["mask"]},
            "clip": method["clip"],
            "seed": method["seed"],
            "round": k,
        },
        evaluate={
            # Without hidden pixels all predictions are one and the same.
            "masks": sorted(evaluation["masks"]) if ratio != 0 else [1],
            "masking": {"ratio": ratio, **method["mask"]},
            "protocol": evaluation["protocol"],
            "seed": method["seed"],
        },
    )


def _key(*parts: object) -> str:
    # As floats: 0 and 0.0 are one setting.
    return json.dumps(json.loads(json.dumps(parts), parse_int=float), sort_keys=True)


@dataclass
class Plan:
    """Everything that a config asks for, and where it will be.

    Attributes
    ----------
    config
        As ``load_config`` returns it.
    methods
        The settings of each variant.
    rounds
        The rounds of each variant.
    """

    config: dict
    methods: dict[str, dict] = field(default_factory=dict)
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)
    _keys: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for variant, changes in self.config["variants"].items():
            method = merge(self.config["method"], changes or {})
            _check_method(variant, method, self.config["pools"])
            self.methods[variant] = method
            count = len(method["rounds"])
            self.rounds[variant] = [_round(method, k) for k in range(count)]
            self._register(variant)
        _check_names(self.config)

    def _register(self, variant: str) -> None:
        key = ""
        for k, one in enumerate(self.rounds[variant]):
            bank = _key("bank", key, one.extract)
            key = _key("model", bank, one.train)
            scores = _key("scores", key, one.evaluate)
            for kind, own in (("bank", bank), ("model", key), ("scores", scores)):
                self._first.setdefault(own, variant)
                self._keys[kind, variant, k] = own

    @property
    def dataset(self) -> str:
        """Name of the run."""
        return self.config["dataset"]

    def owner(self, kind: str, variant: str, k: int) -> str:
        """The variant under which a round's ``bank``, ``model`` or ``scores`` lies."""
        return self._first[self._keys[kind, variant, int(k)]]

    def _folder(self, kind: str, variant: str, k: int) -> str:
        owner = self.owner(kind, variant, k)
        return f"results/{self.dataset}/{owner}/round_{int(k)}"

    def pool(self, name: str) -> str:
        """The seal of a pool's pixels."""
        return f"results/{self.dataset}/data/{name}.seal.json"

    def bank(self, variant: str, k: int) -> str:
        """The seal of the noise on which round ``k`` trains."""
        if int(k):
            return f"{self._folder('bank', variant, k)}/noise.seal.json"
        first = self.rounds[variant][0].extract
        if first["first_bank"] == "true_noise":
            return f"results/{self.dataset}/truth/{first['pool']}/noise.seal.json"
        return f"results/{self.dataset}/awgn/{awgn_name(first)}/noise.seal.json"

    def model(self, variant: str, k: int) -> str:
        """The card of the network that round ``k`` trains."""
        return f"{self._folder('model', variant, k)}/model.json"

    def history(self, variant: str, k: int) -> str:
        """The training curve of round ``k``."""
        return f"{self._folder('model', variant, k)}/history.csv"

    def scores(self, variant: str, k: int, test: str) -> str:
        """The scores of round ``k`` on a test pool."""
        return f"{self._folder('scores', variant, k)}/scores/{test}.csv"

    def awgn(self) -> dict[str, dict]:
        """Settings of each bank of white noise, by name."""
        first = [rounds[0].extract for rounds in self.rounds.values()]
        return {awgn_name(e): e for e in first if e["first_bank"] == "awgn"}

    def pools(self) -> list[str]:
        """Names of the pools that the variants and tests use."""
        roles = [method[r] for method in self.methods.values() for r in POOL_ROLES]
        return list(dict.fromkeys([*roles, *self.config["tests"]]))

    def needs(self) -> list[dict]:
        """What is needed of the pools, for ``datasets.check``; no matter by whom."""
        needs = []
        for variant, method in self.methods.items():
            rounds = self.rounds[variant]
            patch = max(one.train["training"]["patch"] for one in rounds)
            # Without a second round, nothing is cut from the noisy images.
            refined = len(rounds) > 1 or method["first_bank"] == "true_noise"
            used = dict.fromkeys(self.config["tests"], SSIM_WINDOW)
            used |= {method["noisy"]: patch} if refined else {}
            used[method["clean"]] = patch
            for pool, pixels in used.items():
                need = {"pool": pool, "clean": method["clean"], "pixels": pixels}
                if need not in needs:
                    needs.append(need)
        return needs

    def table_rounds(self) -> list[tuple[str, int]]:
        """Variants and rounds in the table of rounds."""
        chosen = self.config["tables"]["rounds"] or list(self.rounds)
        return [(v, k) for v in chosen for k in range(len(self.rounds[v]))]

    def own_rounds(self) -> list[tuple[str, int]]:
        """The rounds of the table, without those that are another variant's."""
        return [
            (variant, k)
            for variant, k in self.table_rounds()
            if self.owner("model", variant, k) == variant
        ]

    def shown(self) -> str:
        """The variant whose rounds are drawn."""
        return self.config["figures"]["variant"] or next(iter(self.rounds))

    def has_truth(self, pool: str) -> bool:
        """Whether a pool knows the clean partners of its images."""
        return has_truth(self.config["pools"][pool])


def awgn_name(settings: Mapping) -> str:
    """A readable name that no other bank of white noise has."""
    low, high = settings["sigma"]
    size = f"{settings['count']}x{settings['size']}px"
    return f"sigma_{low:g}-{high:g}_{size}_seed_{settings['seed']}"


def has_truth(pool: Mapping) -> bool:
    """Whether a pool with these settings knows the clean partners of its images."""
    return pool.get("part") in ("noisy", "test", "validation") or "truth" in pool


def _check_method(variant: str, method: Mapping, pools: Mapping) -> None:
    """Refuse what a schema cannot see, in the words of the config."""
    where = f"variant '{variant}'"
    for role in POOL_ROLES:
        if method[role] not in pools:
            raise ConfigError(
                f"{where}: method.{role} names the pool '{method[role]}', which is not "
                f"under 'pools' (there are: {', '.join(pools)})"
            )
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
    patch = _round(method, 0).train["training"]["patch"]
    if method["first_bank"] == "awgn" and method["awgn"]["size"] < patch:
        raise ConfigError(
            f"{where}: awgn.size {method['awgn']['size']} is smaller than "
            f"training.patch {patch}"
        )


def _check_names(config: Mapping) -> None:
    """Refuse names that mean nothing, or two things."""
    for variant in RESERVED & set(config["variants"]):
        raise ConfigError(
            f"variants.{variant}: results/<dataset>/{variant} holds "
            "something else; choose another name"
        )
    if not config["variants"]:
        raise ConfigError("variants: at least one is needed, e.g. 'mid: {}'")
    for test in config["tests"]:
        if test not in config["pools"] or not has_truth(config["pools"][test]):
            raise ConfigError(f"tests: '{test}' must be a pool with a truth")
    named = [*(config["tables"]["rounds"] or []), config["figures"]["variant"]]
    for variant in named:
        if variant is not None and variant not in config["variants"]:
            raise ConfigError(
                f"'{variant}' is asked for by a table or figure but is "
                f"not a variant (there are: {', '.join(config['variants'])})"
            )
