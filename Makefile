# `make run` starts everything, `make test` tests it, `make bench` measures it. All need Python
# 3.11 or newer, nothing else.

.PHONY: run test bench soak lint check messages frontend icons lighthouse screenshots
.DEFAULT_GOAL := run

VENV := .venv
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
BENCH_STAMP := $(VENV)/.installed-bench
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	$$name -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$name && break; done)

run: $(RUN_STAMP)
	@$(PY) -m demo

test: $(DEV_STAMP)
	@$(PY) -m pytest $(ARGS)

# ARGS names some of the benchmarks: make bench ARGS="burst latency". Two of them need wrk too, and
# are left out without it.
bench: $(BENCH_STAMP)
	@$(PY) -m benchmarks $(ARGS)

# Of the desk's pages in production. Needs Node, npm and Chromium.
lighthouse: $(BENCH_STAMP)
	@cd benchmarks/lighthouse && PUPPETEER_SKIP_DOWNLOAD=1 npm ci --silent
	@$(PY) -m benchmarks lighthouse

soak: $(DEV_STAMP)
	@$(PY) -m tests.e2e.storm $(ARGS)

lint: $(DEV_STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .

# The settings are given here, so that neither .env nor a development profile hides a fault.
check: export DEBUG := 0
check: export ALLOWED_HOSTS := studybot.example
check: export BEHIND_TLS_PROXY := 1
check: export BOT_TOKEN := a.production.token
check: export SECRET_KEY = $(shell $(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')
check: $(DEV_STAMP)
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py collectstatic --noinput --verbosity 0
	@$(PY) manage.py check --deploy --fail-level WARNING

messages: $(DEV_STAMP)
	@cd notices && ../$(PY) ../manage.py makemessages --locale ko --no-location
	@cd notices && ../$(PY) ../manage.py compilemessages

# The pictures in docs/screenshots, of the demo. Needs Chromium.
screenshots: $(DEV_STAMP)
	@$(PY) -m tests.browser.screenshots

# For whoever names a new icon, raises the theme, or draws another icon.svg. Needs Chromium.
icons: $(DEV_STAMP)
	@$(PY) -m tests.icons
	@$(PY) -m tests.browser.app_icons

# For whoever changes frontend/: what it builds is kept in the repository. Needs Node and npm.
frontend:
	@cd frontend && npm ci --silent && npm run --silent build

$(PY):
	@$(if $(PYTHON),,echo "Python 3.11 or newer was not found. Install it (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python@3.11), or name it: make PYTHON=/path/to/python3.11"; exit 1)
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is no Python 3.11 or newer. Name one that is: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -w . || { echo "$$PWD cannot be written to. Give yourself the right to (chown), or clone studybot elsewhere."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "The virtual environment $(VENV) could not be made. Where Python came without venv, install it (Debian, Ubuntu: apt install python3-venv)."; exit 1; }

$(RUN_STAMP): requirements.txt | $(PY)
	@echo "Installing what studybot needs into $(VENV); the first time this takes half a minute …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@echo "Installing what its tests need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

$(BENCH_STAMP): benchmarks/requirements.txt $(RUN_STAMP)
	@$(PY) -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	@touch $@
