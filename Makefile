# SPDX-License-Identifier: MIT
#
# make                  the program, ./linux_net_kernel
# make install          DESTDIR, PREFIX
# make check            every test (see tests/run)
# make lint             clang-format, clang-tidy, cppcheck, shellcheck
# make fuzz             every fuzz target for CI_FUZZ_SECONDS (see tests/fuzz/run.sh)
# make bench            what it costs, beside its peers; writes docs/benchmarks.md
# make bench-vm         kprobe and fentry in a virtual machine; writes docs/benchmarks-vm.md
# make truth            the table against other witnesses; writes docs/truth.md
# make mutate           is each comparison held by a test? (see docs/testing.md)
# make valgrind         unit tests and fuzz seeds under valgrind
# V=1 shows commands, WERROR=1 makes warnings errors (scripts/test.sh does), SAN=1 builds with
# ASan and UBSan (into build/san only), FUZZ=1 with libFuzzer as well, by clang (into
# build/fuzz). Other CC, CFLAGS, PREFIX than the last time: what depends on them is built again.

VERSION := 0.1.0
PREFIX ?= /usr/local
DATADIR := $(PREFIX)/share/linux_net_kernel
CC ?= gcc
CLANG ?= clang
CFLAGS ?= -O2 -g
BUILD := build/$(if $(FUZZ),fuzz,$(if $(SAN),san,opt))
ifdef FUZZ
override SAN := 1
override CC := $(CLANG)
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wno-format-nonliteral -Wvla
# A compiler that is newer than this may know more warnings: they do not end a user's build.
WERROR_FLAG := $(if $(filter-out 0,$(WERROR)),-Werror)
# glibc fortifies only with optimisation, and warns without. Whoever gives a level of his own
# keeps it; that of a compiler that defines one by itself is replaced without a word.
optimised := $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))
FORTIFY := $(if $(SAN)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$\
	$(if $(optimised),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN := -fstack-protector-strong -fPIE $(FORTIFY)
comma := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(if $(FUZZ),-fsanitize=fuzzer-no-link)
override CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -DVERSION='"$(VERSION)"'
override CFLAGS += -std=c11 $(WARN) $(HARDEN) $(SANFLAGS)
override LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANFLAGS)
# libbcc_bpf: the half of libbcc without LLVM. libbcc itself is loaded at run time.
LDLIBS := -pthread -lbcc_bpf -lbpf -lpcap -lcap -lreadline -ldl

PROBES := $(sort $(wildcard probes/*.h probes/*.c))
SRCS := $(filter-out src/conf/optdoc.c,$(wildcard src/*.c src/*/*.c))
OBJS := $(SRCS:%.c=$(BUILD)/%.o) $(BUILD)/embedded.o
LIBOBJS := $(filter-out $(BUILD)/src/main.o,$(OBJS))
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# Taken now: a target that has flags of its own hands them to what it depends on.
MADE_WITH := $(strip $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS))
override CFLAGS += $(WERROR_FLAG)

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

# One with sanitizers stays where it is built: what lies at the top is used, and installed.
all: $(if $(SAN),$(BUILD)/linux_net_kernel,linux_net_kernel) probes-mode

ifndef SAN
linux_net_kernel: $(BUILD)/linux_net_kernel
	$(Q)ln -f $< $@ 2>/dev/null || cp $< $@
endif

# The program refuses probes that others can write, and a checkout under umask 002 is such.
probes-mode:
	$(Q)chmod -f go-w probes $(PROBES) || :

# What was used the last time: written anew when it is something else now.
differ = $(subst $(1),,$(2))$(subst $(2),,$(1))
define stamp
$(BUILD)/$(1): export TEXT := $$($(2))
$(BUILD)/$(1): $(if $(call differ,$(shell cat $(BUILD)/$(1) 2>/dev/null),$($(2))),FORCE) | $(BUILD)
	@printf '%s\n' "$$$$TEXT" >$$@
endef
$(eval $(call stamp,made-with,MADE_WITH))
$(eval $(call stamp,made-for,DATADIR))
$(eval $(call stamp,made-of,PROBES))

$(BUILD):
	@mkdir -p $@

$(BUILD)/linux_net_kernel: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c Makefile $(BUILD)/made-with
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/bpf/source.o $(BUILD)/tests/unit/test_source.o: $(BUILD)/made-for
$(BUILD)/src/bpf/source.o $(BUILD)/tests/unit/test_source.o: override CPPFLAGS += \
	-DDATADIR='"$(DATADIR)"'

$(BUILD)/embedded.o: $(BUILD)/embedded.c $(BUILD)/made-with
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The probes as C strings: what the program falls back to.
$(BUILD)/embedded.c: $(PROBES) $(BUILD)/made-of scripts/embed.sh Makefile
	$(call say,EMBED,probes)
	@mkdir -p $(@D)
	$(Q)sh scripts/embed.sh $(PROBES) >$@.tmp && mv $@.tmp $@

$(BUILD)/optdoc: $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/conf/*.c src/base/*.c))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# Some tests include a source file to get at what is static in it; an archive gives
# them only the rest.
$(BUILD)/lib.a: $(LIBOBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/unit.o $(BUILD)/lib.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# With _FORTIFY_SOURCE glibc wants every result looked at; what a test prepares is seen
# in what follows.
$(BUILD)/tests/%.o: override CFLAGS += -Wno-unused-result

# With libFuzzer, or with a main() that runs the files it is given.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(if $(FUZZ),,$(BUILD)/tests/fuzz/replay.o) $(BUILD)/lib.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/bench/loadgen: $(BUILD)/tests/bench/loadgen.o
	$(Q)$(CC) $(LDFLAGS) -pthread -o $@ $^

$(BUILD)/tests/bench/render: $(BUILD)/tests/bench/render.o $(BUILD)/lib.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Ten minutes, on an otherwise idle machine; writes docs/benchmarks.md.
bench: all $(BUILD)/tests/bench/loadgen $(BUILD)/tests/bench/render
	$(Q)python3 tests/bench/bench.py $(BENCH_ARGS)

# kprobe and fentry side by side, in a virtual machine; writes docs/benchmarks-vm.md.
bench-vm: all $(BUILD)/tests/bench/loadgen
	$(Q)python3 tests/bench/bench.py --vm $(BENCH_ARGS)

# Every path, case and kernel against second witnesses; writes docs/truth.md.
truth: all
	$(Q)tests/truth.sh --full --write

.PRECIOUS: $(BUILD)/%.o
unit-tests: $(TESTS)
fuzz-targets: $(FUZZERS)
optdoc: $(BUILD)/optdoc

check: all $(BUILD)/optdoc
	$(Q)$(MAKE) --no-print-directory SAN=1 unit-tests build/san/linux_net_kernel
	$(Q)UNIT_TESTS="$(sort $(patsubst tests/unit/%.c,build/san/tests/unit/%,$(wildcard tests/unit/test_*.c)))" \
		tests/run $(CHECK_ARGS)

fuzz:
	$(Q)tests/run --layer fuzz

mutate: all
	$(Q)tests/mutate.py --table

valgrind: unit-tests fuzz-targets
	$(Q)tests/valgrind.sh $(TESTS) $(FUZZERS)

lint:
	$(Q)sh scripts/lint.sh

install: $(if $(SAN),no-install,all)
	install -D -m 755 $(BUILD)/linux_net_kernel $(DESTDIR)$(PREFIX)/sbin/linux_net_kernel
	install -d -m 755 $(DESTDIR)$(DATADIR) $(DESTDIR)$(DATADIR)/probes
	install -m 644 $(PROBES) probes/README.md $(DESTDIR)$(DATADIR)/probes
	install -D -m 644 docs/linux_net_kernel.8 $(DESTDIR)$(PREFIX)/share/man/man8/linux_net_kernel.8
	install -D -m 644 docs/linux_net_kernel_example.txt \
		$(DESTDIR)$(PREFIX)/share/doc/linux_net_kernel/linux_net_kernel_example.txt

no-install:
	@echo 'make install: a program with sanitizers is not installed; without SAN and FUZZ' >&2
	@false

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/linux_net_kernel
	rm -f $(DESTDIR)$(PREFIX)/share/man/man8/linux_net_kernel.8
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(PREFIX)/share/doc/linux_net_kernel

clean:
	rm -rf build linux_net_kernel

FORCE:
.PHONY: FORCE probes-mode no-install all bench bench-vm truth check fuzz mutate valgrind lint install uninstall clean unit-tests fuzz-targets optdoc
-include $(OBJS:.o=.d) $(FUZZERS:=.d) $(TESTS:=.d) $(BUILD)/tests/unit/unit.d
