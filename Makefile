# make run      builds and starts the gateway with its demo backend on 127.0.0.1:8080
# make test     every test there is; ends with `N passed, N failed`
# make build    the release binary, .build/release/sluice
# make costs    instructions, allocations, copies and system calls per request and event, against bench/baseline.json
# make baseline WHY="what made it change": counts anew, and writes the figures that changed into bench/baseline.json
# make install  the binary and conf/ below $(DESTDIR)$(PREFIX)
# make bench    about six minutes: Sluice beside a TCP relay, nginx and HAProxy, into bench/results/quick
# make bench-full   an hour or more: all peers, sweeps, N workers, into bench/results; bench-smoke: seconds, does it all work
# make tools    sluice-bench (mock and load) and floor-relay, in .build/release, for measurements
# make lint     swift format, strict
# Libraries are installed when missing, once (.ci/install-libraries); LLHTTP_SOURCE=dir compiles llhttp from a release.

PREFIX ?= /usr/local
DESTDIR ?=
# Where llhttp goes when it has to be brought: apart from PREFIX, which is about `make install` alone.
LIBRARY_PREFIX ?= /usr/local
CONFIG ?= conf/demo.yaml
# More for bench/run, such as BENCH_ARGS="--rounds 5 --peers haproxy,sluice".
BENCH_ARGS ?=

BINARY := .build/release/sluice
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# Rooms are compiled into one another, and what tests have checked in debug builds (overlapping accesses, which trap there)
# is not checked again for every property of every request: together a fifth of the instructions of a request.
OPTIMISATION := -Xswiftc -cross-module-optimization -Xswiftc -enforce-exclusivity=unchecked
# What the start of the process has to touch: its own symbols are nobody else's, and relocations are packed (DT_RELR, which
# needs glibc 2.36, Debian 12's). Resident at the start: 19.5 MiB against 23.3 with the usual linker and flags (2026-11-21).
LINKING := -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-export-dynamic \
  -Xlinker --exclude-libs=ALL
# The same flags for all products: others would build the world anew.
TOOL_FLAGS := -c release --static-swift-stdlib $(SWIFT_FLAGS) $(OPTIMISATION) $(LINKING)
RELEASE_FLAGS := $(TOOL_FLAGS) --product sluice
SOURCES := $(wildcard Sources Tests bench) Package.swift

export SWIFT_FLAGS LLHTTP_SOURCE
ifneq ($(LIBRARY_PREFIX),/usr/local)
export PKG_CONFIG_PATH := $(LIBRARY_PREFIX)/lib/pkgconfig:$(PKG_CONFIG_PATH)
endif

.PHONY: run build tools bench bench-full bench-smoke test lint unit scenarios clients costs baseline install clean libraries \
  test-tools

run: build
	@exec $(BINARY) run --config $(CONFIG)

build: libraries
	swift build $(RELEASE_FLAGS)

tools: libraries
	swift build $(TOOL_FLAGS) --product sluice-bench
	swift build $(TOOL_FLAGS) --product floor-relay

bench: build tools
	@bench/run $(BENCH_ARGS)

bench-full: build tools
	@bench/run --full $(BENCH_ARGS)

bench-smoke: build tools
	@bench/run --smoke $(BENCH_ARGS)

test: libraries test-tools
	@.ci/test

unit scenarios clients costs: libraries test-tools
	@.ci/test $@

# WHY, and ALL=1 for every figure anew, reach it through the environment, as all variables of the command line do.
baseline: build test-tools
	@PYTHONPATH=Tests/Costs:Tests/Scenarios $${VENV:-.venv}/bin/python -m guard

lint:
	swift format lint --strict --parallel --recursive $(SOURCES)

install: build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/sluice
	install -d $(DESTDIR)$(PREFIX)/share/sluice
	install -m 644 $(wildcard conf/*) $(DESTDIR)$(PREFIX)/share/sluice/

clean:
	rm -rf .build .venv .bench .pytest_cache

libraries:
	@PREFIX=$(LIBRARY_PREFIX) .ci/install-libraries

test-tools:
	@.ci/install-test-tools
