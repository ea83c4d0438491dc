# SPDX-License-Identifier: GPL-2.0-only
#
# The one makefile. Everything that is built goes into build/. `make help` lists the targets.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
DOCDIR     ?= $(PREFIX)/share/doc/fwctl
DESTDIR    ?=

CC      ?= gcc
CLANG   ?= clang-14
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PYTHON  ?= /usr/bin/python3
PKGCONF ?= pkg-config

# What Debian 12 calls the things we need, to build and to test.
BUILD_PACKAGES := gcc libc6-dev clang-14 bpftool pkg-config libbpf-dev libxdp-dev libelf-dev \
	libnl-3-dev libnl-route-3-dev libjansson-dev libpcap-dev
TEST_PACKAGES  := libclang-rt-14-dev libcmocka-dev python3-scapy iperf3 nftables iproute2 \
	iputils-ping procps tcpdump util-linux mandoc xdp-tools \
	isc-dhcp-client dnsmasq-base ethtool curl nmap traceroute
VM_PACKAGES    := qemu-system-x86 cpio kmod
BENCH_PACKAGES := nftables ipset iptables xdp-tools ethtool iproute2 gnuplot-nox
LINT_PACKAGES  := clang-format-14 clang-tidy-14 cppcheck shellcheck

LIBRARIES := libbpf libxdp libnl-3.0 libnl-route-3.0 jansson
# Only its headers: `fwctl explain --pcap` loads it when it runs (ctl/analysis/capture.c).
HEADERS   := libpcap

ifeq ($(V),1)
Q :=
say :=
else
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wcast-qual -Wvla -Wundef
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
VERSION  := 0.1.0
CPPFLAGS += -D_GNU_SOURCE -DFWCTL_VERSION='"$(VERSION)"' -Iinclude -Ictl -Ibuild
CFLAGS   ?= -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
ALL_CFLAGS = -std=gnu11 $(CPPFLAGS) $(CFLAGS) -fPIE $(WARNINGS) $(shell $(PKGCONF) --cflags $(LIBRARIES) $(HEADERS))
LDFLAGS  += -pie -Wl,-z,relro,-z,now
LDLIBS   += $(shell $(PKGCONF) --libs $(LIBRARIES))

# -mcpu=v3 (32-bit instructions, atomics) is understood by every kernel from 5.12 on.
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Wshadow \
	-Wimplicit-int-conversion -Iinclude -idirafter /usr/include/$(shell uname -m)-linux-gnu
ifeq ($(WERROR),1)
BPF_CFLAGS += -Werror
endif

BPF_SOURCES := $(wildcard xdp/*.bpf.c tc/*.bpf.c)
SKELETONS   := $(patsubst %.bpf.c,build/%.skel.h,$(notdir $(BPF_SOURCES)))
CTL_SOURCES := $(wildcard ctl/*/*.c)
OBJECTS     := $(CTL_SOURCES:%.c=build/%.o)
SAN_OBJECTS := $(CTL_SOURCES:%.c=build/san/%.o)
UNIT_TESTS  := $(patsubst %.c,build/%,$(wildcard tests/unit/test_*.c))
PROG_TESTS  := $(patsubst %.c,build/%,$(wildcard tests/prog/test_*.c))
TEST_LIB    := $(wildcard tests/lib/*.c)
GOLDEN      := $(patsubst %.c,build/%,$(wildcard tests/golden/*.c))
FUZZERS     := $(patsubst %.c,build/%,$(wildcard tests/fuzz/fuzz_*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.DEFAULT_GOAL := all

## all: fwctl and its BPF programs, into build/
.PHONY: all
all: build/fwctl

build/%.bpf.o: xdp/%.bpf.c
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MF build/$*.bpf.d -c $< -o $@

build/%.bpf.o: tc/%.bpf.c
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MF build/$*.bpf.d -c $< -o $@

build/%.skel.h: build/%.bpf.o
	$(call say,SKELETON,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

build/ctl/%.o: ctl/%.c | $(SKELETONS)
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

build/fwctl: build/ctl/main.o build/libfwctl.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

build/libfwctl.a: $(OBJECTS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# The same code under sanitizers, for unit tests. Headers are parsed at any offset, so alignment is
# not checked: the targets of the BPF side and of Linux hosts read unaligned words.
SANITIZERS := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined
SAN_CFLAGS = -std=gnu11 $(CPPFLAGS) -Itests/lib -O1 -g -fno-omit-frame-pointer $(SANITIZERS) $(WARNINGS) \
	$(shell $(PKGCONF) --cflags $(LIBRARIES) $(HEADERS) cmocka)

build/san/%.o: %.c | $(SKELETONS)
	$(call say,CC-SAN,$@)mkdir -p $(@D) && $(CC) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

build/san/libfwctl.a: $(SAN_OBJECTS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

build/tests/unit/%: build/san/tests/unit/%.o $(TEST_LIB:%.c=build/san/%.o) build/san/libfwctl.a
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(SANITIZERS) $^ $(LDLIBS) -lcmocka -o $@

build/tests/golden/%: build/san/tests/golden/%.o build/san/libfwctl.a
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(SANITIZERS) $^ $(LDLIBS) -o $@

build/tests/%.o: tests/%.c | $(SKELETONS)
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests/lib -MMD -MP -c $< -o $@

build/tests/prog/%: build/san/tests/prog/%.o $(TEST_LIB:%.c=build/san/%.o) build/san/libfwctl.a
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(SANITIZERS) $^ $(LDLIBS) -lcmocka -o $@

# Packets that are defined once, by scapy, and told to the C tests.
build/packets.h: tests/lib/packets.py
	$(call say,PACKETS,$@)mkdir -p $(@D) && $(PYTHON) $< > $@

$(UNIT_TESTS:build/%=build/san/%.o) $(PROG_TESTS:build/%=build/san/%.o) $(TEST_LIB:%.c=build/%.o) \
$(TEST_LIB:%.c=build/san/%.o): | build/packets.h

build/corpus/fuzz_packet: tests/lib/packets.py
	$(call say,SEEDS,$@)$(PYTHON) $< $@

build/tests/fuzz/fuzz_packet: | build/corpus/fuzz_packet

# The differential test is one program of several files (docs/differential.md).
DIFFERENTIAL := build/tests/differential/differential
DIFFERENTIAL_OBJECTS := $(patsubst %.c,build/%.o,$(wildcard tests/differential/*.c))
$(DIFFERENTIAL_OBJECTS): | build/packets.h
$(DIFFERENTIAL): $(DIFFERENTIAL_OBJECTS) build/libfwctl.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -lpcap -o $@

# Programs of others that the end-to-end tests attach beside ours: a guest has no compiler.
E2E_OBJECTS := $(patsubst %.c,build/%.o,$(wildcard tests/e2e/*.bpf.c))

build/tests/e2e/%.bpf.o: tests/e2e/%.bpf.c
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

# libFuzzer needs clang; the code under test is compiled with coverage, once for all fuzzers.
FUZZ_SANITIZERS := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined
FUZZ_CFLAGS = -std=gnu11 $(CPPFLAGS) -Itests/lib -O1 -g $(FUZZ_SANITIZERS) \
	$(shell $(PKGCONF) --cflags $(LIBRARIES) $(HEADERS))
FUZZ_OBJECTS := $(CTL_SOURCES:%.c=build/fuzz/%.o)

build/fuzz/%.o: %.c | $(SKELETONS)
	$(call say,CC-FUZZ,$@)mkdir -p $(@D) && \
		$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

build/fuzz/libfwctl.a: $(FUZZ_OBJECTS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

build/tests/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/libfwctl.a
	$(call say,FUZZER,$@)mkdir -p $(@D) && \
		$(CLANG) $(FUZZ_SANITIZERS) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

# The benchmarks have BPF programs of their own, whose skeletons stand apart from fwctl's.
BENCH_SOURCES   := $(wildcard bench/*.c)
BENCH_SOURCES   := $(filter-out %.bpf.c,$(BENCH_SOURCES))
BENCH_SKELETONS := $(patsubst bench/%.bpf.c,build/bench/%.skel.h,$(wildcard bench/*.bpf.c))

build/bench/%.bpf.o: bench/%.bpf.c
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MF build/bench/$*.bpf.d -c $< -o $@

build/bench/%.skel.h: build/bench/%.bpf.o
	$(call say,SKELETON,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

build/bench/%.o: bench/%.c $(BENCH_SKELETONS)
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -isystem build/bench -MMD -MP -c $< -o $@

build/fwbench: $(BENCH_SOURCES:%.c=build/%.o) build/libfwctl.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

## bench: everything side by side with nft, ipset and others, into bench/results/ (as root, 10 min)
.PHONY: bench
bench:
	$(Q)tests/lib/deps.sh $(BUILD_PACKAGES) $(BENCH_PACKAGES) || echo "what is missing is left out"
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all build/fwbench
	$(Q)bench/run.sh $(BENCH)

## bench-page: the tables and the plot of docs/performance.md, of what `make bench` found last
.PHONY: bench-page
bench-page:
	$(Q)bench/report.py page docs/performance.md && bench/report.py plot docs/performance.svg

## bench-parse: CPU time and memory of reading 100,000 rules and a set file of 1.4 M prefixes
.PHONY: bench-parse
bench-parse: build/fwbench
	$(Q)build/fwbench parse

.PHONY: tests
tests: all build/fwbench $(UNIT_TESTS) $(GOLDEN) $(PROG_TESTS) $(DIFFERENTIAL) $(FUZZERS) $(E2E_OBJECTS)

## check: all tests (as root; without root those that need it are skipped and said to be)
.PHONY: check
check: deps
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)tests/run.sh

## check-unit, check-golden, check-prog, check-e2e, check-fuzz: one tier of the tests
CHECKS := check-unit check-golden check-prog check-e2e check-fuzz
.PHONY: $(CHECKS)
$(CHECKS): check-%: tests
	$(Q)tests/run.sh $*

## check-vm: the program and end-to-end tests on other kernels, in qemu (VM_SUITES="bookworm trixie sid")
.PHONY: check-vm
check-vm: deps
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)VM_SUITES="$(or $(VM_SUITES),bookworm trixie sid)" VM_TIERS="vm-prog-all vm-e2e-all" tests/run.sh vm

## check-long SECONDS=n: the differential test, for so long, with a seed of its own (as root)
.PHONY: check-long
check-long: tests
	$(Q)$(DIFFERENTIAL) --seconds $(or $(SECONDS),600)

## fuzz: each fuzzer for a minute (FUZZ_SECONDS=60)
.PHONY: fuzz
fuzz: $(FUZZERS)
	$(Q)FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) tests/run.sh fuzz

## demo: two namespaces, real traffic, every packet accounted for (as root, under a minute)
.PHONY: demo
demo: deps
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)tests/demo.sh

## deps: install the Debian packages that are missing (as root), and say which
.PHONY: deps
deps:
	$(Q)tests/lib/deps.sh $(BUILD_PACKAGES) $(TEST_PACKAGES)
	$(Q)tests/lib/deps.sh $(VM_PACKAGES) || echo "without them the tests in guests are skipped"

## format: clang-format over all C; format-check only tells
C_FILES := $(wildcard include/fw/*.h xdp/*.c tc/*.c ctl/*.c ctl/*/*.c ctl/*/*.h tests/*/*.c tests/*/*.h bench/*.c bench/*.h)
.PHONY: format format-check
format:
	$(Q)clang-format-14 -i $(C_FILES)
format-check:
	$(Q)clang-format-14 --dry-run --Werror $(C_FILES)

## lint: layout, clang-tidy, cppcheck, shellcheck, man pages and house rules, as far as installed
.PHONY: lint
lint: $(SKELETONS)
	$(Q)CLANG=$(CLANG) tests/lint.sh

## install: into $(DESTDIR)$(PREFIX); keeps a fw.conf that is there
UNITS := $(notdir $(wildcard config/*.service))
.PHONY: install
install: all
	install -D -m 755 build/fwctl $(DESTDIR)$(SBINDIR)/fwctl
	install -D -m 644 docs/man/fwctl.8 $(DESTDIR)$(MANDIR)/man8/fwctl.8
	install -D -m 644 docs/man/fwctl.conf.5 $(DESTDIR)$(MANDIR)/man5/fwctl.conf.5
	install -D -m 644 config/completion/fwctl.bash $(DESTDIR)$(BASHDIR)/fwctl
	install -D -m 644 config/completion/_fwctl $(DESTDIR)$(ZSHDIR)/_fwctl
	install -d $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSCONFDIR)/fwctl
	install -m 644 README.md CHANGELOG.md LICENSE docs/language.md docs/flows.md docs/operations.md \
		$(DESTDIR)$(DOCDIR)
	install -m 644 $(wildcard config/examples/*) $(DESTDIR)$(DOCDIR)/examples
	for unit in $(UNITS); do \
		sed -e 's|/usr/local/sbin|$(SBINDIR)|' -e 's|/etc/fwctl|$(SYSCONFDIR)/fwctl|' \
			config/$$unit > $(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	test -e $(DESTDIR)$(SYSCONFDIR)/fwctl/fw.conf || \
		install -m 644 config/fw.conf $(DESTDIR)$(SYSCONFDIR)/fwctl/fw.conf

## uninstall: removes what install put there, but not $(SYSCONFDIR)/fwctl
.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/fwctl $(DESTDIR)$(MANDIR)/man8/fwctl.8 \
		$(DESTDIR)$(MANDIR)/man5/fwctl.conf.5 $(DESTDIR)$(BASHDIR)/fwctl \
		$(DESTDIR)$(ZSHDIR)/_fwctl $(UNITS:%=$(DESTDIR)$(UNITDIR)/%)
	rm -rf $(DESTDIR)$(DOCDIR)

## dist: build/fwctl-VERSION.tar.gz, of what is committed
.PHONY: dist
dist:
	$(Q)mkdir -p build
	$(Q)git archive --prefix=fwctl-$(VERSION)/ -o build/fwctl-$(VERSION).tar.gz HEAD
	@echo build/fwctl-$(VERSION).tar.gz

## clean: remove build/
.PHONY: clean
clean:
	$(Q)rm -rf build

## help: this list
.PHONY: help
help:
	$(Q)sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST))

-include $(wildcard build/*.d build/ctl/*.d build/ctl/*/*.d build/san/*/*/*.d build/fuzz/*/*/*.d build/tests/*/*.d build/bench/*.d)
