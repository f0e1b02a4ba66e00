# SPDX-License-Identifier: Apache-2.0
# Backends: what their unit tests link, and the tests on a real private libvirtd (test/libvirt/).
$(BUILD)/unit/test_backend_simulated: $(call objects,backends/simulated*.c)
$(BUILD)/unit/test_backend_libvirt_xml: $(call objects,backends/libvirt_xml.c)
$(BUILD)/unit/test_backend_libvirt: $(call objects,backends/libvirt.c backends/libvirt_*.c $(libvirt_SHARES))
$(BUILD)/unit/test_backend_libvirt: override LIBS += $(libvirt_LIBS)
$(BUILD)/unit/test_backend_dispatch: | $(BUILD)/backend-simulated.so

LIBVIRT_DRIVE := $(BUILD)/libvirt/drive
$(LIBVIRT_DRIVE): $(call objects,test/libvirt/drive.c) $(CORE) | $(PLUGINS)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/bench/bench_libvirt: $(call objects,test/bench/bench_libvirt.c $(patsubst %,alloc/%.c,amount backend backend_probe backend_usage clock dispatch dispatch_look err fault file hash json log parallel plugin scope text yaml)) | $(PLUGINS)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(libvirt_LIBS)

LIBVIRT_TESTS := $(sort $(wildcard test/libvirt/*.sh))
libvirt-test: all $(LIBVIRT_DRIVE)
	+@$(RUN_SUITES) $(LIBVIRT_TESTS)
.PHONY: libvirt-test

# Both modes of the crash test at every point.
libvirt-crash-long: all $(LIBVIRT_DRIVE)
	+@CRASH_ALL=1 $(RUN_SUITES) test/libvirt/crash.sh
LONG_SUITES += libvirt-crash-long

# 24 servers with volumes, by the backend and by a bare program with the same calls: the ratio and its limit.
libvirt-bench: $(BUILD)/bench/bench_libvirt
	@ROOT=$(CURDIR) BUILD=$(abspath $(BUILD)) test/bench/libvirt-bench 24
.PHONY: libvirt-crash-long libvirt-bench
