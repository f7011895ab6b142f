# Facial-expression studio. Needs GNU make 3.81 and Python 3.11 to 3.13; the rest goes into .venv.
# A certain Python: make app PYTHON=python3.12.
# More options for pytest: make test ARGS="-k metrics".
# With the share of the code that the tests reach: make test COVERAGE=1.

VENV := .venv
BIN := $(VENV)/bin
SUITABLE := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)

# Only this machine, under its own names; with an address of yours, your proxy or firewall decides
# who may come.
LOCAL := --server.address=localhost \
	--server.allowedHosts=localhost --server.allowedHosts=127.0.0.1

PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
# What pytest exits with where ARGS chose no test.
NONE := 5

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help app training demo-hub demo-cycle test style quality format docs wheel clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s  %s\n", $$1, $$2 }' Makefile

app: $(VENV)/app.stamp  ## install what the app needs, then open it in the browser
	$(BIN)/streamlit run app.py $(if $(findstring --server.address,$(ARGS)),,$(LOCAL)) $(ARGS)

training: $(VENV)/training.stamp  ## install what training needs besides, TensorFlow included

demo-hub: $(VENV)/dev.stamp  ## open the app on a small Hub of its own; needs no account
	$(BIN)/python -m demo.hub

demo-cycle: $(VENV)/dev.stamp  ## take a tiny version through all stages; 1 to 3 minutes
	$(BIN)/python -m demo.cycle $(ARGS)

test: $(VENV)/dev.stamp  ## run every test; finds Chromium or installs it
	$(BIN)/python tests/support/find_chromium.py --install
	$(PYTEST) -m "not browser" -n auto $(if $(COVERAGE),--cov) $(ARGS) || [ $$? -eq $(NONE) ]
	$(PYTEST) -m browser $(ARGS) || [ $$? -eq $(NONE) ]

style: $(VENV)/dev.stamp  ## check format and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

quality: $(VENV)/dev.stamp  ## check types
	$(BIN)/mypy

format: $(VENV)/dev.stamp  ## rewrite the code in the project's format, mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp  ## build the site of the documentation in build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

wheel: $(VENV)/dev.stamp  ## build the wheel of `fer` with the bundled versions in build/wheel
	rm -rf build/lib build/bdist.*  # of an earlier build, whose modules would come along
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheel .

clean:  ## remove the virtual environment and every cache
	rm -rf $(VENV) build *.egg-info .coverage .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the requirements it was installed from. `fer` is installed as a link to this
# folder.
$(VENV)/app.stamp: requirements/app.txt pyproject.toml setup.py | $(BIN)/python
	$(PIP) install -r requirements/app.txt --editable .
	touch $@

$(VENV)/training.stamp: requirements.txt $(VENV)/app.stamp
	$(PIP) install -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements.txt $(VENV)/app.stamp
	$(PIP) install -r requirements/dev.txt
	touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITABLE)' 2>/dev/null || { \
		echo "Python 3.11, 3.12 or 3.13 with its venv module is needed," \
			"$(or $(PYTHON),none) was found." >&2; \
		echo "Install one (Debian: apt-get install python3-venv)" \
			"or name it: make PYTHON=/path/to/python" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
