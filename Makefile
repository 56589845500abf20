# SPDX-License-Identifier: Apache-2.0
# Thin: each target is a script in .ci/, which first installs what it needs.
.DEFAULT_GOAL := build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## the command and the conformance programs, into build/
	@.ci/build
demo: ## a caller clones itself into three other processes
	@.ci/demo
test: ## everything that CI demands, but for the linters
	@.ci/test
bench: ## what it costs, side by side: tables and build/bench.svg
	@.ci/bench
kernel: ## the patched kernel (KERNEL=6.1 or 6.12), kept in a cache
	@.ci/kernel
kernel-debug: ## the same with KASAN, lockdep and kmemleak
	@.ci/kernel --debug
man: ## lint of the manual pages
	@.ci/man
lint: ## gofumpt, vet, staticcheck
	@.ci/lint
clean: ## removes build/; the cached kernels stay
	rm -rf build

.PHONY: help build demo test bench kernel kernel-debug man lint clean
