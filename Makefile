# Paths are relative on purpose: make would split the checkout's own path at its spaces, and scripts in
# .venv/bin break on them too, so every tool runs as a module of .venv/bin/python.

venv_python := .venv/bin/python
# Errors only: what a build back end remarks on its way is of no use to a newcomer. Python compiles
# what is used when it is; to compile all that comes along takes a minute.
pip_install := $(venv_python) -m pip install -qq --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help quickstart test lint clean
.DELETE_ON_ERROR:

help: ## Say what can be made
	@sed -n 's/^\([a-z][a-z]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile \
	    | while IFS='|' read -r goal meaning; do printf '  %-16s %s\n' "$$goal" "$$meaning"; done
	@printf '\n  %s\n' 'PYTHON=python3.12 behind any of them chooses the Python of a new .venv.'

quickstart: .venv/.installed ## Fine-tune, report on, export and ask a sentiment model
	@$(venv_python) -m tfaigc quickstart

test: lint ## Run every check that CI runs
	$(venv_python) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

lint: .venv/.installed-dev ## Check style, formatting and types
	$(venv_python) -m ruff check
	$(venv_python) -m ruff format --check
	$(venv_python) -m mypy tfaigc

clean: ## Remove .venv and caches; keep runs/ and savedmodels/
	rm -rf .venv build dist tfaigc.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is touched only when everything before it has worked, so that an interrupted set-up is
# done again. The pip that comes with older Pythons takes many minutes to choose versions.

.venv/.created:
	@for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python3.10); do \
	    if "$$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
	        2>/dev/null; then \
	        echo "Creating .venv with $$("$$candidate" --version)"; \
	        "$$candidate" -m venv .venv \
	            && $(pip_install) --upgrade pip \
	            && touch $@; \
	        exit $$?; \
	    fi; \
	done; \
	echo 'tfaigc needs Python 3.10, 3.11, 3.12 or 3.13. Found none:' \
	    '$(if $(PYTHON),$(PYTHON),python3, python3.13, python3.12, python3.11, python3.10).' \
	    'Install one of them, or say where it is: make PYTHON=/path/to/python3.12 ...' >&2; \
	exit 1

.venv/.installed: setup.cfg pyproject.toml .venv/.created
	@echo 'Installing tfaigc into .venv (a few minutes the first time)'
	@$(pip_install) --editable .
	@touch $@

.venv/.installed-dev: setup.cfg pyproject.toml .venv/.created
	@echo 'Installing tfaigc and its test tools into .venv (a few minutes the first time)'
	@$(pip_install) --editable '.[dev]'
	@touch .venv/.installed $@
