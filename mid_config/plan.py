"""What the tables, submissions and pools of a run need of what is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mid_config.checking import check_protocols
from mid_config.pools import POOL_ROLES
from mid_config.results import Results

SSIM_WINDOW = 11


@dataclass
class Plan(Results):
    """Everything that a config asks for; see ``Results`` for where it will be."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_protocols(self.methods, self._table_variants())

    @property
    def tests(self) -> list[str]:
        """The tests whose images are there."""
        return [test for test in self.config["tests"] if test not in self.absent]

    @property
    def submissions(self) -> dict[str, dict[str, Any]]:
        """Settings of the submissions whose images are there, by name."""
        wanted = self.config["submissions"].items()
        return {name: one for name, one in wanted if one["pool"] not in self.absent}

    def _sends(self, variant: str, submission: Mapping[str, Any]) -> bool:
        return variant == (submission["variant"] or next(iter(self.methods)))

    def sent(self) -> list[tuple[str, int, str, int]]:
        """Variant, round, pool and masks of each set of denoised images to send."""
        sent = set()
        for one in self.submissions.values():
            variant = next(v for v in self.methods if self._sends(v, one))
            last = len(self.rounds[variant]) - 1
            owner = self.owner("scores", variant, last)
            sent.add((owner, last, one["pool"], one["num_masks"]))
        return sorted(sent)

    def denoised(self, submission: str) -> str:
        """The manifest of the images that a submission sends in."""
        one = self.config["submissions"][submission]
        variant = next(v for v in self.methods if self._sends(v, one))
        folder = self._folder("scores", variant, len(self.rounds[variant]) - 1)
        return f"{folder}/denoised/{one['pool']}_{one['num_masks']}.manifest.json"

    def bundle(self, submission: str) -> str:
        """The list of a submission's files."""
        return f"results/{self.dataset}/submissions/{submission}/bundle.json"

    def pools(self) -> list[str]:
        """Names of the pools that the variants and tests use."""
        roles = [method[r] for method in self.methods.values() for r in POOL_ROLES]
        sent = [one["pool"] for one in self.submissions.values()]
        return list(dict.fromkeys([*roles, *self.tests, *sent]))

    def left_out(self) -> dict[str, str]:
        """The pools of tests and submissions that are absent, and where they would be."""
        sent = [one["pool"] for one in self.config["submissions"].values()]
        optional = {*self.config["tests"], *sent} - {*self.pools()}
        return {pool: path for pool, path in self.absent.items() if pool in optional}

    def asked(self) -> list[str]:
        """The variants that the tables, figures and submissions of a run show."""
        first = next(iter(self.methods))
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

    def truths(self) -> list[str]:
        """The pools on whose truths a ceiling or a supervised method trains."""
        paired = [pool for role, pool in self._learnt() if role == "pairs"]
        return list(dict.fromkeys([*self.ceilings(), *paired]))

    def learnt(self) -> list[str]:
        """The pools on whose images compared methods train."""
        return list(dict.fromkeys(pool for _, pool in self._learnt()))

    def _learnt(self) -> list[tuple[str, str]]:
        trained = [one.train for name in self.compared for one in self.rounds[name]]
        return [one for own in trained for one in own.get("pools", {}).items()]

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
        for role, pool in self._learnt():
            uses[pool].append(f"{role} of a compared method")
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
        return self.config["tables"]["rounds"] or list(self.methods)

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
        return self.config["figures"]["variant"] or next(iter(self.methods))

    def paper_variant(self) -> str:
        """The variant of which the paper's tables are made; without any, the shown one."""
        paper: dict[str, str] = self.config.get("paper", {})
        return paper.get("variant", self.shown())
