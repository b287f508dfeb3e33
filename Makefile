# `make demo` and `make test` set up all they need; see CONTRIBUTING.md.
SHELL := /bin/bash -o pipefail
PYTHON := .venv/bin/python
LEVEL = $(shell python3 tools/level.py)
# Tests that do more of the same in `make nightly`: thousands of cases, fifty kills, hundreds of fits.
REPEATED = $(addprefix Tests/python/,test_abi.py inputs/test_any_input.py inputs/test_guard_pages.py storage/test_hostile_files.py system training cli)
# One after the other: a test counts what the process allocates.
SWIFT_TEST = swift test --no-parallel -c release --scratch-path .build/test -Xswiftc -enable-testing $(LEVEL)

.PHONY: help demo test test-swift test-python parity nightly sanitize bench quality profile wheel platforms arm64 docs format setup
.PHONY: lint lint-swift lint-python lint-c

help:
	@echo "make demo    map Fashion-MNIST: out/fashion-mnist.png"
	@echo "make test    linters, Swift tests, Python tests"
	@echo "make parity  comparison with PyTorch"
	@echo "make nightly the tests, many more cases of them, the Swift tests at every level of this machine, also with guard pages, all benchmarks tried"
	@echo "make sanitize the suites under sanitizers, and a fuzzer"
	@echo "make bench   speed beside PyTorch, tsimcne and torchvision; BENCH=--quick tries it"
	@echo "make quality how good a five-minute map is; CIFAR=cifar10.zip instead of Fashion-MNIST"
	@echo "make profile where a training step's time goes; PROFILE=\"step --width 64\""
	@echo "make wheel   a wheel with a core for each instruction-set level: dist/"
	@echo "make platforms the wheel and the build in trees of other systems; PLATFORMS=\"levels debian\" for some"
	@echo "make arm64   the wheel for arm64, and what of the tests emulation leaves time for"
	@echo "make docs    the documentation's site: out/docs/index.html"
	@echo "make lint, make format"

setup:
	@tools/setup.sh

demo:
	@tools/setup.sh demo
	$(PYTHON) examples/fashion_mnist.py

test: setup lint test-swift test-python

test-swift:
	$(SWIFT_TEST)

test-python:
	$(PYTHON) -m pytest --numprocesses auto --dist loadfile Tests/python
	$(PYTHON) -m pytest Tests/mpi

parity: setup
	@tools/setup.sh parity
	PYTHONPATH=python .venv-parity/bin/python -m pytest Tests/parity

nightly: test
	@for level in $$(python3 tools/level.py --all); do \
		echo "--- $$level"; \
		swift test --no-parallel -c release --scratch-path .build/test-$$level -Xswiftc -enable-testing \
			$$(python3 tools/level.py $$level) || exit 1; \
		INSTRUCTION_SET=$$level tools/sanitize.sh guard || exit 1; \
	done
	TSIMCNE_NIGHTLY=1 $(PYTHON) -m pytest --timeout 0 $(REPEATED)
	$(MAKE) bench BENCH=--quick

# The suites under sanitizers, and a fuzzer of the C interface; SANITIZE="thread fuzz" for some of it.
SANITIZE = address thread fuzz valgrind guard
sanitize: setup
	@tools/setup.sh sanitize
	tools/sanitize.sh $(SANITIZE)

# The image sets are Fashion-MNIST and, where CIFAR names a zip of train|test/<class>/*.jpg, CIFAR-10.
QUALITY = fast --budget 5min --seeds 0 1 2 --labels test
quality: setup
	.venv/bin/python -m benchmarks.quality $(QUALITY) $(if $(CIFAR),--data cifar10 --archive $(CIFAR),--data fashion)

bench: setup
	@tools/setup.sh bench
	PYTHONPATH=python .venv-bench/bin/python -m benchmarks.speed $(BENCH)

PROFILE = step
profile: setup
	@swift build -c release --product Profile --scratch-path .build/profile $(LEVEL) >&2
	@.build/profile/release/Profile $(PROFILE)

wheel: setup
	tools/make_wheel.sh

# Groups of rows of docs/platforms.md. What was done is not repeated: see tools/platforms.
PLATFORMS = levels processors pythons debian
platforms:
	@tools/setup.sh platforms
	python3 -u -m tools.platforms $(PLATFORMS)

arm64:
	@$(MAKE) platforms PLATFORMS=arm64

docs: setup
	@tools/setup.sh docs
	PYTHONPATH=$(CURDIR)/python .venv-docs/bin/sphinx-build -W --keep-going -q -d .build/docs docs out/docs
	tools/make_swift_docs.sh

# Versions stand in tools/linters.txt; pre-commit runs these three too.
lint: lint-swift lint-python lint-c

lint-swift:
	swift format lint --strict --recursive Package.swift Sources Tests benchmarks

lint-python:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy python/tsimcne_swift

lint-c:
	.venv/bin/clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

format:
	swift format --in-place --recursive Package.swift Sources Tests benchmarks
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/clang-format -i $$(git ls-files '*.c' '*.h')
