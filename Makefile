SHELL := bash
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup repro web test browser check bench-detect bench-models bench-detectors bench-preprocess fuzz kill packaged evaluate-portraits portraits-seeds ffpp-finetune ffpp-faces robustness robustness-portraits portraits study lint docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 30

setup: .venv/ready ## make .venv from the pinned requirements

.venv/ready: requirements.txt pyproject.toml
	@command -v uv >/dev/null || $(PYTHON) -m uv --version >/dev/null 2>&1 || test -x .uv/bin/uv || \
	$(PYTHON) -m pip install --quiet uv 2>/dev/null || \
	{ $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; } # where the system's Python is locked
	@uv=$$(command -v uv || ls .uv/bin/uv 2>/dev/null || echo "$(PYTHON) -m uv"); set -e; \
	test -x .venv/bin/python || $$uv venv --quiet --python $(PYTHON) .venv; \
	$$uv pip sync --quiet --python .venv/bin/python requirements.txt; \
	$$uv pip install --quiet --python .venv/bin/python --no-deps --editable .
	@touch $@

repro: setup check ## build the data, run every stage, regenerate the comparison table
	dvc repro
	@echo && cat metrics/comparison.md

web: setup ## judge clips in the browser, with the packaged model or MODEL=file
	PYTHONPATH=src python -m litefake web $(addprefix --model ,$(MODEL))

check: setup ## check params.yaml and the data set before anything runs
	PYTHONPATH=src python -m litefake check

test: setup browser ## run the tests
	pytest -q -n 2 --dist loadfile --no-loadscope-reorder

bench-models: setup ## one face in every runtime, 224 px and the table's size (after make repro)
	PYTHONPATH=src python -m tools.bench_models

bench-detect: setup ## what a verdict costs, against the naive way (after make repro)
	PYTHONPATH=src python -m tools.bench_detect

packaged: setup ## make the packaged model anew: portraits, their profile, the package
	PYTHONPATH=src python -m tools.portraits
	PYTHONPATH=src python -m tools.run_profile portraits
	PYTHONPATH=src python -m tools.package_model

# Each model of build/$(1) on the test crops of the subset, as metrics/evaluate/$(1)/MODEL.json.
judge_chain = for model in b0.safetensors lite0.safetensors kd_lite0.safetensors prune_kd.safetensors \
	prune_kd_int8.onnx; do litefake evaluate data/ffpp_faces/image --split test \
	--model build/$(1)/models/$$model --json metrics/evaluate/$(1)/$${model%.*}.json || exit; done

evaluate-portraits: setup ## the packaged model and its chain on data/ffpp_faces/image (after make packaged)
	for part in test train; do litefake evaluate data/ffpp_faces/image --split $$part \
	--json metrics/evaluate/ffpp_subset_$$part.json || exit; done
	$(call judge_chain,portraits)

portraits-seeds: setup portraits_seed1 portraits_seed2 ## its chain with two more seeds, judged there (after make portraits)

portraits_seed%: setup
	PYTHONPATH=src python -m tools.run_profile portraits --as $@ --set reproducibility.seed=$* export
	$(call judge_chain,$@)
	litefake evaluate data/ffpp_faces/image --split train --model build/$@/models/prune_kd_int8.onnx \
	--json metrics/evaluate/$@/train.json

ffpp-finetune: setup finetune_seed1 ## one of these trained on with such crops, and ImageNet's Lite0 too (after make portraits-seeds)

finetune_seed%: setup
	PYTHONPATH=src python -m tools.run_profile ffpp_finetune --as $@ --set reproducibility.seed=$* \
	--set b0.weights=packaged --set lite0.weights=build/portraits_seed$*/models/kd_lite0.safetensors train_lite0
	PYTHONPATH=src python -m tools.run_profile ffpp_finetune --as imagenet_seed$* \
	--set reproducibility.seed=$* --set b0.weights=packaged --set lite0.weights=packaged train_lite0
	for run in $@ imagenet_seed$*; do litefake evaluate data/ffpp_faces/image --split test \
	--model build/$$run/models/lite0.safetensors --json metrics/evaluate/finetune/$$run.json && \
	cp build/$$run/metrics/train_lite0.json metrics/evaluate/finetune/$$run.training.json || exit; done

ffpp-faces: setup ## train the chain on the face crops in data/ffpp_faces/image and judge it there
	PYTHONPATH=src python -m tools.run_profile ffpp_faces
	PYTHONPATH=src python -m tools.subset_chain

robustness: setup ## every model under JPEG, blur, noise, ... (after make repro)
	PYTHONPATH=src python -m tools.robustness

study: setup ## run a study of studies/ in DVC's cache: NAME=kd_alpha, SEEDS=0 or MISSING=yes (docs/studies.md)
	PYTHONPATH=src python -m tools.study $(NAME) $(SEEDS) $(if $(filter yes,$(MISSING)),--missing)

robustness-portraits: setup ## the same for the packaged model and its B0 (after make packaged)
	PYTHONPATH=src python -m tools.robustness portraits

portraits: setup ## bring 536 licensed portraits, checked, for self-blending
	@PYTHONPATH=src python -m tools.portraits

browser: setup ## find or install the Chromium that the tests of the page drive
	@PYTHONPATH=src python -m tools.browser

lint: setup ## style and types
	ruff check .
	ruff format --check .
	mypy

docs: setup ## paste every generated part into README.md and docs/
	python -m tools.readme

bench-detectors: setup ## compare the face detectors: found, false, time, sizes (after make repro)
	PYTHONPATH=src python -m tools.bench_detectors --clips $(wildcard data/ffpp_faces/*.mp4)
	PYTHONPATH=src python -m tools.fit_face_box $(wildcard data/ffpp_faces/*.mp4)
	PYTHONPATH=src python -m tools.swap_detector models/prune_kd_int8.onnx

bench-preprocess: setup ## time the way from clips to faces, naive and ours
	PYTHONPATH=src python -m tools.bench_preprocess
	PYTHONPATH=src python -m tools.bench_memory

fuzz: setup ## read 1,200 damaged clips, each with bounded time and memory
	PYTHONPATH=src python -m tools.fuzz_video

kill: setup ## kill -9 dvc repro at 20 random moments, in a scratch clone
	PYTHONPATH=src python -m tools.kill_repro --times 20

clean: ## remove the pipeline's data and all of models/, but not DVC's cache
	rm -rf data/videos data/frames data/faces data/.*.part data/contact_sheets data/*.csv models checkpoints
