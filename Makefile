# The one door. `make` alone lists what it opens.

PYTHON ?= python3
# The first report waits for one sample alone; the last to be made stands for all.
SAMPLE := samples/out/talker.mp4
SAMPLES := samples/out/two_talkers.mp4

# CLIP, OUT and CASES reach the recipe through the environment, not as make text: a path may hold spaces.
CLIP ?=
OUT ?=
CASES ?=
export CLIP OUT CASES

.DELETE_ON_ERROR:
.PHONY: help venv report test check samples notebooks docs screenshots real validate e2e bench fuzz lock notice clean

help:  ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | expand -t 12

venv: .venv/.ready  ## the environment .venv, exactly as locked

# Two stamps: an edit of pyproject.toml does not download the wheels again.
.venv/.locked: requirements.lock
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/.ready: .venv/.locked pyproject.toml
	.venv/bin/pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

report: .venv/.ready $(if $(CLIP),,$(SAMPLE))  ## examine CLIP='a file.mp4' (else the sample) into OUT (else case/<its stem>)
	@clip=$${CLIP:-$(SAMPLE)}; stem=$$(basename "$$clip"); out=$${OUT:-case/$${stem%.*}}; \
	set -x; .venv/bin/forensics report "$$clip" --out "$$out"

test: $(SAMPLES)  ## all tests but make e2e's, and every notebook; those on real clips skip by name without ../shared/data
	.venv/bin/python -m pytest --nbmake --nbmake-timeout=300 --numprocesses=2 --no-loadscope-reorder notebooks \
		--ignore=tests/e2e tests

check: .venv/.ready  ## lint, format, types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy forensics

# The notebooks' cases of the samples belong to the bytes that were there before.
define remake_samples
.venv/bin/python samples/build.py
@for clip in samples/out/*.mp4; do case=case/notebooks/$$(basename "$$clip" .mp4); rm -rf "$$case" "$$case-by-command"; done
endef

$(SAMPLE): $(wildcard samples/*.py) | .venv/.ready
	.venv/bin/python samples/build.py --only $(@F)

$(SAMPLES): $(wildcard samples/*.py) | .venv/.ready
	$(remake_samples)

samples: .venv/.ready  ## remake every sample
	$(remake_samples)

notebooks: $(SAMPLES)  ## run the notebooks again and store what they print
	.venv/bin/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False notebooks/*.ipynb

docs: .venv/.ready  ## the documentation into build/docs; a warning or a link that leads nowhere fails
	.venv/bin/python -m sphinx -b html -n -W --keep-going -q -c docs -d build/doctrees . build/docs

screenshots: $(SAMPLES)  ## docs/pictures anew, from the sample (needs Debian's package chromium)
	.venv/bin/python tools/screenshots.py

real: .venv/.ready  ## the gate on real recordings (needs ../shared/data)
	.venv/bin/python tests/real/gate.py

validate: .venv/.ready  ## scores of real recordings against their labels (needs ../shared/data), and the calibration shipped; OUT, CASES: folders
	@set -- --out "$${OUT:-case/validation}"; if [ -n "$$CASES" ]; then set -- "$$@" --cases "$$CASES"; fi; \
	set -x; .venv/bin/python tests/real/validate.py "$$@"

e2e: .venv/.ready  ## the report in a headless browser (needs Debian's package chromium, else skips by name)
	.venv/bin/python -m pytest -rs tests/e2e

bench: $(SAMPLES)  ## time and memory
	.venv/bin/python bench/report.py
	.venv/bin/python bench/report.py --faceless --rounds 1
	.venv/bin/python bench/custody.py
	.venv/bin/python bench/opening.py
	.venv/bin/python bench/analyses.py
	.venv/bin/python bench/memory.py
	.venv/bin/python bench/batch.py --clips 4
	.venv/bin/python bench/explorer.py --minutes 1 --seeks 30

fuzz: $(SAMPLES)  ## hostile files row by row, 1,000 damaged clips, texts and case files at random; versions of parsers
	.venv/bin/python tools/parsers.py
	FUZZ_EXAMPLES=1000 .venv/bin/python -m pytest tests/hostile/test_fuzz.py tests/test_boxes.py tests/test_pages.py
	.venv/bin/python tests/hostile/table.py
	.venv/bin/python tests/hostile/fuzz.py --n 1000 --out tests/hostile/FUZZ.md

lock: .venv/.ready  ## requirements.lock and environment.yml from requirements.in (UPGRADE=1: newest versions)
	.venv/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

notice: .venv/.ready  ## NOTICE from the lock
	.venv/bin/python tools/notice.py

clean:  ## remove what make can remake; never a case
	rm -rf .venv samples/out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
