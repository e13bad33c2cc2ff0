# make demo | test | lint | bench: each sets up .venv first, once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# A cache that cannot be written must not stop anyone.
export MPLCONFIGDIR ?= $(CURDIR)/$(VENV)/matplotlib

.PHONY: demo test lint format bench clean

demo: $(READY)
	$(VENV)/bin/snakemake --cores 2

test: $(READY)
	$(VENV)/bin/python -m pytest --numprocesses 2 --no-loadscope-reorder

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check workflow
	$(VENV)/bin/snakemake --lint

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
