"""What has to be made: variants unfolded into rounds, equal rounds made once.

Every bank, model and score table has a key: all the settings that its numbers depend
on, from round 0 on. It lives under the first variant that has the key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mid_config.checking import check_method, check_names, check_protocols
from mid_config.pools import POOL_ROLES, split_settings
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

SSIM_WINDOW = 11


@dataclass
class Plan:
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
        The rounds of each variant.
    """

    config: dict[str, Any]
    absent: Mapping[str, str] = field(default_factory=dict)
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)
    _keys: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for variant, method in self.config["variants"].items():
            check_method(variant, method, self.config["pools"], self.methods)
            self.methods[variant] = method
            count = len(method["rounds"])
            self.rounds[variant] = [round_settings(method, k) for k in range(count)]
            self._register(variant)
        check_names(self.config)
        check_protocols(self.methods, self._table_variants())

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

    @property
    def tests(self) -> list[str]:
        """The tests whose images are there."""
        return [test for test in self.config["tests"] if test not in self.absent]

    @property
    def submissions(self) -> dict[str, dict[str, Any]]:
        """Settings of the submissions whose images are there, by name."""
        wanted = self.config["submissions"].items()
        return {name: one for name, one in wanted if one["pool"] not in self.absent}

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
        return f"results/{self.dataset}/awgn/{awgn_name(first)}/noise.manifest.json"

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

    def gpus(self, variant: str, k: int) -> int:
        """How many GPUs, or processes on a CPU, train round ``k``."""
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

    def _sends(self, variant: str, submission: Mapping[str, Any]) -> bool:
        return variant == (submission["variant"] or next(iter(self.rounds)))

    def sent(self) -> list[tuple[str, int, str, int]]:
        """Variant, round, pool and masks of each set of denoised images to send."""
        sent = set()
        for one in self.submissions.values():
            variant = next(v for v in self.rounds if self._sends(v, one))
            last = len(self.rounds[variant]) - 1
            owner = self.owner("scores", variant, last)
            sent.add((owner, last, one["pool"], one["num_masks"]))
        return sorted(sent)

    def denoised(self, submission: str) -> str:
        """The manifest of the images that a submission sends in."""
        one = self.config["submissions"][submission]
        variant = next(v for v in self.rounds if self._sends(v, one))
        folder = self._folder("scores", variant, len(self.rounds[variant]) - 1)
        return f"{folder}/denoised/{one['pool']}_{one['num_masks']}.manifest.json"

    def bundle(self, submission: str) -> str:
        """The list of a submission's files."""
        return f"results/{self.dataset}/submissions/{submission}/bundle.json"

    def awgn(self) -> dict[str, dict[str, Any]]:
        """Settings of each bank of white noise, by name."""
        first = [rounds[0].extract for rounds in self.rounds.values()]
        return {awgn_name(e): e for e in first if "sigma" in e}

    def measured(self) -> dict[str, dict[str, Any]]:
        """Settings of each bank of measured noise, by name."""
        first = [rounds[0].extract for rounds in self.rounds.values()]
        return {measured_name(e): e for e in first if is_measured(e)}

    def look(self, pool: str) -> str:
        """The file that says what the noise of a pool's images is like."""
        return f"results/{self.dataset}/data/{pool}/look.json"

    def pools(self) -> list[str]:
        """Names of the pools that the variants and tests use."""
        roles = [method[r] for method in self.methods.values() for r in POOL_ROLES]
        sent = [one["pool"] for one in self.submissions.values()]
        return list(dict.fromkeys([*roles, *self.tests, *sent]))

    def left_out(self) -> dict[str, str]:
        """The pools of tests and submissions that are absent, and where they would be."""
        here, uses = self.pools(), self.uses()
        absent = self.absent.items()
        return {pool: path for pool, path in absent if uses[pool] and pool not in here}

    def asked(self) -> list[str]:
        """The variants that the tables, figures and submissions of a run show."""
        first = next(iter(self.rounds))
        asked = [*self._table_variants(), self.shown()]
        asked += [one["variant"] or first for one in self.submissions.values()]
        # A list that grows: teachers may have teachers.
        for variant in asked:
            teacher = self.maker(variant, 0)
            asked += [teacher[0]] if teacher else []
        return list(dict.fromkeys(asked))

    def ceilings(self, variants: Iterable[str] | None = None) -> list[str]:
        """The pools on whose true noise one of these variants trains; None: of all."""
        methods = [self.methods[v] for v in variants or self.methods]
        return [m["noisy"] for m in methods if m["initial_noise"] == "true_noise"]

    def stacks(self, pool: str) -> list[str]:
        """What is opened of a pool: its truth only to score, or for a ceiling.

        That of the paper's tables is not in question here: its truth is opened for them.
        """
        known = pool in self.tests or pool in self.ceilings(self.asked())
        return ["image", "truth"] if known else ["image"]

    def uses(self) -> dict[str, list[str]]:
        """What each pool of the config is for, the absent ones too."""
        uses: dict[str, list[str]] = {pool: [] for pool in self.config["pools"]}
        for method in self.methods.values():
            uses[method["clean"]].append("clean images of a training")
            uses[method["noisy"]].append("noisy images")
        for pool in self.ceilings():
            uses[pool].append("true noise of a ceiling")
        for test in self.config["tests"]:
            uses[test].append("test")
        for name, one in self.config["submissions"].items():
            uses[one["pool"]].append(f"submission {name}")
        return {pool: list(dict.fromkeys(own)) for pool, own in uses.items()}

    def needs(self) -> list[dict[str, Any]]:
        """What is needed of the pools, for ``datasets.check``."""
        needs = []
        for variant, method in self.methods.items():
            rounds = self.rounds[variant]
            patch = max(one.train["training"]["patch_size"] for one in rounds)
            # Without a second round, nothing is cut from the noisy images.
            refined = len(rounds) > 1 or "pool" in rounds[0].extract
            refined = refined or "trials" in rounds[0].train
            sent = [
                s["pool"] for s in self.submissions.values() if self._sends(variant, s)
            ]
            used = dict.fromkeys([*self.tests, *sent], SSIM_WINDOW)
            trained = [method["clean"], *([method["noisy"]] if refined else [])]
            trained += [method["held_out"]["pool"]] if "held_out" in method else []
            for pool in trained:
                used[pool] = max(patch, used.get(pool, 0))
            for pool, pixels in used.items():
                need = {"pool": pool, "clean": method["clean"], "pixels": pixels}
                if need not in needs:
                    needs.append(need)
        # In an order that is the same whoever needs them.
        return sorted(needs, key=lambda need: tuple(need.values()))

    def _table_variants(self) -> list[str]:
        return self.config["tables"]["rounds"] or list(self.rounds)

    def table_rounds(self) -> list[tuple[str, int]]:
        """Variants and rounds in the table of rounds."""
        return [
            (v, k) for v in self._table_variants() for k in range(len(self.rounds[v]))
        ]

    def own_rounds(self) -> list[tuple[str, int]]:
        """The rounds of the table, those that share a model once."""
        first: dict[str, tuple[str, int]] = {}
        for variant, k in self.table_rounds():
            first.setdefault(self.model(variant, k), (variant, k))
        return list(first.values())

    def shown(self) -> str:
        """The variant whose rounds are drawn."""
        return self.config["figures"]["variant"] or next(iter(self.rounds))
