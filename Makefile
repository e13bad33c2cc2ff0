# make demo | docs | test | test-all | lint | bench: each sets up .venv first, once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# A cache that cannot be written must not stop anyone.
export MPLCONFIGDIR ?= $(CURDIR)/$(VENV)/matplotlib

.PHONY: demo docs test test-all lint format bench clean

demo: $(READY)
	$(VENV)/bin/snakemake --cores 2 all report

# The site, from the Markdown and the notebooks here; a broken link stops it.
docs: $(READY)
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going --quiet \
	  -c docs/site . docs/_build/site
	@echo "Open docs/_build/site/index.html in a browser."

# Two processes of one thread each: more threads than cores wait for each other. Compiled
# files are kept: the tests start hundreds of processes.
PYTEST := env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses 2 --no-loadscope-reorder

test: $(READY)
	$(PYTEST) -m "not exhaustive"

# With what is slow for what it proves; in one go, as the two share runs.
test-all: $(READY)
	$(PYTEST)

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check workflow
	$(VENV)/bin/snakemake --lint
	$(VENV)/bin/codespell $$(git ls-files)
	git ls-files -z '*.ipynb' | xargs -0 -r $(VENV)/bin/nbstripout --verify
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/snakefmt workflow

bench: $(READY)
	$(VENV)/bin/python -m benchmarks.train_step
	$(VENV)/bin/python -m benchmarks.batches
	$(VENV)/bin/python -m benchmarks.crops
	$(VENV)/bin/python -m benchmarks.nafnet_step
	$(VENV)/bin/python -m benchmarks.ensemble
	$(VENV)/bin/python -m benchmarks.denoise_memory
	$(VENV)/bin/python -m benchmarks.ingest
	$(VENV)/bin/python -m benchmarks.evaluate_blocks
	$(VENV)/bin/python -m benchmarks.state_overhead
	$(VENV)/bin/python -m benchmarks.growth

$(READY): pyproject.toml constraints.txt
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(VENV) -c constraints.txt -e '.[dev]'; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(VENV)/bin/python -m pip install --quiet -c constraints.txt -e '.[dev]'; \
	fi
	@touch $(READY)

# Results stay: days of work should not hang on one word.
clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
