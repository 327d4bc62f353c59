# SPDX-License-Identifier: MIT
#
# make                  the program, ./linux_net_kernel
# make install          DESTDIR, PREFIX
# make check            every test (see tests/run)
# make lint             clang-format, clang-tidy, cppcheck, shellcheck
# V=1 shows commands, SAN=1 builds with ASan and UBSan (into build/san).

VERSION := 0.1.0
PREFIX ?= /usr/local
DATADIR := $(PREFIX)/share/linux_net_kernel
CC ?= gcc
CFLAGS ?= -O2 -g
BUILD := build/$(if $(SAN),san,opt)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wno-format-nonliteral -Wvla -Werror
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
comma := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
override CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -DVERSION='"$(VERSION)"' -DDATADIR='"$(DATADIR)"'
override CFLAGS += -std=c11 $(WARN) $(HARDEN) $(SANFLAGS)
override LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANFLAGS)
# libbcc_bpf: the half of libbcc without LLVM. libbcc itself is loaded at run time.
LDLIBS := -lbcc_bpf -lbpf -lcap -ldl

PROBES := $(sort $(wildcard probes/*.h probes/*.c))
SRCS := $(filter-out src/conf/optdoc.c,$(wildcard src/*.c src/*/*.c))
OBJS := $(SRCS:%.c=$(BUILD)/%.o) $(BUILD)/embedded.o
LIBOBJS := $(filter-out $(BUILD)/src/main.o,$(OBJS))
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

all: linux_net_kernel

linux_net_kernel: $(BUILD)/linux_net_kernel
	$(Q)ln -f $< $@ 2>/dev/null || cp $< $@

$(BUILD)/linux_net_kernel: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The probes as C strings: what the program falls back to.
$(BUILD)/embedded.c: $(PROBES) scripts/embed.sh Makefile
	$(call say,EMBED,probes)
	@mkdir -p $(@D)
	$(Q)sh scripts/embed.sh $(PROBES) >$@.tmp && mv $@.tmp $@

$(BUILD)/optdoc: $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/conf/*.c src/base/*.c))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/unit.o $(LIBOBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PRECIOUS: $(BUILD)/%.o
unit-tests: $(TESTS)
optdoc: $(BUILD)/optdoc

check: all $(BUILD)/optdoc
	$(Q)$(MAKE) --no-print-directory SAN=1 unit-tests
	$(Q)UNIT_TESTS="$(sort $(patsubst tests/unit/%.c,build/san/tests/unit/%,$(wildcard tests/unit/test_*.c)))" \
		tests/run $(CHECK_ARGS)

lint:
	$(Q)sh scripts/lint.sh

install: all
	install -D -m 755 linux_net_kernel $(DESTDIR)$(PREFIX)/sbin/linux_net_kernel
	install -d $(DESTDIR)$(DATADIR)/probes
	install -m 644 $(PROBES) probes/README.md $(DESTDIR)$(DATADIR)/probes
	install -D -m 644 docs/linux_net_kernel.8 $(DESTDIR)$(PREFIX)/share/man/man8/linux_net_kernel.8
	install -D -m 644 docs/linux_net_kernel_example.txt \
		$(DESTDIR)$(PREFIX)/share/doc/linux_net_kernel/linux_net_kernel_example.txt

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/linux_net_kernel
	rm -f $(DESTDIR)$(PREFIX)/share/man/man8/linux_net_kernel.8
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(PREFIX)/share/doc/linux_net_kernel

clean:
	rm -rf build linux_net_kernel

.PHONY: all check lint install uninstall clean unit-tests optdoc
-include $(OBJS:.o=.d)
