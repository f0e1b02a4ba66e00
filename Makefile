# SPDX-License-Identifier: Apache-2.0
# allot: the program, its plug-ins, its manual. Test rules stand in test/*.mk. V=1 shows every command.
BUILD   ?= build
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib/allot
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/allot
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
VERSION := 0.1.0

MAKEFLAGS += --no-builtin-rules --no-print-directory
Q       := $(if $(V),,@)
say      = $(if $(V),,@echo "  $(1) $@")

ifeq ($(origin CC),default)
CC      := gcc
endif
PKGS    := jansson libcrypto sqlite3 yaml-0.1 smartcols
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
# Zeroed locals where the compiler has it without a further switch (gcc 12, clang 16).
ZERO    := $(shell echo | $(CC) -ftrivial-auto-var-init=zero -x c -fsyntax-only - 2>&1 || true)
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE $(if $(ZERO),,-ftrivial-auto-var-init=zero)
CFLAGS  ?= -O2 -g
ABI     := $(shell cat alloc/*.h | cksum | cut -d' ' -f1)
# EXTRA: more flags for compiler and linker alike (-Werror, -fsanitize=...).
override CFLAGS := $(CFLAGS) -std=c17 $(WARN) $(HARDEN) $(EXTRA) -I. -D_GNU_SOURCE -DALLOT_VERSION='"$(VERSION)"' \
  -DALLOT_BUILD_ID='"$(ABI)"' -DALLOT_LIBDIR='"$(LIBDIR)"' -DALLOT_DATADIR='"$(DATADIR)"' $(shell pkg-config --cflags $(PKGS))
override LDFLAGS := $(LDFLAGS) -pie -Wl,-z,relro,-z,now -rdynamic $(EXTRA)
LIBS    := $(shell pkg-config --libs $(PKGS)) -ldl

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
CORE    := $(call objects,alloc/*.c alloc/store/*.c policies/*.c)
PROGRAM := $(CORE) $(call objects,cmd/*.c)
# A plug-in is backends/NAME.c, which must be there, backends/NAME_*.c, and what NAME_SHARES names.
BACKENDS := libvirt openstack simulated
PLUGINS := $(BACKENDS:%=$(BUILD)/backend-%.so)
libvirt_LIBS := $(shell pkg-config --libs libvirt libcrypto)
libvirt_SHARES := backends/range.c backends/userdata.c
openstack_LIBS := $(shell pkg-config --libs libcurl libcrypto) -lm
openstack_SHARES := backends/range.c backends/userdata.c $(wildcard backends/http*.c)

all: $(BUILD)/allot $(PLUGINS)
.PHONY: all install clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

$(BUILD)/allot: $(PROGRAM)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

define plugin
$(BUILD)/backend-$(1).so: $(patsubst %.c,$(BUILD)/pic/%.o,backends/$(1).c $(wildcard backends/$(1)_*.c) $($(1)_SHARES))
	$$(call say,LINK)
	$$(Q)$$(CC) $$(filter-out -pie,$$(LDFLAGS)) -shared -o $$@ $$^ $$($(1)_LIBS) -ljansson
endef
$(foreach b,$(BACKENDS),$(eval $(call plugin,$(b))))

# Other flags, another compiler or another build id (the checksum of alloc/*.h) make all objects anew: a plug-in and a
# program that differ in it do not load. Fixed here, because a target's own CFLAGS reach what it needs.
FLAGS := $(CC) $(subst ','\'',$(CFLAGS))
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(filter-out -fPIE,$(CFLAGS)) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

# Units, scripts and manual name the program and its files as they are installed.
INSTALLED = sed -e 's,/usr/local/share/allot,$(DATADIR),g' -e 's,/usr/local/lib/allot,$(LIBDIR),g' \
  -e 's,/usr/local/share/bash-completion/completions,$(COMPDIR),g' -e 's,/usr/local/bin/,$(PREFIX)/bin/,g'
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DATADIR)/policies $(DESTDIR)$(DATADIR)/examples
	install $(BUILD)/allot $(DESTDIR)$(PREFIX)/bin/allot
	install -m 644 $(PLUGINS) $(DESTDIR)$(LIBDIR)
	install -m 644 $(wildcard policies/*.policy policies/*.json) $(DESTDIR)$(DATADIR)/policies
	for file in $(wildcard man/examples/*); do \
	  if [ -x $$file ]; then mode=755; else mode=644; fi; \
	  $(INSTALLED) $$file | install -m $$mode /dev/stdin $(DESTDIR)$(DATADIR)/examples/$${file##*/} || exit 1; done
	for page in $(wildcard man/*.[1-8]); do \
	  $(INSTALLED) $$page | install -D -m 644 /dev/stdin $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(DESTDIR)$(COMPDIR)
	install -m 644 cmd/allot.bash $(DESTDIR)$(COMPDIR)/allot

clean:
	rm -rf build build-*

-include $(sort $(wildcard test/*.mk))
-include $(shell find $(BUILD)/obj $(BUILD)/pic -name '*.d' 2>/dev/null)
