# SPDX-License-Identifier: Apache-2.0
# Thin: each target is a script in .ci/, which first installs what it needs.
.DEFAULT_GOAL := build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## the command and the conformance programs, into build/
	@.ci/build
demo: ## a caller clones itself into three other processes
	@.ci/demo
test: ## everything that CI demands, but for the linters; takes root
	@.ci/test
bystanders: ## suites that nobody here wrote, natively and under run: Go's, the kernel's, gdb, sudo, runc
	@.ci/bystanders
soak: ## many calls in a row (CALLS=1000000): memory, descriptors, threads of the supervisor
	@.ci/soak $(CALLS)
servers: ## redis and nginx as targets under load (CALLS=500): errors and latencies at their clients
	@.ci/servers $(CALLS)
bench: ## what it costs, side by side: tables and build/bench.svg
	@.ci/bench
warm: ## clones of a warm interpreter against cold starts (REQUESTS="1 3 10", MAKER=bwrap): build/warm.svg
	@MAKER=$(MAKER) .ci/warm $(REQUESTS)
tree-bench: ## what tree build needs for a process, in plain forks (PROCESSES=1000)
	@.ci/tree-bench $(PROCESSES)
docker: ## exec into a container of a real docker, whose daemon it starts
	@.ci/docker
criu-bench: ## Debian's CRIU beside tree build on a patched kernel (PROCESSES=200)
	@.ci/criu-bench $(PROCESSES)
oracle: ## is a child what fork would have made: the whole grid, emulator and kernels
	@.ci/oracle
fuzz: ## random programs on both (ROUNDS=200, SEED=1), compared
	@.ci/fuzz $(or $(ROUNDS),200) $(SEED)
kernel: ## the patched kernel (KERNEL=6.1 or 6.12), kept in a cache
	@.ci/kernel
kernel-debug: ## the same with KASAN, lockdep and kmemleak
	@.ci/kernel --debug
kernel-check: ## the patch series as a reviewer sees it: checkpatch, sparse, W=1
	@kernel/check.sh
conform: ## the conformance suite under the emulator
	@.ci/conform emu
stock: ## the conformance suite under the emulator on a distribution's kernel (IMAGE=vmlinuz), else the one that apt has
	@.ci/stock $(IMAGE)
conform-debug: ## the conformance suite on the debug kernel: it must pass, and the kernel have no complaint
	@.ci/conform native --debug
compare: ## emulator and kernels side by side, report in build/compare.html
	@.ci/compare
man: ## lint of the manual pages
	@.ci/man
lint: ## gofumpt, vet, staticcheck
	@.ci/lint
deb: ## the Debian package, tried in a clean chroot
	@.ci/deb
dist: ## the release: a static command with manual, header and licences
	@.ci/dist
clean: ## removes build/ and dist/out/; the cached kernels stay
	rm -rf build dist/out

.PHONY: help build demo test bystanders soak servers bench warm tree-bench docker criu-bench oracle fuzz kernel kernel-debug kernel-check conform stock conform-debug \
	compare man lint deb dist clean
