# make course   run every lesson on the embedded data; then open build/index.html
#               N=08 runs one, LIVE=1 trains live in place of the shipped networks
# make lab      work the lessons in JupyterLab
# make test     style, the package's tests, every notebook
# make notebooks  write both notebooks of each lesson from solutions/NN_topic.py
#
# Each sets up .venv first if need be. Needs Python 3.11 or newer (PYTHON=python3.12
# chooses another).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
N ?=
LIVE ?=

.PHONY: course lab notebooks test setup clean
.DEFAULT_GOAL := course

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The course needs Python 3.11 or newer; this is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=23.1"
	@echo "Installing the course into $(VENV): a few minutes, most of them PyTorch."
	$(BIN)/python -m pip install --quiet -e ".[all]"
	@touch $@

course: $(READY)
	$(BIN)/python tools/run_course.py $(if $(N),--only $(N)) $(if $(LIVE),--live)

# With the commands of .venv in PATH: `!t2i doctor` in a cell, t2i in Jupyter's terminal.
lab: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab lessons

notebooks: $(READY)
	$(BIN)/python tools/build_notebooks.py $(if $(N),--only $(N))

# One thread per process: the two workers and their kernels share the cores.
# loadscope keeps the cells of a notebook together, in one kernel and in order.
test: $(READY)
	$(BIN)/ruff check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope \
	  --nbval-lax --nbval-current-env --nbval-cell-timeout 300 \
	  tests lessons solutions

clean:
	rm -rf build .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
