# `make help` lists all targets. All need Python 3.11 or newer; what needs more says so.
# The text behind a target's ## is its line in `make help`.

.PHONY: run help test test-all bench simulate soak lint check messages frontend icons lighthouse screenshots
.DEFAULT_GOAL := run

VENV := .venv
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
BENCH_STAMP := $(VENV)/.installed-bench
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# More than there are cores, as a test often waits.
SIDE_BY_SIDE := -n 4 --dist loadgroup
NOT_IN_TEST := browser or processes or exhaustive or e2e
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	$$name -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$name && break; done)

run: $(RUN_STAMP) ## Start everything, with a demo where there is no bot token. It is what `make` alone does.
	@$(PY) -m demo

help: ## Print this list.
	@sed -n 's/^\([a-z][a-z-]*\):[^#]* ## /\1 /p' Makefile | while read -r name text; do \
		printf '%-12s %s\n' "$$name" "$$text"; done

# Without bytecode each worker compiles every test anew, for which it takes twice as long to begin.
unexport PYTHONDONTWRITEBYTECODE

# One path through all of the processes is among them: written, shown, its status told.
test: $(DEV_STAMP) ## Run the tests that need no browser and no processes. ARGS="tests/desk -x" runs others.
	@$(PY) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE) -m "not ($(NOT_IN_TEST))")

test-all: test ## Run every test.
	@$(PY) -m pytest $(SIDE_BY_SIDE) -m "($(NOT_IN_TEST)) and not alone"
	@$(PY) -m pytest -m "alone"

# Two of the benchmarks need wrk too, and are left out without it.
bench: $(BENCH_STAMP) ## Measure speed and memory. ARGS="burst latency" names some of the benchmarks.
	@$(PY) -m benchmarks $(ARGS)

lighthouse: $(BENCH_STAMP) ## Measure the desk's pages on a phone and on a desktop. Needs Node, npm and Chromium.
	@cd benchmarks/lighthouse && PUPPETEER_SKIP_DOWNLOAD=1 npm ci --silent
	@$(PY) -m benchmarks lighthouse

simulate: $(DEV_STAMP) ## Let a thousand simulated storms blow. ARGS="--seeds 20000", or "--seed N" for its story.
	@$(PY) -m tests.simulation $(ARGS)

soak: $(DEV_STAMP) ## Kill real processes at random for five minutes and look for a broken promise. ARGS="--seed N".
	@$(PY) -m tests.e2e.storm $(ARGS)

lint: $(DEV_STAMP) ## Check style, format and types: ruff and mypy.
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .

# The settings are given here, so that neither .env nor a development profile hides a fault.
check: export DEBUG := 0
check: export ALLOWED_HOSTS := studybot.example
check: export BEHIND_TLS_PROXY := 1
check: export BOT_TOKEN := a.production.token
check: export SECRET_KEY = $(shell $(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')
check: $(DEV_STAMP) ## Check migrations, static files and settings as in production.
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py collectstatic --noinput --verbosity 0
	@$(PY) manage.py check --deploy --fail-level WARNING

messages: $(DEV_STAMP) ## Collect the texts to translate, and compile the translations. Needs gettext.
	@cd notices && ../$(PY) ../manage.py makemessages --locale ko --no-location
	@cd notices && ../$(PY) ../manage.py compilemessages

screenshots: $(DEV_STAMP) ## Take the pictures in docs/screenshots, of the demo. Needs Chromium.
	@$(PY) -m tests.browser.screenshots

# For whoever names a new icon, raises the theme, or draws another icon.svg.
icons: $(DEV_STAMP) ## Cut the icon font and draw the app icons anew. Needs Chromium.
	@$(PY) -m tests.icons
	@$(PY) -m tests.browser.app_icons

# For whoever changes frontend/, names a new class of the theme or raises it: what is built is kept in
# the repository.
frontend: export SITE_PACKAGES = $(shell $(PY) -c 'import unfold; print(unfold.__path__[0])' | xargs dirname)
frontend: $(RUN_STAMP) ## Build the scripts and styles of frontend/. Needs Node and npm.
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
