"""What a config makes, and where: variants unfolded into rounds, equal rounds made once.

Every bank, model and score table has a key: all the settings that its numbers depend
on, from round 0 on. It lives under the first variant that has the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mid_config.checking import (
    check_compared,
    check_method,
    check_names,
)
from mid_config.methods import Compared, unfolded
from mid_config.pools import split_settings
from mid_config.rounds import (
    Round,
    awgn_name,
    extraction_gpus,
    is_measured,
    key,
    lessons,
    measured_name,
    parallelism,
    round_settings,
)


@dataclass
class Results:
    """Everything that a config asks for, and where it will be.

    Attributes
    ----------
    config
        As ``load_config`` returns it.
    absent
        Pools whose folder is not on this disk, as ``absent_pools`` returns them. Where
        only tests and submissions ask for one, they are left out.
    methods
        The settings of each variant.
    rounds
        The rounds of each variant, and the trainings of each compared method.
    compared
        The methods beside MID, by name.
    """

    config: dict[str, Any]
    absent: Mapping[str, str] = field(default_factory=dict)
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)
    _keys: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for variant, method in self.config["variants"].items():
            check_method(variant, method, self.config["pools"], self.methods)
            self.methods[variant] = method
            count = len(method["rounds"])
            self.rounds[variant] = [round_settings(method, k) for k in range(count)]
            self._register(variant)
        for name, entry in self.config["compared"].items():
            check_compared(name, entry, self.config["pools"])
            self.compared[name] = unfolded(entry, self.config["method"])
            self.rounds[name] = list(self.compared[name].rounds)
            self._register(name)
        check_names(self.config, {name: len(own) for name, own in self.rounds.items()})

    def _register(self, variant: str) -> None:
        maker = self.maker(variant, 0)
        model = self._keys["model", *maker] if maker else ""
        for k, one in enumerate(self.rounds[variant]):
            bank = key("bank", model, one.extract)
            model = key("model", bank, one.train)
            scores = key("scores", model, one.evaluate)
            for kind, own in (("bank", bank), ("model", model), ("scores", scores)):
                self._first.setdefault(own, variant)
                self._keys[kind, variant, k] = own

    @property
    def dataset(self) -> str:
        """Name of the run."""
        return str(self.config["dataset"])

    def owner(self, kind: str, variant: str, k: int) -> str:
        """The variant under which a round's ``bank``, ``model`` or ``scores`` lies."""
        return self._first[self._keys[kind, variant, int(k)]]

    def maker(self, variant: str, k: int) -> tuple[str, int] | None:
        """Variant and round of the network that makes the bank of round ``k``."""
        if int(k):
            return variant, int(k) - 1
        if variant in self.compared:
            return None
        if self.methods[variant]["initial_noise"] != "teacher":
            return None
        teacher = self.methods[variant]["teacher"]["variant"]
        return teacher, len(self.rounds[teacher]) - 1

    def rounds_behind(self, variant: str, k: int) -> int:
        """How long the longest chain of rounds is that waits for round ``k``."""
        model = self._keys["model", variant, int(k)]
        sharing = [v for v in self.rounds if self._keys.get(("model", v, k)) == model]
        longer = [v for v in sharing if k + 1 < len(self.rounds[v])]
        after = {(self.owner("model", v, k + 1), k + 1) for v in longer}
        # Students wait for their teacher's last round.
        own = [(v, k) for v in sharing]
        after |= {(v, 0) for v in self.rounds if self.maker(v, 0) in own}
        return max((1 + self.rounds_behind(*one) for one in after), default=0)

    def _folder(self, kind: str, variant: str, k: int) -> str:
        owner = self.owner(kind, variant, k)
        return f"results/{self.dataset}/{owner}/round_{int(k)}"

    def pool(self, name: str, stack: str = "image") -> str:
        """The manifest of a pool's pixels: of its images, or of their ``truth``."""
        return f"results/{self.dataset}/data/{name}/{stack}.manifest.json"

    def files(self, pool: str, stack: str = "image") -> str:
        """The list of a pool's files."""
        return f"results/{self.dataset}/data/{pool}/{stack}.files.json"

    def split(self, pool: str) -> str | None:
        """The file that says which images are on which side; None takes all."""
        pools = self.config["pools"]
        own = split_settings(pools[pool])
        if own is None:
            return None
        first = next(name for name in pools if split_settings(pools[name]) == own)
        return f"results/{self.dataset}/data/{first}/split.json"

    def split_rule(self, pool: str) -> dict[str, Any] | None:
        """What a split depends on, whichever of its sides the pool is; None: no split."""
        return split_settings(self.config["pools"][pool])

    def seen(self, variant: str, k: int) -> dict[str, str]:
        """The manifests of what the training of round ``k`` sees, by role.

        Of a round these are ``clean`` and ``noise``; of one that is taught ``noisy``,
        ``targets`` and perhaps ``clean``; of a compared method what it says, with
        ``truth`` for the truths of pairs. ``before`` is the card of a network.
        """
        own = self.rounds[variant][int(k)].train
        if variant in self.compared:
            return self._seen_by_method(variant, int(k))
        bank = self.bank(variant, k)
        if "recharge" not in own:
            return {"clean": self.pool(own["pool"]), "noise": bank}
        mixed_in = {"clean": self.pool(own["clean"])} if "clean" in own else {}
        return {"noisy": self.pool(own["pool"]), "targets": bank, **mixed_in}

    def _seen_by_method(self, name: str, k: int) -> dict[str, str]:
        own = self.rounds[name][k]
        pools, seen = own.train.get("pools", {}), {}
        for role, pool in pools.items():
            seen["noisy" if role == "pairs" else role] = self.pool(pool)
        if "pairs" in pools:
            seen["truth"] = self.pool(pools["pairs"], "truth")
        if own.extract:
            seen["noise"] = self._white(own.extract)
        if "before" in own.train.get("sees", ()):
            seen["before"] = self.model(name, k - 1)
        return seen

    def bank(self, variant: str, k: int) -> str:
        """The manifest of what round ``k`` trains on: noise, or a teacher's targets."""
        if lessons(self.methods[variant], int(k)):
            return f"{self._folder('bank', variant, k)}/targets.manifest.json"
        if int(k):
            return f"{self._folder('bank', variant, k)}/noise.manifest.json"
        first = self.rounds[variant][0].extract
        if is_measured(first):
            name = measured_name(first)
            return f"results/{self.dataset}/measured/{name}/noise.manifest.json"
        if first["initial_noise"] == "true_noise":
            return f"results/{self.dataset}/data/{first['pool']}/noise.manifest.json"
        return self._white(first)

    def _white(self, extract: Mapping[str, Any]) -> str:
        return f"results/{self.dataset}/awgn/{awgn_name(extract)}/noise.manifest.json"

    def choice(self, variant: str) -> str:
        """The file that says which mask ratio the trials of round 0 chose."""
        return f"{self._folder('model', variant, 0)}/choice.json"

    def noise_banks(self, variant: str) -> dict[str, str]:
        """The noise on which a variant's rounds train, by name; taught ones have none."""
        own = range(len(self.rounds[variant]))
        rounds = [k for k in own if not lessons(self.methods[variant], k)]
        return {f"N_{k}": self.bank(variant, k) for k in rounds}

    def model(self, variant: str, k: int) -> str:
        """The card of the network that round ``k`` trains."""
        return f"{self._folder('model', variant, k)}/model.json"

    def models(self, variant: str) -> list[str]:
        """The cards of all networks that are trained for a variant or a method."""
        return [self.model(variant, k) for k in range(len(self.rounds[variant]))]

    def gpus(self, variant: str, k: int) -> int:
        """How many GPUs, or processes on a CPU, train round ``k``."""
        if variant in self.compared:
            return 1
        return parallelism(self.methods[variant], int(k))["gpus"]

    def extraction_gpus(self, variant: str, k: int) -> int:
        """How many GPUs, or processes on a CPU, draw the bank of round ``k``."""
        return extraction_gpus(self.methods[variant], int(k))

    def history(self, variant: str, k: int) -> str:
        """The training curve of round ``k``."""
        return f"{self._folder('model', variant, k)}/history.csv"

    def scores(self, variant: str, k: int, test: str) -> str:
        """The scores of round ``k`` on a test pool."""
        return f"{self._folder('scores', variant, k)}/scores/{test}.csv"

    def cost(self, variant: str, k: int) -> str:
        """What a pass of round ``k``'s network costs."""
        return f"{self._folder('model', variant, k)}/cost.json"

    def awgn(self) -> dict[str, dict[str, Any]]:
        """Settings of each bank of white noise, by name."""
        banks = [one.extract for rounds in self.rounds.values() for one in rounds]
        return {awgn_name(e): e for e in banks if "sigma" in e}

    def measured(self) -> dict[str, dict[str, Any]]:
        """Settings of each bank of measured noise, by name."""
        first = [self.rounds[variant][0].extract for variant in self.methods]
        return {measured_name(e): e for e in first if is_measured(e)}

    def look(self, pool: str) -> str:
        """The file that says what the noise of a pool's images is like."""
        return f"results/{self.dataset}/data/{pool}/look.json"
