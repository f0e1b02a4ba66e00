# allot: the program, its plug-ins, its manual. Test rules stand in test/*.mk.
BUILD   ?= build
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib/allot
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/allot
VERSION := 0.1.0

PKGS    := jansson libcrypto sqlite3 yaml-0.1 smartcols
CC      ?= gcc
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -ftrivial-auto-var-init=zero
CFLAGS  ?= -O2 -g
ABI     := $(shell cat alloc/*.h | cksum | cut -d' ' -f1)
override CFLAGS += -std=c17 $(WARN) $(HARDEN) $(EXTRA) -I. -D_GNU_SOURCE -DALLOT_VERSION='"$(VERSION)"' \
  -DALLOT_BUILD_ID='"$(ABI)"' -DALLOT_LIBDIR='"$(LIBDIR)"' -DALLOT_DATADIR='"$(DATADIR)"' $(shell pkg-config --cflags $(PKGS))
LDFLAGS += -pie -Wl,-z,relro,-z,now -rdynamic $(EXTRA)
LIBS    := $(shell pkg-config --libs $(PKGS)) -ldl

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
CORE    := $(call objects,alloc/*.c alloc/store/*.c policies/*.c)
PROGRAM := $(CORE) $(call objects,cmd/*.c)
# A plug-in is backends/NAME.c and backends/NAME_*.c.
BACKENDS := libvirt simulated
PLUGINS := $(BACKENDS:%=$(BUILD)/backend-%.so)
libvirt_LIBS := $(shell pkg-config --libs libvirt)

all: $(BUILD)/allot $(PLUGINS)
.PHONY: all install clean

$(BUILD)/allot: $(PROGRAM)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

define plugin
$(BUILD)/backend-$(1).so: $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard backends/$(1).c backends/$(1)_*.c))
	$$(CC) $$(filter-out -pie,$$(LDFLAGS)) -shared -o $$@ $$^ $$($(1)_LIBS) -ljansson
endef
$(foreach b,$(BACKENDS),$(eval $(call plugin,$(b))))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(CFLAGS)) -fPIC -MMD -MP -c -o $@ $<

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DATADIR)/policies $(DESTDIR)$(MANDIR)
	install $(BUILD)/allot $(DESTDIR)$(PREFIX)/bin/allot
	install -m 644 $(PLUGINS) $(DESTDIR)$(LIBDIR)
	install -m 644 policies/*.policy policies/*.json $(DESTDIR)$(DATADIR)/policies
	for page in man/*.[1-8]; do install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf build build-*

-include $(wildcard test/*.mk)
-include $(shell find $(BUILD)/obj $(BUILD)/pic -name '*.d' 2>/dev/null)
