# make demo and make test are the only set-up anybody needs.
.PHONY: help demo test lint proof bench trial lock

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

demo:  ## load the exercise, run the whole cycle, serve on 127.0.0.1:8000 (ARGS=--no-serve stops after the report)
	@.ci/venv run
	@.venv/bin/mingjian demo $(ARGS)

test:  ## set everything up and run every test (SQLite, PostgreSQL, browser)
	@.ci/test

lint:  ## ruff, types, import rules, scoring forms
	@.ci/venv dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/mingjian forms lint

proof:  ## the heavy proofs at full count, resumable; figures go to docs/proof.md
	@.ci/venv dev
	.venv/bin/python -m tests.proof

bench:  ## speed and memory, as ratios against a peer in the same run
	@.ci/venv dev
	.venv/bin/python -m tests.benchmarks
	.venv/bin/python -m tests.benchmarks.seasons --rivals
	.venv/bin/python -m tests.benchmarks.papers

trial:  ## a new user's first round in a browser, with a stop-watch; figures go to docs/operators-guide.md
	@.ci/venv dev
	.venv/bin/python -m tests.trial

lock:  ## pin the dependencies again (needs pip-tools)
	pip-compile -q -U --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header --allow-unsafe -o .ci/requirements.txt pyproject.toml
	pip-compile -q -U --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header --allow-unsafe --extra dev -o .ci/requirements-dev.txt pyproject.toml
	pip-compile -q -U --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header --allow-unsafe -o .ci/requirements-build.txt .ci/requirements-build.in
